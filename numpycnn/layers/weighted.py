"""The base class of the layers with a weight and a bias: dense layers and convolutions."""

from typing import Any

import numpy as np

from numpycnn._checks import check_flag
from numpycnn.layers.activations import as_activation
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.initializers import check_initializer


class Weighted(Layer):
    """Apply a linear operation, then the activation function, if there is one.

    A subclass implements the linear operation in ``_linear``, ``_linear_backward`` and ``_linear_backward_parameters``,
    which correspond to the hooks of `Layer`.
    """

    weight: Parameter
    bias: Parameter | None
    activation: Layer | None

    def __init__(self, *, bias: bool, initializer: str, activation: "str | Layer | None", name: str | None) -> None:
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

    def _activate(self, output_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Build the activation function, and return the shape of its output."""
        if self.activation is None:
            return output_shape
        shape = self.activation.build(output_shape, dtype=self.dtype)
        if shape != output_shape:
            raise ValueError(f"expected an activation function that keeps the shape, got {self.activation!r}")
        return shape

    def _linear(self, x: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _linear_backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _linear_backward_parameters(self, dy: np.ndarray, x: np.ndarray) -> None:
        raise NotImplementedError

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, np.ndarray]:
        y = self._linear(x)
        return y if self.activation is None else self.activation.forward(y, **mode), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return self._linear_backward(dy if self.activation is None else self.activation.backward(dy), x)

    def _backward_parameters(self, dy: np.ndarray, x: np.ndarray) -> None:
        self._linear_backward_parameters(dy if self.activation is None else self.activation.backward(dy), x)

    def _set_gradients(self, dweight: np.ndarray, dbias: np.ndarray) -> None:
        self.weight.grad[...] = dweight
        if self.bias is not None:
            self.bias.grad[...] = dbias
