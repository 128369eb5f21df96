"""Larger pictures: a margin around them, upsampling by repetition or interpolation, channels that become pixels.

Padding puts ``x`` into the middle. With zeros around it, ``dx`` is the same region of ``dy``. Where the margin repeats
elements of ``x`` (reflected at the first and the last element, or these two themselves), each of them also collects the
``dy`` of its repetitions.

In upsampling by a factor ``r``, output ``o`` of an axis is at ``(o + 1/2) / r - 1/2`` in the coordinates of the input.
It takes the value of the nearest input, or interpolates linearly between the two neighbours: the right one counts
``t``, the left one ``1 - t``. Positions beyond the first and the last input are moved onto them. In the gradient, each
input collects ``dy`` with the same factors.

The pixel shuffle moves ``r * r`` channels into ``r * r`` pixels, ``y[c, r h + i, r w + j] = x[r r c + r i + j, h, w]``.
It only changes the order of the elements, and its gradient changes it back.

Source: arXiv 1603.07285, section 2.1; A. Odena, V. Dumoulin, C. Olah, "Deconvolution and checkerboard artifacts", 2016;
W. Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
network", arXiv 1609.05158.
"""

from math import prod

import numpy as np

from numpycnn._types import Array, Pads, Size
from numpycnn.plain.windows import padding_pairs


def pad(x: Array, padding: Pads, *, mode: str = "constant") -> Array:
    """Put zeros, the reflected picture or its edge around the spatial axes of (N, C, *size)."""
    return np.pad(x, ((0, 0), (0, 0), *padding_pairs(padding, x.ndim - 2)), mode=mode)  # type: ignore[call-overload]


def pad_backward(dy: Array, x: Array, padding: Pads, *, mode: str = "constant") -> Array:
    """Return ``dx``: the middle of ``dy``, and what the margins add to the elements that they repeat."""
    for axis, pair in enumerate(padding_pairs(padding, x.ndim - 2), start=2):
        dy, size = np.moveaxis(dy, axis, 0), x.shape[axis]
        dx = dy[pair[0] : pair[0] + size].copy()
        if mode != "constant":
            repeated = np.pad(np.arange(size), pair, mode=mode)  # type: ignore[call-overload]  # input of each output
            for margin in (*range(pair[0]), *range(pair[0] + size, len(dy))):
                dx[repeated[margin]] += dy[margin]
        dy = np.moveaxis(dx, 0, axis)
    return np.ascontiguousarray(dy)


def zero_pad(x: Array, padding: Pads) -> Array:
    """Put zeros around the spatial axes of (N, C, *size)."""
    return pad(x, padding)


def zero_pad_backward(dy: Array, x: Array, padding: Pads) -> Array:
    """Return ``dx``, the middle of ``dy``."""
    return pad_backward(dy, x, padding)


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


def pixel_shuffle(x: Array, upscale_factor: Size) -> Array:
    """Interleave groups of ``r * r`` channels: (N, C r r, H, W) becomes (N, C, H r, W r), for any number of axes."""
    factors = np.broadcast_to(upscale_factor, x.ndim - 2).tolist()
    n, c, *size = x.shape
    apart = x.reshape(n, c // prod(factors), *factors, *size)  # (N, C, r, r, H, W)
    y = apart.transpose(0, 1, *_beside(len(size)))  # (N, C, H, r, W, r)
    return y.reshape(*y.shape[:2], *[i * factor for i, factor in zip(size, factors, strict=True)])


def pixel_shuffle_backward(dy: Array, x: Array, upscale_factor: Size) -> Array:
    """Return ``dx``: each element goes back to its place."""
    factors = np.broadcast_to(upscale_factor, x.ndim - 2).tolist()
    beside = [number for pair in zip(x.shape[2:], factors, strict=True) for number in pair]  # H, r, W, r
    order = np.argsort([0, 1, *_beside(len(factors))])
    return dy.reshape(*dy.shape[:2], *beside).transpose(order).reshape(x.shape)


def _beside(rank: int) -> list[int]:
    """Return the order of axes in which each of the spatial axes, behind the factors, comes before its factor."""
    return [axis for i in range(rank) for axis in (2 + rank + i, 2 + i)]


def _neighbours(size: int, factor: int, mode: str) -> tuple[Array, Array, Array]:
    """Return the left and the right neighbour of each output of an axis, and the share ``t`` of the right one."""
    outputs = np.arange(size * factor)
    if mode == "nearest":
        return outputs // factor, outputs // factor, np.zeros(size * factor)
    at = np.clip((outputs + 0.5) / factor - 0.5, 0, size - 1)
    left = np.floor(at).astype(int)
    return left, np.minimum(left + 1, size - 1), at - left
