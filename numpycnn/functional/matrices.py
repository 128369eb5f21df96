"""Products of matrices of any size, cut and filled up to what the loops below work on."""

import numpy as np

from numpycnn.functional.checks import for_kernel
from numpycnn.kernels import matrices as kernels
from numpycnn.kernels import memory, threads
from numpycnn.kernels.products import lanes, narrow_lanes


def _filled_up(matrix: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return a matrix whose sides are multiples of two numbers, with zeros for what is missing."""
    m, n = (-(-side // unit) * unit for side, unit in zip(matrix.shape, (rows, columns), strict=True))
    if (m, n) == matrix.shape:
        return for_kernel(matrix)
    filled = memory.zeros((m, n), matrix.dtype)
    filled[: len(matrix), : matrix.shape[1]] = matrix
    return filled


def whole_fours(matrices: np.ndarray) -> np.ndarray:
    """Return matrices (..., F, K) with zeros for the rows that are missing to a multiple of four."""
    *groups, rows, k = matrices.shape
    if rows % 4 == 0:
        return for_kernel(matrices)
    filled = np.zeros((*groups, -(-rows // 4) * 4, k), matrices.dtype)
    filled[..., :rows, :] = matrices
    return filled


def multiply(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Return ``a b`` for matrices (M, K) and (K, N), in `out` if that is given."""
    (m, k), n = a.shape, b.shape[1]
    a, b = whole_fours(a), _filled_up(b, 1, lanes(b.dtype))
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
    a, b = _filled_up(a, 4, width), _filled_up(b, 3, width)
    y = memory.zeros((len(a), len(b)), b.dtype)
    if start is not None:
        y[:, :n] = start
    if m:
        threads.run(kernels.multiply_transposed, threads.split(len(a) // 4, m * n * k), a, b, y)
    return np.ascontiguousarray(y[:m, :n])
