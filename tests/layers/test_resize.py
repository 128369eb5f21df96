"""Pad, ZeroPad, Upsample and PixelShuffle as layers."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from numpycnn import Pad, PixelShuffle, Sequential, Upsample, ZeroPad
from numpycnn import functional as F
from tests.helpers import assert_same_bits
from tests.layers.bad_calls import Bad, bad_sizes, refuse


@pytest.mark.parametrize("padding", [2, (1, 2), ((0, 1), (2, 0))])
def test_zero_pad_is_the_function(padding: Any, rng: np.random.Generator) -> None:
    layer = ZeroPad(padding)
    layer.build((2, 3, 4), dtype=np.float64)
    x = rng.normal(size=(2, 2, 3, 4))
    y = F.zero_pad(x, padding)
    assert_same_bits(layer.forward(x, training=True), y)
    assert_same_bits(layer.backward(y + 1), F.zero_pad_backward(y + 1, x, padding))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("scale", [2, (1, 3)])
def test_upsample_is_the_function(mode: str, scale: Any, rng: np.random.Generator) -> None:
    layer = Upsample(scale, mode=mode)
    layer.build((2, 3, 4), dtype=np.float64)
    x = rng.normal(size=(2, 2, 3, 4))
    y = F.upsample(x, scale, mode=mode)
    assert_same_bits(layer.forward(x, training=True), y)
    assert_same_bits(layer.backward(y), F.upsample_backward(y, x, scale, mode=mode))


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("padding", [2, (1, 2), ((0, 1), (2, 0))])
def test_pad_is_the_function(mode: str, padding: Any, rng: np.random.Generator) -> None:
    layer = Pad(padding, mode=mode)
    layer.build((2, 3, 4), dtype=np.float64)
    x = rng.normal(size=(2, 2, 3, 4))
    y = F.pad(x, padding, mode=mode)
    assert_same_bits(layer.forward(x, training=True), y)
    assert_same_bits(layer.backward(y + 1), F.pad_backward(y + 1, x, padding, mode=mode))


def test_a_reflecting_layer_takes_other_sizes_that_are_long_enough(rng: np.random.Generator) -> None:
    layer = Pad(2, mode="reflect")
    layer.build((1, 3, 4), dtype=np.float64)
    x = rng.normal(size=(1, 1, 5, 3))
    assert_same_bits(layer.forward(x), F.pad(x, 2, mode="reflect"))
    with pytest.raises(ValueError, match="Pad: expected padding smaller than the width to reflect, got 2 for width 2"):
        layer.forward(x[..., :2])


@pytest.mark.parametrize("factor", [2, (1, 4)])
def test_pixel_shuffle_is_the_function(factor: Any, rng: np.random.Generator) -> None:
    layer = PixelShuffle(factor)
    layer.build((8, 3, 4), dtype=np.float64)
    x = rng.normal(size=(2, 8, 3, 4))
    y = F.pixel_shuffle(x, factor)
    assert_same_bits(layer.forward(x, training=True), y)
    assert_same_bits(layer.backward(y), x)
    assert layer.window() == ((1, 1), [Fraction(1, n) for n in (factor if factor != 2 else (2, 2))], (1, 1))


def test_an_unbuilt_pixel_shuffle_has_no_window() -> None:
    assert PixelShuffle(2).window() is None
    fields = Sequential([PixelShuffle(2), PixelShuffle(1)], input_shape=(4, 3, 3)).summary().rows
    assert [row.receptive_field for row in fields] == [(1, 1), (1, 1)]


BAD = [
    *bad_sizes(lambda padding: Pad(padding), "Pad", "padding", 0),
    *bad_sizes(lambda upscale_factor: PixelShuffle(upscale_factor), "PixelShuffle", "upscale_factor"),
    Bad(lambda: Pad("same"), ValueError, "Pad: expected padding as numbers, got 'same'"),
    Bad(lambda: Pad(1, mode="wrap"), ValueError, "Pad: expected mode 'constant', 'reflect' or 'edge', got 'wrap'"),
    Bad(
        lambda: Pad(3, mode="reflect"),
        ValueError,
        "Pad: expected padding smaller than the length to reflect, got 3 for length 3",
        (1, 3),
    ),
    Bad(lambda: PixelShuffle(2), ValueError, "PixelShuffle: expected channels that are a multiple of 4", (6, 2, 2)),
    Bad(lambda: PixelShuffle((2, 2)), ValueError, "PixelShuffle: expected upscale_factor to be an int or 1", (4, 2)),
    Bad(lambda: PixelShuffle(2), ValueError, "PixelShuffle: expected inputs (C, ...) with at least one spatial", (4,)),
    *bad_sizes(lambda padding: ZeroPad(padding), "ZeroPad", "padding", 0),
    *bad_sizes(lambda scale_factor: Upsample(scale_factor), "Upsample", "scale_factor"),
    Bad(lambda: ZeroPad("same"), ValueError, "ZeroPad: expected padding as numbers, got 'same'"),
    Bad(lambda: ZeroPad(((1, 2), 3)), ValueError, "ZeroPad: expected padding as 2 (before, after) pairs"),
    Bad(lambda: ZeroPad((1, 2, 3)), ValueError, "ZeroPad: expected padding to be an int or 2 ints, got 3", (1, 4, 5)),
    Bad(
        lambda: ZeroPad(1),
        ValueError,
        "ZeroPad: expected inputs (C, ...) with at least one spatial axis, got (5,)",
        (5,),
    ),
    Bad(lambda: ZeroPad(2**31 - 1), ValueError, "ZeroPad: expected at most 2147483647 elements in one", (1, 4, 5)),
    Bad(lambda: Upsample(2, mode="cubic"), ValueError, "Upsample: expected mode 'nearest' or 'bilinear', got 'cubic'"),
    Bad(lambda: Upsample((2, 0)), ValueError, "Upsample: expected scale_factor from 1 to 2147483647, got 0"),
    Bad(lambda: Upsample((2, 2)), ValueError, "Upsample: expected scale_factor to be an int or 3 ints", (1, 4, 5, 6)),
    Bad(
        lambda: Upsample(2), ValueError, "Upsample: expected inputs (C, ...) with at least one spatial axis, got ()", ()
    ),
    Bad(lambda: Upsample(2**31 - 1), ValueError, "Upsample: expected at most 2147483647 elements in one", (1, 4, 5)),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_calls(bad: Bad) -> None:
    refuse(bad)
