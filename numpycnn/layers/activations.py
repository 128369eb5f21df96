"""Layers that apply a function to each element; the formulas are in `numpycnn.plain.activations`."""

from typing import Any

import numpy as np

from numpycnn._checks import check_axis, check_choice, check_int, check_number, format_shape
from numpycnn._settings import operations
from numpycnn._types import Shape
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.checking import BuildSetting
from numpycnn.layers.initializers import constant


class ReLU(Layer):
    """``max(x, 0)``, see `numpycnn.functional.relu`.

    References
    ----------
    V. Nair and G. Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.
    """

    # The output has the signs of the input, and the next layer caches it too: one array instead of two.
    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y = operations().relu(x)
        return y, y

    def _backward(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return operations().relu_backward(dy, y)


class LeakyReLU(Layer):
    """``x`` where it is positive, else ``negative_slope * x``, see `numpycnn.functional.leaky_relu`.

    Parameters
    ----------
    negative_slope : float
        The slope below 0.
    name : str, optional

    Raises
    ------
    TypeError, ValueError
        If `negative_slope` is not a finite number.

    References
    ----------
    A. Maas, A. Hannun, A. Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013.
    """

    def __init__(self, negative_slope: float = 0.01, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.negative_slope = check_number(negative_slope, "negative_slope", "LeakyReLU")

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().leaky_relu(x, negative_slope=self.negative_slope), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().leaky_relu_backward(dy, x, negative_slope=self.negative_slope)


class PReLU(Layer):
    """``x`` where it is positive, else ``weight * x`` with a learned slope, see `numpycnn.functional.prelu`.

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels (axis 1): one slope for all of them, or one for each.
    init : float
        Initial slope.
    name : str, optional

    Attributes
    ----------
    weight : Parameter of shape (num_parameters,)
        Penalties of the loss leave it out: they would pull it towards a ReLU.

    Raises
    ------
    TypeError, ValueError
        If a setting is out of range; at build, if `num_parameters` is neither 1 nor the number of channels.

    References
    ----------
    K. He et al., "Delving deep into rectifiers", arXiv 1502.01852.
    """

    num_parameters = BuildSetting()
    init = BuildSetting()

    def __init__(self, num_parameters: int = 1, *, init: float = 0.25, name: str | None = None) -> None:
        super().__init__(name=name)
        self.num_parameters = check_int(num_parameters, "num_parameters", "PReLU")
        self.init = check_number(init, "init", "PReLU")
        self.weight: Parameter = None  # type: ignore[assignment]  # until the layer is built

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        channels = input_shape[0] if input_shape else 1
        if self.num_parameters not in (1, channels):
            raise ValueError(
                f"expected num_parameters 1 or {channels}, one for each channel of {format_shape(input_shape)}, "
                f"got {self.num_parameters}"
            )
        self.weight = Parameter(constant(self.init, rng, (self.num_parameters,), self.dtype))
        if self.num_parameters > 1:
            self._expected = ("N", channels, *(f"S{axis}" for axis in range(1, len(input_shape))))
        return input_shape

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().prelu(x, self.weight.value), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        dx, self.weight.grad[...] = operations().prelu_backward(dy, x, self.weight.value)
        return dx


class ELU(Layer):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)``, see `numpycnn.functional.elu`.

    Parameters
    ----------
    alpha : float
        Minus the limit far below 0.
    name : str, optional

    Raises
    ------
    TypeError, ValueError
        If `alpha` is not a finite number.

    References
    ----------
    D.-A. Clevert, T. Unterthiner, S. Hochreiter, "Fast and accurate deep network learning by exponential linear units",
    arXiv 1511.07289.
    """

    def __init__(self, alpha: float = 1.0, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.alpha = check_number(alpha, "alpha", "ELU")

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().elu(x, alpha=self.alpha), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().elu_backward(dy, x, alpha=self.alpha)


class SELU(Layer):
    """The self-normalizing ELU, see `numpycnn.functional.selu`.

    References
    ----------
    G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, "Self-normalizing neural networks", arXiv 1706.02515.
    """

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().selu(x), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().selu_backward(dy, x)


class GELU(Layer):
    """``x * Phi(x)``, exactly or with ``approximate="tanh"``, see `numpycnn.functional.gelu`.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        Whether ``Phi`` is exact or approximated.
    name : str, optional

    Raises
    ------
    ValueError
        If `approximate` is unknown.

    References
    ----------
    D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv 1606.08415.
    """

    def __init__(self, approximate: str = "none", *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.approximate = check_choice(approximate, "approximate", "GELU", ("none", "tanh"))

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().gelu(x, self.approximate), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().gelu_backward(dy, x, self.approximate)


class Sigmoid(Layer):
    """``1 / (1 + exp(-x))``, see `numpycnn.functional.sigmoid`.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.
    """

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y = operations().sigmoid(x)
        return y, (x, y)

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        return operations().sigmoid_backward(dy, x, y=y)


class SiLU(Layer):
    """``x * sigmoid(x)``, also called swish, see `numpycnn.functional.silu`.

    References
    ----------
    D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv 1606.08415; S. Elfwing, E. Uchibe,
    K. Doya, "Sigmoid-weighted linear units for neural network function approximation in reinforcement learning",
    arXiv 1702.03118.
    """

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().silu(x), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().silu_backward(dy, x)


class Softplus(Layer):
    """``log(1 + exp(x))``, a smooth ReLU, see `numpycnn.functional.softplus`.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 3.10.
    """

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().softplus(x), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().softplus_backward(dy, x)


class Tanh(Layer):
    """Hyperbolic tangent, see `numpycnn.functional.tanh`.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.3.2.
    """

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y = operations().tanh(x)
        return y, (x, y)

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        return operations().tanh_backward(dy, x, y=y)


class SoftmaxBase(Layer):
    """Base class of the two softmax layers, with their axis."""

    def __init__(self, axis: int = -1, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.axis = check_int(axis, "axis", type(self).__name__, minimum=None)

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        check_axis(self.axis, len(input_shape) + 1, type(self).__name__)
        return input_shape


class Softmax(SoftmaxBase):
    """Probabilities along an axis, see `numpycnn.functional.softmax`. `CrossEntropy` takes logits, without a softmax.

    Parameters
    ----------
    axis : int
        Along which the results add up to 1.
    name : str, optional

    Raises
    ------
    TypeError, ValueError
        If `axis` is not an int; when it is built, if the axis does not exist.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.3.
    """

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y = operations().softmax(x, self.axis)
        return y, (x, y)

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        return operations().softmax_backward(dy, x, self.axis, y=y)


class LogSoftmax(SoftmaxBase):
    """Logarithm of the softmax along an axis, see `numpycnn.functional.log_softmax`.

    Parameters
    ----------
    axis, name
        As for `Softmax`.

    Raises
    ------
    TypeError, ValueError
        As for `Softmax`.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.3.
    """

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y = operations().log_softmax(x, self.axis)
        return y, (x, y)

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y = cache
        return operations().log_softmax_backward(dy, x, self.axis, y=y)


#: The activation functions that `activation=` names, as Keras does.
ACTIVATIONS: dict[str, type[Layer]] = {
    "elu": ELU,
    "gelu": GELU,
    "leaky_relu": LeakyReLU,
    "log_softmax": LogSoftmax,
    "prelu": PReLU,
    "relu": ReLU,
    "selu": SELU,
    "sigmoid": Sigmoid,
    "silu": SiLU,
    "softmax": Softmax,
    "softplus": Softplus,
    "tanh": Tanh,
}


def as_activation(value: Any, owner: str) -> Layer | None:
    """Return the activation function that an argument names.

    Parameters
    ----------
    value : str, Layer or None
        A name makes a new layer with default settings.
    owner : str
        Of the argument, for errors.

    Returns
    -------
    Layer or None

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If `value` is something else.
    """
    if value is None or isinstance(value, Layer):
        return value
    if isinstance(value, str):
        return ACTIVATIONS[check_choice(value, "activation", owner, tuple(ACTIVATIONS))]()
    hint = f"; write {value.__name__}()" if isinstance(value, type) else ""
    raise TypeError(f"{owner}: expected activation to be a name or a layer, got {value!r}{hint}")
