"""Activation functions: what makes a network more than one linear map.

Each acts on every element by itself, ``y = f(x)``, so its backward is ``dx = dy * f'(x)``. The derivatives of the
sigmoid and of tanh are short in terms of the output, so their backward takes it as ``y`` where it is at hand.

NaN stays NaN in all of them. At a kink (ReLU and its kin at 0) the derivative from the left is used. Where ``x`` is
NaN, the backward of ReLU, ELU and SELU hands ``dy`` on as for a positive number, and that of the leaky ReLU as for a
negative one: PyTorch's choice, by which a network that has gone wrong does not look like one that is switched off. At
an infinity each has its limit. An array without axes gives an array without axes.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import check_number, expect_shape, float_array, for_kernel
from numpycnn.kernels import activations as kernels
from numpycnn.kernels import memory, threads

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
FAR = 40  # standard deviations: from there on the normal distribution is 0 or 1 to the last bit


def _operands(dy: Any, x: Any, operation: str) -> tuple[np.ndarray, np.ndarray]:
    x = float_array(x, "x", operation)
    dy = float_array(dy, "dy", operation, like=x)
    expect_shape(dy, x.shape, "dy", operation)
    return dy, x


def relu(x: Any) -> np.ndarray:
    """Return ``max(x, 0)`` of each element.

    Parameters
    ----------
    x : ndarray of any shape
        float32 or float64.

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
    x = for_kernel(float_array(x, "x", "relu"))
    y = memory.empty(x.shape, x.dtype)
    threads.run(kernels.relu, threads.split_elements(x.size), x.reshape(-1), y.reshape(-1))
    return y


def relu_backward(dy: Any, x: Any) -> np.ndarray:
    """Return ``dx = dy`` where ``x > 0`` or is NaN, else 0; for `x` the output may be given, which says the same.

    Parameters
    ----------
    dy : ndarray of the shape of the output
        Gradient of the loss with respect to the output.
    x : ndarray of any shape
        What went in, of the type of `dy`.

    Returns
    -------
    dx : ndarray of the shape of `x`
        Gradient of the loss with respect to `x`.

    Raises
    ------
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.
    ValueError
        If the shapes do not belong together, or a setting is out of range.
    """
    dy, x = _operands(dy, x, "relu_backward")
    dy, x = for_kernel(dy), for_kernel(x)
    dx = memory.empty(x.shape, x.dtype)
    threads.run(kernels.relu_backward, threads.split_elements(x.size), dy.reshape(-1), x.reshape(-1), dx.reshape(-1))
    return dx


def leaky_relu(x: Any, *, negative_slope: float = 0.01) -> np.ndarray:
    """Return ``x`` where it is positive, else ``negative_slope * x``.

    Parameters
    ----------
    negative_slope : float
        The slope below 0.

    Raises
    ------
    TypeError
        If `x` is not float32 or float64, or `negative_slope` is no number.
    ValueError
        If `negative_slope` is not finite.

    References
    ----------
    A. Maas, A. Hannun, A. Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013.
    """
    x = float_array(x, "x", "leaky_relu")
    slope = x.dtype.type(check_number(negative_slope, "negative_slope", "leaky_relu"))
    return np.where(x > 0, x, slope * x)


def leaky_relu_backward(dy: Any, x: Any, *, negative_slope: float = 0.01) -> np.ndarray:
    """Return ``dx = dy`` where ``x > 0``, else ``negative_slope * dy``."""
    dy, x = _operands(dy, x, "leaky_relu_backward")
    slope = x.dtype.type(check_number(negative_slope, "negative_slope", "leaky_relu_backward"))
    return np.where(x > 0, dy, slope * dy)


def elu(x: Any, *, alpha: float = 1.0) -> np.ndarray:
    """Return ``x`` where it is positive, else ``alpha * (exp(x) - 1)``.

    Parameters
    ----------
    alpha : float
        What is approached far below 0, with the sign turned round.

    Raises
    ------
    TypeError
        If `x` is not float32 or float64, or `alpha` is no number.
    ValueError
        If `alpha` is not finite.

    References
    ----------
    D.-A. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network learning by exponential linear units",
    arXiv 1511.07289.
    """
    x = float_array(x, "x", "elu")
    alpha = x.dtype.type(check_number(alpha, "alpha", "elu"))
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_backward(dy: Any, x: Any, *, alpha: float = 1.0) -> np.ndarray:
    """Return ``dx = dy`` where ``x > 0``, else ``dy * alpha * exp(x)``."""
    dy, x = _operands(dy, x, "elu_backward")
    alpha = x.dtype.type(check_number(alpha, "alpha", "elu_backward"))
    return np.where(x <= 0, dy * alpha * np.exp(np.minimum(x, 0)), dy)


