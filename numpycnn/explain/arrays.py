"""Encode arrays for a self-contained page, and select the channels to keep in a large one.

A page with all values of a ResNet would take hundreds of megabytes. Each layer keeps the same few evenly spaced
channels instead, so that a map can be followed from layer to layer. The contribution of the other channels to a sum is
stored as one value (see `numpycnn.explain.formulas`), so that sums still add up.
"""

import base64
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from numpycnn.inspection.traces import Passage
from numpycnn.layers import Conv1D, Conv2D, Conv3D, ConvTranspose1D, ConvTranspose2D, ConvTranspose3D, Dense
from numpycnn.layers.base import Shape
from numpycnn.layers.recurrent import LSTM, Recurrent
from numpycnn.visualize.panels import spread

CONVOLUTIONS = (Conv1D, Conv2D, Conv3D, ConvTranspose1D, ConvTranspose2D, ConvTranspose3D)
MAX_BYTES = 6_000_000  # before base64, which adds a third
FLOAT_BYTES = 4


@dataclass(frozen=True)
class Choice:
    """The limits that select the channels and weights in a page.

    `maps` is the maximum number of channels per layer, `largest` the maximum size of a map in bytes (larger maps are
    omitted), `dense` the maximum bytes of weights per dense or recurrent layer.
    """

    maps: int
    largest: int
    dense: int

    def channels(self, shape: Shape) -> np.ndarray:
        """Return the channels of an array ``(C, *size)`` to keep: at most `maps`, evenly spaced.

        A vector ``(C,)`` is kept whole.
        """
        if len(shape) < 2:
            return np.arange(prod(shape))
        if FLOAT_BYTES * prod(shape[1:]) > self.largest:
            return np.arange(0)
        return np.array(spread(shape[0], self.maps), int)

    def rows(self, outputs: np.ndarray, features: int) -> np.ndarray:
        """Return the units of a dense layer that keep their weights: all, or those with the largest outputs."""
        count = max(1, self.dense // (FLOAT_BYTES * max(1, features)))
        return np.sort(np.argsort(-outputs, kind="stable")[:count])


def choose(
    passages: Sequence[Passage], most_bytes: int = MAX_BYTES, *, inputs: Sequence[np.ndarray] | None = None
) -> Choice:
    """Return the choice with the most maps that fit: three quarters for maps, a quarter for dense and recurrent layers.

    `most_bytes` limits the size of the arrays, before base64. `inputs` are those of the model, by default those of the
    first layer.
    """
    inputs = as_tuple(passages[0].x) if inputs is None else inputs
    budget = most_bytes * 3 // 4
    arrays = [array for passage in passages for array in (*as_tuple(passage.x), *as_tuple(passage.y))]
    shapes = [array.shape[1:] for array in arrays if array.ndim > 2]
    sizes = sorted({FLOAT_BYTES * prod(shape[1:]) for shape in shapes}, reverse=True) or [0]
    for largest in sizes:  # usually the first
        if _cost(inputs, passages, Choice(1, largest, 0)) <= budget:
            break
    counts = range(1, max((shape[0] for shape in shapes), default=1) + 1)
    maps = max(1, bisect_right(counts, budget, key=lambda maps: _cost(inputs, passages, Choice(maps, largest, 0))))
    left = most_bytes - _cost(inputs, passages, Choice(maps, largest, 0))
    dense = sum(isinstance(p.layer, Dense | Recurrent) for p in passages)
    return Choice(maps, largest, max(0, left) // max(1, dense))


def _cost(inputs: Sequence[np.ndarray], passages: Sequence[Passage], choice: Choice) -> int:
    """Return the bytes of all maps, the kernels of convolutions, the rest of each sum and the memory of each step."""
    count = sum(_kept(array, choice) for array in inputs)
    for passage in passages:
        outputs = sum(_kept(array, choice) for array in as_tuple(passage.y))
        count += outputs
        if isinstance(passage.layer, LSTM):
            count += outputs  # the memory
        if isinstance(passage.layer, CONVOLUTIONS):
            channels, seen = passage.x.shape[1], len(choice.channels(passage.x.shape[1:]))
            terms = seen if passage.layer.groups == 1 else channels // passage.layer.groups
            kept = len(choice.channels(passage.y.shape[1:]))
            count += kept * terms * prod(passage.layer.weight.value.shape[2:])
            count += outputs * (seen < channels)
    return FLOAT_BYTES * count


def _kept(array: np.ndarray, choice: Choice) -> int:
    """Return the number of values to keep of an activation (1, C, *size)."""
    return len(choice.channels(array.shape[1:])) * prod(array.shape[2:])


def as_tuple(arrays: Any) -> tuple[np.ndarray, ...]:
    """Return the arrays of several inputs or outputs, or the only one, as a tuple."""
    return arrays if isinstance(arrays, tuple) else (arrays,)


class Store:
    """The arrays of a page; equal ones are stored once."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.arrays: list[dict[str, Any]] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def add(self, array: np.ndarray, channels: np.ndarray | None = None) -> int:
        """Store an array of one example as float32, all or some of its channels, and return its index."""
        kept = np.arange(len(array)) if channels is None else channels
        part = array if len(kept) == len(array) else array[kept]
        return self._keep(array.shape, None if len(kept) == len(array) else kept, part.astype("<f4"), "float32")

    def add_map(self, array: np.ndarray) -> int:
        """Store the selected channels of an activation ``(C, *size)``."""
        return self.add(array, self.choice.channels(array.shape))

    def add_picture(self, pixels: np.ndarray) -> int:
        """Store bytes ``(C, H, W)`` unchanged."""
        return self._keep(pixels.shape, None, pixels.astype(np.uint8), "uint8")

    def _keep(self, shape: Shape, channels: np.ndarray | None, part: np.ndarray, kind: str) -> int:
        data = part.tobytes()
        key = (shape, None if channels is None else tuple(channels.tolist()), kind, data)
        if key not in self._known:
            self._known[key] = len(self.arrays)
            self.arrays.append(
                {
                    "shape": list(shape),
                    "channels": None if channels is None else channels.tolist(),
                    "kind": kind,
                    "data": base64.b64encode(data).decode("ascii"),
                }
            )
        return self._known[key]
