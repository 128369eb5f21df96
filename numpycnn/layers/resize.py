"""Layers that make pictures larger."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from numpycnn import functional as F
from numpycnn.functional.checks import limit_channel, spell
from numpycnn.functional.upsample import check_upsample
from numpycnn.functional.windows import LETTERS, padding_pairs
from numpycnn.layers.base import Layer, Shape


def _expect_axes(layer: Layer, input_shape: Shape) -> int:
    """Return the number of spatial axes, and ask for as many in each input."""
    if len(input_shape) < 2:
        raise ValueError(f"expected inputs (C, ...) with at least one spatial axis, got {spell(input_shape)}")
    rank = len(input_shape) - 1
    layer._expected = ("N", input_shape[0], *LETTERS.get(rank, [f"S{axis}" for axis in range(1, rank + 1)]))
    return rank


class ZeroPad(Layer):
    """Zeros around the spatial axes, see `numpycnn.functional.zero_pad`.

    Parameters
    ----------
    padding : int, tuple of int, or tuple of (before, after) pairs
        For all spatial axes, or for each.
    name : str, optional

    Raises
    ------
    ValueError
        If `padding` is a word, or negative.
    TypeError
        If it is not made of ints.
    """

    def __init__(self, padding: Any, *, name: str | None = None) -> None:
        super().__init__(name=name)
        if isinstance(padding, str):
            raise ValueError(f"ZeroPad: expected padding as numbers, got {padding!r}")
        rank = len(padding) if isinstance(padding, tuple | list) else 1
        padding_pairs(padding, *((1,) * rank,) * 4, "ZeroPad")
        self.padding = padding

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        rank = _expect_axes(self, input_shape)
        sides = padding_pairs(self.padding, *((1,) * rank,) * 4, "ZeroPad")
        size = [size + sum(pair) for size, pair in zip(input_shape[1:], sides, strict=True)]
        limit_channel(size, "ZeroPad")
        return (input_shape[0], *size)

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.zero_pad(x, self.padding), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return F.zero_pad_backward(dy, x, self.padding)


class Upsample(Layer):
    """Each spatial axis larger by a whole factor, see `numpycnn.functional.upsample`.

    Parameters
    ----------
    scale_factor : int or tuple of int
        For all spatial axes, or for each.
    mode : {"nearest", "bilinear"}
        Repeat, or interpolate linearly along each axis.
    name : str, optional

    Raises
    ------
    ValueError
        If a factor is smaller than 1, or `mode` is unknown.
    TypeError
        If a factor is not an int.
    """

    def __init__(self, scale_factor: int | Sequence[int], *, mode: str = "nearest", name: str | None = None) -> None:
        super().__init__(name=name)
        check_upsample(
            scale_factor, mode, len(scale_factor) if isinstance(scale_factor, tuple | list) else 1, "Upsample"
        )
        self.scale_factor = scale_factor
        self.mode = mode

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        rank = _expect_axes(self, input_shape)
        scales = check_upsample(self.scale_factor, self.mode, rank, "Upsample")
        size = [size * scale for size, scale in zip(input_shape[1:], scales, strict=True)]
        limit_channel(size, "Upsample")
        return (input_shape[0], *size)

    def window(self) -> tuple[Sequence[int], Sequence[Any], Sequence[int]] | None:
        """Return how many inputs an output sees at most, and the fraction of an input from one output to the next."""
        if self.input_shape is None:
            return None
        scales = check_upsample(self.scale_factor, self.mode, len(self.input_shape) - 1, "Upsample")
        seen = [1 if self.mode == "nearest" or scale == 1 else 2 for scale in scales]
        return seen, [Fraction(1, scale) for scale in scales], (1,) * len(scales)

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.upsample(x, self.scale_factor, mode=self.mode), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return F.upsample_backward(dy, x, self.scale_factor, mode=self.mode)
