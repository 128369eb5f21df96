"""Activation functions: arguments checked, then the backend's operation; `numpycnn.plain.activations` derives them.

NumPy's arithmetic makes a scalar of an array without axes; ``np.asarray`` returns an array for every shape.
"""

import numpy as np

from numpycnn._checks import check_array, check_choice, check_number, format_shape
from numpycnn._settings import operations
from numpycnn._types import Array


def check_gradient(dy: object, x: object, owner: str) -> tuple[Array, Array]:
    """Return both as arrays of the same shape."""
    x = check_array(x, "x", owner)
    return check_array(dy, "dy", owner, like=x, shape=x.shape), x


def check_output(y: object, x: Array, owner: str) -> Array | None:
    """Return the output of a forward pass, if it is given, as an array like the input."""
    return None if y is None else check_array(y, "y", owner, like=x, shape=x.shape)


def relu(x: Array) -> Array:
    """Return ``max(x, 0)`` of each element.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    V. Nair and G. Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.
    """
    return np.asarray(operations().relu(check_array(x, "x", "relu")))


def relu_backward(dy: Array, x: Array) -> Array:
    """Return ``dx``: ``dy`` where ``x > 0`` or ``x`` is NaN, else 0.

    Parameters
    ----------
    dy, x : ndarray of the same shape
        Gradient of the loss with respect to the output, and the input, or the output: both have
        the same signs.
    """
    dy, x = check_gradient(dy, x, "relu_backward")
    return np.asarray(operations().relu_backward(dy, x))


def leaky_relu(x: Array, *, negative_slope: float = 0.01) -> Array:
    """Return ``x`` where it is positive, else ``negative_slope * x``.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64
    negative_slope : float
        The slope below 0.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError, ValueError
        If `x` is not float32 or float64, or `negative_slope` is not a finite number.

    References
    ----------
    A. Maas, A. Hannun, A. Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013.
    """
    negative_slope = check_number(negative_slope, "negative_slope", "leaky_relu")
    return operations().leaky_relu(check_array(x, "x", "leaky_relu"), negative_slope=negative_slope)


def leaky_relu_backward(dy: Array, x: Array, *, negative_slope: float = 0.01) -> Array:
    """Return ``dx``: ``dy`` where ``x > 0``, else ``negative_slope * dy``.

    Parameters
    ----------
    dy, x : ndarray of the same shape
    negative_slope
        As for `leaky_relu`.
    """
    dy, x = check_gradient(dy, x, "leaky_relu_backward")
    negative_slope = check_number(negative_slope, "negative_slope", "leaky_relu_backward")
    return operations().leaky_relu_backward(dy, x, negative_slope=negative_slope)


def _check_prelu(x: object, weight: object, owner: str) -> tuple[Array, Array]:
    x = check_array(x, "x", owner)
    weight = check_array(weight, "weight", owner, like=x, shape=("C",))
    channels = x.shape[1] if x.ndim > 1 else 1
    if weight.size not in (1, channels):
        raise ValueError(
            f"{owner}: expected weight (1,) or ({channels},), one for each channel of x {format_shape(x.shape)}, "
            f"got {format_shape(weight.shape)}"
        )
    return x, weight


def prelu(x: Array, weight: Array) -> Array:
    """Return ``x`` where it is positive, else ``weight * x``.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64
        The channels are axis 1.
    weight : ndarray of shape (1,) or (C,)
        The slope below 0: one, or one for each channel.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    ValueError
        If `weight` does not have one element, or one for each channel.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.

    References
    ----------
    K. He et al., "Delving deep into rectifiers", arXiv 1502.01852.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import prelu
    >>> prelu(np.array([[4.0, -4.0]]), np.array([0.5, 0.25]))
    array([[ 4., -1.]])
    """
    return np.asarray(operations().prelu(*_check_prelu(x, weight, "prelu")))


def prelu_backward(dy: Array, x: Array, weight: Array) -> tuple[Array, Array]:
    """Return the gradients ``(dx, dweight)`` of `prelu`.

    Parameters
    ----------
    dy : ndarray of the shape of `x`
    x, weight
        As given to `prelu`.
    """
    x, weight = _check_prelu(x, weight, "prelu_backward")
    dy = check_array(dy, "dy", "prelu_backward", like=x, shape=x.shape)
    dx, dweight = operations().prelu_backward(dy, x, weight)
    return np.asarray(dx), dweight


def elu(x: Array, *, alpha: float = 1.0) -> Array:
    """Return ``x`` where it is positive, else ``alpha * (exp(x) - 1)``.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64
    alpha : float
        For large negative ``x``, the output tends to ``-alpha``.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError, ValueError
        If `x` is not float32 or float64, or `alpha` is not a finite number.

    References
    ----------
    D.-A. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network learning by exponential linear units",
    arXiv 1511.07289.
    """
    alpha = check_number(alpha, "alpha", "elu")
    return operations().elu(check_array(x, "x", "elu"), alpha=alpha)


