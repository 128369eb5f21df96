"""Convolution in one, two and three dimensions.

What this field calls a convolution is a cross-correlation: the kernel is not flipped. With stride ``s``, dilation ``d``
and the input ``x`` padded by zeros, in two dimensions

    y[n, f, i, j] = b[f] + sum over c, u, v of  w[f, c, u, v] * x[n, c, s i + d u, s j + d v]

Every output is linear in the input and in the weights, so the gradients read off the same sum. ``y[n, f, i, j]`` uses
``w[f, c, u, v]`` with the factor ``x[n, c, s i + d u, s j + d v]``, hence

    dw[f, c, u, v] = sum over n, i, j of  dy[n, f, i, j] * x[n, c, s i + d u, s j + d v]

and it uses that element of ``x`` with the factor ``w[f, c, u, v]``, hence ``dx`` collects ``dy[n, f, i, j] * w[f, c, u,
v]`` at ``(s i + d u, s j + d v)`` from every window that saw the element. ``b[f]`` is added to every output of its
channel, so ``db[f]`` is the sum of ``dy`` over all images and positions.

With ``groups = g`` the channels are cut into ``g`` blocks, and each block of outputs sees its own block of inputs only.

Sources: arXiv 1603.07285; I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", sections 9.1 and 9.5.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import expect_shape, float_array, for_kernel, spell, whole_number
from numpycnn.functional.windows import AXES, LETTERS, Windows, slide
from numpycnn.functional.winograd import prefers_winograd, winograd, winograd_backward
from numpycnn.kernels import convolution as kernels
from numpycnn.kernels import direct_convolution as direct
from numpycnn.kernels import threads

Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


# ------------------------------------------------------------------------------------------------ from arrays to loops


def _rows(x: np.ndarray) -> np.ndarray:
    """Lay out (N, C, *size) as the rows that the kernels work on, (N, C, R, W)."""
    n, c, *size = x.shape
    return for_kernel(x).reshape(n, c, int(np.prod(size[:-1])), size[-1])


def _grouped(weight: np.ndarray, groups: int) -> np.ndarray:
    """Lay out (F, C/G, *kernel) as one matrix for each group, (G, F/G, K)."""
    filters = len(weight) // groups
    return for_kernel(weight).reshape(groups, filters, int(np.prod(weight.shape[1:])))


def _scratch(channels: int, weight: np.ndarray, windows: Windows, chunks: int) -> list[np.ndarray]:
    """Working memory for each chunk, that is for each thread: a padded image, a tile of im2col, a tile of outputs."""
    _, filters, k = weight.shape
    positions = kernels.tile_rows(k, windows.flat, weight.itemsize) * windows.flat.width
    return [
        np.zeros((chunks, channels, windows.flat.plane), weight.dtype),
        np.empty((chunks, k * positions), weight.dtype),
        np.empty((chunks, filters * positions), weight.dtype),
    ]


def prefers_direct(windows: Windows) -> bool:
    """Whether the loop without im2col is the faster one: windows one element apart, in rows that are not too short.

    Measured on two cores, batch 32, 3x3 kernels and 10 channels on 28x28 pictures: 1.1 to 1.3 times as fast as im2col
    forward, 1.3 to 1.4 times backward. A single tap needs no im2col to speak of, and the matrix product is the faster
    loop then: 1.4 times with 256 channels.
    """
    return all(s == 1 for s in windows.stride) and windows.flat.width >= 6 and len(windows.flat.taps) > 1


def _goes_by_winograd(x: np.ndarray, weight: np.ndarray, groups: int, windows: Windows) -> bool:
    """Whether the transforms pay, and are exact: they would spread NaN or infinity over windows that do not see it."""
    if not prefers_winograd(x.shape[1], len(weight), groups, windows):
        return False
    return all(np.isfinite(np.vdot(array, array)) for array in (x, weight))


def _line_scratch(channels: int, filters: int, windows: Windows, chunks: int, dtype: Any) -> list[np.ndarray]:
    """Working memory of the direct kernels for each chunk: a padded image, and a line for each filter."""
    length = int(windows.flat.origins[-1]) + windows.flat.width
    return [
        np.zeros((chunks, channels, windows.flat.plane), dtype),
        np.zeros((chunks, filters, length), dtype),
    ]


def correlate(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, groups: int, windows: Windows) -> np.ndarray:
    """Return the weighted sum of each window, (N, F, *output)."""
    n, c, filters = len(x), x.shape[1], len(weight)
    y = np.empty((n, filters, *windows.output), x.dtype)
    if n:
        chunks = threads.split(n)
        matrices = _grouped(weight, groups)
        offset = np.zeros(filters, x.dtype) if bias is None else for_kernel(bias)
        if _goes_by_winograd(x, weight, groups, windows):
            return winograd(x, weight, offset, windows)
        arguments = (_rows(x), matrices, offset, windows.flat)
        flat = y.reshape(n, filters, -1)  # (N, F, P)
        if prefers_direct(windows):
            scratch = _line_scratch(c, filters // groups, windows, len(chunks), x.dtype)
            threads.run(direct.correlate_direct, chunks, *arguments, *scratch, flat)
        else:
            scratch = _scratch(c, matrices, windows, len(chunks))
            threads.run(kernels.correlate, chunks, *arguments, *scratch, flat, blas=True)
    return y


def _flipped(weight: np.ndarray, groups: int) -> np.ndarray:
    """Exchange the channels in and out within each group, and turn the kernel round: (C, F/groups, *kernel)."""
    filters, channels, *kernel = weight.shape
    blocks = weight.reshape(groups, filters // groups, channels, *kernel).swapaxes(1, 2)
    turned = np.flip(blocks, axis=tuple(range(3, 3 + len(kernel))))
    return turned.reshape(groups * channels, filters // groups, *kernel)


def input_gradient(dy: np.ndarray, weight: np.ndarray, groups: int, windows: Windows) -> np.ndarray:
    """Return what each input element gets back from all the windows that saw it, (N, C, *size)."""
    n, c = len(dy), weight.shape[1] * groups
    if not n:
        return np.empty((n, c, *windows.size), dy.dtype)
    back = windows.reversed() if all(s == 1 for s in windows.stride) else None
    if back is not None and prefers_direct(back):  # then it is itself a convolution, of dy with the flipped weights
        return correlate(dy, _flipped(weight, groups), None, groups, back)
    dx = np.empty((n, c, *windows.size), dy.dtype)
    chunks = threads.split(n)
    matrices = _grouped(weight, groups)
    scratch = _scratch(c, matrices, windows, len(chunks))
    flat = for_kernel(dy).reshape(n, len(weight), -1)  # (N, F, P)
    threads.run(kernels.input_gradient, chunks, flat, matrices, windows.flat, *scratch, _rows(dx), blas=True)
    return dx


def weight_gradient(
    dy: np.ndarray, x: np.ndarray, weight_shape: tuple[int, ...], groups: int, windows: Windows
) -> np.ndarray:
    """Return what each weight gets back from all images and positions, in the shape of the weights."""
    n, filters = dy.shape[:2]
    if not n:
        return np.zeros(weight_shape, dy.dtype)
    chunks = threads.split(n)
    shape = (len(chunks), groups, filters // groups, int(np.prod(weight_shape[1:])))
    partial = np.zeros(shape, dy.dtype)
    flat = for_kernel(dy).reshape(n, filters, -1)  # (N, F, P)
    if prefers_direct(windows):
        scratch = _line_scratch(x.shape[1], filters // groups, windows, len(chunks), x.dtype)
        threads.run(direct.weight_gradient_direct, chunks, flat, _rows(x), windows.flat, *scratch, partial)
    else:
        scratch = _scratch(x.shape[1], partial[0], windows, len(chunks))
        threads.run(kernels.weight_gradient, chunks, flat, _rows(x), windows.flat, *scratch, partial, blas=True)
    return partial.sum(axis=0).reshape(weight_shape)


# ------------------------------------------------------------------------------------------------------------- checks


def check_operands(
    operation: str, rank: int | None, x: Any, weight: Any, bias: Any, groups: int, *, transposed: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return the three as arrays whose types and shapes belong together."""
    x = float_array(x, "x", operation)
    rank = x.ndim - 2 if rank is None else rank
    if rank not in AXES or x.ndim != rank + 2:
        letters = LETTERS.get(rank, ("...",))
        raise ValueError(f"{operation}: expected x {spell(('N', 'C', *letters))}, got {spell(x.shape)}")
    weight = float_array(weight, "weight", operation, like=x)
    kernel = tuple(f"K{letter}" for letter in LETTERS[rank])
    groups = whole_number(groups, "groups", operation)
    channels = x.shape[1]
    if transposed:
        expect_shape(weight, (channels, "F/groups", *kernel), "weight", operation)
        outputs, divided = weight.shape[1] * groups, "channels of x"
        blocks = channels
    else:
        expect_shape(weight, ("F", "C/groups", *kernel), "weight", operation)
        outputs, divided = len(weight), "output channels"
        blocks = outputs
        if channels != weight.shape[1] * groups:
            raise ValueError(
                f"{operation}: expected x with {weight.shape[1]} * {groups} = {weight.shape[1] * groups} channels "
                f"(weight {spell(weight.shape)}, groups {groups}), got {channels} in {spell(x.shape)}"
            )
    if blocks % groups:
        raise ValueError(f"{operation}: expected groups to divide the {blocks} {divided}, got {groups}")
    if bias is not None:
        bias = float_array(bias, "bias", operation, like=x)
        expect_shape(bias, (outputs,), "bias", operation)
    return x, weight, bias


