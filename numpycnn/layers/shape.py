"""Layers that only rearrange values: flatten, reshape and permute."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from numpycnn._checks import check_int, format_shape
from numpycnn.layers.base import Layer, Shape
from numpycnn.layers.checking import BuildSetting


class Flatten(Layer):
    """Flatten all axes after the batch axis: (N, C, H, W) becomes (N, C * H * W)."""

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        self._expected = ("N", *(f"S{axis}" for axis in range(1, len(input_shape) + 1)))
        return (prod(input_shape),)

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return x.reshape(len(x), prod(x.shape[1:])), x.shape

    def _backward(self, dy: np.ndarray, shape: Shape) -> np.ndarray:
        return dy.reshape(shape)


class Reshape(Layer):
    """Reshape each example.

    Parameters
    ----------
    shape : tuple of int
        Without the batch axis; one entry may be -1 and is inferred from the others.
    name : str, optional

    Raises
    ------
    TypeError
        If `shape` is not a tuple of ints.
    ValueError
        If it has more than one -1, or (at build) another number of elements than the input.
    """

    shape = BuildSetting()

    def __init__(self, shape: Sequence[int], *, name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(shape, tuple | list):
            raise TypeError(f"Reshape: expected shape to be a tuple of ints, got {type(shape).__name__} {shape!r}")
        if sum(size == -1 for size in shape) > 1:
            raise ValueError(f"Reshape: expected at most one -1, got {format_shape(shape)}")
        self.shape = tuple(-1 if size == -1 else check_int(size, "shape", "Reshape") for size in shape)

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        size = prod(input_shape)
        known = prod(s for s in self.shape if s != -1)
        if -1 in self.shape and size % known:
            raise ValueError(
                f"expected a multiple of {known} elements for {format_shape(self.shape)}, "
                f"got {format_shape(input_shape)} = {size}"
            )
        target = tuple(size // known if s == -1 else s for s in self.shape)
        if prod(target) != size:
            raise ValueError(
                f"expected {prod(target)} elements for {format_shape(self.shape)}, "
                f"got {format_shape(input_shape)} = {size}"
            )
        self._expected = ("N", *input_shape)
        self._target = target
        return target

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return x.reshape(len(x), *self._target), x.shape

    def _backward(self, dy: np.ndarray, shape: Shape) -> np.ndarray:
        return dy.reshape(shape)


class Permute(Layer):
    """Permute the axes of each example, as `numpy.transpose` does.

    ``Permute((1, 0))`` makes the columns of an `Embedding`, (N, L, D), into channels for a `Conv1D`, (N, D, L).

    Parameters
    ----------
    axes : tuple of int
        For each axis of the output, its axis in the input, counted from 0 without the batch axis.
    name : str, optional

    Raises
    ------
    TypeError
        If `axes` is not a tuple of ints.
    ValueError
        If `axes` does not name each axis once.
    """

    axes = BuildSetting()

    def __init__(self, axes: Sequence[int], *, name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(axes, tuple | list):
            raise TypeError(f"Permute: expected axes to be a tuple of ints, got {type(axes).__name__} {axes!r}")
        self.axes = tuple(check_int(axis, "axes", "Permute", minimum=0) for axis in axes)
        if sorted(self.axes) != list(range(len(self.axes))):
            raise ValueError(
                f"Permute: expected each axis from 0 to {len(self.axes) - 1} once, got {format_shape(self.axes)}"
            )

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) != len(self.axes):
            raise ValueError(
                f"expected {len(self.axes)} axes for the permutation {format_shape(self.axes)}, "
                f"got {format_shape(input_shape)}"
            )
        self._expected = ("N", *input_shape)
        return tuple(input_shape[axis] for axis in self.axes)

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return np.ascontiguousarray(x.transpose(0, *(axis + 1 for axis in self.axes))), ()

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return np.ascontiguousarray(dy.transpose(0, *(int(axis) + 1 for axis in np.argsort(self.axes))))
