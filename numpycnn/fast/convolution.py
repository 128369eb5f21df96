"""Convolution in one, two and three dimensions on compiled loops; `numpycnn.plain.convolution` has the derivations.

Three algorithms, each behind a rule: Winograd (`numpycnn.fast.winograd`) for 3x3 kernels with stride 1 and enough
channels; a direct convolution (`numpycnn.kernels.direct`) with stride 1 and few filters; im2col of a tile and a matrix
product (`numpycnn.kernels.im2col`) for all others, and for the gradient of the weights. The gradient of the input is a
convolution of ``dy``.
"""

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from numpycnn._settings import get_num_threads
from numpycnn._types import Array, Gradients, Pads, Shape, Size
from numpycnn.fast.layout import Layout, layout
from numpycnn.fast.matrices import pad_to_multiple
from numpycnn.fast.winograd import all_moderate, prefers_winograd, winograd, winograd_backward
from numpycnn.kernels import direct, im2col
from numpycnn.kernels.engine import memory, threads
from numpycnn.kernels.engine.gemm import lanes, narrow_lanes
from numpycnn.kernels.im2col import Geometry
from numpycnn.plain import convolution as plain

__all__ = ["conv", "conv_backward", "conv_input_gradient", "conv_weight_gradient"]
__all__ += ["conv1d", "conv1d_backward", "conv2d", "conv2d_backward", "conv3d", "conv3d_backward"]
__all__ += ["conv_transpose", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "conv_transpose_backward"]
__all__ += ["conv_transpose1d_backward", "conv_transpose2d_backward", "conv_transpose3d_backward"]


