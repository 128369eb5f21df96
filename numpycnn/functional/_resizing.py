"""Zero padding and upsampling: arguments checked and settings resolved, then the backend's operation."""

from numpycnn._checks import check_array, check_channel_size, check_choice, format_shape, per_axis
from numpycnn._settings import operations
from numpycnn._types import Array, Pads, Pairs, Size
from numpycnn._windows import padding_pairs

MODES = ("nearest", "bilinear")


def _check_spatial(x: object, owner: str) -> Array:
    x = check_array(x, "x", owner)
    if x.ndim < 3:
        raise ValueError(f"{owner}: expected x (N, C, ...) with at least one spatial axis, got {format_shape(x.shape)}")
    return x


def _check_padding(x: object, padding: object, owner: str) -> tuple[Array, Pairs, tuple[int, ...]]:
    """Return the input, its padding, and the padded size."""
    x = _check_spatial(x, owner)
    if isinstance(padding, str):
        raise ValueError(f"{owner}: expected padding as numbers, got {padding!r}")
    ones = (1,) * (x.ndim - 2)
    pairs = padding_pairs(padding, ones, ones, ones, ones, owner)
    padded = tuple(size + before + after for size, (before, after) in zip(x.shape[2:], pairs, strict=True))
    check_channel_size(padded, owner)
    return x, pairs, padded


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
        If `x` does not have a spatial axis, or a padding is negative.
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
        If `x` does not have a spatial axis, or a setting is out of range.
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

    Returns
    -------
    ndarray of shape (N, C, *size)

    Raises
    ------
    ValueError, TypeError
        As `upsample`, or if `dy` does not have the shape and dtype of its output.
    """
    x, factors = _check_upsample(x, scale_factor, mode, "upsample_backward")
    size = [i * factor for i, factor in zip(x.shape[2:], factors, strict=True)]
    dy = check_array(dy, "dy", "upsample_backward", like=x, shape=(*x.shape[:2], *size))
    return operations().upsample_backward(dy, x, factors, mode=mode)
