"""Pooling: each window of each channel condensed to one number.

A pooling window slides as that of a convolution does, but treats each channel by itself. With the elements ``x[q]``
that window ``w`` sees,

    maximum   y[w] = max of x[q]
              dx[q] = sum of dy[w] over the windows in which q is the maximum

    average   y[w] = sum of x[q] / m[w]
              dx[q] = sum of dy[w] / m[w] over the windows that see q

    Lp norm   y[w] = (r[w] * sum of |x[q]|^p)^(1/p)
              dx[q] = sign(x[q]) |x[q]|^(p-1) * sum of dy[w] r[w] y[w]^(1-p) over the windows that see q

In a max pool only the winner of a window has an influence on its output, so it gets the whole gradient; of equal
elements the first one wins, and NaN wins over every number (of several NaN, which one is unspecified). The gradient of
the norm follows from the chain rule: the derivative of ``s^(1/p)`` is ``y^(1-p) / p``, and that of ``|x|^p`` is ``p
sign(x) |x|^(p-1)``. Where the norm is 0 it has no derivative; 0 is used.

The divisor ``m`` is the number of elements of the window, with or without the padding that it covers. With
``ceil_mode`` a last, incomplete window is kept unless it would begin in the padding after the input. What extends
beyond the padding is never counted, and ``r`` scales the sum of an incomplete window up to that of a complete one.

Global pooling has one window, the whole channel.

Source: Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998 (average); M. Ranzato et al.,
"Unsupervised learning of invariant feature hierarchies", 2007 (maximum); P. Sermanet, S. Chintala, Y. LeCun,
"Convolutional neural networks applied to house numbers digit classification", 2012 (Lp); M. Lin, Q. Chen, S. Yan,
"Network in network", arXiv 1312.4400 (global average).
"""

from math import prod
from typing import Any

import numpy as np

from numpycnn._types import Array, Pads, Shape, Size
from numpycnn.plain.windows import col2im, padding_pairs, sliding_windows


