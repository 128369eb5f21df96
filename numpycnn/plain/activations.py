"""Activation functions (nonlinearities): without them, a network of many layers would be one linear map.

Each but the softmax acts on every element by itself, ``y = f(x)``, so its gradient is ``dx = dy * f'(x)``. The
derivatives of sigmoid, tanh and softmax are short in terms of the output, so their gradients take it as ``y``, if it is
at hand.

    ReLU         max(x, 0)                                    f' = 1 where x > 0, else 0
    leaky ReLU   x where x > 0, else a x                      f' = 1 where x > 0, else a
    PReLU        the leaky ReLU, a is learned: one for all channels, or one for each
    ELU          x where x > 0, else a (exp(x) - 1)           f' = 1 where x > 0, else a exp(x)
    SELU         s ELU(x), whose a and s keep mean 0 and variance 1 from layer to layer
    GELU         x Phi(x), the normal distribution's Phi      f' = Phi(x) + x Phi'(x)
    sigmoid      1 / (1 + exp(-x))                            f' = y (1 - y)
    SiLU         x s(x), the sigmoid's s                      f' = s(x) + x s(x) (1 - s(x))
    softplus     log(1 + exp(x))                              f' = s(x)
    tanh         (exp(x) - exp(-x)) / (exp(x) + exp(-x))      f' = 1 - y^2

A slope of the PReLU acts on all negative ``x`` of its channel, ``da = sum(dy x)`` over them.

NaN stays NaN. At a kink (ReLU at 0) the derivative from the left is used. Where ``x`` is NaN, the gradients of ReLU,
ELU and SELU pass ``dy`` on as for a positive number, those of the leaky ReLU and the PReLU as for a negative one, as in
PyTorch.

The softmax turns any numbers into probabilities, ``y = exp(x) / sum(exp(x))``. The derivative of ``y[i]`` with respect
to ``x[j]`` is ``y[i] ([i = j] - y[j])``, hence ``dx = y * (dy - sum(dy * y))``: raising one input raises its own
probability at the expense of all others. Subtracting the largest input first leaves the result unchanged and keeps
``exp`` from overflowing. The logarithm of the softmax is ``x - log(sum(exp(x)))``, with ``dx = dy - y * sum(dy)``.

Source: V. Nair and G. Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010; A. Maas, A. Hannun,
A. Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013 (leaky ReLU); arXiv 1502.01852 (PReLU),
1511.07289 (ELU), 1706.02515 (SELU), 1606.08415 (GELU, SiLU); I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning",
sections 6.2.2, 6.3 (softplus: 3.10).
"""

from math import pi, sqrt

import numpy as np

from numpycnn._types import Array

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
NORMAL_RANGE = 40  # standard deviations; beyond them Phi is 0 or 1 to the last bit
SIGMOID_RANGE = 800  # beyond it the sigmoid is 0 or 1 to the last bit


def relu(x: Array) -> Array:
    """Return ``max(x, 0)``."""
    return np.maximum(x, 0)


def relu_backward(dy: Array, x: Array) -> Array:
    """Return ``dx``: ``dy`` where ``x > 0`` or is NaN. The output may stand in for ``x``: both have the same signs."""
    return np.where(x <= 0, 0, dy)


def leaky_relu(x: Array, *, negative_slope: float = 0.01) -> Array:
    """Return ``x`` where it is positive, else ``negative_slope * x``."""
    return np.where(x > 0, x, negative_slope * x)


def leaky_relu_backward(dy: Array, x: Array, *, negative_slope: float = 0.01) -> Array:
    """Return ``dx``: ``dy`` where ``x > 0``, else ``negative_slope * dy``."""
    return np.where(x > 0, dy, negative_slope * dy)


def prelu(x: Array, weight: Array) -> Array:
    """Return ``x`` where it is positive, else ``weight * x``: one slope, or one for each channel (axis 1)."""
    return np.where(x > 0, x, _per_channel(weight, x) * x)


def prelu_backward(dy: Array, x: Array, weight: Array) -> tuple[Array, Array]:
    """Return the gradients ``(dx, dweight)``."""
    dx = np.where(x > 0, dy, _per_channel(weight, x) * dy)
    terms = np.where(x > 0, 0, dy * x)
    axes = None if weight.size == 1 else (0, *range(2, x.ndim))  # all that one slope acts on
    return dx, terms.sum(axis=axes).reshape(weight.shape)


def _per_channel(weight: Array, x: Array) -> Array:
    """Return one number, or one for each channel, in a shape that fits (N, C, ...)."""
    return weight.reshape(()) if weight.size == 1 else weight.reshape(-1, *[1] * (x.ndim - 2))


