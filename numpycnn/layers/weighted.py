"""The base class of the layers with a weight and a bias: dense layers and convolutions."""

from typing import Any, Self

import numpy as np

from numpycnn._checks import check_flag
from numpycnn.layers.activations import as_activation
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.checking import BuildSetting, check_positional
from numpycnn.layers.initializers import Initializer, check_initializer


class Weighted(Layer):
    """What dense layers and convolutions share: their settings, and the activation function after the operation."""

    weight: Parameter
    bias: Parameter | None
    activation: Layer | None

    initializer = BuildSetting()
    use_bias = BuildSetting()

    def __new__(cls, *arguments: Any, **settings: Any) -> Self:
        """Explain a call with the arguments of PyTorch."""
        hint = "the size of the input is inferred, and all settings are given by name, as in bias=False"
        check_positional(cls, arguments, hint)
        return super().__new__(cls)

    def __init__(
        self, *, bias: bool, initializer: Initializer, activation: "str | Layer | None", name: str | None
    ) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        self.initializer = check_initializer(initializer, kind)
        self.use_bias = check_flag(bias, "bias", kind)
        self.weight = None  # type: ignore[assignment]  # until the layer is built
        self.bias = None
        self.activation = as_activation(activation, kind)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().config() | {"bias": self.use_bias}

    def is_container(self) -> bool:
        """Return False: the activation function is a part of the operation."""
        return False

    def _build_activation(self, output_shape: tuple[int, ...], rng: np.random.Generator | None) -> tuple[int, ...]:
        """Build the activation function, and return the shape of its output."""
        if self.activation is None:
            return output_shape
        shape = self.activation.build(output_shape, rng=rng, dtype=self.dtype)
        if shape != output_shape:
            raise ValueError(f"expected an activation function that keeps the shape, got {self.activation!r}")
        return shape

    def _set_gradients(self, dweight: np.ndarray, dbias: np.ndarray) -> None:
        self.weight.grad[...] = dweight
        if self.bias is not None:
            self.bias.grad[...] = dbias
