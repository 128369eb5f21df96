"""Products of matrices of any size, cut and filled up to what the loops below work on."""

import numpy as np

from numpycnn.functional.checks import for_kernel
from numpycnn.kernels import matrices as kernels
from numpycnn.kernels import memory, threads
from numpycnn.kernels.products import lanes, narrow_lanes


def filled_up(matrices: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return matrices (..., M, N) whose sides are multiples of two numbers, with zeros for what is missing."""
    *groups, m, n = matrices.shape
    shape = (*groups, -(-m // rows) * rows, -(-n // columns) * columns)
    if shape == matrices.shape:
        return for_kernel(matrices)
    filled = memory.zeros(shape, matrices.dtype)
    filled[..., :m, :n] = matrices
    return filled


def multiply(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Return ``a b`` for matrices (M, K) and (K, N), in `out` if that is given."""
    (m, k), n = a.shape, b.shape[1]
    a, b = filled_up(a, 4, 1), filled_up(b, 1, lanes(b.dtype))
    shape = (len(a), b.shape[1])
    if out is not None and out.shape == shape and out.flags.carray and out.dtype == b.dtype:
        y = out
    else:
        y = memory.empty(shape, b.dtype)
    threads.run(kernels.multiply, threads.split(len(a) // 4, m * n * k), a, b, y)
    if out is None or y is out:
        return y[:m, :n]
    out[...] = y[:m, :n]
    return out


def multiply_transposed(a: np.ndarray, b: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """Return ``a b^T + start`` for matrices (M, K) and (N, K), and a row (N,)."""
    (m, k), n = a.shape, len(b)
    width = narrow_lanes(b.dtype)
    a, b = filled_up(a, 4, width), filled_up(b, 3, width)
    y = memory.zeros((len(a), len(b)), b.dtype)
    if start is not None:
        y[:, :n] = start
    if m:
        threads.run(kernels.multiply_transposed, threads.split(len(a) // 4, m * n * k), a, b, y)
    return np.ascontiguousarray(y[:m, :n])
