"""Padding, upsampling and pixel shuffle: arguments checked and settings resolved, then the backend's operation."""

from collections.abc import Sequence
from math import prod

from numpycnn._checks import check_array, check_channel_size, check_choice, format_shape, per_axis
from numpycnn._settings import operations
from numpycnn._types import Array, Pads, Pairs, Size
from numpycnn._windows import AXES, padding_pairs

MODES = ("nearest", "bilinear")
PAD_MODES = ("constant", "reflect", "edge")


def _check_spatial(x: object, owner: str) -> Array:
    x = check_array(x, "x", owner)
    if x.ndim < 3:
        raise ValueError(f"{owner}: expected x (N, C, ...) with at least one spatial axis, got {format_shape(x.shape)}")
    return x


def check_reflection(size: Sequence[int], pairs: Pairs, mode: str, owner: str) -> None:
    """Refuse a reflection of elements that an axis does not have."""
    names = AXES.get(len(size), [f"axis {axis}" for axis in range(2, len(size) + 2)])
    for name, i, pair in zip(names, size, pairs, strict=True):
        if mode == "reflect" and max(pair) >= i:
            raise ValueError(
                f"{owner}: expected padding smaller than the {name} to reflect, got {max(pair)} for {name} {i}"
            )
        if mode == "edge" and not i and any(pair):
            raise ValueError(f"{owner}: expected a {name} of at least 1 to repeat its edge, got 0")


def check_shuffle(channels: int, factors: Sequence[int], owner: str) -> int:
    """Return the number of output channels, if the factors divide the input channels."""
    if channels % prod(factors):
        raise ValueError(
            f"{owner}: expected channels that are a multiple of {prod(factors)}, "
            f"the product of the factors {format_shape(factors)}, got {channels}"
        )
    return channels // prod(factors)


def _check_padding(
    x: object, padding: object, owner: str, mode: object = "constant"
) -> tuple[Array, Pairs, tuple[int, ...]]:
    """Return the input, its padding, and the padded size."""
    x = _check_spatial(x, owner)
    if isinstance(padding, str):
        raise ValueError(f"{owner}: expected padding as numbers, got {padding!r}")
    ones = (1,) * (x.ndim - 2)
    pairs = padding_pairs(padding, ones, ones, ones, ones, owner)
    padded = tuple(size + before + after for size, (before, after) in zip(x.shape[2:], pairs, strict=True))
    check_channel_size(padded, owner)
    mode = check_choice(mode, "mode", owner, PAD_MODES)
    check_reflection(x.shape[2:], pairs, mode, owner)
    return x, pairs, padded


def pad(x: Array, padding: Pads, *, mode: str = "constant") -> Array:
    """Put a margin around the spatial axes.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size), float32 or float64
    padding : int, tuple of int, or tuple of (before, after) pairs
        For all spatial axes, or for each, the first axis first.
    mode : {"constant", "reflect", "edge"}
        Zeros, or the elements beside the first and the last one in reverse order, or the first and the last one.

    Returns
    -------
    ndarray of shape (N, C, *padded)

    Raises
    ------
    ValueError
        If `x` does not have a spatial axis, a padding is negative, `mode` is unknown, or an axis is not longer than the
        padding to reflect.
    TypeError
        If `x` is not float32 or float64, or a padding is not an int.

    Notes
    -----
    The modes are those of `numpy.pad`. PyTorch calls ``"edge"`` ``"replicate"``.

    References
    ----------
    arXiv 1603.07285, section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import pad
    >>> pad(np.array([[[1.0, 2.0, 3.0]]]), ((2, 1),), mode="reflect")
    array([[[3., 2., 1., 2., 3., 2.]]])
    """
    x, pairs, _ = _check_padding(x, padding, "pad", mode)
    return operations().pad(x, pairs, mode=mode)


def pad_backward(dy: Array, x: Array, padding: Pads, *, mode: str = "constant") -> Array:
    """Return ``dx`` of `pad`: the middle of `dy`, to which the margin adds where it repeats elements.

    Parameters
    ----------
    dy : ndarray of shape (N, C, *padded)
    x, padding, mode
        As given to `pad`.
    """
    x, pairs, padded = _check_padding(x, padding, "pad_backward", mode)
    dy = check_array(dy, "dy", "pad_backward", like=x, shape=(*x.shape[:2], *padded))
    return operations().pad_backward(dy, x, pairs, mode=mode)


def zero_pad(x: Array, padding: Pads) -> Array:
    """Put zeros around the spatial axes.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size), float32 or float64
    padding : int, tuple of int, or tuple of (before, after) pairs
        For all spatial axes, or for each.

    Returns
    -------
    ndarray of shape (N, C, *padded)

    Raises
    ------
    ValueError
        If `x` has no spatial axis, or a padding is negative.
    TypeError
        If `x` is not float32 or float64, or a padding is not an int.

    References
    ----------
    arXiv 1603.07285, section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import zero_pad
    >>> zero_pad(np.ones((1, 1, 2)), ((1, 2),))
    array([[[0., 1., 1., 0., 0.]]])
    """
    x, pairs, _ = _check_padding(x, padding, "zero_pad")
    return operations().zero_pad(x, pairs)