def elu(x: Array, *, alpha: float = 1.0) -> Array:
    """Return ``x`` where it is positive, else ``alpha * (exp(x) - 1)``."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_backward(dy: Array, x: Array, *, alpha: float = 1.0) -> Array:
    """Return ``dx``: ``dy`` where ``x > 0``, else ``dy * alpha * exp(x)``."""
    return np.where(x <= 0, dy * alpha * np.exp(np.minimum(x, 0)), dy)


def selu(x: Array) -> Array:
    """Return ``SELU_SCALE * elu(x, alpha=SELU_ALPHA)``."""
    return SELU_SCALE * elu(x, alpha=SELU_ALPHA)


def selu_backward(dy: Array, x: Array) -> Array:
    """Return ``dx``: `elu_backward`, scaled."""
    return SELU_SCALE * elu_backward(dy, x, alpha=SELU_ALPHA)


def gelu(x: Array, approximate: str = "none") -> Array:
    """Return ``x * Phi(x)``, with `_normal_cdf` as ``Phi``."""
    phi = _normal_cdf(np.clip(x, -NORMAL_RANGE, NORMAL_RANGE), approximate)
    return np.maximum(x, -NORMAL_RANGE) * phi  # -infinity times 0 would be NaN


def gelu_backward(dy: Array, x: Array, approximate: str = "none") -> Array:
    """Return ``dx = dy * (Phi(x) + x * Phi'(x))``."""
    x = np.clip(x, -NORMAL_RANGE, NORMAL_RANGE)
    phi = _normal_cdf(x, approximate)
    if approximate == "tanh":  # with Phi = (1 + t) / 2, (1 - t^2) / 2 = 2 Phi (1 - Phi)
        density = 2 * phi * (1 - phi) * sqrt(2 / pi) * (1 + 3 * 0.044715 * x**2)
    else:
        density = np.exp(-0.5 * x * x) / sqrt(2 * pi)
    return dy * (phi + x * density)


def _normal_cdf(x: Array, approximate: str) -> Array:
    """Return the probability that a standard normal variable is below ``x``, exactly or approximated by tanh."""
    if approximate == "tanh":
        return 0.5 * (1 + np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))
    from scipy.special import erfc

    return 0.5 * erfc(-x / sqrt(2))


def sigmoid(x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))``, from ``exp(-|x|)``, which cannot overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def sigmoid_backward(dy: Array, x: Array, *, y: Array | None = None) -> Array:
    """Return ``dx = dy * y * (1 - y)``."""
    y = sigmoid(x) if y is None else y
    return dy * y * (1 - y)


def silu(x: Array) -> Array:
    """Return ``x * sigmoid(x)``."""
    return np.maximum(x, -SIGMOID_RANGE) * sigmoid(x)  # -infinity times 0 would be NaN


def silu_backward(dy: Array, x: Array) -> Array:
    """Return ``dx = dy * (s + x * s * (1 - s))`` with ``s = sigmoid(x)``."""
    x = np.clip(x, -SIGMOID_RANGE, SIGMOID_RANGE)
    s = sigmoid(x)
    return dy * (s + x * s * (1 - s))


def softplus(x: Array) -> Array:
    """Return ``log(1 + exp(x))`` as ``max(x, 0) + log(1 + exp(-|x|))``, in which nothing overflows."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softplus_backward(dy: Array, x: Array) -> Array:
    """Return ``dx = dy * sigmoid(x)``."""
    return dy * sigmoid(x)


def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent."""
    return np.tanh(x)


def tanh_backward(dy: Array, x: Array, *, y: Array | None = None) -> Array:
    """Return ``dx = dy * (1 - y^2)``."""
    y = tanh(x) if y is None else y
    return dy * (1 - y * y)


def softmax(x: Array, axis: int = -1) -> Array:
    """Return ``exp(x) / sum(exp(x))`` along an axis."""
    exponential = np.exp(x - x.max(axis=axis, keepdims=True, initial=-np.inf))
    return exponential / exponential.sum(axis=axis, keepdims=True)


def softmax_backward(dy: Array, x: Array, axis: int = -1, *, y: Array | None = None) -> Array:
    """Return ``dx = y * (dy - sum(dy * y))``."""
    y = softmax(x, axis) if y is None else y
    return y * (dy - (dy * y).sum(axis=axis, keepdims=True))


def log_softmax(x: Array, axis: int = -1) -> Array:
    """Return ``x - log(sum(exp(x)))`` along an axis."""
    shifted = x - x.max(axis=axis, keepdims=True, initial=-np.inf)
    total = np.exp(shifted).sum(axis=axis, keepdims=True)
    return shifted - np.log(total, out=np.zeros_like(total), where=total != 0)  # 0: the sum over an empty axis


def log_softmax_backward(dy: Array, x: Array, axis: int = -1, *, y: Array | None = None) -> Array:
    """Return ``dx = dy - softmax(x) * sum(dy)``; ``y`` is the output of `log_softmax`."""
    y = log_softmax(x, axis) if y is None else y
    return dy - np.exp(y) * dy.sum(axis=axis, keepdims=True)
