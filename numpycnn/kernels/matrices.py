"""Matrix products, in blocks of four rows that the threads share.

``multiply`` is a weighted sum of the rows of ``b``, ``multiply_transposed`` the scalar products of the rows of both; so
the rows of a matrix are the shifted lines of `numpycnn.kernels.products`, one row's length apart. NumPy's product is
the plain version. Why not use that? It is the faster one where the BLAS knows the processor, and half as fast where it
does not; but it brings threads of its own, which stay awake for milliseconds and take the processor from those of other
layers.
"""

import numpy as np

from numpycnn.kernels.jit import jit
from numpycnn.kernels.products import scalar_products, weighted_sums

BLOCK = 1024  # elements of the rows in a scalar product that are worked on at a time, to be found in the cache again


def multiply_reference(chunk, start, stop, a, b, y):
    y[4 * start : 4 * stop] = a[4 * start : 4 * stop] @ b


def multiply_transposed_reference(chunk, start, stop, a, b, y):
    y[4 * start : 4 * stop] += a[4 * start : 4 * stop] @ b.T


@jit
def multiply(chunk, start, stop, a, b, y):
    """Y = a b. a (M, K), b (K, N), y (M, N), M a multiple of 4, N of ``lanes``."""
    k, n = b.shape
    offsets = np.arange(k) * n
    nothing = np.zeros(4 * (stop - start), b.dtype)
    rows = a[4 * start : 4 * stop, :k]  # all of it: see `weighted_sums`
    weighted_sums(b.reshape(-1), offsets, rows, nothing, n, y[4 * start : 4 * stop])


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