def elu_backward(dy: Array, x: Array, *, alpha: float = 1.0) -> Array:
    """Return ``dx``: ``dy`` where ``x > 0``, else ``dy * alpha * exp(x)``.

    Parameters
    ----------
    dy, x : ndarray of the same shape
    alpha
        As for `elu`.
    """
    dy, x = check_gradient(dy, x, "elu_backward")
    alpha = check_number(alpha, "alpha", "elu_backward")
    return operations().elu_backward(dy, x, alpha=alpha)


def selu(x: Array) -> Array:
    """Return ``scale * elu(x, alpha)`` with the constants that keep mean 0 and variance 1 from layer to layer.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, "Self-normalizing neural networks", arXiv 1706.02515.
    """
    return np.asarray(operations().selu(check_array(x, "x", "selu")))


def selu_backward(dy: Array, x: Array) -> Array:
    """Return ``dx``: ``dy * scale`` where ``x > 0``, else ``dy * scale * alpha * exp(x)``.

    Parameters
    ----------
    dy, x : ndarray of the same shape
    """
    dy, x = check_gradient(dy, x, "selu_backward")
    return np.asarray(operations().selu_backward(dy, x))


def gelu(x: Array, approximate: str = "none") -> Array:
    """Return ``x * Phi(x)``, where ``Phi`` is the cumulative distribution of the standard normal variable.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64
    approximate : {"none", "tanh"}
        Whether ``Phi`` is exact, or ``(1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2``.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError, ValueError
        If `x` is not float32 or float64, or `approximate` is unknown.

    References
    ----------
    D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv 1606.08415.
    """
    check_choice(approximate, "approximate", "gelu", ("none", "tanh"))
    return np.asarray(operations().gelu(check_array(x, "x", "gelu"), approximate))


def gelu_backward(dy: Array, x: Array, approximate: str = "none") -> Array:
    """Return ``dx = dy * (Phi(x) + x * Phi'(x))``.

    Parameters
    ----------
    dy, x : ndarray of the same shape
    approximate
        As for `gelu`.
    """
    dy, x = check_gradient(dy, x, "gelu_backward")
    check_choice(approximate, "approximate", "gelu_backward", ("none", "tanh"))
    return np.asarray(operations().gelu_backward(dy, x, approximate))


def sigmoid(x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))`` of each element, without overflow for any `x`.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.
    """
    return np.asarray(operations().sigmoid(check_array(x, "x", "sigmoid")))


def sigmoid_backward(dy: Array, x: Array, *, y: Array | None = None) -> Array:
    """Return ``dx = dy * y * (1 - y)`` with ``y = sigmoid(x)``.

    Parameters
    ----------
    dy, x : ndarray of the same shape
    y : ndarray of the same shape, optional
        Output of the forward pass; computed if not given.
    """
    dy, x = check_gradient(dy, x, "sigmoid_backward")
    y = check_output(y, x, "sigmoid_backward")
    return np.asarray(operations().sigmoid_backward(dy, x, y=y))


def silu(x: Array) -> Array:
    """Return ``x * sigmoid(x)`` of each element.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv 1606.08415; S. Elfwing, E. Uchibe,
    K. Doya, "Sigmoid-weighted linear units for neural network function approximation in reinforcement learning",
    arXiv 1702.03118.
    """
    return np.asarray(operations().silu(check_array(x, "x", "silu")))


def silu_backward(dy: Array, x: Array) -> Array:
    """Return ``dx = dy * (s + x * s * (1 - s))`` with ``s = sigmoid(x)``.

    Parameters
    ----------
    dy, x : ndarray of the same shape
    """
    dy, x = check_gradient(dy, x, "silu_backward")
    return np.asarray(operations().silu_backward(dy, x))


def softplus(x: Array) -> Array:
    """Return ``log(1 + exp(x))`` of each element, without overflow for any `x`.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 3.10.
    """
    return np.asarray(operations().softplus(check_array(x, "x", "softplus")))


def softplus_backward(dy: Array, x: Array) -> Array:
    """Return ``dx = dy * sigmoid(x)``.

    Parameters
    ----------
    dy, x : ndarray of the same shape
    """
    dy, x = check_gradient(dy, x, "softplus_backward")
    return np.asarray(operations().softplus_backward(dy, x))


def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent of each element.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.3.2.
    """
    return np.asarray(operations().tanh(check_array(x, "x", "tanh")))


def tanh_backward(dy: Array, x: Array, *, y: Array | None = None) -> Array:
    """Return ``dx = dy * (1 - y^2)`` with ``y = tanh(x)``.

    Parameters
    ----------
    dy, x : ndarray of the same shape
    y : ndarray of the same shape, optional
        Output of the forward pass; computed if not given.
    """
    dy, x = check_gradient(dy, x, "tanh_backward")
    y = check_output(y, x, "tanh_backward")
    return np.asarray(operations().tanh_backward(dy, x, y=y))
