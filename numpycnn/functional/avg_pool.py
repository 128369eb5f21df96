"""Average pooling: the mean of each window.

With the elements ``x[q]`` that window ``p`` sees,

    y[p] = sum of x[q] / divisor[p]        dx[q] = sum of dy[p] / divisor[p] over the windows p that see q

The divisor is the number of elements of the window, with or without the padding that it covers; what hangs over beyond
the padding, as with ``ceil_mode``, is never counted.

Source: Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import check_flag
from numpycnn.functional.pooling import check_gradient, prepare, window_sum, window_sum_backward


def avg_pool(
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    rank: int | None = None,
) -> np.ndarray:
    """Average over windows in any number of axes; `avg_pool2d` describes the arguments."""
    operation = f"avg_pool{rank}d" if rank else "avg_pool"
    x, windows = prepare(operation, x, rank, kernel_size, stride, padding, 1, ceil_mode)
    count_include_pad = check_flag(count_include_pad, "count_include_pad", operation)
    y = window_sum(x, windows)
    y /= windows.divisor(count_include_pad).astype(x.dtype)
    return y


def avg_pool_backward(
    dy: Any,
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    rank: int | None = None,
) -> np.ndarray:
    """Return ``dx`` of `avg_pool`."""
    operation = f"avg_pool{rank}d_backward" if rank else "avg_pool_backward"
    x, windows = prepare(operation, x, rank, kernel_size, stride, padding, 1, ceil_mode)
    dy = check_gradient(operation, dy, x, windows)
    count_include_pad = check_flag(count_include_pad, "count_include_pad", operation)
    return window_sum_backward(dy / windows.divisor(count_include_pad).astype(x.dtype), windows)


# --------------------------------------------------------------------------------------------------------- public names


def avg_pool1d(
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> np.ndarray:
    """Average of each window of sequences ``(N, C, L)``; see `avg_pool2d`."""
    return avg_pool(
        x, kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, count_include_pad=count_include_pad, rank=1
    )


def avg_pool2d(
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> np.ndarray:
    """Average of each window.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
        float32 or float64.
    kernel_size : int or tuple of int
        Size of the window, for all axes, or one for each.
    stride : int or tuple of int, optional
        From one window to the next; the size of the window if not given, so that windows lie side by side.
    padding : int, tuple of int, tuple of (before, after) pairs, or {"valid", "same"}
        Zeros around the picture, smaller than the window.
    ceil_mode : bool
        Keep a last, incomplete window.
    count_include_pad : bool
        Whether the zeros of the padding count in the average.

    Returns
    -------
    ndarray of shape (N, C, OH, OW)

    Raises
    ------
    ValueError
        If the window does not fit, the padding is not smaller than the window, or a setting is out of range.
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]])
    >>> avg_pool2d(x, 2)
    array([[[[3.5, 5.5]]]])
    """
    return avg_pool(
        x, kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, count_include_pad=count_include_pad, rank=2
    )


def avg_pool3d(
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> np.ndarray:
    """Average of each window of volumes ``(N, C, D, H, W)``; see `avg_pool2d`."""
    return avg_pool(
        x, kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, count_include_pad=count_include_pad, rank=3
    )


def avg_pool1d_backward(
    dy: Any,
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> np.ndarray:
    """Return ``dx`` of `avg_pool1d`; see `avg_pool2d_backward`."""
    return avg_pool_backward(
        dy,
        x,
        kernel_size,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        rank=1,
    )


def avg_pool2d_backward(
    dy: Any,
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> np.ndarray:
    """Return the gradient of `avg_pool2d` with respect to `x`.

    Parameters
    ----------
    dy : ndarray of shape (N, C, OH, OW)
        Gradient of the loss with respect to the output.

    Returns
    -------
    ndarray of shape (N, C, H, W)

    Raises
    ------
    ValueError, TypeError
        As `avg_pool2d`.
    """
    return avg_pool_backward(
        dy,
        x,
        kernel_size,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        rank=2,
    )


def avg_pool3d_backward(
    dy: Any,
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> np.ndarray:
    """Return ``dx`` of `avg_pool3d`; see `avg_pool2d_backward`."""
    return avg_pool_backward(
        dy,
        x,
        kernel_size,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        rank=3,
    )
