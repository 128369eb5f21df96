"""Upsampling against its definition and PyTorch."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import INT32_OVERFLOW, INT64_LARGEST, assert_close, assert_same_bits, layouts

MODES = ["nearest", "bilinear"]


@pytest.mark.parametrize("mode", MODES)
def test_layouts_types_and_empty_batches(mode: str, rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 3, 8, 15))
    y, dx = F.upsample(x, (2, 3), mode=mode), F.upsample_backward(dy, x, (2, 3), mode=mode)
    for kind in layouts(x):
        assert_same_bits(F.upsample(layouts(x)[kind], (2, 3), mode=mode), y)
        assert_same_bits(F.upsample_backward(layouts(dy)[kind], layouts(x)[kind], (2, 3), mode=mode), dx)
    single = F.upsample(x.astype(np.float32), (2, 3), mode=mode)
    assert single.dtype == np.float32
    assert_close(single, y, 1e-5)
    empty = np.empty((0, 3, 4))
    assert F.upsample(empty, 2, mode=mode).shape == (0, 3, 8)
    assert F.upsample_backward(np.empty((0, 3, 8)), empty, 2, mode=mode).shape == (0, 3, 4)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_special_numbers_reach_only_what_is_made_of_them(special: float) -> None:
    x = np.array([[[special, 1.0, 2.0, 3.0]]])
    np.testing.assert_array_equal(F.upsample(x, 2), [[[special, special, 1, 1, 2, 2, 3, 3]]])
    y = F.upsample(x, 2, mode="bilinear")
    np.testing.assert_array_equal(y, [[[special, special, special, 1.25, 1.75, 2.25, 2.75, 3]]])
    dx = F.upsample_backward(np.array([[[special, 1.0, 1, 1, 1, 1, 1, 1]]]), x, 2)
    np.testing.assert_array_equal(dx, [[[special, 2, 2, 2]]])


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"x": np.zeros((2, 3))}, ValueError, r"upsample: expected x \(N, C, ...\) with at least one spatial axis"),
        ({"x": np.zeros((1, 1, 2), int)}, TypeError, "upsample: expected x of float32 or float64, got int64"),
        ({"x": np.zeros((1, 1, 2), np.float16)}, TypeError, "expected x of float32 or float64, got float16"),
        ({"scale_factor": 0}, ValueError, "upsample: expected scale_factor from 1 to 2147483647, got 0"),
        ({"scale_factor": -1}, ValueError, "upsample: expected scale_factor from 1 to 2147483647, got -1"),
        ({"scale_factor": 1.5}, TypeError, "upsample: expected scale_factor to be an int, got float 1.5"),
        ({"scale_factor": True}, TypeError, "upsample: expected scale_factor to be an int, got bool True"),
        ({"scale_factor": (2, 2, 2)}, ValueError, r"an int or 2 ints, got 3: \(2, 2, 2\)"),
        ({"scale_factor": INT32_OVERFLOW}, ValueError, "scale_factor from 1 to 2147483647, got 2147483648"),
        ({"scale_factor": INT64_LARGEST}, ValueError, "scale_factor from 1 to 2147483647"),
        ({"scale_factor": 2**31 - 1}, ValueError, "upsample: expected at most 2147483647 elements in one channel, got"),
        ({"mode": "cubic"}, ValueError, "upsample: expected mode 'nearest' or 'bilinear', got 'cubic'"),
        ({"mode": np.ones(2)}, ValueError, "upsample: expected mode 'nearest' or 'bilinear', got array"),
        ({"mode": None}, ValueError, "upsample: expected mode 'nearest' or 'bilinear', got None"),
    ],
)
def test_bad_calls(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.upsample(**{"x": np.zeros((1, 1, 2, 3)), "scale_factor": 2} | change)


def test_a_bad_gradient() -> None:
    with pytest.raises(ValueError, match=r"upsample_backward: expected dy \(1, 1, 4\), got \(1, 1, 3\)"):
        F.upsample_backward(np.zeros((1, 1, 3)), np.zeros((1, 1, 2)), 2)
