"""Softmax and its logarithm: arguments checked, then the backend's operation."""

from numpycnn._checks import check_array, check_axis
from numpycnn._settings import operations
from numpycnn._types import Array
from numpycnn.functional._activations import check_gradient, check_output


def softmax(x: Array, axis: int = -1) -> Array:
    """Return ``exp(x) / sum(exp(x))`` along an axis.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64
    axis : int
        Along which the probabilities add up to 1.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError, ValueError
        If `x` is not float32 or float64, or has no such axis.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.3.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import softmax
    >>> softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    x = check_array(x, "x", "softmax")
    return operations().softmax(x, check_axis(axis, x.ndim, "softmax"))


def softmax_backward(dy: Array, x: Array, axis: int = -1, *, y: Array | None = None) -> Array:
    """Return ``dx = y * (dy - sum(dy * y))`` with ``y = softmax(x)``.

    Parameters
    ----------
    dy, x : ndarray of the same shape
    axis
        As for `softmax`.
    y : ndarray of the same shape, optional
        Output of the forward pass; computed if not given.
    """
    dy, x = check_gradient(dy, x, "softmax_backward")
    y = check_output(y, x, "softmax_backward")
    return operations().softmax_backward(dy, x, check_axis(axis, x.ndim, "softmax_backward"), y=y)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """Return ``x - log(sum(exp(x)))`` along an axis, exact even where a probability rounds to 0.

    Parameters
    ----------
    x, axis
        As for `softmax`.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError, ValueError
        As for `softmax`.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.3.
    """
    x = check_array(x, "x", "log_softmax")
    return operations().log_softmax(x, check_axis(axis, x.ndim, "log_softmax"))


def log_softmax_backward(dy: Array, x: Array, axis: int = -1, *, y: Array | None = None) -> Array:
    """Return ``dx = dy - softmax(x) * sum(dy)``.

    Parameters
    ----------
    dy, x : ndarray of the same shape
    axis
        As for `log_softmax`.
    y : ndarray of the same shape, optional
        Output of the forward pass; computed if not given.
    """
    dy, x = check_gradient(dy, x, "log_softmax_backward")
    y = check_output(y, x, "log_softmax_backward")
    return operations().log_softmax_backward(dy, x, check_axis(axis, x.ndim, "log_softmax_backward"), y=y)
