"""Dropout: arguments checked, then the backend's operation."""

import numpy as np

from numpycnn._checks import check_array, check_int, check_number, format_shape
from numpycnn._settings import operations
from numpycnn._types import Array


def _check_kept(kept: object, owner: str) -> None:
    if type(kept) is not np.ndarray or kept.dtype != np.bool_:
        got = f"one of {kept.dtype}" if isinstance(kept, np.ndarray) else type(kept).__name__
        raise TypeError(f"{owner}: expected kept as an array of bool, got {got}")


def dropout(x: Array, *, p: float, key: int) -> tuple[Array, Array]:
    """Set each element to zero with probability `p`, and divide the others by ``1 - p``.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64
    p : float
        At least 0 and below 1.
    key : int
        From 0 to 2**31 - 1; together with its position it decides whether an element is kept.

    Returns
    -------
    y : ndarray of the shape of `x`
    kept : ndarray of bool of the same shape
        For `dropout_backward`.

    Raises
    ------
    ValueError
        If `p` or `key` is out of range.
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
    """
    p = check_number(p, "p", "dropout", minimum=0, below=1)
    key = check_int(key, "key", "dropout", minimum=0)
    y, kept = operations().dropout(check_array(x, "x", "dropout"), p=p, key=key)
    return np.asarray(y), np.asarray(kept)  # of an array without axes, NumPy's arithmetic makes a scalar


def dropout_backward(dy: Array, kept: Array, *, p: float) -> Array:
    """Return ``dx`` of `dropout`: the gradients of the kept elements, divided by ``1 - p``.

    Parameters
    ----------
    dy : ndarray of any shape
    kept : ndarray of bool of the same shape
        As returned by `dropout`.
    p : float
        As given to `dropout`.
    """
    p = check_number(p, "p", "dropout_backward", minimum=0, below=1)
    _check_kept(kept, "dropout_backward")
    return operations().dropout_backward(check_array(dy, "dy", "dropout_backward", shape=kept.shape), kept, p=p)


def spatial_dropout(x: Array, *, p: float, key: int) -> tuple[Array, Array]:
    """Set each channel to zero with probability `p`, and divide the others by ``1 - p``.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size), float32 or float64
    p : float
        At least 0 and below 1.
    key : int
        From 0 to 2**31 - 1; together with its position it decides whether a channel is kept.

    Returns
    -------
    y : ndarray of the shape of `x`
    kept : ndarray of bool, shape (N, C)
        For `spatial_dropout_backward`.

    Raises
    ------
    ValueError
        If `x` does not have a spatial axis, or `p` or `key` is out of range.
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    J. Tompson et al., "Efficient object localization using convolutional networks", arXiv 1411.4280.
    """
    p = check_number(p, "p", "spatial_dropout", minimum=0, below=1)
    key = check_int(key, "key", "spatial_dropout", minimum=0)
    x = check_array(x, "x", "spatial_dropout")
    if x.ndim < 3:
        raise ValueError(
            f"spatial_dropout: expected x (N, C, ...) with at least one spatial axis, got {format_shape(x.shape)}"
        )
    return operations().spatial_dropout(x, p=p, key=key)


def spatial_dropout_backward(dy: Array, kept: Array, *, p: float) -> Array:
    """Return ``dx`` of `spatial_dropout`: the gradients of the kept channels, divided by ``1 - p``.

    Parameters
    ----------
    dy : ndarray of shape (N, C, *size)
    kept : ndarray of bool, shape (N, C)
        As returned by `spatial_dropout`.
    p : float
        As given to `spatial_dropout`.
    """
    owner = "spatial_dropout_backward"
    p = check_number(p, "p", owner, minimum=0, below=1)
    _check_kept(kept, owner)
    dy = check_array(dy, "dy", owner)
    if dy.ndim < 3 or dy.shape[:2] != kept.shape:
        raise ValueError(
            f"{owner}: expected dy (N, C, ...) with kept (N, C), got {format_shape(dy.shape)} and "
            f"{format_shape(kept.shape)}"
        )
    return operations().spatial_dropout_backward(dy, kept, p=p)
