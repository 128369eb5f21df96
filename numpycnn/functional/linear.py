"""The dense, or fully connected, layer: every output is a weighted sum of all inputs.

    y = x W^T + b        dx = dy W        dW = dy^T x        db = sum of dy over the batch

Element by element, ``y[n, o]`` uses ``W[o, i]`` with the factor ``x[n, i]`` and the other way round; adding up over all
the outputs that a number takes part in gives the products above.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.5.
"""

from math import prod
from typing import Any

import numpy as np

from numpycnn.functional.checks import expect_shape, float_array, spell
from numpycnn.functional.matrices import multiply, multiply_transposed


def _operands(x: Any, weight: Any, operation: str) -> tuple[np.ndarray, np.ndarray]:
    x = float_array(x, "x", operation)
    weight = float_array(weight, "weight", operation, like=x)
    expect_shape(weight, ("O", "I"), "weight", operation)
    if x.ndim < 1 or x.shape[-1] != weight.shape[1]:
        expected = f"(..., {weight.shape[1]})"
        raise ValueError(f"{operation}: expected x {expected} for weight {spell(weight.shape)}, got {spell(x.shape)}")
    return x, weight


def linear(x: Any, weight: Any, bias: Any = None) -> np.ndarray:
    """Return ``x W^T + b``.

    Parameters
    ----------
    x : ndarray of shape (N, I)
        float32 or float64; further axes may stand before the last one.
    weight : ndarray of shape (O, I)
    bias : ndarray of shape (O,), optional

    Returns
    -------
    ndarray of shape (N, O)

    Raises
    ------
    ValueError
        If the shapes do not belong together.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.5.

    Examples
    --------
    >>> import numpy as np
    >>> linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([[11.5]])
    """
    x, weight = _operands(x, weight, "linear")
    if bias is not None:
        bias = float_array(bias, "bias", "linear", like=x)
        expect_shape(bias, (len(weight),), "bias", "linear")
    y = multiply_transposed(x.reshape(prod(x.shape[:-1]), weight.shape[1]), weight, bias)  # (N, O)
    return y.reshape(*x.shape[:-1], len(weight))


def linear_backward(dy: Any, x: Any, weight: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients ``(dx, dweight, dbias)`` of `linear`, in the shapes of ``x``, ``weight`` and ``(O,)``.

    Returns
    -------
    dx : ndarray of shape (N, I)
    dweight : ndarray of shape (O, I)
    dbias : ndarray of shape (O,)
    """
    x, weight = _operands(x, weight, "linear_backward")
    dy = float_array(dy, "dy", "linear_backward", like=x)
    expect_shape(dy, (*x.shape[:-1], len(weight)), "dy", "linear_backward")
    count = prod(x.shape[:-1])
    rows = dy.reshape(count, len(weight))  # (N, O)
    dweight = multiply(rows.T, x.reshape(count, weight.shape[1]))
    return multiply(rows, weight).reshape(x.shape), dweight, rows.sum(axis=0)
