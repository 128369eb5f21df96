"""Matrix products, cut into blocks of four rows that the threads share.

They are the micro-kernels of `numpycnn.kernels.engine.gemm`, where the lines are the rows of ``b``. NumPy's own product
is faster where its BLAS knows the processor, and half as fast elsewhere; but its threads spin for milliseconds after a
product and take the processors from the threads of the next layer.
"""

import numpy as np

from numpycnn.kernels.engine.gemm import scalar_products, weighted_sums
from numpycnn.kernels.engine.jit import jit

BLOCK = 1024  # elements of the rows in a scalar product per pass, which stay in the cache


@jit
def multiply(chunk, start, stop, a, b, y):
    """Y = a b. a (M, K), b (K, N), y (M, N), M a multiple of 4, N of ``lanes``."""
    k, n = b.shape
    offsets = np.arange(k) * n
    zeros = np.zeros(4 * (stop - start), b.dtype)
    rows = a[4 * start : 4 * stop, :k]  # a slice: see `weighted_sums`
    weighted_sums(b.reshape(-1), offsets, rows, zeros, n, y[4 * start : 4 * stop])


@jit
def multiply_transposed(chunk, start, stop, a, b, y):
    """Y += a b^T. a (M, K), b (N, K), y (M, N), M a multiple of 4, N of 3, K of ``narrow_lanes``."""
    n, k = b.shape
    offsets = np.arange(n) * k
    line = b.reshape(-1)
    for begin in range(0, k, BLOCK):
        end = min(begin + BLOCK, k)
        for m in range(start, stop):
            scalar_products(line, offsets, a[4 * m : 4 * m + 4], begin, end, y[4 * m : 4 * m + 4])
