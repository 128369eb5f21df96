"""Convolutions and transposed convolutions: arguments checked and settings resolved, then the backend's operation."""

from numpycnn._checks import as_contiguous, check_array, check_floats, check_int, format_shape
from numpycnn._settings import operations
from numpycnn._types import Array, Gradients, Padding, Size
from numpycnn._windows import LETTERS, slide, transposed_size
from numpycnn.functional._by_rank import by_rank


def _conv(
    rank: int,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Array:
    """Convolve sequences, images or volumes with a set of kernels (cross-correlation).

    With one, two or three spatial axes (``conv1d``, ``conv2d``, ``conv3d``), ``*size`` stands for ``L``, for ``H, W``
    or for ``D, H, W``.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size), float32 or float64
    weight : ndarray of shape (F, C/groups, *kernel)
        One kernel for each output channel.
    bias : ndarray of shape (F,), optional
        Added to every position of an output channel.
    stride : int or tuple of int
        From one window to the next, for all axes, or one for each.
    padding : int, tuple of int, tuple of (before, after) pairs, or {"valid", "same", "full"}
        Zeros around the input. ``"same"`` makes ``ceil(input / stride)`` outputs and puts an odd zero after the
        input.
    dilation : int or tuple of int
        From one tap of the kernel to the next.
    groups : int
        Blocks of channels that are convolved independently; ``groups = C`` is a depthwise convolution.

    Returns
    -------
    ndarray of shape (N, F, *output)
        Along each axis ``floor((size + padding - dilation (kernel - 1) - 1) / stride) + 1`` elements, where ``padding``
        is the sum of both sides.

    Raises
    ------
    ValueError
        If the shapes do not match, a setting is out of range, or the window does not fit.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.

    Notes
    -----
    ``N F (C/groups)`` times the number of outputs and the number of taps are the multiply-adds. The formula and its
    gradients are derived in `numpycnn.plain.convolution`. The fast backend computes 3x3 convolutions with stride 1 and
    enough channels (from 16 or 24 on) with Winograd's algorithm, a quarter of the multiplications: in float32 its
    rounding errors are larger, relative to the largest input of a 6x6 patch.

    References
    ----------
    arXiv 1603.07285, chapter 2.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import conv2d
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> conv2d(x, np.ones((1, 1, 3, 3)))
    array([[[[45., 54.],
             [81., 90.]]]])
    """
    owner = f"conv{rank}d"
    x, weight, bias, groups = _check_operands(owner, rank, x, weight, bias, groups)
    windows = slide(x.shape[2:], weight.shape[2:], stride=stride, padding=padding, dilation=dilation, owner=owner)
    return operations().conv(as_contiguous(x), as_contiguous(weight), bias, **windows.settings, groups=groups)


def _conv_backward(
    rank: int,
    dy: Array,
    x: Array,
    weight: Array,
    *,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of ``conv1d``, ``conv2d`` or ``conv3d``.

    Parameters
    ----------
    dy : ndarray of shape (N, F, *output)
    x, weight, stride, padding, dilation, groups
        As given to the convolution.
    """
    owner = f"conv{rank}d_backward"
    x, weight, _, groups = _check_operands(owner, rank, x, weight, None, groups)
    windows = slide(x.shape[2:], weight.shape[2:], stride=stride, padding=padding, dilation=dilation, owner=owner)
    dy = check_array(dy, "dy", owner, like=x, shape=(len(x), len(weight), *windows.output))
    return operations().conv_backward(dy, as_contiguous(x), as_contiguous(weight), **windows.settings, groups=groups)


def _conv_transpose(
    rank: int,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Array:
    """Spread each input element with a kernel: the transposed convolution.

    It goes from the shape of a convolution's output to that of its input; with ``conv_transpose1d``,
    ``conv_transpose2d`` and ``conv_transpose3d``, ``*size`` stands for ``L``, for ``H, W`` or for ``D, H, W``.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size), float32 or float64
    weight : ndarray of shape (C, F/groups, *kernel)
    bias, groups
        As for `conv2d`.
    stride, padding, dilation
        As for the convolution whose shapes are inverted: a stride makes the output larger, padding makes it smaller.
    output_padding : int or tuple of int
        Elements added after the output, fewer than the stride or the dilation. It chooses among the input sizes that a
        strided convolution maps to the same output size.

    Returns
    -------
    ndarray of shape (N, F, *output)
        Along each axis ``stride (size - 1) + dilation (kernel - 1) + 1 + output_padding - padding`` elements, where
        ``padding`` is the sum of both sides.

    Raises
    ------
    ValueError, TypeError
        As for `conv2d`, or if nothing is left of an axis.

    References
    ----------
    arXiv 1603.07285, chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import conv_transpose1d
    >>> conv_transpose1d(np.array([[[1.0, 2.0]]]), np.array([[[1.0, 1.0, 1.0]]]), stride=2)
    array([[[1., 1., 3., 2., 2.]]])
    """
    owner = f"conv_transpose{rank}d"
    x, weight, bias, groups = _check_operands(owner, rank, x, weight, bias, groups, transposed=True)
    settings = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    windows = transposed_size(x.shape[2:], weight.shape[2:], **settings, owner=owner)
    return operations().conv_transpose(
        as_contiguous(x),
        as_contiguous(weight),
        bias,
        **windows.settings,
        output_padding=windows.output_padding,
        groups=groups,
    )


def _conv_transpose_backward(
    rank: int,
    dy: Array,
    x: Array,
    weight: Array,
    *,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of ``conv_transpose1d``, ``..2d`` or ``..3d``.

    Parameters
    ----------
    dy : ndarray of shape (N, F, *output)
    x, weight, stride, padding, output_padding, dilation, groups
        As given to the transposed convolution.
    """
    owner = f"conv_transpose{rank}d_backward"
    x, weight, _, groups = _check_operands(owner, rank, x, weight, None, groups, transposed=True)
    settings = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    windows = transposed_size(x.shape[2:], weight.shape[2:], **settings, owner=owner)
    dy = check_array(dy, "dy", owner, like=x, shape=(len(x), weight.shape[1] * groups, *windows.size))
    return operations().conv_transpose_backward(
        dy,
        as_contiguous(x),
        as_contiguous(weight),
        **windows.settings,
        output_padding=windows.output_padding,
        groups=groups,
    )


def _check_operands(
    owner: str, rank: int, x: Array, weight: Array, bias: Array | None, groups: int, *, transposed: bool = False
) -> tuple[Array, Array, Array | None, int]:
    """Return the operands as arrays with matching types and shapes, not copied yet, and the number of groups."""
    groups = check_int(groups, "groups", owner)
    x = check_floats(x, "x", owner, shape=("N", "C", *LETTERS[rank]))
    channels = x.shape[1]
    kernel = tuple(f"K{letter}" for letter in LETTERS[rank])
    wanted = (channels, "F/groups", *kernel) if transposed else ("F", "C/groups", *kernel)
    weight = check_floats(weight, "weight", owner, like=x, shape=wanted)
    if 0 in weight.shape:
        raise ValueError(f"{owner}: expected a weight without empty axes, got {format_shape(weight.shape)}")
    if not transposed and channels != weight.shape[1] * groups:
        raise ValueError(
            f"{owner}: expected x with {weight.shape[1]} * {groups} = {weight.shape[1] * groups} channels "
            f"(weight {format_shape(weight.shape)}, groups {groups}), got {channels} in {format_shape(x.shape)}"
        )
    if len(weight) % groups:
        divided = "channels of x" if transposed else "output channels"
        raise ValueError(f"{owner}: expected groups to divide the {len(weight)} {divided}, got {groups}")
    if bias is not None:
        filters = weight.shape[1] * groups if transposed else len(weight)
        bias = check_array(bias, "bias", owner, like=x, shape=(filters,))
    return x, weight, bias, groups


conv1d, conv2d, conv3d = by_rank(_conv)
conv1d_backward, conv2d_backward, conv3d_backward = by_rank(_conv_backward)
conv_transpose1d, conv_transpose2d, conv_transpose3d = by_rank(_conv_transpose)
conv_transpose1d_backward, conv_transpose2d_backward, conv_transpose3d_backward = by_rank(_conv_transpose_backward)
