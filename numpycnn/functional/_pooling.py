"""Pooling: arguments checked and settings resolved, then the backend's operation."""

from math import prod

from numpycnn._checks import check_array, check_flag, check_number, format_shape
from numpycnn._settings import operations
from numpycnn._types import Array, Padding, Size
from numpycnn._windows import LETTERS, Windows, pool_windows
from numpycnn.functional._by_rank import by_rank


def _max_pool(
    rank: int,
    x: Array,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Array:
    """Return the largest element of each window (``max_pool1d``, ``max_pool2d``, ``max_pool3d``).

    Parameters
    ----------
    x : ndarray of shape (N, C, *size)
        float32 or float64; ``*size`` stands for ``L``, for ``H, W`` or for ``D, H, W``.
    kernel_size : int or tuple of int
        Size of the window, for all axes, or one for each.
    stride : int or tuple of int, optional
        From one window to the next; by default the size of the window, so that windows do not overlap.
    padding : int, tuple of int, tuple of (before, after) pairs, or {"valid", "same"}
        Around the input, smaller than the window; padding is never the largest element.
    dilation : int or tuple of int
        From one tap of the window to the next.
    ceil_mode : bool
        Whether to keep a last, incomplete window.

    Returns
    -------
    ndarray of shape (N, C, *output)

    Raises
    ------
    ValueError
        If the window does not fit, the padding is not smaller than the window, or a setting is out of range.
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    M. Ranzato et al., "Unsupervised learning of invariant feature hierarchies with applications to object
    recognition", 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import max_pool2d
    >>> x = np.array([[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]])
    >>> max_pool2d(x, 2)
    array([[[[6., 8.]]]])
    """
    owner = f"max_pool{rank}d"
    x, windows, settings = _check(owner, rank, x, kernel_size, stride, padding, ceil_mode, dilation)
    return operations().max_pool(x, windows.kernel, **settings, dilation=windows.dilation)


def _max_pool_backward(
    rank: int,
    dy: Array,
    x: Array,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Array:
    """Return the gradient of a max pooling: the largest element of each window gets the window's gradient.

    Of equal elements the first one gets it.

    Parameters
    ----------
    dy : ndarray of shape (N, C, *output)
    x, kernel_size, stride, padding, dilation, ceil_mode
        As given to the pooling.
    """
    owner = f"max_pool{rank}d_backward"
    x, windows, settings = _check(owner, rank, x, kernel_size, stride, padding, ceil_mode, dilation)
    dy = check_array(dy, "dy", owner, like=x, shape=(*x.shape[:2], *windows.output))
    return operations().max_pool_backward(dy, x, windows.kernel, **settings, dilation=windows.dilation)


def _avg_pool(
    rank: int,
    x: Array,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the mean of each window (``avg_pool1d``, ``avg_pool2d``, ``avg_pool3d``).

    Parameters
    ----------
    x, kernel_size, stride, padding, ceil_mode
        As for `max_pool2d`; the padding is zeros.
    count_include_pad : bool
        Whether the zeros of the padding count in the mean.

    Returns
    -------
    ndarray of shape (N, C, *output)

    Raises
    ------
    ValueError, TypeError
        As for `max_pool2d`.

    References
    ----------
    Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import avg_pool2d
    >>> avg_pool2d(np.array([[[[1.0, 2.0], [3.0, 6.0]]]]), 2)
    array([[[[3.]]]])
    """
    owner = f"avg_pool{rank}d"
    x, windows, settings = _check(owner, rank, x, kernel_size, stride, padding, ceil_mode)
    include = check_flag(count_include_pad, "count_include_pad", owner)
    return operations().avg_pool(x, windows.kernel, **settings, count_include_pad=include)


def _avg_pool_backward(
    rank: int,
    dy: Array,
    x: Array,
    kernel_size: Size,
    *,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the gradient of an average pooling: each element of a window gets the same share.

    Parameters
    ----------
    dy : ndarray of shape (N, C, *output)
    x, kernel_size, stride, padding, ceil_mode, count_include_pad
        As given to the pooling.
    """
    owner = f"avg_pool{rank}d_backward"
    x, windows, settings = _check(owner, rank, x, kernel_size, stride, padding, ceil_mode)
    include = check_flag(count_include_pad, "count_include_pad", owner)
    dy = check_array(dy, "dy", owner, like=x, shape=(*x.shape[:2], *windows.output))
    return operations().avg_pool_backward(dy, x, windows.kernel, **settings, count_include_pad=include)


def _lp_pool(
    rank: int,
    x: Array,
    kernel_size: Size,
    *,
    p: float = 2,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
) -> Array:
    """Return the Lp norm of each window (``lp_pool1d``, ``lp_pool2d``, ``lp_pool3d``).

    ``p = 1`` gives the sum of the magnitudes; the larger ``p``, the closer the norm is to the largest magnitude.

    Parameters
    ----------
    x, kernel_size, stride, padding, ceil_mode
        As for `max_pool2d`; the padding is zeros, and the sum of an incomplete window is scaled up to that of a
        complete one.
    p : float
        Order of the norm, at least 1.

    Returns
    -------
    ndarray of shape (N, C, *output)

    Raises
    ------
    ValueError, TypeError
        As for `max_pool2d`, or if `p` is not a number of at least 1.

    References
    ----------
    P. Sermanet, S. Chintala, Y. LeCun, "Convolutional neural networks applied to house numbers digit classification",
    2012.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import lp_pool1d
    >>> lp_pool1d(np.array([[[3.0, -4.0]]]), 2)
    array([[[5.]]])
    """
    owner = f"lp_pool{rank}d"
    x, windows, settings = _check(owner, rank, x, kernel_size, stride, padding, ceil_mode)
    return operations().lp_pool(x, windows.kernel, p=check_number(p, "p", owner, minimum=1), **settings)


def _lp_pool_backward(
    rank: int,
    dy: Array,
    x: Array,
    kernel_size: Size,
    *,
    p: float = 2,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
) -> Array:
    """Return the gradient of an Lp pooling.

    Parameters
    ----------
    dy : ndarray of shape (N, C, *output)
    x, kernel_size, p, stride, padding, ceil_mode
        As given to the pooling.
    """
    owner = f"lp_pool{rank}d_backward"
    x, windows, settings = _check(owner, rank, x, kernel_size, stride, padding, ceil_mode)
    dy = check_array(dy, "dy", owner, like=x, shape=(*x.shape[:2], *windows.output))
    return operations().lp_pool_backward(dy, x, windows.kernel, p=check_number(p, "p", owner, minimum=1), **settings)


def _check(
    owner: str,
    rank: int,
    x: object,
    kernel_size: object,
    stride: object,
    padding: object,
    ceil_mode: object,
    dilation: object = 1,
) -> tuple[Array, Windows, dict[str, object]]:
    """Return the checked input, its windows, and their settings but for the dilation."""
    x = check_array(x, "x", owner, shape=("N", "C", *LETTERS[rank]))
    arguments = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
    windows = pool_windows(x.shape[2:], kernel_size, **arguments, owner=owner)
    return x, windows, {"stride": windows.stride, "padding": windows.padding, "ceil_mode": ceil_mode}


max_pool1d, max_pool2d, max_pool3d = by_rank(_max_pool)
max_pool1d_backward, max_pool2d_backward, max_pool3d_backward = by_rank(_max_pool_backward)
avg_pool1d, avg_pool2d, avg_pool3d = by_rank(_avg_pool)
avg_pool1d_backward, avg_pool2d_backward, avg_pool3d_backward = by_rank(_avg_pool_backward)
lp_pool1d, lp_pool2d, lp_pool3d = by_rank(_lp_pool)
lp_pool1d_backward, lp_pool2d_backward, lp_pool3d_backward = by_rank(_lp_pool_backward)


# ------------------------------------------------------------------------------------------------------ global pooling


def _check_channels(x: object, owner: str) -> Array:
    x = check_array(x, "x", owner)
    if x.ndim < 3:
        raise ValueError(f"{owner}: expected x (N, C, ...) with at least one spatial axis, got {format_shape(x.shape)}")
    if not prod(x.shape[1:]):
        raise ValueError(f"{owner}: expected x with no empty axis but N, got {format_shape(x.shape)}")
    return x


def global_avg_pool(x: Array) -> Array:
    """Return the mean of each channel.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size)
        float32 or float64, with at least one spatial axis.

    Returns
    -------
    ndarray of shape (N, C)

    Raises
    ------
    ValueError
        If `x` has no spatial axis, or a spatial axis is empty.
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    M. Lin, Q. Chen, S. Yan, "Network in network", arXiv 1312.4400.
    """
    return operations().global_avg_pool(_check_channels(x, "global_avg_pool"))


def global_avg_pool_backward(dy: Array, x: Array) -> Array:
    """Return the gradient of `global_avg_pool`: each element gets the same share.

    Parameters
    ----------
    dy : ndarray of shape (N, C)
    x : ndarray of shape (N, C, *size)
    """
    x = _check_channels(x, "global_avg_pool_backward")
    dy = check_array(dy, "dy", "global_avg_pool_backward", like=x, shape=x.shape[:2])
    return operations().global_avg_pool_backward(dy, x)


def global_max_pool(x: Array) -> Array:
    """Return the largest element of each channel.

    Parameters
    ----------
    x
        As for `global_avg_pool`.

    Returns
    -------
    ndarray of shape (N, C)

    Raises
    ------
    ValueError, TypeError
        As for `global_avg_pool`.

    References
    ----------
    M. Oquab et al., "Is object localization for free?", 2015.
    """
    return operations().global_max_pool(_check_channels(x, "global_max_pool"))


def global_max_pool_backward(dy: Array, x: Array) -> Array:
    """Return the gradient of `global_max_pool`: the first of the largest elements gets it.

    Parameters
    ----------
    dy : ndarray of shape (N, C)
    x : ndarray of shape (N, C, *size)
    """
    x = _check_channels(x, "global_max_pool_backward")
    dy = check_array(dy, "dy", "global_max_pool_backward", like=x, shape=x.shape[:2])
    return operations().global_max_pool_backward(dy, x)
