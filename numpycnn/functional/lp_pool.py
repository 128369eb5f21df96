"""Lp pooling: the norm of each window, between the sum of magnitudes (p = 1) and their maximum (p to infinity).

With the elements ``x[q]`` that window ``w`` sees,

    y[w] = (c[w] * sum of |x[q]|^p)^(1/p)

    dx[q] = sign(x[q]) |x[q]|^(p-1) * sum of dy[w] c[w] y[w]^(1-p) over the windows that see q

by the chain rule: the derivative of ``s^(1/p)`` is ``s^(1/p - 1) / p = y^(1-p) / p``, and that of ``|x|^p`` is
``p sign(x) |x|^(p-1)``. A window of nothing but zeros has no derivative; 0 is used.

The factor ``c`` is 1 but for the incomplete windows that ``ceil_mode`` keeps: of their ``K`` elements only ``n`` lie in
the input and its padding, and ``c = K / n`` makes up for those that are missing, as the divisor of an average does.

Source: P. Sermanet, S. Chintala, Y. LeCun, "Convolutional neural networks applied to house numbers digit
classification", 2012.
"""

from math import prod
from typing import Any

import numpy as np

from numpycnn.functional.pooling import check_gradient, prepare, window_sum, window_sum_backward
from numpycnn.functional.windows import Windows


def check_p(p: Any, operation: str) -> float:
    """Return the order of the norm as a float from 1 on."""
    if isinstance(p, bool) or not isinstance(p, int | float | np.number):
        raise TypeError(f"{operation}: expected p to be a number, got {type(p).__name__} {p!r}")
    if not 1 <= p < np.inf:
        raise ValueError(f"{operation}: expected p from 1 on, and finite, got {p}")
    return float(p)


def _sizes(x: np.ndarray) -> tuple[np.ndarray, float]:
    """Return ``|x| / scale`` in float64, at most 1, so that no power of it overflows; the norm scales with it."""
    sizes = np.abs(x, dtype=np.float64)
    largest = float(sizes.max(initial=0.0))
    scale = largest if 0 < largest < np.inf else 1.0
    return sizes / scale, scale


def _power_sums(sizes: np.ndarray, p: float, windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """Return ``c * sum of sizes^p`` of each window, (N, C, *output), and ``c``, (*output)."""
    share = prod(windows.kernel) / windows.divisor(count_include_pad=True)
    return share * window_sum(sizes**p, windows), share


def lp_pool(
    x: Any,
    kernel_size: Any,
    *,
    p: float = 2,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    rank: int | None = None,
) -> np.ndarray:
    """Return the Lp norm of each window in any number of axes; `lp_pool2d` describes the arguments."""
    operation = f"lp_pool{rank}d" if rank else "lp_pool"
    x, windows = prepare(operation, x, rank, kernel_size, stride, padding, 1, ceil_mode)
    p = check_p(p, operation)
    sizes, scale = _sizes(x)
    sums, _ = _power_sums(sizes, p, windows)
    return (scale * sums ** (1 / p)).astype(x.dtype)


def lp_pool_backward(
    dy: Any,
    x: Any,
    kernel_size: Any,
    *,
    p: float = 2,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    rank: int | None = None,
) -> np.ndarray:
    """Return ``dx`` of `lp_pool`."""
    operation = f"lp_pool{rank}d_backward" if rank else "lp_pool_backward"
    x, windows = prepare(operation, x, rank, kernel_size, stride, padding, 1, ceil_mode)
    p = check_p(p, operation)
    dy = check_gradient(operation, dy, x, windows)
    sizes, _ = _sizes(x)
    sums, share = _power_sums(sizes, p, windows)
    norm = sums ** (1 / p)
    slope = np.divide(dy * share, norm ** (p - 1), out=np.zeros_like(norm), where=norm != 0)
    return (np.sign(x) * sizes ** (p - 1) * window_sum_backward(slope, windows)).astype(x.dtype)


# --------------------------------------------------------------------------------------------------------- public names


def lp_pool1d(
    x: Any,
    kernel_size: Any,
    *,
    p: float = 2,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Lp norm of each window of sequences ``(N, C, L)``; see `lp_pool2d`."""
    return lp_pool(x, kernel_size, p=p, stride=stride, padding=padding, ceil_mode=ceil_mode, rank=1)


def lp_pool2d(
    x: Any,
    kernel_size: Any,
    *,
    p: float = 2,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Lp norm of each window, ``(sum of |x|^p)^(1/p)``.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
        float32 or float64.
    kernel_size : int or tuple of int
        Size of the window, for all axes, or one for each.
    p : float
        Of the norm, at least 1: 1 adds the magnitudes up, and the larger it is, the nearer the norm is to their
        maximum.
    stride : int or tuple of int, optional
        From one window to the next; the size of the window if not given, so that windows lie side by side.
    padding : int, tuple of int, tuple of (before, after) pairs, or {"valid", "same"}
        Zeros around the picture, smaller than the window.
    ceil_mode : bool
        Keep a last, incomplete window; its sum is scaled up to the size of a whole one, as PyTorch does.

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
    P. Sermanet, S. Chintala, Y. LeCun, "Convolutional neural networks applied to house numbers digit
    classification", 2012.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]])
    >>> lp_pool2d(x, (2, 4), p=1)
    array([[[[36.]]]])
    """
    return lp_pool(x, kernel_size, p=p, stride=stride, padding=padding, ceil_mode=ceil_mode, rank=2)


def lp_pool3d(
    x: Any,
    kernel_size: Any,
    *,
    p: float = 2,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Lp norm of each window of volumes ``(N, C, D, H, W)``; see `lp_pool2d`."""
    return lp_pool(x, kernel_size, p=p, stride=stride, padding=padding, ceil_mode=ceil_mode, rank=3)


def lp_pool1d_backward(
    dy: Any,
    x: Any,
    kernel_size: Any,
    *,
    p: float = 2,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Return ``dx`` of `lp_pool1d`; see `lp_pool2d_backward`."""
    return lp_pool_backward(dy, x, kernel_size, p=p, stride=stride, padding=padding, ceil_mode=ceil_mode, rank=1)


def lp_pool2d_backward(
    dy: Any,
    x: Any,
    kernel_size: Any,
    *,
    p: float = 2,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Return the gradient of `lp_pool2d` with respect to `x`.

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
        As `lp_pool2d`.
    """
    return lp_pool_backward(dy, x, kernel_size, p=p, stride=stride, padding=padding, ceil_mode=ceil_mode, rank=2)


def lp_pool3d_backward(
    dy: Any,
    x: Any,
    kernel_size: Any,
    *,
    p: float = 2,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Return ``dx`` of `lp_pool3d`; see `lp_pool2d_backward`."""
    return lp_pool_backward(dy, x, kernel_size, p=p, stride=stride, padding=padding, ceil_mode=ceil_mode, rank=3)
