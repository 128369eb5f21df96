"""The dense, or fully connected, layer."""

from typing import Any

import numpy as np

from numpycnn import functional as F
from numpycnn.functional.checks import check_flag, spell, whole_number
from numpycnn.functional.matrices import multiply
from numpycnn.initializers import check_initializer, draw
from numpycnn.layers.base import Layer, Parameter, Shape


class Dense(Layer):
    """Every output is a weighted sum of all inputs, ``y = x W^T + b``, see `numpycnn.functional.linear`.

    Parameters
    ----------
    out_features : int
        Outputs, ``O``.
    bias : bool
        Whether there is a ``b``.
    in_features : int, optional
        Inputs, ``I``; found out when the layer is built, and checked then if given.
    initializer : {"he_normal", "he_uniform", "glorot_normal", "glorot_uniform"}
        How the initial weights are drawn.
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
        If one is not of its kind.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.5.
    """

    def __init__(
        self,
        out_features: int,
        *,
        bias: bool = True,
        in_features: int | None = None,
        initializer: str = "he_normal",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.out_features = whole_number(out_features, "out_features", "Dense")
        self.in_features = None if in_features is None else whole_number(in_features, "in_features", "Dense")
        self.initializer = check_initializer(initializer, "Dense")
        self.use_bias = check_flag(bias, "bias", "Dense")
        self.weight: Any = None
        self.bias: Any = None

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().config() | {"bias": self.use_bias}

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) != 1:
            raise ValueError(f"expected inputs (features,), got {spell(input_shape)}; put a Flatten() before it")
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
        return (self.out_features,)

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.linear(x, self.weight.value, self.bias.value if self.use_bias else None), x

    # The products of `linear_backward`, written straight into the gradients.
    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        self._backward_parameters(dy, x)
        return multiply(dy, self.weight.value)

    def _backward_parameters(self, dy: np.ndarray, x: np.ndarray) -> None:
        multiply(dy.T, x, out=self.weight.grad)
        if self.use_bias:
            np.sum(dy, axis=0, out=self.bias.grad)

    def multiply_adds(self) -> int:
        """Return how many multiplications with a weight one example costs."""
        return 0 if self.weight is None else int(self.weight.value.size)
