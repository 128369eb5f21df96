"""Convolution in one, two and three dimensions: im2col, then one matrix product.

What this field calls a convolution is a cross-correlation: the kernel is not flipped. With stride ``s``, dilation ``d``
and the input ``x`` padded by zeros, in two dimensions

    y[n, f, i, j] = b[f] + sum over c, u, v of  w[f, c, u, v] * x[n, c, s i + d u, s j + d v]

Write the elements under window ``(i, j)`` as a column (`im2col`) and the weights of filter ``f`` as a row. The sum is
then the product of row and column, and all outputs of an image are one product of two matrices:

    y = W columns + b        W: (F, C KH KW)    columns: (C KH KW, OH OW)    y: (F, OH OW)

For a matrix product ``Y = W X``, the gradients are ``dW = dY X^T`` and ``dX = W^T dY``. Here ``X`` are the columns, so

    dw = sum over images of  dy columns^T        dx = col2im(W^T dy)        db[f] = sum of dy[:, f]

since `col2im` is the adjoint of `im2col`: an element collects the gradients of all windows that saw it.

With ``groups = g`` the channels are cut into ``g`` blocks, each block of filters sees its own block of channels only,
and there are ``g`` smaller products instead of one.

A transposed convolution is the step ``dx = col2im(W^T dy)`` used as a forward pass: each input element adds a copy of
the kernel, scaled by its value, to the output. It goes from the shape of a convolution's output to that of its input:
it inverts the shapes of a convolution, not its values. With ``output_padding >= stride`` more windows fit the larger
side than the smaller one has elements. No element belongs to these surplus windows, so they take no part.

Source: arXiv 1603.07285, chapters 2 and 4; I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", sections 9.1, 9.5.
"""

from math import prod

import numpy as np

from numpycnn._types import Array, Gradients, Pads, Shape, Size
from numpycnn.plain.windows import col2im, im2col, output_size, padding_pairs


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
    (n, _, *size), (f, _, *kernel) = x.shape, weight.shape
    output = output_size(size, kernel, stride=stride, padding=padding, dilation=dilation)
    columns = im2col(x, kernel, stride=stride, padding=padding, dilation=dilation)
    columns = columns.reshape(n, groups, columns.shape[1] // groups, prod(output))  # (N, G, C/G*KK, P)
    y = weight.reshape(groups, f // groups, -1) @ columns  # (N, G, F/G, P)
    y = y.reshape(n, f, *output)
    return y if bias is None else y + bias.reshape(f, *[1] * len(size))


def conv_backward(
    dy: Array, x: Array, weight: Array, *, stride: Size = 1, padding: Pads = 0, dilation: Size = 1, groups: int = 1
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `conv`."""
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    dx = conv_input_gradient(dy, weight, x.shape[2:], **settings)
    dweight, dbias = conv_weight_gradient(dy, x, weight.shape[2:], **settings)
    return dx, dweight, dbias


def conv_input_gradient(
    dy: Array, weight: Array, size: Shape, *, stride: Size = 1, padding: Pads = 0, dilation: Size = 1, groups: int = 1
) -> Array:
    """Return ``dx``, (N, C, *size): the columns' gradient ``W^T dy``, added up by `col2im`."""
    (n, f, *output), kernel = dy.shape, weight.shape[2:]
    dy = dy.reshape(n, groups, f // groups, prod(output))  # (N, G, F/G, P)
    columns = weight.reshape(groups, f // groups, -1).transpose(0, 2, 1) @ dy  # (N, G, C/G*KK, P)
    columns = columns.reshape(n, columns.shape[1] * columns.shape[2], prod(output))  # (N, C*KK, P)
    return col2im(columns, size, kernel, stride=stride, padding=padding, dilation=dilation, output=output)


def conv_weight_gradient(
    dy: Array, x: Array, kernel_size: Size, *, stride: Size = 1, padding: Pads = 0, dilation: Size = 1, groups: int = 1
) -> tuple[Array, Array]:
    """Return ``dweight``, (F, C/groups, *kernel), and ``dbias``, (F,)."""
    (n, f, *output), c = dy.shape, x.shape[1]
    columns = im2col(x, kernel_size, stride=stride, padding=padding, dilation=dilation, output=output)
    columns = columns.reshape(n, groups, columns.shape[1] // groups, prod(output))  # (N, G, C/G*KK, P)
    dy = dy.reshape(n, groups, f // groups, prod(output))  # (N, G, F/G, P)
    dweight = (dy @ columns.transpose(0, 1, 3, 2)).sum(axis=0)  # (G, F/G, C/G*KK)
    return dweight.reshape(f, c // groups, *np.broadcast_to(kernel_size, len(output))), dy.sum(axis=(0, 3)).reshape(f)


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
    size, kernel = x.shape[2:], weight.shape[2:]
    settings = {"stride": stride, "padding": padding, "dilation": dilation}
    output = transposed_size(size, kernel, output_padding=output_padding, **settings)
    y = conv_input_gradient(x, weight, output, groups=groups, **settings)  # (N, F, *output)
    return y if bias is None else y + bias.reshape(-1, *[1] * len(size))


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
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    dx = conv(dy, weight, **settings)
    dweight, _ = conv_weight_gradient(x, dy, weight.shape[2:], **settings)
    dx = dx[..., *(slice(i) for i in x.shape[2:])]
    return np.ascontiguousarray(dx), dweight, dy.sum(axis=(0, *range(2, dy.ndim)))


def transposed_size(
    size: Shape, kernel_size: Size, *, stride: Size, padding: Pads, output_padding: Size, dilation: Size
) -> tuple[int, ...]:
    """Return ``s (i - 1) + d (k - 1) + 1 - p - q + output_padding`` for each axis."""
    extent = np.multiply(dilation, np.subtract(kernel_size, 1)) + 1
    padded = np.multiply(stride, np.subtract(size, 1)) + extent + output_padding
    return tuple((padded - padding_pairs(padding, len(size)).sum(axis=1)).tolist())


conv1d = conv2d = conv3d = conv  # one function: the rank is that of the arrays
conv1d_backward = conv2d_backward = conv3d_backward = conv_backward
conv_transpose1d = conv_transpose2d = conv_transpose3d = conv_transpose
conv_transpose1d_backward = conv_transpose2d_backward = conv_transpose3d_backward = conv_transpose_backward
