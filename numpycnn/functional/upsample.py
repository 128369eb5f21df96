"""Making pictures larger by repeating or interpolating.

Along each axis output ``o`` lies at ``(o + 1/2) / scale - 1/2`` in the coordinates of the input. The nearest input
gives it its value, or the two next to it share in it by their nearness, the right one with ``t`` and the left one with
``1 - t``; positions beyond the first and the last input are moved onto them. The backward gives each input the same
shares of ``dy``.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from numpycnn.functional.checks import expect_shape, float_array, limit_channel, per_axis, spell

MODES = ("nearest", "bilinear")


class _Neighbours(NamedTuple):
    """Which inputs each output of one axis is made of, (size * scale,) each."""

    left: np.ndarray
    right: np.ndarray
    share: np.ndarray  # t, of the right one


@lru_cache(maxsize=64)
def _neighbours(size: int, scale: int, mode: str) -> _Neighbours:
    outputs = np.arange(size * scale)
    if mode == "nearest":
        return _Neighbours(outputs // scale, outputs // scale, np.zeros(size * scale))
    at = np.clip((outputs + 0.5) / scale - 0.5, 0, size - 1)
    left = np.floor(at).astype(int)
    return _Neighbours(left, np.minimum(left + 1, size - 1), at - left)


def _prepare(x: Any, scale_factor: Any, mode: str, operation: str) -> tuple[np.ndarray, list[_Neighbours]]:
    x = float_array(x, "x", operation)
    if x.ndim < 3:
        raise ValueError(f"{operation}: expected x (N, C, ...) with at least one spatial axis, got {spell(x.shape)}")
    scales = check_upsample(scale_factor, mode, x.ndim - 2, operation)
    limit_channel([size * scale for size, scale in zip(x.shape[2:], scales, strict=True)], operation)
    return x, [_neighbours(size, scale, mode) for size, scale in zip(x.shape[2:], scales, strict=True)]


def check_upsample(scale_factor: Any, mode: str, rank: int, operation: str) -> tuple[int, ...]:
    """Return the scale of each axis."""
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"{operation}: expected mode 'nearest' or 'bilinear', got {mode!r}")
    return per_axis(scale_factor, rank, "scale_factor", operation)


def _enlarge(x: np.ndarray, axis: int, neighbours: _Neighbours) -> np.ndarray:
    x = np.moveaxis(x, axis, -1)
    y = x[..., neighbours.left]
    between = neighbours.share > 0  # the others are copies: 0 times a neighbour that is not finite would be NaN
    if between.any():
        share = neighbours.share[between].astype(x.dtype)
        y[..., between] = (1 - share) * y[..., between] + share * x[..., neighbours.right[between]]
    return np.moveaxis(y, -1, axis)


def _give_back(dy: np.ndarray, axis: int, size: int, neighbours: _Neighbours) -> np.ndarray:
    lines = np.moveaxis(dy, axis, 0)
    dx = np.zeros((size, *lines.shape[1:]), dy.dtype)
    share = neighbours.share.astype(dy.dtype).reshape(-1, *(1,) * (dy.ndim - 1))
    between = neighbours.share > 0
    np.add.at(dx, neighbours.left, (1 - share) * lines)
    np.add.at(dx, neighbours.right[between], share[between] * lines[between])
    return np.moveaxis(dx, 0, axis)


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

    References
    ----------
    A. Odena, V. Dumoulin, C. Olah, "Deconvolution and checkerboard artifacts", 2016.

    Examples
    --------
    >>> import numpy as np
    >>> upsample(np.array([[[0.0, 4.0]]]), 2, mode="bilinear")
    array([[[0., 1., 3., 4.]]])
    """
    y, axes = _prepare(x, scale_factor, mode, "upsample")
    for axis, neighbours in enumerate(axes, start=2):
        y = _enlarge(y, axis, neighbours)
    return np.ascontiguousarray(y)


def upsample_backward(dy: Any, x: Any, scale_factor: Any, *, mode: str = "nearest") -> np.ndarray:
    """Return ``dx``: each input gets back from each output what it gave to it."""
    x, axes = _prepare(x, scale_factor, mode, "upsample_backward")
    dx = float_array(dy, "dy", "upsample_backward", like=x)
    expect_shape(dx, (*x.shape[:2], *(len(neighbours.left) for neighbours in axes)), "dy", "upsample_backward")
    for axis, neighbours in enumerate(axes, start=2):
        dx = _give_back(dx, axis, x.shape[axis], neighbours)
    return np.ascontiguousarray(dx)