def selu(x: Any) -> np.ndarray:
    """Return ``scale * elu(x, alpha)`` with the constants that keep the mean 0 and the variance 1 from layer to layer.

    References
    ----------
    G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, "Self-normalizing neural networks", arXiv 1706.02515.
    """
    x = float_array(x, "x", "selu")
    return np.asarray(x.dtype.type(SELU_SCALE) * elu(x, alpha=SELU_ALPHA))


def selu_backward(dy: Any, x: Any) -> np.ndarray:
    """Return ``dx = dy * scale`` where ``x > 0``, else ``dy * scale * alpha * exp(x)``."""
    dy, x = _operands(dy, x, "selu_backward")
    return np.asarray(x.dtype.type(SELU_SCALE) * elu_backward(dy, x, alpha=SELU_ALPHA))


def sigmoid(x: Any) -> np.ndarray:
    """Return ``1 / (1 + exp(-x))`` of each element, without overflow for any finite or infinite `x`.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.
    """
    x = float_array(x, "x", "sigmoid")
    small = np.exp(-np.abs(x))  # at most 1, whatever the sign of x
    return np.asarray(np.where(x >= 0, 1, small) / (1 + small))


def sigmoid_backward(dy: Any, x: Any, *, y: np.ndarray | None = None) -> np.ndarray:
    """Return ``dx = dy * y * (1 - y)`` with ``y = sigmoid(x)``.

    Parameters
    ----------
    y : ndarray of the shape of `x`, optional
        What the forward gave, where it is at hand; it is computed otherwise.
    """
    dy, x = _operands(dy, x, "sigmoid_backward")
    y = sigmoid(x) if y is None else y
    return np.asarray(dy * y * (1 - y))


def tanh(x: Any) -> np.ndarray:
    """Return the hyperbolic tangent of each element.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.3.2.
    """
    return np.asarray(np.tanh(float_array(x, "x", "tanh")))


def tanh_backward(dy: Any, x: Any, *, y: np.ndarray | None = None) -> np.ndarray:
    """Return ``dx = dy * (1 - y^2)`` with ``y = tanh(x)``."""
    dy, x = _operands(dy, x, "tanh_backward")
    y = tanh(x) if y is None else y
    return np.asarray(dy * (1 - y * y))


def check_approximate(approximate: Any, operation: str) -> bool:
    """Return whether the approximation by tanh is asked for."""
    if not isinstance(approximate, str) or approximate not in ("none", "tanh"):
        raise ValueError(f"{operation}: expected approximate 'none' or 'tanh', got {approximate!r}")
    return bool(approximate == "tanh")


def _normal_cdf(x: np.ndarray, approximate: bool) -> np.ndarray:
    """Return the probability that a standard normal variable is below `x`, in float64 where it is approximate."""
    if approximate:
        return 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    from scipy.special import ndtr

    return np.asarray(ndtr(x))


def gelu(x: Any, approximate: str = "none") -> np.ndarray:
    """Return ``x * Phi(x)``, where ``Phi`` is the cumulative distribution of the standard normal variable.

    ``approximate="tanh"`` uses ``Phi(x) = (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`` instead.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        Whether ``Phi`` is exact or approximated.

    Raises
    ------
    TypeError
        If `x` is not float32 or float64.
    ValueError
        If `approximate` is unknown.

    References
    ----------
    D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv 1606.08415.
    """
    x = float_array(x, "x", "gelu")
    near = np.clip(x, -FAR, FAR)
    phi = _normal_cdf(near, check_approximate(approximate, "gelu"))
    return np.asarray(np.maximum(x, -FAR) * phi.astype(x.dtype))


def gelu_backward(dy: Any, x: Any, approximate: str = "none") -> np.ndarray:
    """Return ``dx = dy * (Phi(x) + x * Phi'(x))``."""
    dy, x = _operands(dy, x, "gelu_backward")
    near = np.clip(x, -FAR, FAR)
    phi = _normal_cdf(near, check_approximate(approximate, "gelu_backward"))
    if approximate == "tanh":  # with phi = (1 + t) / 2, (1 - t^2) / 2 = 2 phi (1 - phi)
        density = 2 * phi * (1 - phi) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * near**2)
    else:
        density = np.exp(-0.5 * near * near) / np.sqrt(2 * np.pi)
    return np.asarray(dy * (phi + near * density), x.dtype)
