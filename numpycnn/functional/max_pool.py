"""Max pooling: the largest element of each window.

With the elements ``x[q]`` that window ``p`` sees,

    y[p] = max of x[q]        dx[q] = sum of dy[p] over the windows p that q wins

so a small shift of the picture often leaves the output as it is, and only the winners learn. Of equal elements the
first one wins; NaN wins over every number.

Source: M. Ranzato et al., "Unsupervised learning of invariant feature hierarchies with applications to object
recognition", 2007.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import expect_shape, float_array
from numpycnn.functional.pooling import planes, prepare
from numpycnn.kernels import memory, threads
from numpycnn.kernels import pooling as kernels


def max_pool(
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    rank: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest element of each window, and its position in the flattened channel (-1 if it sees nothing)."""
    operation = f"max_pool{rank}d" if rank else "max_pool"
    x, windows = prepare(operation, x, rank, kernel_size, stride, padding, dilation, ceil_mode)
    y = memory.empty((*x.shape[:2], *windows.output), x.dtype)
    winners = memory.empty(y.shape, np.int32)
    if y.size:
        chunks = threads.split(y.shape[0] * y.shape[1])
        if windows.inside:
            threads.run(kernels.max_pool_inside, chunks, planes(x), windows.inner, planes(y), planes(winners))
        else:
            threads.run(kernels.max_pool, chunks, planes(x), windows.table, planes(y), planes(winners))
    return y, winners


def max_pool_backward(dy: np.ndarray, winners: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Send each gradient to the element that won its window; `size` is that of the input's spatial axes."""
    dx = memory.empty((*dy.shape[:2], *size), dy.dtype)
    if dx.size:
        chunks = threads.split(dx.shape[0] * dx.shape[1])
        threads.run(kernels.max_pool_backward, chunks, planes(dy), planes(winners), planes(dx))
    return dx  # (N, C, *size)


def _backward(dy: Any, x: Any, kernel_size: Any, rank: int, **settings: Any) -> np.ndarray:
    y, winners = max_pool(x, kernel_size, rank=rank, **settings)
    dy = float_array(dy, "dy", f"max_pool{rank}d_backward", like=y)
    expect_shape(dy, y.shape, "dy", f"max_pool{rank}d_backward")
    return max_pool_backward(dy, winners, np.shape(x)[2:])


# --------------------------------------------------------------------------------------------------------- public names


def max_pool1d(
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Largest element of each window of sequences ``(N, C, L)``; see `max_pool2d`."""
    return max_pool(x, kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode, rank=1)[0]


def max_pool2d(
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Largest element of each window.

    Parameters
    ----------
    x : ndarray of shape (N, C, H, W)
        float32 or float64.
    kernel_size : int or tuple of int
        Size of the window, for all axes, or one for each.
    stride : int or tuple of int, optional
        From one window to the next; the size of the window if not given, so that windows lie side by side.
    padding : int, tuple of int, tuple of (before, after) pairs, or {"valid", "same"}
        Around the picture, smaller than the window; padding never wins.
    dilation : int or tuple of int
        From one tap of the window to the next.
    ceil_mode : bool
        Keep a last, incomplete window.

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
    M. Ranzato et al., "Unsupervised learning of invariant feature hierarchies with applications to object
    recognition", 2007.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]])
    >>> max_pool2d(x, 2)
    array([[[[6., 8.]]]])
    """
    return max_pool(x, kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode, rank=2)[0]


def max_pool3d(
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Largest element of each window of volumes ``(N, C, D, H, W)``; see `max_pool2d`."""
    return max_pool(x, kernel_size, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode, rank=3)[0]


def max_pool1d_backward(
    dy: Any,
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Return ``dx`` of `max_pool1d`; see `max_pool2d_backward`."""
    return _backward(dy, x, kernel_size, 1, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)


def max_pool2d_backward(
    dy: Any,
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Return the gradient of `max_pool2d` with respect to `x`.

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
        As `max_pool2d`.
    """
    return _backward(dy, x, kernel_size, 2, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)


def max_pool3d_backward(
    dy: Any,
    x: Any,
    kernel_size: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Return ``dx`` of `max_pool3d`; see `max_pool2d_backward`."""
    return _backward(dy, x, kernel_size, 3, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)
