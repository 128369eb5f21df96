"""Softmax and its logarithm: from any numbers to probabilities that add up to 1.

With ``y = exp(x) / sum(exp(x))``, the derivative of ``y[i]`` with respect to ``x[j]`` is ``y[i] ([i = j] - y[j])``,
hence ``dx = y * (dy - sum(dy * y))``: raising one input raises its own probability at the expense of all others.
Subtracting the largest input first changes nothing in the result and keeps ``exp`` from overflowing.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.3.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import expect_shape, float_array, normal_axis


def _operands(dy: Any, x: Any, axis: Any, operation: str) -> tuple[np.ndarray, np.ndarray, int]:
    x = float_array(x, "x", operation)
    dy = float_array(dy, "dy", operation, like=x)
    expect_shape(dy, x.shape, "dy", operation)
    return dy, x, normal_axis(axis, x.ndim, operation)


def _shifted(x: Any, axis: Any, operation: str) -> tuple[np.ndarray, int]:
    x = float_array(x, "x", operation)
    axis = normal_axis(axis, x.ndim, operation)
    return x - x.max(axis=axis, keepdims=True, initial=-np.inf), axis


def softmax(x: Any, axis: int = -1) -> np.ndarray:
    """Return ``exp(x) / sum(exp(x))`` along an axis.

    Parameters
    ----------
    x : ndarray of any shape
        float32 or float64.
    axis : int
        Along which the results add up to 1.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError
        If `x` is not float32 or float64.
    ValueError
        If `x` has no such axis.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.3.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    shifted, axis = _shifted(x, axis, "softmax")
    exponential = np.exp(shifted)
    return exponential / exponential.sum(axis=axis, keepdims=True)


def softmax_backward(dy: Any, x: Any, axis: int = -1, *, y: np.ndarray | None = None) -> np.ndarray:
    """Return ``dx = y * (dy - sum(dy * y))``; `y` is the forward's output, if at hand.

    Parameters
    ----------
    y : ndarray of the shape of `x`, optional
        What the forward gave, where it is at hand; it is computed otherwise.
    """
    dy, x, axis = _operands(dy, x, axis, "softmax_backward")
    y = softmax(x, axis) if y is None else y
    return y * (dy - (dy * y).sum(axis=axis, keepdims=True))


def log_softmax(x: Any, axis: int = -1) -> np.ndarray:
    """Return ``x - log(sum(exp(x)))`` along an axis: exact even where a probability is too small to be told from 0.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.3.
    """
    shifted, axis = _shifted(x, axis, "log_softmax")
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)) if shifted.size else shifted


def log_softmax_backward(dy: Any, x: Any, axis: int = -1, *, y: np.ndarray | None = None) -> np.ndarray:
    """Return ``dx = dy - softmax(x) * sum(dy)``; `y` is the forward's output, if at hand."""
    dy, x, axis = _operands(dy, x, axis, "log_softmax_backward")
    y = log_softmax(x, axis) if y is None else y
    return dy - np.exp(y) * dy.sum(axis=axis, keepdims=True)
