"""Transposed convolution in one, two and three dimensions.

A convolution is linear in its input: flattened, it is a product ``y = M x`` with a large, sparse matrix ``M`` made of
the weights. The gradient that it sends back to its input is ``transpose(M) dy``. The transposed convolution is this
step used as a forward pass: from the shape of ``y`` to the shape of ``x``, each input element laying a copy of the
kernel, times its value, into the output (stride ``s``, dilation ``d``, and ``p`` rows and columns of padding cut off
the result):

    y[n, f, s i + d u - p, s j + d v - p]  collects  w[c, f, u, v] * x[n, c, i, j]

So the three loops below it are those of the convolution in other roles: its output is a convolution's input gradient,
its own input gradient is a convolution, and the weights' gradient is the same with ``x`` and ``dy`` exchanged. It
undoes the shapes of a convolution, not its values.

Source: arXiv 1603.07285, chapter 4.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import whole_number
from numpycnn.functional.convolution import (
    Gradients,
    check_gradient,
    check_operands,
    correlate,
    input_gradient,
    parameter_gradients,
)
from numpycnn.functional.windows import transposed_size


def convolve_transposed(
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    rank: int | None = None,
) -> np.ndarray:
    """Transposed convolution over all spatial axes; `conv_transpose2d` describes the arguments."""
    operation = f"conv_transpose{rank}d" if rank else "convolve_transposed"
    groups = whole_number(groups, "groups", operation)
    x, weight, bias = check_operands(operation, rank, x, weight, bias, groups, transposed=True)
    windows = transposed_size(
        x.shape[2:],
        weight.shape[2:],
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
        operation=operation,
    )
    y = input_gradient(x, weight, groups, windows)  # (N, F, *size)
    if bias is not None:
        y += bias.reshape(-1, *(1,) * (y.ndim - 2))
    return y


def convolve_transposed_backward(
    dy: Any,
    x: Any,
    weight: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    rank: int | None = None,
) -> Gradients:
    """Return ``(dx, dweight, dbias)`` of `convolve_transposed`."""
    operation = f"conv_transpose{rank}d_backward" if rank else "convolve_transposed_backward"
    groups = whole_number(groups, "groups", operation)
    x, weight, _ = check_operands(operation, rank, x, weight, None, groups, transposed=True)
    windows = transposed_size(
        x.shape[2:],
        weight.shape[2:],
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        dilation=dilation,
        operation=operation,
    )
    dy = check_gradient(operation, dy, x, (len(x), weight.shape[1] * groups, *windows.size))
    dx = correlate(dy, weight, None, groups, windows)
    dweight, _ = parameter_gradients(x, dy, weight.shape, groups, windows)
    return dx, dweight, dy.sum(axis=(0, *range(2, dy.ndim)))


# -------------------------------------------------------------------------------------------------------- public names


def conv_transpose1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> np.ndarray:
    """Transposed convolution of sequences ``(N, C, L)``, weights ``(C, F/groups, KL)``; see `conv_transpose2d`."""
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return convolve_transposed(x, weight, bias, output_padding=output_padding, rank=1, **settings)


def conv_transpose2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> np.ndarray:
    """Transposed convolution of pictures: the shapes of a convolution undone.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
        float32 or float64.
    weight : ndarray of shape (C, F/groups, KH, KW)
        That of the convolution from ``F`` to ``C`` channels whose shapes are undone.
    bias : ndarray of shape (F,), optional
        Added to every position of an output channel.
    stride, padding, dilation, groups
        Of that convolution, as for `conv2d`. Padding makes the output smaller; ``"same"`` makes it ``H * stride``.
    output_padding : int or tuple of int
        Rows and columns added after the output, to choose among the sizes that a strided convolution maps to ``H``.
        Smaller than the stride or the dilation.

    Returns
    -------
    ndarray of shape (N, F, OH, OW)
        ``OH = stride (H - 1) + dilation (KH - 1) + 1 + output_padding - padding``, and ``OW`` likewise.

    Raises
    ------
    ValueError
        If the shapes do not belong together, a setting is out of range, or nothing is left of the output.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.

    References
    ----------
    arXiv 1603.07285, chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[[[1.0, 2.0]]]])
    >>> conv_transpose2d(x, np.ones((1, 1, 1, 2)), stride=(1, 2))
    array([[[[1., 1., 2., 2.]]]])
    """
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return convolve_transposed(x, weight, bias, output_padding=output_padding, rank=2, **settings)


def conv_transpose3d(
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> np.ndarray:
    """Transposed convolution of volumes, weights ``(C, F/groups, KD, KH, KW)``; see `conv_transpose2d`."""
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return convolve_transposed(x, weight, bias, output_padding=output_padding, rank=3, **settings)


def conv_transpose1d_backward(
    dy: Any,
    x: Any,
    weight: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `conv_transpose1d`; see `conv_transpose2d_backward`."""
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return convolve_transposed_backward(dy, x, weight, output_padding=output_padding, rank=1, **settings)


def conv_transpose2d_backward(
    dy: Any,
    x: Any,
    weight: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Gradients:
    """Return the gradients of `conv_transpose2d`.

    Parameters
    ----------
    dy : ndarray of shape (N, F, OH, OW)
        Gradient of the loss with respect to the output.
    x, weight, stride, padding, output_padding, dilation, groups
        As given to `conv_transpose2d`.

    Returns
    -------
    dx : ndarray of shape (N, C, H, W)
    dweight : ndarray of shape (C, F/groups, KH, KW)
    dbias : ndarray of shape (F,)

    Raises
    ------
    ValueError, TypeError
        As `conv_transpose2d`.
    """
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return convolve_transposed_backward(dy, x, weight, output_padding=output_padding, rank=2, **settings)


def conv_transpose3d_backward(
    dy: Any,
    x: Any,
    weight: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `conv_transpose3d`; see `conv_transpose2d_backward`."""
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return convolve_transposed_backward(dy, x, weight, output_padding=output_padding, rank=3, **settings)
