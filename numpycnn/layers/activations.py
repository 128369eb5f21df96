"""Layers that apply a function to each element; the formulas are in `numpycnn.functional.activations`."""

from typing import Any

import numpy as np

from numpycnn import functional as F
from numpycnn.functional.activations import check_approximate
from numpycnn.functional.checks import check_int, check_number, normal_axis
from numpycnn.layers.base import Layer, Shape


class ReLU(Layer):
    """``max(x, 0)``, see `numpycnn.functional.relu`."""

    # The output is positive where the input is, and the next layer keeps it as well: one array instead of two.
    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y = F.relu(x)
        return y, y

    def _backward(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return F.relu_backward(dy, y)


class LeakyReLU(Layer):
    """``x`` where it is positive, else ``negative_slope * x``, see `numpycnn.functional.leaky_relu`.

    Raises
    ------
    TypeError, ValueError
        If `negative_slope` is no finite number.
    """

    def __init__(self, negative_slope: float = 0.01, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.negative_slope = check_number(negative_slope, "negative_slope", "LeakyReLU")

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.leaky_relu(x, negative_slope=self.negative_slope), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return F.leaky_relu_backward(dy, x, negative_slope=self.negative_slope)


class ELU(Layer):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)``, see `numpycnn.functional.elu`.

    Raises
    ------
    TypeError, ValueError
        If `alpha` is no finite number.
    """

    def __init__(self, alpha: float = 1.0, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.alpha = check_number(alpha, "alpha", "ELU")

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.elu(x, alpha=self.alpha), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return F.elu_backward(dy, x, alpha=self.alpha)


class SELU(Layer):
    """The self-normalising ELU, see `numpycnn.functional.selu`."""

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.selu(x), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return F.selu_backward(dy, x)


class GELU(Layer):
    """``x * Phi(x)``, exactly or with ``approximate="tanh"``, see `numpycnn.functional.gelu`.

    Raises
    ------
    ValueError
        If `approximate` is unknown.
    """

    def __init__(self, approximate: str = "none", *, name: str | None = None) -> None:
        super().__init__(name=name)
        check_approximate(approximate, "GELU")
        self.approximate = approximate

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.gelu(x, self.approximate), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return F.gelu_backward(dy, x, self.approximate)


class Sigmoid(Layer):
    """``1 / (1 + exp(-x))``, see `numpycnn.functional.sigmoid`."""

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y = F.sigmoid(x)
        return y, (x, y)

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        return F.sigmoid_backward(dy, x, y=y)


class Tanh(Layer):
    """Hyperbolic tangent, see `numpycnn.functional.tanh`."""

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y = F.tanh(x)
        return y, (x, y)

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        return F.tanh_backward(dy, x, y=y)


class AnySoftmax(Layer):
    """What both have in common: the axis."""

    def __init__(self, axis: int = -1, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.axis = check_int(axis, "axis", type(self).__name__)

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        normal_axis(self.axis, len(input_shape) + 1, type(self).__name__)
        return input_shape


class Softmax(AnySoftmax):
    """Probabilities along an axis, see `numpycnn.functional.softmax`. `CrossEntropy` takes logits and needs none.

    Raises
    ------
    TypeError, ValueError
        If `axis` is not an int; when it is built, if there is no such axis.
    """

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y = F.softmax(x, self.axis)
        return y, (x, y)

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        return F.softmax_backward(dy, x, self.axis, y=y)


class LogSoftmax(AnySoftmax):
    """Logarithm of the softmax along an axis, see `numpycnn.functional.log_softmax`.

    Raises
    ------
    TypeError, ValueError
        If `axis` is not an int; when it is built, if there is no such axis.
    """

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y = F.log_softmax(x, self.axis)
        return y, (x, y)

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        return F.log_softmax_backward(dy, x, self.axis, y=y)