def _complete(
    size: Shape, kernel_size: Size, stride: Size | None, padding: Pads, dilation: Size, ceil_mode: bool
) -> dict[str, Array]:
    """Return the settings of the windows; ``ceil_mode`` adds padding that completes the last one."""
    strides = kernel_size if stride is None else stride
    kernel, steps, gaps, _ = np.broadcast_arrays(kernel_size, strides, dilation, size)
    pairs = padding_pairs(padding, len(size)).copy()
    if ceil_mode:
        room = size + pairs.sum(axis=1) - (gaps * (kernel - 1) + 1)
        last = -(-room // steps) * steps  # where the last window begins
        pairs[:, 1] += np.where(last < size + pairs[:, 0], np.maximum(last - room, 0), 0)
    return {"kernel_size": kernel, "stride": steps, "padding": pairs, "dilation": gaps}


def _windows(x: Array, settings: dict[str, Array], fill: float = 0.0) -> Array:
    """Return the elements under each window, (N, C, *output, KK)."""
    windows = sliding_windows(x, **settings, fill=fill)
    shape, taps = windows.shape[: x.ndim], windows.shape[x.ndim :]
    return windows.reshape(*shape, prod(taps))


def _add_to_windows(dwindows: Array, x: Array, settings: dict[str, Array]) -> Array:
    """Add the gradient of each tap (N, C, *output, KK) to the element that it sees: the adjoint of `_windows`."""
    n, c, *output, taps = dwindows.shape
    columns = np.moveaxis(dwindows, -1, 2).reshape(n, c * taps, prod(output))
    return col2im(columns, x.shape[2:], **settings)


def _num_inside(x: Array, settings: dict[str, Array], padding: Pads, include_padding: bool) -> Array:
    """Return how many elements of each window lie in the input, with or without its padding, (1, 1, *output)."""
    pairs = padding_pairs(padding, x.ndim - 2)
    counted = np.ones((1, 1, *x.shape[2:]), x.dtype)
    counted = np.pad(counted, ((0, 0), (0, 0), *pairs), constant_values=include_padding)
    beyond = settings["padding"] - pairs  # what completes the last window is not counted
    return _windows(counted, settings | {"padding": beyond}).sum(axis=-1)


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
    settings = _complete(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    windows = _windows(x, settings, fill=-np.inf)  # (N, C, *output, KK)
    y = windows.max(axis=-1)
    if not return_indices:
        return y
    positions = np.arange(prod(x.shape[2:])).reshape(1, 1, *x.shape[2:])
    positions = _windows(positions, settings, fill=-1)  # (1, 1, *output, KK)
    largest = (windows == y[..., None]) | np.isnan(windows)
    winner = (largest & (positions >= 0)).argmax(axis=-1)  # (N, C, *output)
    indices = np.take_along_axis(np.broadcast_to(positions, windows.shape), winner[..., None], axis=-1)
    return y, indices[..., 0].astype(np.int32)


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
        settings = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
        _, indices = max_pool(x, kernel_size, **settings, return_indices=True)
    dx = np.zeros_like(x)
    channels = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], *[1] * (x.ndim - 2))
    winners = channels * prod(x.shape[2:]) + indices  # in the flattened array
    seen = indices >= 0  # -1: a window that sees nothing but padding
    np.add.at(dx.reshape(-1), winners[seen], dy[seen])
    return dx


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
    settings = _complete(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    return _windows(x, settings).sum(axis=-1) / _num_inside(x, settings, padding, count_include_pad)


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
    settings = _complete(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    share = (dy / _num_inside(x, settings, padding, count_include_pad))[..., None]  # (N, C, *output, 1)
    return _add_to_windows(share.repeat(prod(settings["kernel_size"]), axis=-1), x, settings)


def lp_pool(
    x: Array, kernel_size: Size, *, p: float = 2, stride: Size | None = None, padding: Pads = 0, ceil_mode: bool = False
) -> Array:
    """Return the Lp norm of each window."""
    settings = _complete(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    magnitudes, scale = scaled_magnitudes(x)
    ratio = prod(settings["kernel_size"]) / _num_inside(magnitudes, settings, padding, True)
    norm = (ratio * (_windows(magnitudes, settings) ** p).sum(axis=-1)) ** (1 / p)
    return (scale * norm).astype(np.result_type(x, np.float32))


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
    """Return ``dx``, see the formula above."""
    settings = _complete(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    magnitudes, _ = scaled_magnitudes(x)
    ratio = prod(settings["kernel_size"]) / _num_inside(magnitudes, settings, padding, True)
    norm = (ratio * (_windows(magnitudes, settings) ** p).sum(axis=-1)) ** (1 / p)
    slope = np.divide(dy * ratio, norm ** (p - 1), out=np.zeros_like(norm), where=norm != 0)[..., None]
    collected = _add_to_windows(slope.repeat(prod(settings["kernel_size"]), axis=-1), x, settings)
    return (np.sign(x) * magnitudes ** (p - 1) * collected).astype(np.result_type(x, np.float32))


def scaled_magnitudes(x: Array) -> tuple[Array, float]:
    """Return ``|x| / scale`` in float64, at most 1, so that no power of it overflows; the norm scales with it."""
    magnitudes = np.abs(x, dtype=np.float64)
    largest = float(magnitudes.max(initial=0.0))
    scale = largest if 0 < largest < np.inf else 1.0
    return magnitudes / scale, scale


def global_avg_pool(x: Array) -> Array:
    """Return the mean of each channel, (N, C)."""
    return x.reshape(*x.shape[:2], prod(x.shape[2:])).mean(axis=2)


def global_avg_pool_backward(dy: Array, x: Array) -> Array:
    """Return ``dx``: every element of a channel gets the same share."""
    share = dy / prod(x.shape[2:])
    return np.broadcast_to(share.reshape(*dy.shape, *[1] * (x.ndim - 2)), x.shape).copy()


def global_max_pool(x: Array) -> Array:
    """Return the largest element of each channel, (N, C)."""
    return x.reshape(*x.shape[:2], prod(x.shape[2:])).max(axis=2)


def global_max_pool_backward(dy: Array, x: Array) -> Array:
    """Return ``dx``: the largest element of a channel gets the whole gradient."""
    channels = x.reshape(*x.shape[:2], prod(x.shape[2:]))  # (N, C, S)
    dx = np.zeros_like(channels)
    np.put_along_axis(dx, channels.argmax(axis=2)[..., None], dy[..., None], axis=2)
    return dx.reshape(x.shape)


max_pool1d = max_pool2d = max_pool3d = max_pool  # one function: the rank is that of the arrays
max_pool1d_backward = max_pool2d_backward = max_pool3d_backward = max_pool_backward
avg_pool1d = avg_pool2d = avg_pool3d = avg_pool
avg_pool1d_backward = avg_pool2d_backward = avg_pool3d_backward = avg_pool_backward
lp_pool1d = lp_pool2d = lp_pool3d = lp_pool
lp_pool1d_backward = lp_pool2d_backward = lp_pool3d_backward = lp_pool_backward
