"""Layers that merge several inputs into one, for the nodes of a `Model`."""

from functools import reduce
from typing import Any

import numpy as np

from numpycnn._checks import check_axis, check_int
from numpycnn._types import Shape
from numpycnn.layers.base import Layer
from numpycnn.layers.checking import BuildSetting, format_shapes, shapes_of


class Merge(Layer):
    """Base class of the layers whose inputs have the same shape."""

    several_inputs = True

    def _build(self, input_shape: Any, rng: np.random.Generator | None) -> Shape:
        if len(set(input_shape)) > 1:
            raise ValueError(f"expected inputs of the same shape, got {format_shapes(input_shape)}")
        return input_shape[0]

    def mixes_all(self) -> bool:
        """Return False: each output depends on the same position of the inputs."""
        return False

    def _check_shapes(self, x: tuple[np.ndarray, ...]) -> None:
        if len(set(shapes_of(x))) > 1:  # the spatial sizes may differ from those at build
            raise ValueError(f"expected inputs of the same shape, got {format_shapes(shapes_of(x))}")


class Add(Merge):
    """The sum of several inputs, ``y = x_1 + x_2 + ...``, each of which has the gradient ``dy``.

    Parameters
    ----------
    name : str, optional

    Raises
    ------
    ValueError
        If the shapes of the inputs differ.

    References
    ----------
    K. He et al., "Deep residual learning for image recognition", arXiv 1512.03385.

    Examples
    --------
    A residual block as a graph:

    >>> from numpycnn import Conv2D, Input, Model, ReLU
    >>> x = Input((8, 6, 6))
    >>> model = Model(x, Add()([Conv2D(8, 3, padding=1)(x), x]), seed=0)
    >>> model.output_shape
    (8, 6, 6)
    """

    def _forward(self, x: tuple[np.ndarray, ...], **mode: bool) -> tuple[np.ndarray, Any]:
        self._check_shapes(x)
        return reduce(np.add, x), len(x)

    def _backward(self, dy: np.ndarray, count: int) -> tuple[np.ndarray, ...]:
        return (dy,) * count


class Multiply(Merge):
    """The product of several inputs, ``y = x_1 * x_2 * ...``, element by element.

    The gradient of each input is ``dy`` times the product of the other ones.

    Parameters
    ----------
    name : str, optional

    Raises
    ------
    ValueError
        If the shapes of the inputs differ.

    References
    ----------
    J. Hu et al., "Squeeze-and-excitation networks", arXiv 1709.01507, which multiplies channels by weights.
    """

    def _forward(self, x: tuple[np.ndarray, ...], **mode: bool) -> tuple[np.ndarray, Any]:
        self._check_shapes(x)
        return reduce(np.multiply, x), x

    def _backward(self, dy: np.ndarray, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return tuple(reduce(np.multiply, x[:i] + x[i + 1 :], dy) for i in range(len(x)))


class Concatenate(Layer):
    """Join several inputs along an axis; each input gets its part of ``dy``.

    Parameters
    ----------
    axis : int
        In the batched arrays; 1, the channels or features, by default.
    name : str, optional

    Raises
    ------
    ValueError
        If the shapes of the inputs differ in another axis, or `axis` is out of range, or the batch axis.
    TypeError
        If `axis` is not an int.

    References
    ----------
    C. Szegedy et al., "Going deeper with convolutions", arXiv 1409.4842.
    """

    several_inputs = True

    axis = BuildSetting()

    def __init__(self, *, axis: int = 1, name: str | None = None) -> None:
        super().__init__(name=name)
        self.axis = check_int(axis, "axis", "Concatenate", minimum=None)

    def _build(self, input_shape: Any, rng: np.random.Generator | None) -> Shape:
        first = input_shape[0]
        axis = check_axis(self.axis, len(first) + 1, "Concatenate")
        if axis == 0:
            raise ValueError(f"expected an axis after the batch axis, got {self.axis}")
        self._check_shapes([(None, *shape) for shape in input_shape], axis)
        joined = sum(shape[axis - 1] for shape in input_shape)
        return (*first[: axis - 1], joined, *first[axis:])

    def _check_shapes(self, shapes: Any, axis: int) -> None:
        """Check that batched shapes agree in all axes but one."""
        if len({(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}) > 1 or len({len(s) for s in shapes}) > 1:
            shown = format_shapes([("N", *shape[1:]) for shape in shapes])
            raise ValueError(f"expected inputs that differ in axis {axis} alone, got {shown}")

    def mixes_all(self) -> bool:
        """Return False: each output is one element of an input."""
        return False

    def _forward(self, x: tuple[np.ndarray, ...], **mode: bool) -> tuple[np.ndarray, Any]:
        axis = self.axis % x[0].ndim
        self._check_shapes(shapes_of(x), axis)
        return np.concatenate(x, axis=axis), (axis, np.cumsum([array.shape[axis] for array in x])[:-1])

    def _backward(self, dy: np.ndarray, cache: Any) -> tuple[np.ndarray, ...]:
        axis, cuts = cache
        return tuple(np.split(dy, cuts, axis=axis))
