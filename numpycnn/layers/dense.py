"""The dense (fully connected) layer."""

from typing import Any

import numpy as np

from numpycnn._checks import check_int, format_shape
from numpycnn._settings import operations
from numpycnn._types import Shape
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.checking import BuildSetting
from numpycnn.layers.initializers import Initializer, draw
from numpycnn.layers.weighted import Weighted


class Dense(Weighted):
    """Every output is a weighted sum of all inputs, ``y = x W^T + b``, see `numpycnn.functional.linear`.

    Parameters
    ----------
    out_features : int
        Number of outputs, ``O``.
    bias : bool
        Whether to add a learned ``b``.
    in_features : int, optional
        Number of inputs, ``I``; by default inferred at build.
    activation : str or Layer, optional
        Applied to the result: ``"relu"`` or ``LeakyReLU(0.2)``, for example.
    initializer : str or function
        Initial weights: ``"he_normal"``, ``"he_uniform"``, ``"glorot_normal"``, ``"glorot_uniform"``, ``"normal"``,
        ``"truncated_normal"``, ``"orthogonal"``, ``"zeros"``, or a function of a generator and a shape, as
        ``lambda rng, shape: rng.normal(0, 0.1, shape)``, which files do not keep.
    name : str, optional

    Attributes
    ----------
    weight : Parameter of shape (O, I)
    bias : Parameter of shape (O,), or None

    Raises
    ------
    ValueError
        If a setting is out of range, or unknown.
    TypeError
        If a setting has the wrong type.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.5.
    """

    out_features = BuildSetting()
    in_features = BuildSetting()

    def __init__(
        self,
        out_features: int,
        *,
        bias: bool = True,
        in_features: int | None = None,
        activation: str | Layer | None = None,
        initializer: Initializer = "he_normal",
        name: str | None = None,
    ) -> None:
        super().__init__(bias=bias, initializer=initializer, activation=activation, name=name)
        self.out_features = check_int(out_features, "out_features", "Dense")
        self.in_features = None if in_features is None else check_int(in_features, "in_features", "Dense")

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) != 1:
            raise ValueError(f"expected inputs (features,), got {format_shape(input_shape)}; put a Flatten() before it")
        (features,) = input_shape
        if self.in_features not in (None, features):
            raise ValueError(f"expected {self.in_features} features (in_features), got {features}")
        shape = (self.out_features, features)
        self.weight = Parameter(
            draw(self.initializer, rng, shape, fan_in=features, fan_out=self.out_features, dtype=self.dtype)
        )
        if self.use_bias:
            self.bias = Parameter(np.zeros(self.out_features, self.dtype))
        self._expected = ("N", features)
        return self._build_activation((self.out_features,), rng)

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y = operations().linear(x, self.weight.value, None if self.bias is None else self.bias.value)
        return y if self.activation is None else self.activation.forward(y, **mode), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        if self.activation is not None:
            dy = self.activation.backward(dy)
        dx, dweight, dbias = operations().linear_backward(dy, x, self.weight.value)
        self._set_gradients(dweight, dbias)
        return dx

    def _backward_parameters(self, dy: np.ndarray, x: np.ndarray) -> None:
        if self.activation is not None:
            dy = self.activation.backward(dy)
        self._set_gradients(*operations().linear_weight_gradient(dy, x))

    def multiply_adds(self) -> int:
        """Return the number of multiplications with a weight for one example."""
        return 0 if self.weight is None else int(self.weight.value.size)
