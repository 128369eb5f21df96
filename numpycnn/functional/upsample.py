"""Making pictures larger by repeating or interpolating.

Along each axis, every output is a fixed weighted mean of inputs, ``y = A x``, with one matrix ``A`` for each axis. Output ``o`` lies
at ``(o + 1/2) / scale - 1/2`` in the coordinates of the input: the nearest input gets all the weight, or the two next to it
share it in proportion to their nearness. Positions beyond the first and the last input are moved onto them. The backward is
the same with the transposed matrices, ``dx = A^T dy``.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from numpycnn.functional.checks import expect_shape, float_array, per_axis, spell

MODES = ("nearest", "bilinear")


@lru_cache(maxsize=64)
def _matrix(size: int, scale: int, mode: str) -> np.ndarray:
    """Return the weights of one axis, (size * scale, size)."""
    outputs = np.arange(size * scale)
    matrix = np.zeros((size * scale, size))
    if mode == "nearest":
        matrix[outputs, outputs // scale] = 1
        return matrix
    at = np.clip((outputs + 0.5) / scale - 0.5, 0, size - 1)
    left = np.floor(at).astype(int)
    right = np.minimum(left + 1, size - 1)
    matrix[outputs, left] += 1 - (at - left)
    matrix[outputs, right] += at - left
    return matrix


def _prepare(x: Any, scale_factor: Any, mode: str, operation: str) -> tuple[np.ndarray, list[np.ndarray]]:
    x = float_array(x, "x", operation)
    if x.ndim < 3:
        raise ValueError(f"{operation}: expected x (N, C, ...) with at least one spatial axis, got {spell(x.shape)}")
    scales = check_upsample(scale_factor, mode, x.ndim - 2, operation)
    return x, [
        _matrix(size, scale, mode).astype(x.dtype, copy=False) for size, scale in zip(x.shape[2:], scales, strict=True)
    ]


def check_upsample(scale_factor: Any, mode: str, rank: int, operation: str) -> tuple[int, ...]:
    """Return the scale of each axis."""
    if mode not in MODES:
        raise ValueError(f"{operation}: expected mode 'nearest' or 'bilinear', got {mode!r}")
    return per_axis(scale_factor, rank, "scale_factor", operation)


def _apply(x: np.ndarray, matrices: list[np.ndarray]) -> np.ndarray:
    for axis, matrix in enumerate(matrices, start=2):
        x = np.moveaxis(np.moveaxis(x, axis, -1) @ matrix.T, -1, axis)
    return np.ascontiguousarray(x)


def upsample(x: Any, scale_factor: Any, *, mode: str = "nearest") -> np.ndarray:
    """Make each spatial axis larger by a whole factor.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size)
        float32 or float64.
    scale_factor : int or tuple of int
        For all spatial axes, or for each.
    mode : {"nearest", "bilinear"}
        Repeat, or interpolate linearly along each axis.

    Returns
    -------
    ndarray of shape (N, C, *(size * scale_factor))

    Raises
    ------
    ValueError
        If there is no spatial axis, or a setting is out of range.
    TypeError
        If `x` is not float32 or float64.

    Notes
    -----
    As PyTorch's ``interpolate`` with ``align_corners=False``.

    Examples
    --------
    >>> import numpy as np
    >>> upsample(np.array([[[0.0, 4.0]]]), 2, mode="bilinear")
    array([[[0., 1., 3., 4.]]])
    """
    x, matrices = _prepare(x, scale_factor, mode, "upsample")
    return _apply(x, matrices)


def upsample_backward(dy: Any, x: Any, scale_factor: Any, *, mode: str = "nearest") -> np.ndarray:
    """Return ``dx``: each input gets back from each output what it gave to it."""
    x, matrices = _prepare(x, scale_factor, mode, "upsample_backward")
    dy = float_array(dy, "dy", "upsample_backward", like=x)
    expect_shape(dy, (*x.shape[:2], *(len(matrix) for matrix in matrices)), "dy", "upsample_backward")
    return _apply(dy, [matrix.T for matrix in matrices])
