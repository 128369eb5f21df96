"""What all networks of the zoo have in common: how a list of layers becomes one."""

from collections.abc import Sequence
from typing import Any

from numpycnn.layers import Layer
from numpycnn.sequential import Sequential


def built(layers: Sequence[Layer], input_shape: Sequence[int], seed: int | None, dtype: Any, name: str) -> Sequential:
    """Return a built network; without a seed its weights are zeros, which take neither time nor memory until loaded."""
    if seed is not None:
        return Sequential(layers, input_shape=input_shape, seed=seed, dtype=dtype, name=name)
    model = Sequential(layers, name=name)
    model.build(input_shape, rng=None, dtype=dtype)
    return model
