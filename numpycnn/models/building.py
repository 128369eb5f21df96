"""Build the networks of the zoo from lists of layers."""

from collections.abc import Sequence

from numpy.typing import DTypeLike

from numpycnn._types import Shape
from numpycnn.layers import Layer
from numpycnn.layers.sequential import Sequential


def build_network(
    layers: Sequence[Layer], input_shape: Shape, seed: int | None, dtype: DTypeLike, name: str
) -> Sequential:
    """Return a built network; without a seed its weights are zeros, which cost no memory until loaded."""
    if seed is not None:
        return Sequential(layers, input_shape=input_shape, seed=seed, dtype=dtype, name=name)
    model = Sequential(layers, name=name)
    model.build(input_shape, rng=None, dtype=dtype)
    return model