def zero_pad_backward(dy: Array, x: Array, padding: Pads) -> Array:
    """Return ``dx`` of `zero_pad`: the middle of `dy`.

    Parameters
    ----------
    dy : ndarray of shape (N, C, *padded)
    x, padding
        As given to `zero_pad`.
    """
    x, pairs, padded = _check_padding(x, padding, "zero_pad_backward")
    dy = check_array(dy, "dy", "zero_pad_backward", like=x, shape=(*x.shape[:2], *padded))
    return operations().zero_pad_backward(dy, x, pairs)


def _check_upsample(x: object, scale_factor: object, mode: object, owner: str) -> tuple[Array, tuple[int, ...]]:
    x = _check_spatial(x, owner)
    check_choice(mode, "mode", owner, MODES)
    factors = per_axis(scale_factor, x.ndim - 2, "scale_factor", owner)
    check_channel_size([size * factor for size, factor in zip(x.shape[2:], factors, strict=True)], owner)
    return x, factors


def upsample(x: Array, scale_factor: Size, *, mode: str = "nearest") -> Array:
    """Enlarge each spatial axis by an integer factor.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size), float32 or float64
    scale_factor : int or tuple of int
        For all spatial axes, or for each.
    mode : {"nearest", "bilinear"}
        Repeat, or interpolate linearly along each axis.

    Returns
    -------
    ndarray of shape (N, C, *(size * scale_factor))

    Raises
    ------
    ValueError
        If `x` has no spatial axis, or a setting is out of range.
    TypeError
        If `x` is not float32 or float64.

    Notes
    -----
    As PyTorch's ``interpolate`` with ``align_corners=False``.

    References
    ----------
    A. Odena, V. Dumoulin, C. Olah, "Deconvolution and checkerboard artifacts", 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import upsample
    >>> upsample(np.array([[[0.0, 4.0]]]), 2, mode="bilinear")
    array([[[0., 1., 3., 4.]]])
    """
    x, factors = _check_upsample(x, scale_factor, mode, "upsample")
    return operations().upsample(x, factors, mode=mode)


def upsample_backward(dy: Array, x: Array, scale_factor: Size, *, mode: str = "nearest") -> Array:
    """Return ``dx`` of `upsample`: each input collects from each output the share that it contributed.

    Parameters
    ----------
    dy : ndarray of shape (N, C, *(size * scale_factor))
    x, scale_factor, mode
        As given to `upsample`.
    """
    x, factors = _check_upsample(x, scale_factor, mode, "upsample_backward")
    size = [i * factor for i, factor in zip(x.shape[2:], factors, strict=True)]
    dy = check_array(dy, "dy", "upsample_backward", like=x, shape=(*x.shape[:2], *size))
    return operations().upsample_backward(dy, x, factors, mode=mode)


def _check_pixel_shuffle(
    x: object, upscale_factor: object, owner: str
) -> tuple[Array, tuple[int, ...], tuple[int, ...]]:
    """Return the input, the factors, and the shape of the output."""
    x = _check_spatial(x, owner)
    factors = per_axis(upscale_factor, x.ndim - 2, "upscale_factor", owner)
    channels = check_shuffle(x.shape[1], factors, owner)
    size = [i * factor for i, factor in zip(x.shape[2:], factors, strict=True)]
    check_channel_size(size, owner)
    return x, factors, (len(x), channels, *size)


def pixel_shuffle(x: Array, upscale_factor: Size) -> Array:
    """Enlarge each spatial axis by an integer factor, with the channels as the new pixels.

    ``y[n, c, r h + i, r w + j] = x[n, r r c + r i + j, h, w]`` for two axes and a factor ``r``.

    Parameters
    ----------
    x : ndarray of shape (N, C * product of the factors, *size), float32 or float64
    upscale_factor : int or tuple of int
        For all spatial axes, or for each.

    Returns
    -------
    ndarray of shape (N, C, *(size * upscale_factor))

    Raises
    ------
    ValueError
        If `x` does not have a spatial axis, a factor is out of range, or the channels are not a multiple of their
        product.
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    W. Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
    network", arXiv 1609.05158.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import pixel_shuffle
    >>> pixel_shuffle(np.array([[[1.0, 3.0], [2.0, 4.0]]]), 2)
    array([[[1., 2., 3., 4.]]])
    """
    x, factors, _ = _check_pixel_shuffle(x, upscale_factor, "pixel_shuffle")
    return operations().pixel_shuffle(x, factors)


def pixel_shuffle_backward(dy: Array, x: Array, upscale_factor: Size) -> Array:
    """Return ``dx`` of `pixel_shuffle`: the elements of `dy` in the order of `x`.

    Parameters
    ----------
    dy : ndarray of shape (N, C, *(size * upscale_factor))
    x, upscale_factor
        As given to `pixel_shuffle`.
    """
    x, factors, shape = _check_pixel_shuffle(x, upscale_factor, "pixel_shuffle_backward")
    dy = check_array(dy, "dy", "pixel_shuffle_backward", like=x, shape=shape)
    return operations().pixel_shuffle_backward(dy, x, factors)
