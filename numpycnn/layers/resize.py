"""Layers that enlarge the spatial axes: padding, upsampling and pixel shuffle."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from numpycnn._checks import check_channel_size, check_choice, check_per_axis, format_shape, per_axis
from numpycnn._settings import operations
from numpycnn._types import Padding, Shape, Size
from numpycnn._windows import LETTERS, check_padding, padding_pairs
from numpycnn.functional._resizing import MODES, PAD_MODES, check_reflection, check_shuffle
from numpycnn.layers.base import Layer
from numpycnn.layers.checking import BuildSetting


def _check_spatial_axes(layer: Layer, input_shape: Shape) -> int:
    """Return the number of spatial axes, and require it of each input."""
    if len(input_shape) < 2:
        raise ValueError(f"expected inputs (C, ...) with at least one spatial axis, got {format_shape(input_shape)}")
    rank = len(input_shape) - 1
    layer._expected = ("N", input_shape[0], *LETTERS.get(rank, [f"S{axis}" for axis in range(1, rank + 1)]))
    return rank


class Pad(Layer):
    """Put a margin around the spatial axes, see `numpycnn.functional.pad`.

    Parameters
    ----------
    padding : int, tuple of int, or tuple of (before, after) pairs
        One for all spatial axes, or one for each, the first axis first.
    mode : {"constant", "reflect", "edge"}
        Zeros, or the elements beside the first and the last one in reverse order, or the first and the last one.
    name : str, optional

    Raises
    ------
    ValueError
        If `padding` is a string, or negative, or `mode` is unknown; at build, if an axis is not longer than the padding
        to reflect.
    TypeError
        If `padding` does not consist of ints.

    References
    ----------
    arXiv 1603.07285, section 2.1.
    """

    padding = BuildSetting()
    mode = BuildSetting()

    def __init__(self, padding: Padding, *, mode: str = "constant", name: str | None = None) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        if isinstance(padding, str):
            raise ValueError(f"{kind}: expected padding as numbers, got {padding!r}")
        rank = len(padding) if isinstance(padding, tuple | list) else 1
        self.padding = check_padding(padding, rank, kind)
        self.mode = check_choice(mode, "mode", kind, PAD_MODES)

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        kind, rank = type(self).__name__, _check_spatial_axes(self, input_shape)
        sides = self._pairs = padding_pairs(self.padding, *((1,) * rank,) * 4, kind)
        check_reflection(input_shape[1:], sides, self.mode, kind)
        size = [size + sum(pair) for size, pair in zip(input_shape[1:], sides, strict=True)]
        check_channel_size(size, kind)
        return (input_shape[0], *size)

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        check_reflection(x.shape[2:], self._pairs, self.mode, type(self).__name__)
        return operations().pad(x, self._pairs, mode=self.mode), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().pad_backward(dy, x, self._pairs, mode=self.mode)


class ZeroPad(Pad):
    """Pad the spatial axes with zeros, see `numpycnn.functional.zero_pad`: `Pad` with ``mode="constant"``.

    Parameters
    ----------
    padding : int, tuple of int, or tuple of (before, after) pairs
        One for all spatial axes, or one for each.
    name : str, optional

    Raises
    ------
    ValueError
        If `padding` is a string, or negative.
    TypeError
        If it does not consist of ints.

    References
    ----------
    arXiv 1603.07285, section 2.1.
    """

    def __init__(self, padding: Padding, *, name: str | None = None) -> None:
        super().__init__(padding, name=name)


class Upsample(Layer):
    """Enlarge each spatial axis by an integer factor, see `numpycnn.functional.upsample`.

    Parameters
    ----------
    scale_factor : int or tuple of int
        One for all spatial axes, or one for each.
    mode : {"nearest", "bilinear"}
        Repeat, or interpolate linearly along each axis.
    name : str, optional

    Raises
    ------
    ValueError
        If a factor is smaller than 1, or `mode` is unknown.
    TypeError
        If a factor is not an int.

    References
    ----------
    A. Odena, V. Dumoulin, C. Olah, "Deconvolution and checkerboard artifacts", 2016.
    """

    scale_factor = BuildSetting()
    mode = BuildSetting()

    def __init__(self, scale_factor: Size, *, mode: str = "nearest", name: str | None = None) -> None:
        super().__init__(name=name)
        rank = len(scale_factor) if isinstance(scale_factor, tuple | list) else 1
        self.scale_factor = check_per_axis(scale_factor, rank, "scale_factor", "Upsample")
        self.mode = check_choice(mode, "mode", "Upsample", MODES)

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        rank = _check_spatial_axes(self, input_shape)
        scales = self._scales = per_axis(self.scale_factor, rank, "scale_factor", "Upsample")
        size = [size * scale for size, scale in zip(input_shape[1:], scales, strict=True)]
        check_channel_size(size, "Upsample")
        return (input_shape[0], *size)

    def window(self) -> tuple[Sequence[int], Sequence[Any], Sequence[int]] | None:
        """Return the largest number of inputs of one output, and the stride as a fraction."""
        if self.input_shape is None:
            return None
        seen = [1 if self.mode == "nearest" or scale == 1 else 2 for scale in self._scales]
        return seen, [Fraction(1, scale) for scale in self._scales], (1,) * len(seen)

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().upsample(x, self._scales, mode=self.mode), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().upsample_backward(dy, x, self._scales, mode=self.mode)


class PixelShuffle(Layer):
    """Enlarge each spatial axis by an integer factor, with channels as pixels, see `numpycnn.functional.pixel_shuffle`.

    Maps inputs (N, C r r, H, W) to (N, C, H r, W r), and likewise for other numbers of axes.

    Parameters
    ----------
    upscale_factor : int or tuple of int
        One for all spatial axes, or one for each.
    name : str, optional

    Raises
    ------
    ValueError
        If a factor is smaller than 1; at build, if the channels are not a multiple of the product of the factors.
    TypeError
        If a factor is not an int.

    References
    ----------
    W. Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
    network", arXiv 1609.05158.
    """

    upscale_factor = BuildSetting()

    def __init__(self, upscale_factor: Size, *, name: str | None = None) -> None:
        super().__init__(name=name)
        rank = len(upscale_factor) if isinstance(upscale_factor, tuple | list) else 1
        self.upscale_factor = check_per_axis(upscale_factor, rank, "upscale_factor", "PixelShuffle")

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        rank = _check_spatial_axes(self, input_shape)
        factors = self._factors = per_axis(self.upscale_factor, rank, "upscale_factor", "PixelShuffle")
        channels = check_shuffle(input_shape[0], factors, "PixelShuffle")
        size = [size * factor for size, factor in zip(input_shape[1:], factors, strict=True)]
        check_channel_size(size, "PixelShuffle")
        return (channels, *size)

    def window(self) -> tuple[Sequence[int], Sequence[Any], Sequence[int]] | None:
        """Return that each output has one input, and the stride as a fraction."""
        if self.input_shape is None:
            return None
        ones = (1,) * len(self._factors)
        return ones, [Fraction(1, factor) for factor in self._factors], ones

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().pixel_shuffle(x, self._factors), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().pixel_shuffle_backward(dy, x, self._factors)