def conv(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Size = 1,
    padding: Pads = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Array:
    """Cross-correlate inputs (N, C, *size) with kernels (F, C/groups, *kernel)."""
    windows = layout(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    return _convolve(x, weight, bias, groups, windows)


def conv_backward(
    dy: Array, x: Array, weight: Array, *, stride: Size = 1, padding: Pads = 0, dilation: Size = 1, groups: int = 1
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `conv`."""
    windows = layout(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    if len(x) and prefers_winograd(len(x), x.shape[1], len(weight), groups, windows):
        gradients = winograd_backward(dy, x, weight, windows)
        if gradients is not None:
            return gradients
    return _input_gradient(dy, weight, groups, windows), *_weight_gradient(dy, x, weight.shape, groups, windows)


def conv_input_gradient(
    dy: Array, weight: Array, size: Shape, *, stride: Size = 1, padding: Pads = 0, dilation: Size = 1, groups: int = 1
) -> Array:
    """Return ``dx``, (N, C, *size)."""
    return _input_gradient(dy, weight, groups, layout(size, weight.shape[2:], stride, padding, dilation, dy.shape[2:]))


def conv_weight_gradient(
    dy: Array, x: Array, kernel_size: Size, *, stride: Size = 1, padding: Pads = 0, dilation: Size = 1, groups: int = 1
) -> tuple[Array, Array]:
    """Return ``dweight``, (F, C/groups, *kernel), and ``dbias``, (F,)."""
    windows = layout(x.shape[2:], kernel_size, stride, padding, dilation, dy.shape[2:])
    shape = (dy.shape[1], x.shape[1] // groups, *windows.kernel)
    return _weight_gradient(dy, x, shape, groups, windows)


def conv_transpose(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Size = 1,
    padding: Pads = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Array:
    """Spread inputs (N, C, *size) with kernels (C, F/groups, *kernel): the input gradient of a convolution."""
    size = plain.transposed_size(
        x.shape[2:], weight.shape[2:], stride=stride, padding=padding, output_padding=output_padding, dilation=dilation
    )
    windows = layout(size, weight.shape[2:], stride, padding, dilation, x.shape[2:])
    y = _input_gradient(x, weight, groups, windows)  # (N, F, *output)
    if bias is not None:
        y += bias.reshape(-1, *[1] * len(size))
    return y


def conv_transpose_backward(
    dy: Array,
    x: Array,
    weight: Array,
    *,
    stride: Size = 1,
    padding: Pads = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `conv_transpose`: those of the convolution, in other roles."""
    windows = layout(dy.shape[2:], weight.shape[2:], stride, padding, dilation, x.shape[2:])
    dx = _convolve(dy, weight, None, groups, windows)
    dweight, _ = _weight_gradient(x, dy, weight.shape, groups, windows)
    return dx, dweight, dy.sum(axis=(0, *range(2, dy.ndim)))


# --------------------------------------------------------------------------------------------------------- algorithms

#: Rows and columns of an im2col tile, 192 KiB in float32. A weight's gradient is a sum along the tile, so longer tiles
#: suit it better.
DEPTH, TILE = 96, 512
GRADIENT_DEPTH, GRADIENT_TILE = 48, 1024
#: Multiply-adds that take as long as packing one element. Below this, direct takes 0.6 to 1
#: of im2col's time, with 15 of them 1.1, with 80 (64 channels of 4x4) 1.5.
PACKING = 10
#: Positions that a direct convolution works on at a time, at least, if the batch is large enough.
POSITIONS = 512


class _Plan(NamedTuple):
    """Derived from shapes, dtype and number of threads: the kernel, the chunks and the sizes of scratch memory."""

    direct: bool
    chunks: tuple[tuple[int, int], ...]
    together: int  # images that a chunk pads at a time
    line: tuple[int, int]
    columns: tuple[int, int, int]
    sums: tuple[int, int, int]


def prefers_direct(filters: int, geometry: Geometry) -> bool:
    """Whether the windows that a direct convolution computes and drops cost less than packing, with strides of 1."""
    dropped = geometry.plane / (len(geometry.origins) * geometry.width) - 1
    return filters * dropped < PACKING


def _line(chunks: int, channels: int, together: int, geometry: Geometry, dtype: np.dtype) -> tuple[int, int]:
    """Return the shape of the padded images of each chunk."""
    last = int(geometry.origins[-1]) + geometry.width + int(geometry.taps.max())  # padding may extend past a plane
    return chunks, (channels * together - 1) * geometry.plane + max(geometry.plane, last) + lanes(dtype)


@lru_cache(maxsize=256)
def _plan(
    windows: Layout,
    adjoint: bool,
    images: int,
    channels: int,
    weights: tuple[int, int, int],
    dtype: np.dtype,
    num_threads: int,  # part of the key
) -> _Plan:
    """Plan a convolution with weights (G, F/G, K), or with `adjoint` the input gradient of one."""
    geometry = windows.adjoint[0] if adjoint else windows.geometry
    positions, room = len(geometry.origins) * geometry.width, lanes(dtype)
    direct = (adjoint or max(windows.stride) == 1) and prefers_direct(weights[1], geometry)
    chunks = threads.split(images, images * positions * prod(weights))
    together = -(-POSITIONS // geometry.plane) if direct else max(1, TILE // positions)
    together = min(together, -(-images // len(chunks)))
    tile = min(TILE, -(-together * positions // room) * room)
    return _Plan(
        direct,
        chunks,
        together,
        line=_line(len(chunks), channels, together, geometry, dtype),
        columns=(len(chunks), DEPTH, tile + narrow_lanes(dtype)),
        sums=(len(chunks), weights[1], together * geometry.plane + room if direct else tile),
    )


def _rows(x: Array) -> Array:
    """View (N, C, *size) as rows, (N, C, R, W)."""
    return x.reshape(*x.shape[:2], prod(x.shape[2:-1]), x.shape[-1])


def _multiply(x: Array, weights: Array, bias: Array, windows: Layout, adjoint: bool, y: Array) -> None:
    """Write the weighted sum of each window, for weights (G, F/G, K) and bias (G, F/G), F/G padded to 4."""
    plan = _plan(windows, adjoint, len(x), x.shape[1], weights.shape, x.dtype, get_num_threads())
    geometry, outputs = windows.adjoint[:2] if adjoint else (windows.geometry, windows.outputs)
    line, sums = memory.zeros(plan.line, x.dtype), memory.empty(plan.sums, x.dtype)
    arguments = _rows(x), weights, bias, geometry, outputs, plan.together, line
    out = y.reshape(*y.shape[:2], -1)
    if plan.direct:
        threads.run(direct.convolve, plan.chunks, *arguments, sums, out)
    else:
        threads.run(im2col.convolve, plan.chunks, *arguments, memory.empty(plan.columns, x.dtype), sums, out)


def _convolve(x: Array, weight: Array, bias: Array | None, groups: int, windows: Layout) -> Array:
    """Return the weighted sum of each window, (N, F, *output)."""
    n, filters = len(x), len(weight)
    if n and prefers_winograd(n, x.shape[1], filters, groups, windows):
        y = winograd(x, weight, bias, windows)
        if y is not None:
            return y
    y = memory.empty((n, filters, *windows.output), x.dtype)
    if n:
        weights = pad_to_multiple(weight.reshape(groups, filters // groups, -1), 4, 1)
        offset = np.zeros(weights.shape[:2], x.dtype)
        if bias is not None:
            offset[:, : filters // groups] = bias.reshape(groups, -1)
        _multiply(x, weights, offset, windows, False, y)
    return y


def _input_gradient(dy: Array, weight: Array, groups: int, windows: Layout) -> Array:
    """Return the gradient of the input, (N, C, *size)."""
    n, filters, channels = len(dy), len(weight) // groups, weight.shape[1]
    if not all_moderate(weight):  # the padding's 0 times NaN or infinity would be NaN
        with np.errstate(all="ignore"):
            return plain.conv_input_gradient(dy, weight, windows.size, **windows.settings, groups=groups)
    dx = (memory.empty if windows.covers else memory.zeros)((n, groups * channels, *windows.size), dy.dtype)
    _, outputs, order = windows.adjoint
    if n and len(order):
        swapped = weight.reshape(groups, filters, channels, -1).swapaxes(1, 2)  # (G, C/G, F/G, taps)
        phases = [swapped[..., taps].reshape(groups, channels, -1) for taps in np.split(order, outputs.bounds[1:-1])]
        weights = pad_to_multiple(np.concatenate(phases, axis=2), 4, 1)
        _multiply(dy, weights, np.zeros(weights.shape[:2], dy.dtype), windows, True, dx)
    return dx


def _weight_gradient(
    dy: Array, x: Array, weight_shape: tuple[int, ...], groups: int, windows: Layout
) -> tuple[Array, Array]:
    """Return the gradient of each weight, in the shape of the weights, and of each bias."""
    n, filters = len(dy), dy.shape[1] // groups
    k, positions, geometry = prod(weight_shape[1:]), prod(windows.output), windows.geometry
    if not n:
        return np.zeros(weight_shape, dy.dtype), np.zeros(dy.shape[1], dy.dtype)
    chunks, room = threads.split(n, dy.size * k), lanes(x.dtype)
    together = max(1, min(-(-n // len(chunks)), GRADIENT_TILE // positions))
    tile = min(GRADIENT_TILE, -(-together * positions // room) * room)
    line = memory.zeros(_line(len(chunks), x.shape[1], together, geometry, x.dtype), x.dtype)
    columns = memory.empty((len(chunks), GRADIENT_DEPTH, tile + narrow_lanes(x.dtype)), x.dtype)
    gradient = memory.zeros((len(chunks), -(-filters // 4) * 4, tile), x.dtype)
    dweight = memory.zeros((len(chunks), groups, gradient.shape[1], -(-k // 3) * 3), x.dtype)
    dbias = np.zeros(dweight.shape[:3], x.dtype)
    arguments = dy.reshape(n, dy.shape[1], -1), _rows(x), geometry, together, line, columns, gradient
    threads.run(im2col.weight_gradient, chunks, *arguments, dweight, dbias)
    weight = dweight.sum(axis=0)[:, :filters, :k].reshape(weight_shape)
    return weight, dbias.sum(axis=0)[:, :filters].reshape(-1)


conv1d = conv2d = conv3d = conv  # one function: the rank is that of the arrays
conv1d_backward = conv2d_backward = conv3d_backward = conv_backward
conv_transpose1d = conv_transpose2d = conv_transpose3d = conv_transpose
conv_transpose1d_backward = conv_transpose2d_backward = conv_transpose3d_backward = conv_transpose_backward