def check_gradient(operation: str, dy: Any, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return `dy` as an array of the type of `x` and the shape of the output."""
    dy = float_array(dy, "dy", operation, like=x)
    expect_shape(dy, shape, "dy", operation)
    return dy


# ---------------------------------------------------------------------------- the operations, in any number of axes


def convolve(
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    rank: int | None = None,
) -> np.ndarray:
    """Convolve `x` over all its spatial axes; `conv2d` describes the arguments, `rank` asks for that many axes."""
    operation = f"conv{rank}d" if rank else "convolve"
    x, weight, bias = check_operands(operation, rank, x, weight, bias, groups, transposed=False)
    windows = slide(
        x.shape[2:], weight.shape[2:], stride=stride, padding=padding, dilation=dilation, operation=operation
    )
    return correlate(x, weight, bias, groups, windows)


def convolve_backward(dy: Any, x: Any, weight: Any, **settings: Any) -> Gradients:
    """Return ``(dx, dweight, dbias)`` of `convolve`; the settings are those of the forward pass."""
    dy, x, weight, groups, windows = _check_backward(dy, x, weight, **settings)
    if len(x) and _goes_by_winograd(x, weight, groups, windows) and np.isfinite(np.vdot(dy, dy)):
        return *winograd_backward(dy, x, weight, windows), sum_over_positions(dy)
    dx = input_gradient(dy, weight, groups, windows)
    return dx, weight_gradient(dy, x, weight.shape, groups, windows), sum_over_positions(dy)


def convolve_backward_parameters(dy: Any, x: Any, weight: Any, **settings: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(dweight, dbias)`` alone, for a first layer, whose ``dx`` nobody needs."""
    dy, x, weight, groups, windows = _check_backward(dy, x, weight, **settings)
    return weight_gradient(dy, x, weight.shape, groups, windows), sum_over_positions(dy)


def _check_backward(
    dy: Any,
    x: Any,
    weight: Any,
    *,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    rank: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, Windows]:
    operation = f"conv{rank}d_backward" if rank else "convolve_backward"
    x, weight, _ = check_operands(operation, rank, x, weight, None, groups, transposed=False)
    windows = slide(
        x.shape[2:], weight.shape[2:], stride=stride, padding=padding, dilation=dilation, operation=operation
    )
    return check_gradient(operation, dy, x, (len(x), len(weight), *windows.output)), x, weight, groups, windows


def sum_over_positions(dy: np.ndarray) -> np.ndarray:
    """Return the gradient of the bias, the sum of `dy` for each output channel."""
    return dy.sum(axis=(0, *range(2, dy.ndim)))  # (F,)


# -------------------------------------------------------------------------------------------------------- public names


def conv1d(
    x: Any, weight: Any, bias: Any = None, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> np.ndarray:
    """Convolve sequences ``(N, C, L)`` with kernels ``(F, C/groups, KL)``; `conv2d` describes the arguments."""
    return convolve(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups, rank=1)


def conv2d(
    x: Any, weight: Any, bias: Any = None, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> np.ndarray:
    """Convolve pictures with a set of kernels (cross-correlation).

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
        float32 or float64.
    weight : ndarray of shape (F, C/groups, KH, KW)
        One kernel for each output channel.
    bias : ndarray of shape (F,), optional
        Added to every position of an output channel.
    stride : int or tuple of int
        From one window to the next, for both axes or one for each.
    padding : int, tuple of int, tuple of (before, after) pairs, or {"valid", "same", "full"}
        Zeros around the picture. ``"same"`` makes ``ceil(input / stride)`` outputs and puts an odd zero after the
        input.
    dilation : int or tuple of int
        From one tap of the kernel to the next.
    groups : int
        Blocks of channels that are convolved independently; ``groups = C`` is a depthwise convolution.

    Returns
    -------
    ndarray of shape (N, F, OH, OW)
        ``OH = floor((H + padding - dilation (KH - 1) - 1) / stride) + 1``, and ``OW`` likewise.

    Raises
    ------
    ValueError
        If the shapes do not belong together, a setting is out of range, or the window does not fit.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.

    Notes
    -----
    ``N F OH OW (C/groups) KH KW`` multiply-adds. The matrix of all windows (im2col) is made for a few rows of one image
    at a time, so the working memory does not grow with the batch.

    References
    ----------
    arXiv 1603.07285, chapter 2.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> conv2d(x, np.ones((1, 1, 3, 3)))
    array([[[[45., 54.],
             [81., 90.]]]])
    """
    return convolve(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups, rank=2)


def conv3d(
    x: Any, weight: Any, bias: Any = None, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> np.ndarray:
    """Convolve volumes ``(N, C, D, H, W)`` with kernels ``(F, C/groups, KD, KH, KW)``; see `conv2d`."""
    return convolve(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups, rank=3)


def conv1d_backward(
    dy: Any, x: Any, weight: Any, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `conv1d`; see `conv2d_backward`."""
    return convolve_backward(dy, x, weight, stride=stride, padding=padding, dilation=dilation, groups=groups, rank=1)


def conv2d_backward(
    dy: Any, x: Any, weight: Any, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Gradients:
    """Return the gradients of `conv2d`.

    Parameters
    ----------
    dy : ndarray of shape (N, F, OH, OW)
        Gradient of the loss with respect to the output.
    x, weight, stride, padding, dilation, groups
        As given to `conv2d`.

    Returns
    -------
    dx : ndarray of shape (N, C, H, W)
    dweight : ndarray of shape (F, C/groups, KH, KW)
    dbias : ndarray of shape (F,)

    Raises
    ------
    ValueError, TypeError
        As `conv2d`.
    """
    return convolve_backward(dy, x, weight, stride=stride, padding=padding, dilation=dilation, groups=groups, rank=2)


def conv3d_backward(
    dy: Any, x: Any, weight: Any, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `conv3d`; see `conv2d_backward`."""
    return convolve_backward(dy, x, weight, stride=stride, padding=padding, dilation=dilation, groups=groups, rank=3)
