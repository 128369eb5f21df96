"""Windows that slide over an input: the common beginning of every convolution and every pooling.

On an axis of size ``i``, a window of ``k`` taps with dilation ``d`` extends over ``d (k - 1) + 1`` elements. With
stride ``s`` and padding ``p`` before and ``q`` after the input, there is room for

    o = floor((i + p + q - d (k - 1) - 1) / s) + 1

windows, and tap ``u`` of window ``j`` sees element ``s j + d u`` of the padded input.

`im2col` ("image to columns") writes the elements that each window sees as one column of a matrix, which turns a
convolution into a matrix product. An element that several windows see is copied into several columns: a 3x3 kernel with
stride 1 takes nine times the memory of its input. The operation is linear, so its gradient is its adjoint: `col2im`
adds each entry of the columns to the element that it was copied from.

Source: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", arXiv 1603.07285; K.
Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for document processing", 2006, for
im2col.
"""

from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from numpycnn._types import Array, Pads, Shape, Size


def padding_pairs(padding: Pads, rank: int) -> Array:
    """Return a ``(before, after)`` pair for each spatial axis, (rank, 2), of an int, of one per axis, or of pairs."""
    pairs = np.asarray(padding)
    return pairs if pairs.ndim == 2 else np.broadcast_to(pairs[..., None], (rank, 2))


def output_size(
    size: Shape, kernel_size: Size, *, stride: Size = 1, padding: Pads = 0, dilation: Size = 1
) -> tuple[int, ...]:
    """Return how many windows fit along each axis."""
    extent = np.multiply(dilation, np.subtract(kernel_size, 1)) + 1
    room = size + padding_pairs(padding, len(size)).sum(axis=1) - extent
    return tuple((room // stride + 1).tolist())


def window_view(padded: Array, kernel_size: Size, stride: Size, dilation: Size) -> Array:
    """Return a view of the elements under each window of an input that is padded already, (N, C, *output, *kernel)."""
    rank = padded.ndim - 2
    extent = np.broadcast_to(np.multiply(dilation, np.subtract(kernel_size, 1)) + 1, rank)
    windows = sliding_window_view(padded, tuple(extent), axis=tuple(range(2, padded.ndim)), writeable=True)
    steps = np.concatenate([np.broadcast_to(stride, rank), np.broadcast_to(dilation, rank)])
    return windows[..., *[slice(None, None, step) for step in steps]]


def sliding_windows(
    x: Array, kernel_size: Size, *, stride: Size = 1, padding: Pads = 0, dilation: Size = 1, fill: float = 0.0
) -> Array:
    """Pad an input with `fill`, and return a view of the elements under each window, (N, C, *output, *kernel)."""
    pairs = padding_pairs(padding, x.ndim - 2)
    return window_view(np.pad(x, ((0, 0), (0, 0), *pairs), constant_values=fill), kernel_size, stride, dilation)


def im2col(
    x: Array,
    kernel_size: Size,
    *,
    stride: Size = 1,
    padding: Pads = 0,
    dilation: Size = 1,
    output: tuple[int, ...] | None = None,
) -> Array:
    """Copy the elements under each window into one column, (N, C * KK, P).

    Row ``c * KK + k`` belongs to tap ``k`` of channel ``c``, column ``p`` to window ``p``. ``KK`` is the number of taps
    of the kernel, ``P`` the number of windows; both run over the last axis fastest. `output` is the number of windows
    along each axis, by default as many as fit: after a transposed convolution with ``output_padding >= stride``, one
    more fits its output than it has inputs.
    """
    rank = x.ndim - 2
    windows = sliding_windows(x, kernel_size, stride=stride, padding=padding, dilation=dilation)
    columns = np.moveaxis(windows, range(-rank, 0), range(2, 2 + rank))  # (N, C, *kernel, *output)
    if output is not None:
        columns = columns[..., *map(slice, output)]
    n, c, *kernel_and_output = columns.shape
    return columns.reshape(n, c * prod(kernel_and_output[:rank]), prod(kernel_and_output[rank:]))


def col2im(
    columns: Array,
    size: Shape,
    kernel_size: Size,
    *,
    stride: Size = 1,
    padding: Pads = 0,
    dilation: Size = 1,
    output: tuple[int, ...] | None = None,
) -> Array:
    """Add each entry of the columns (N, C * KK, P) to the element of (N, C, *size) that it was copied from."""
    kernel, pairs = tuple(np.broadcast_to(kernel_size, len(size))), padding_pairs(padding, len(size))
    n, c = len(columns), columns.shape[1] // prod(kernel)
    padded = np.zeros((n, c, *(size + pairs.sum(axis=1))), columns.dtype)
    windows = window_view(padded, kernel, stride, dilation)  # (N, C, *output, *kernel)
    if output is not None:
        windows = windows[:, :, *map(slice, output)]
    columns = columns.reshape(n, c, *kernel, *windows.shape[2 : 2 + len(size)])
    for tap in np.ndindex(*kernel):
        windows[..., *tap] += columns[:, :, *tap]  # (N, C, *output)
    inside = map(slice, pairs[:, 0], pairs[:, 0] + size)
    return np.ascontiguousarray(padded[..., *inside])
