"""Matrix products of any size, padded to the tiles of the compiled loops."""

import numpy as np

from numpycnn._checks import as_contiguous
from numpycnn._types import Array
from numpycnn.kernels.engine import matrices as kernels
from numpycnn.kernels.engine import memory, threads
from numpycnn.kernels.engine.gemm import lanes, narrow_lanes


def pad_to_multiple(matrices: Array, rows: int, columns: int) -> Array:
    """Return matrices (..., M, N), zero-padded so that M is a multiple of `rows` and N of `columns`."""
    *groups, m, n = matrices.shape
    shape = (*groups, -(-m // rows) * rows, -(-n // columns) * columns)
    if shape == matrices.shape:
        return as_contiguous(matrices)
    padded = memory.zeros(shape, matrices.dtype)
    padded[..., :m, :n] = matrices
    return padded


def multiply(a: Array, b: Array) -> Array:
    """Return ``a b`` for matrices (M, K) and (K, N)."""
    (m, k), n = a.shape, b.shape[1]
    a, b = pad_to_multiple(a, 4, 1), pad_to_multiple(b, 1, lanes(b.dtype))
    y = memory.empty((len(a), b.shape[1]), b.dtype)
    threads.run(kernels.multiply, threads.split(len(a) // 4, m * n * k), a, b, y)
    return y[:m, :n]


def multiply_transposed(a: Array, b: Array, start: Array | None = None) -> Array:
    """Return ``a b^T + start`` for matrices (M, K) and (N, K) and a vector (N,)."""
    (m, k), n = a.shape, len(b)
    width = narrow_lanes(b.dtype)
    a, b = pad_to_multiple(a, 4, width), pad_to_multiple(b, 3, width)
    y = memory.zeros((len(a), len(b)), b.dtype)
    if start is not None:
        y[:, :n] = start
    if m:
        threads.run(kernels.multiply_transposed, threads.split(len(a) // 4, m * n * k), a, b, y)
    return np.ascontiguousarray(y[:m, :n])
