"""Convolution arithmetic by itself: how large an output is, and how much of the input each part of it sees.

Source: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", arXiv 1603.07285.
"""

from collections.abc import Sequence

from numpycnn._checks import per_axis
from numpycnn._types import Padding, Size
from numpycnn._windows import slide, transposed_size, widen


def _sizes(input_size: object, owner: str) -> tuple[tuple[int, ...], bool]:
    """Return the size of each axis, and whether there is one axis, given as an int."""
    sizes = tuple(input_size) if isinstance(input_size, tuple | list) else (input_size,)
    if not 1 <= len(sizes) <= 3:
        raise ValueError(f"{owner}: expected an int or 1 to 3 ints as input_size, got {len(sizes)}")
    return per_axis(sizes, len(sizes), "input_size", owner), not isinstance(input_size, tuple | list)


def conv_output_size(
    input_size: Size, kernel_size: Size, *, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> int | tuple[int, ...]:
    """Return the output size of a convolution, ``floor((i + p + q - d (k - 1) - 1) / s) + 1`` for each axis.

    Parameters
    ----------
    input_size : int or tuple of int
        One size for each of 1 to 3 spatial axes; an int stands for a single axis and gives an int.
    kernel_size, stride, dilation : int or tuple of int
        For all axes, or one for each.
    padding : int, tuple of int, tuple of pairs, or {"valid", "same", "full"}
        Zeros around the input.

    Returns
    -------
    int or tuple of int

    Raises
    ------
    ValueError
        If the window does not fit or a setting is out of range.
    TypeError
        If a setting is not an int.

    References
    ----------
    arXiv 1603.07285, relationships 1 to 6 and 15.

    Examples
    --------
    >>> conv_output_size(28, 5)
    24
    >>> conv_output_size((28, 30), 3, stride=2, padding="same")
    (14, 15)
    """
    owner = "conv_output_size"
    size, scalar = _sizes(input_size, owner)
    windows = slide(size, kernel_size, stride=stride, padding=padding, dilation=dilation, owner=owner)
    return windows.output[0] if scalar else windows.output


def pool_output_size(
    input_size: Size,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> int | tuple[int, ...]:
    """Return the output size of a pooling, as `conv_output_size` does; the stride defaults to the kernel.

    With `ceil_mode` the division is rounded up, but no window begins in the padding after the input.

    Parameters
    ----------
    input_size, kernel_size, stride, padding, dilation
        As for `conv_output_size`, but the stride is the size of the window by default.
    ceil_mode : bool
        Keep a last, incomplete window.

    Returns
    -------
    int or tuple of int

    Raises
    ------
    ValueError, TypeError
        As for `conv_output_size`, or if `ceil_mode` is not a bool.

    References
    ----------
    arXiv 1603.07285, relationship 7.

    Examples
    --------
    >>> pool_output_size(7, 2)
    3
    >>> pool_output_size(7, 2, ceil_mode=True)
    4
    """
    owner = "pool_output_size"
    size, scalar = _sizes(input_size, owner)
    stride = kernel_size if stride is None else stride
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
    windows = slide(size, kernel_size, **settings, owner=owner)
    return windows.output[0] if scalar else windows.output


def conv_transpose_output_size(
    input_size: Size,
    kernel_size: Size,
    *,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    dilation: Size = 1,
) -> int | tuple[int, ...]:
    """Return the output size of a transposed convolution, ``s (i - 1) + d (k - 1) + 1 + a - p - q`` for each axis.

    `padding` is that of the convolution whose shapes are inverted: it makes the output smaller. `output_padding`
    (``a``) chooses among the input sizes that a strided convolution maps to the same output size.

    Parameters
    ----------
    input_size, kernel_size, stride, padding, dilation
        As for `conv_output_size`; the padding is removed from the output.
    output_padding : int or tuple of int
        Added after the output, smaller than the stride or the dilation.

    Returns
    -------
    int or tuple of int

    Raises
    ------
    ValueError, TypeError
        As for `conv_output_size`, or if no output is left.

    References
    ----------
    arXiv 1603.07285, relationships 8 to 14.

    Examples
    --------
    >>> conv_transpose_output_size(14, 2, stride=2)
    28
    """
    owner = "conv_transpose_output_size"
    size, scalar = _sizes(input_size, owner)
    windows = transposed_size(
        size, kernel_size, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation, owner=owner
    )
    return windows.size[0] if scalar else windows.size


def receptive_field(layers: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Return how much of the input one output sees along one axis, and how far apart neighbouring outputs look.

    Going through the layers from the input on, with ``r = 1`` and ``j = 1`` at the start::

        r = r + d (k - 1) j        what one output sees
        j = j s                    from one output to the next

    Parameters
    ----------
    layers : sequence of (kernel_size, stride) or (kernel_size, stride, dilation)
        The sliding windows in their order.

    Returns
    -------
    size, jump : int
        In elements of the input.

    Raises
    ------
    TypeError
        If `layers` is not a list, or a setting is not an int.
    ValueError
        If a layer has not 2 or 3 settings, or one is out of range.

    References
    ----------
    A. Araujo, W. Norris, J. Sim, "Computing receptive fields of convolutional neural networks", 2019.

    Examples
    --------
    Two 3x3 convolutions and a 2x2 pooling:

    >>> receptive_field([(3, 1), (3, 1), (2, 2)])
    (6, 2)
    """
    if not isinstance(layers, tuple | list):
        raise TypeError(f"receptive_field: expected a list of (kernel_size, stride[, dilation]), got {layers!r}")
    field = (1, 1)
    for position, layer in enumerate(layers):
        if not isinstance(layer, tuple | list) or len(layer) not in (2, 3):
            raise ValueError(
                f"receptive_field: expected (kernel_size, stride) or (kernel_size, stride, dilation) at position "
                f"{position}, got {layer!r}"
            )
        field = widen(field, *per_axis((*layer, 1)[:3], 3, "layer", "receptive_field"))
    return field
