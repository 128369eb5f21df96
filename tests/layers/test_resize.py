"""ZeroPad and Upsample as layers."""

from typing import Any

import numpy as np
import pytest

from numpycnn import Upsample, ZeroPad
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


BAD = [
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
