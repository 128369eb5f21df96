"""Pooling on compiled loops; `numpycnn.plain.pooling` has the formulas."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from numpycnn._types import Array, Pads, Shape, Size
from numpycnn.fast.layout import Layout, layout
from numpycnn.kernels import pooling as kernels
from numpycnn.kernels.engine import memory, threads
from numpycnn.plain.pooling import scaled_magnitudes

__all__ = ["avg_pool", "avg_pool1d", "avg_pool2d", "avg_pool3d", "avg_pool_backward"]
__all__ += ["avg_pool1d_backward", "avg_pool2d_backward", "avg_pool3d_backward"]
__all__ += ["lp_pool", "lp_pool1d", "lp_pool2d", "lp_pool3d", "lp_pool_backward"]
__all__ += ["lp_pool1d_backward", "lp_pool2d_backward", "lp_pool3d_backward"]
__all__ += ["max_pool", "max_pool1d", "max_pool2d", "max_pool3d", "max_pool_backward"]
__all__ += ["max_pool1d_backward", "max_pool2d_backward", "max_pool3d_backward"]


def _layout(
    size: tuple[int, ...], kernel_size: Size, stride: Size | None, padding: Pads, dilation: Size, ceil_mode: bool
) -> Layout:
    kernel = tuple(np.broadcast_to(kernel_size, len(size)).tolist())
    strides = kernel if stride is None else stride
    return layout(size, kernel, strides, padding, dilation, None, ceil_mode)


def max_pool(
    x: Array,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Pads = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest element of each window, and with `return_indices` its position in the flattened channel."""
    windows = _layout(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    y = memory.empty((*x.shape[:2], *windows.output), x.dtype)
    indices = memory.empty(y.shape, np.int32)
    if y.size:
        planes = y.shape[0] * y.shape[1]
        loop, geometry = (
            (kernels.max_pool_inside, windows.inner) if windows.inside else (kernels.max_pool, windows.table)
        )
        outputs = y.reshape(planes, -1), indices.reshape(planes, -1)
        threads.run(loop, threads.split(planes), x.reshape(planes, -1), geometry, *outputs)
    return (y, indices) if return_indices else y


def max_pool_backward(
    dy: Array,
    x: Array,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Pads = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    indices: Array | None = None,
) -> Array:
    """Return ``dx``; `indices` are those that the forward pass found, if at hand."""
    if indices is None:
        _, indices = max_pool(
            x, kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode, return_indices=True
        )
    dx = memory.empty(x.shape, dy.dtype)
    if dx.size:
        planes = dx.shape[0] * dx.shape[1]
        arrays = dy.reshape(planes, -1), indices.reshape(planes, -1), dx.reshape(planes, -1)
        threads.run(kernels.max_pool_backward, threads.split(planes), *arrays)
    return dx


def _run_windows(loop: Callable[..., None], x: Array, windows: Layout, size: Shape) -> Array:
    """Return the result (N, C, *size) of `kernels.window_sum` or `kernels.window_sum_backward`."""
    y = memory.empty((*x.shape[:2], *size), x.dtype)
    if y.size:
        planes = y.shape[0] * y.shape[1]
        threads.run(loop, threads.split(planes), x.reshape(planes, -1), windows.table, y.reshape(planes, -1))
    return y


def _window_sum(x: Array, windows: Layout) -> Array:
    """Return the sum of the elements under each window, (N, C, *output)."""
    return _run_windows(kernels.window_sum, x, windows, windows.output)


def _window_sum_backward(dy: Array, windows: Layout) -> Array:
    """Return the sum of the gradients of all windows that see an element, (N, C, *size)."""
    return _run_windows(kernels.window_sum_backward, dy, windows, windows.size)


def avg_pool(
    x: Array,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Pads = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the mean of each window."""
    windows = _layout(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    y = _window_sum(x, windows)
    y /= windows.divisor(count_include_pad).astype(x.dtype)
    return y


def avg_pool_backward(
    dy: Array,
    x: Array,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Pads = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return ``dx``: every element that a window sees gets the same share of its gradient."""
    windows = _layout(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    return _window_sum_backward(dy / windows.divisor(count_include_pad).astype(x.dtype), windows)


def lp_pool(
    x: Array, kernel_size: Size, *, p: float = 2, stride: Size | None = None, padding: Pads = 0, ceil_mode: bool = False
) -> Array:
    """Return the Lp norm of each window."""
    windows = _layout(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    magnitudes, scale = scaled_magnitudes(x)
    ratio = prod(windows.kernel) / windows.divisor(count_include_pad=True)
    return (scale * (ratio * _window_sum(magnitudes**p, windows)) ** (1 / p)).astype(x.dtype)


def lp_pool_backward(
    dy: Array,
    x: Array,
    kernel_size: Size,
    *,
    p: float = 2,
    stride: Size | None = None,
    padding: Pads = 0,
    ceil_mode: bool = False,
) -> Array:
    """Return ``dx``."""
    windows = _layout(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    magnitudes, _ = scaled_magnitudes(x)
    ratio = prod(windows.kernel) / windows.divisor(count_include_pad=True)
    norm = (ratio * _window_sum(magnitudes**p, windows)) ** (1 / p)
    slope = np.divide(dy * ratio, norm ** (p - 1), out=np.zeros_like(norm), where=norm != 0)
    return (np.sign(x) * magnitudes ** (p - 1) * _window_sum_backward(slope, windows)).astype(x.dtype)


max_pool1d = max_pool2d = max_pool3d = max_pool  # one function: the rank is that of the arrays
max_pool1d_backward = max_pool2d_backward = max_pool3d_backward = max_pool_backward
avg_pool1d = avg_pool2d = avg_pool3d = avg_pool
avg_pool1d_backward = avg_pool2d_backward = avg_pool3d_backward = avg_pool_backward
lp_pool1d = lp_pool2d = lp_pool3d = lp_pool
lp_pool1d_backward = lp_pool2d_backward = lp_pool3d_backward = lp_pool_backward
