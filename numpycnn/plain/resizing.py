"""Larger pictures: zeros around them, and upsampling by repetition or interpolation.

Zero padding puts ``x`` into the middle of zeros, so ``dx`` is the same region of ``dy``.

In upsampling by a factor ``r``, output ``o`` of an axis is at ``(o + 1/2) / r - 1/2`` in the coordinates of the input.
It takes the value of the nearest input, or interpolates linearly between the two neighbours: the right one counts
``t``, the left one ``1 - t``. Positions beyond the first and the last input are moved onto them. In the gradient, each
input collects ``dy`` with the same factors.

Source: arXiv 1603.07285, section 2.1; A. Odena, V. Dumoulin, C. Olah, "Deconvolution and checkerboard artifacts", 2016.
"""

import numpy as np

from numpycnn._types import Array, Pads, Size
from numpycnn.plain.windows import padding_pairs


def zero_pad(x: Array, padding: Pads) -> Array:
    """Put zeros around the spatial axes of (N, C, *size)."""
    return np.pad(x, ((0, 0), (0, 0), *padding_pairs(padding, x.ndim - 2)))


def zero_pad_backward(dy: Array, x: Array, padding: Pads) -> Array:
    """Return ``dx``, the middle of ``dy``."""
    pairs = padding_pairs(padding, x.ndim - 2)
    inside = (slice(before, before + i) for i, (before, _) in zip(x.shape[2:], pairs, strict=True))
    return np.ascontiguousarray(dy[..., *inside])


def upsample(x: Array, scale_factor: Size, *, mode: str = "nearest") -> Array:
    """Enlarge each spatial axis by an integer factor; `mode` is ``"nearest"`` or ``"bilinear"``."""
    for axis, factor in enumerate(np.broadcast_to(scale_factor, x.ndim - 2), start=2):
        x = np.moveaxis(x, axis, -1)
        left, right, t = _neighbours(x.shape[-1], factor, mode)
        t = t.astype(np.result_type(x, np.float32))
        y = x[..., left].astype(t.dtype, copy=False)
        between = t > 0  # the others are copies: 0 times a neighbour that is infinite would be NaN
        t = t[between]
        y[..., between] = (1 - t) * y[..., between] + t * x[..., right[between]]
        x = np.moveaxis(y, -1, axis)
    return np.ascontiguousarray(x)


def upsample_backward(dy: Array, x: Array, scale_factor: Size, *, mode: str = "nearest") -> Array:
    """Return ``dx``: each input sums the gradients of its outputs, weighted as in the forward pass."""
    for axis, factor in enumerate(np.broadcast_to(scale_factor, x.ndim - 2), start=2):
        dy = np.moveaxis(dy, axis, 0)
        left, right, t = _neighbours(x.shape[axis], factor, mode)
        t = t.astype(np.result_type(dy, np.float32)).reshape(-1, *[1] * (dy.ndim - 1))
        dx = np.zeros((x.shape[axis], *dy.shape[1:]), t.dtype)
        between = t.ravel() > 0
        np.add.at(dx, left, (1 - t) * dy)
        np.add.at(dx, right[between], t[between] * dy[between])
        dy = np.moveaxis(dx, 0, axis)
    return np.ascontiguousarray(dy)


def _neighbours(size: int, factor: int, mode: str) -> tuple[Array, Array, Array]:
    """Return the left and the right neighbour of each output of an axis, and the share ``t`` of the right one."""
    outputs = np.arange(size * factor)
    if mode == "nearest":
        return outputs // factor, outputs // factor, np.zeros(size * factor)
    at = np.clip((outputs + 0.5) / factor - 0.5, 0, size - 1)
    left = np.floor(at).astype(int)
    return left, np.minimum(left + 1, size - 1), at - left
