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

from math import prod
from typing import Any

import numpy as np

from numpycnn.functional.checks import expect_shape, float_array, for_kernel, spell, whole_number
from numpycnn.functional.matrices import filled_up
from numpycnn.functional.windows import AXES, LETTERS, Windows, slide
from numpycnn.functional.winograd import all_moderate, prefers_winograd, winograd, winograd_backward
from numpycnn.kernels import convolution as kernels
from numpycnn.kernels import memory, threads
from numpycnn.kernels.products import lanes

Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


# ------------------------------------------------------------------------------------------------ from arrays to loops


def _rows(x: np.ndarray) -> np.ndarray:
    """Lay out (N, C, *size) as the rows that the kernels work on, (N, C, R, W)."""
    n, c, *size = x.shape
    return for_kernel(x).reshape(n, c, int(np.prod(size[:-1])), size[-1])


#: Positions that are worked on in one go, at least, if there are images enough: loops over fewer do not pay.
POSITIONS = 512


def _together(images: int, windows: Windows) -> int:
    """How many images of a chunk are laid out side by side."""
    return max(1, min(images, -(-POSITIONS // windows.flat.plane)))


def correlate(x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, groups: int, windows: Windows) -> np.ndarray:
    """Return the weighted sum of each window, (N, F, *output)."""
    n, c, filters = len(x), x.shape[1], len(weight)
    if n and prefers_winograd(n, c, filters, groups, windows):
        found = winograd(x, weight, bias, windows)
        if found is not None:
            return found
    y = memory.empty((n, filters, *windows.output), x.dtype)
    if not n:
        return y
    weights = filled_up(weight.reshape(groups, filters // groups, -1), 4, 1)
    offset = np.zeros((groups, weights.shape[1]), x.dtype)
    if bias is not None:
        offset[:, : filters // groups] = bias.reshape(groups, -1)
    chunks, flat, room = threads.split(n, y.size * weight[0].size), windows.flat, lanes(x.dtype)
    together = _together(-(-n // len(chunks)), windows)
    line = memory.zeros((len(chunks), c * flat.phases * together * flat.plane + room), x.dtype)
    sums = memory.empty((len(chunks), offset.shape[1], together * flat.plane + room), x.dtype)
    out = y.reshape(n, filters, -1)  # (N, F, P)
    threads.run(kernels.correlate, chunks, _rows(x), weights, offset, flat, together, line, sums, out)
    return y


def input_gradient(dy: np.ndarray, weight: np.ndarray, groups: int, windows: Windows) -> np.ndarray:
    """Return what each input element gets back from all the windows that saw it, (N, C, *size)."""
    n, filters, channels = len(dy), len(weight) // groups, weight.shape[1]
    dx = (memory.empty if windows.covers else memory.zeros)((n, groups * channels, *windows.size), dy.dtype)
    if not n:
        return dx
    flat, room = windows.flat, lanes(dy.dtype)
    blocks = weight.reshape(groups, filters, channels, -1)[..., flat.order]
    weights = filled_up(blocks.transpose(0, 2, 3, 1).reshape(groups, channels, -1), 4, 1)  # (G, C to fours, KK F)
    chunks = threads.split(n, dy.size * weight[0].size)
    together = _together(-(-n // len(chunks)), windows)
    reach = flat.plane - int(flat.origins[-1]) - flat.width
    line = memory.zeros((len(chunks), filters * (reach + together * flat.plane) + room), dy.dtype)
    sums = memory.empty((len(chunks), weights.shape[1], together * flat.plane + room), dy.dtype)
    gradient = for_kernel(dy).reshape(n, groups * filters, -1)  # (N, F, P)
    arguments = (gradient, weights, flat, together, line, sums, _rows(dx))
    if all_moderate(weights):
        threads.run(kernels.input_gradient, chunks, *arguments)
    else:  # a gap's 0 times NaN or infinity would be NaN: without gaps, then
        with np.errstate(all="ignore"):
            threads.run(kernels.input_gradient_reference, [(0, n)], *arguments)
    return dx


def parameter_gradients(
    dy: np.ndarray, x: np.ndarray, weight_shape: tuple[int, ...], groups: int, windows: Windows
) -> tuple[np.ndarray, np.ndarray]:
    """Return what each weight, in the shape of the weights, and each bias get back from all images and positions."""
    n, filters = len(dy), dy.shape[1] // groups
    k = prod(weight_shape[1:])
    if not n:
        return np.zeros(weight_shape, dy.dtype), np.zeros(dy.shape[1], dy.dtype)
    chunks, flat, room = threads.split(n, dy.size * k), windows.flat, lanes(x.dtype)
    together = _together(-(-n // len(chunks)), windows)
    line = memory.zeros((len(chunks), x.shape[1] * flat.phases * together * flat.plane + room), x.dtype)
    positions = (together - 1) * flat.plane + int(flat.origins[-1]) + flat.width
    spread = memory.zeros((len(chunks), -(-filters // 4) * 4, -(-positions // room) * room), x.dtype)
    dweight = memory.zeros((len(chunks), groups, spread.shape[1], -(-k // 3) * 3), x.dtype)
    dbias = np.zeros(dweight.shape[:3], x.dtype)
    arguments = (for_kernel(dy).reshape(n, dy.shape[1], -1), _rows(x), flat, together, line, spread)
    threads.run(kernels.weight_gradient, chunks, *arguments, dweight, dbias)
    if not all_moderate(dweight):  # a gap's 0 times NaN or infinity is NaN: once more, without gaps
        dweight[:] = dbias[:] = 0
        with np.errstate(all="ignore"):
            threads.run(kernels.weight_gradient_reference, [(0, n)], *arguments, dweight, dbias)
    weight = dweight.sum(axis=0)[:, :filters, :k].reshape(weight_shape)
    return weight, dbias.sum(axis=0)[:, :filters].reshape(-1)


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
    if 0 in weight.shape:
        raise ValueError(f"{operation}: expected a weight without empty axes, got {spell(weight.shape)}")
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
    groups = whole_number(groups, "groups", operation)
    x, weight, bias = check_operands(operation, rank, x, weight, bias, groups, transposed=False)
    windows = slide(
        x.shape[2:], weight.shape[2:], stride=stride, padding=padding, dilation=dilation, operation=operation
    )
    return correlate(x, weight, bias, groups, windows)


def convolve_backward(dy: Any, x: Any, weight: Any, **settings: Any) -> Gradients:
    """Return ``(dx, dweight, dbias)`` of `convolve`; the settings are those of the forward pass."""
    dy, x, weight, groups, windows = _check_backward(dy, x, weight, **settings)
    if len(x) and prefers_winograd(len(x), x.shape[1], len(weight), groups, windows):
        found = winograd_backward(dy, x, weight, windows)
        if found is not None:
            return found
    return input_gradient(dy, weight, groups, windows), *parameter_gradients(dy, x, weight.shape, groups, windows)


def convolve_backward_parameters(dy: Any, x: Any, weight: Any, **settings: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(dweight, dbias)`` alone, for a first layer, whose ``dx`` nobody needs."""
    dy, x, weight, groups, windows = _check_backward(dy, x, weight, **settings)
    return parameter_gradients(dy, x, weight.shape, groups, windows)


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
    groups = whole_number(groups, "groups", operation)
    x, weight, _ = check_operands(operation, rank, x, weight, None, groups, transposed=False)
    windows = slide(
        x.shape[2:], weight.shape[2:], stride=stride, padding=padding, dilation=dilation, operation=operation
    )
    return check_gradient(operation, dy, x, (len(x), len(weight), *windows.output)), x, weight, groups, windows


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
        From one window to the next, for all axes, or one for each.
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
    ``N F OH OW (C/groups) KH KW`` multiply-adds, or a quarter of them where Winograd's way is taken (3x3 kernels,
    stride 1, from 16 or 24 channels on). The matrix of all windows (im2col) is not made, and the working memory does
    not grow with the batch.

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
