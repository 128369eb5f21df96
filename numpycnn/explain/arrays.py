"""Arrays as text, for a page that has to hold all its numbers itself, and which channels to leave out of a large one.

A page of all the numbers in a ResNet would be some hundred megabytes long. Every layer of it keeps the same few
channels instead, spread evenly, so that a map can still be followed from layer to layer; what the others contribute to
a sum comes as one number (see `numpycnn.explain.formulas`), so that sums still add up.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from numpycnn.layers import Conv1D, Conv2D, Conv3D, ConvTranspose1D, ConvTranspose2D, ConvTranspose3D, Dense
from numpycnn.layers.base import Shape
from numpycnn.visualize.activations import Passage

CONVOLUTIONS = (Conv1D, Conv2D, Conv3D, ConvTranspose1D, ConvTranspose2D, ConvTranspose3D)
MOST_BYTES = 6_000_000  # of numbers; as text they take a third more
NUMBER = 4  # bytes


@dataclass(frozen=True)
class Choice:
    """What of a model there is room for.

    Attributes
    ----------
    maps : int
        Channels of each layer, at most.
    largest : int
        Bytes of the largest map there is room for at all.
    dense : int
        Bytes for the weights of each dense layer.
    """

    maps: int
    largest: int
    dense: int

    def channels(self, shape: Shape) -> np.ndarray:
        """Return which channels of an array ``(C, *size)`` to keep: an even spread of `maps`, or all.

        Of a plain row of numbers ``(C,)`` all are kept.
        """
        if len(shape) < 2:
            return np.arange(prod(shape))
        if NUMBER * prod(shape[1:]) > self.largest:
            return np.arange(0)
        return _spread(shape[0], self.maps)

    def rows(self, outputs: np.ndarray, features: int) -> np.ndarray:
        """Return the units of a dense layer whose weights to keep: all, or those with the largest outputs."""
        count = max(1, self.dense // (NUMBER * max(1, features)))
        return np.sort(np.argsort(-outputs, kind="stable")[:count])


def _spread(count: int, wanted: int) -> np.ndarray:
    return np.arange(count) if count <= wanted else np.linspace(0, count - 1, wanted).round().astype(int)


def choose(passages: Sequence[Passage], most_bytes: int = MOST_BYTES) -> Choice:
    """Return the choice with the most maps that fits, three quarters for maps and a quarter for dense layers.

    Parameters
    ----------
    passages : sequence of Passage
        What went through each layer.
    most_bytes : int
        Of the numbers, before they become text.
    """
    room = most_bytes * 3 // 4
    shapes = [array.shape[1:] for passage in passages for array in (passage.x, passage.y) if array.ndim > 2]
    sizes = sorted({NUMBER * prod(shape[1:]) for shape in shapes}, reverse=True) or [0]
    for largest in sizes:  # seldom more than the first
        if _cost(passages, Choice(1, largest, 0)) <= room:
            break
    low, high = 1, max((shape[0] for shape in shapes), default=1)
    while low < high:  # `low` fits, or nothing does
        middle = (low + high + 1) // 2
        if _cost(passages, Choice(middle, largest, 0)) <= room:
            low = middle
        else:
            high = middle - 1
    left = most_bytes - _cost(passages, Choice(low, largest, 0))
    dense = sum(isinstance(p.layer, Dense) for p in passages)
    return Choice(low, largest, max(0, left) // max(1, dense))


def _cost(passages: Sequence[Passage], choice: Choice) -> int:
    """Return the bytes of all maps, and of what a convolution adds to them: kernels, and the rest of each sum."""
    numbers = 0
    for number, passage in enumerate(passages):
        if not number:  # what the model itself is given
            numbers += len(choice.channels(passage.x.shape[1:])) * prod(passage.x.shape[2:])
        kept = len(choice.channels(passage.y.shape[1:]))
        outputs = kept * prod(passage.y.shape[2:])
        numbers += outputs
        if isinstance(passage.layer, CONVOLUTIONS):
            channels, seen = passage.x.shape[1], len(choice.channels(passage.x.shape[1:]))
            inputs = seen if passage.layer.groups == 1 else channels // passage.layer.groups
            numbers += kept * inputs * prod(passage.layer.weight.value.shape[2:])
            numbers += outputs * (seen < channels)
    return NUMBER * numbers


class Store:
    """Arrays on their way into the page; equal ones are kept once."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.arrays: list[dict[str, Any]] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def add(self, array: np.ndarray, channels: np.ndarray | None = None) -> int:
        """Keep an array of one example as float32, some channels of it or all, and return its number."""
        kept = np.arange(len(array)) if channels is None else channels
        part = array if len(kept) == len(array) else array[kept]
        return self._keep(array.shape, None if len(kept) == len(array) else kept, part.astype("<f4"), "float32")

    def add_map(self, array: np.ndarray) -> int:
        """Keep the chosen channels of an activation ``(C, *size)``."""
        return self.add(array, self.choice.channels(array.shape))

    def add_picture(self, pixels: np.ndarray) -> int:
        """Keep bytes ``(C, H, W)`` as they are."""
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
