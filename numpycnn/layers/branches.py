"""Layers that apply parallel branches of layers to the same input."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn._checks import format_shape
from numpycnn.layers.base import Layer, Shape
from numpycnn.layers.building import check_not_shared


class Residual(Layer):
    """``y = main(x) + shortcut(x)``: the main branch only learns a residual.

    The gradient reaches ``x`` through both, ``dx = main.backward(dy) + shortcut.backward(dy)``, which gives even a very
    deep network a short path for gradients.

    Parameters
    ----------
    main : Layer
    shortcut : Layer, optional
        Matches the shape if `main` changes it; the identity by default.
    name : str, optional

    Raises
    ------
    TypeError
        If a branch is not a layer.
    ValueError
        If a branch has several inputs or outputs, or (at build) the output shapes of the branches differ.

    References
    ----------
    K. He et al., "Deep residual learning for image recognition", arXiv 1512.03385.
    """

    def __init__(self, main: Layer, shortcut: Layer | None = None, *, name: str | None = None) -> None:
        super().__init__(name=name)
        _check_branches(self, [main] if shortcut is None else [main, shortcut])
        self.main = main
        self.shortcut = shortcut

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        output = self.main.build(input_shape, rng=rng, dtype=self.dtype)
        other = input_shape if self.shortcut is None else self.shortcut.build(input_shape, rng=rng, dtype=self.dtype)
        if output != other:
            raise ValueError(
                f"expected the same output shape of both branches, got {format_shape(output)} from the main branch and "
                f"{format_shape(other)} from the shortcut"
            )
        return output

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        side = x if self.shortcut is None else self.shortcut.forward(x, **mode)
        return self.main.forward(x, **mode) + side, ()

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        side = dy if self.shortcut is None else self.shortcut.backward(dy)
        return self.main.backward(dy) + side


class Concat(Layer):
    """Concatenate the outputs of several branches along the channels (axis 1).

    Each branch gets its own channels of ``dy``, and ``dx`` is the sum of their gradients.

    Parameters
    ----------
    branches : sequence of Layer
    name : str, optional

    Raises
    ------
    TypeError
        If `branches` is not a list of layers.
    ValueError
        If it is empty, a branch has several inputs or outputs, or (at build) the output shapes differ in more than the
        channels.

    References
    ----------
    C. Szegedy et al., "Going deeper with convolutions", arXiv 1409.4842.
    """

    def __init__(self, branches: Sequence[Layer], *, name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(branches, tuple | list):
            raise TypeError(f"Concat: expected a list of layers, got {type(branches).__name__}")
        self.branches = list(branches)
        if not self.branches:
            raise ValueError("Concat: expected at least one branch, got none")
        _check_branches(self, self.branches)

    def children(self) -> dict[str, Layer]:
        """Return the branches, by position."""
        return {str(i): branch for i, branch in enumerate(self.branches)}

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        shapes = [branch.build(input_shape, rng=rng, dtype=self.dtype) for branch in self.branches]
        if len({shape[1:] for shape in shapes}) > 1 or not shapes[0]:
            raise ValueError(
                f"expected branches that differ in channels only, "
                f"got {' and '.join(format_shape(shape) for shape in shapes)}"
            )
        self._cuts = np.cumsum([shape[0] for shape in shapes])[:-1]
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return np.concatenate([branch.forward(x, **mode) for branch in self.branches], axis=1), ()

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        parts = np.split(dy, self._cuts, axis=1)
        gradients = [branch.backward(part) for branch, part in zip(self.branches, parts, strict=True)]
        return sum(gradients[1:], start=gradients[0])


def _check_branches(owner: Layer, branches: Sequence[Layer]) -> None:
    """Check that the branches are different layers, each with one input and one output."""
    for branch in branches:
        if not isinstance(branch, Layer):
            raise TypeError(f"{type(owner).__name__}: expected layers as branches, got {type(branch).__name__}")
        if branch.several_inputs or branch.output_count > 1:
            raise ValueError(
                f"{type(owner).__name__}: expected branches with one input and one output, got {branch.label} with "
                f"several {'inputs' if branch.several_inputs else 'outputs'}; connect it in a Model"
            )
    check_not_shared(owner, branches)
