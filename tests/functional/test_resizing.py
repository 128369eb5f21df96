"""Margins around an input and the pixel shuffle: layouts, types, wrong arguments."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import INT32_OVERFLOW, INT64_LARGEST, assert_same_bits, layouts


def test_layouts_types_and_empty_batches(rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 3, 6, 7))
    for kind in layouts(x):
        assert_same_bits(F.zero_pad(layouts(x)[kind], 1), F.zero_pad(x, 1))
        assert_same_bits(F.zero_pad_backward(layouts(dy)[kind], layouts(x)[kind], 1), F.zero_pad_backward(dy, x, 1))
    assert F.zero_pad(x.astype(np.float32), 1).dtype == np.float32
    assert F.zero_pad(np.empty((0, 3, 4)), 2).shape == (0, 3, 8)
    special = np.array([[[np.nan, np.inf]]])
    np.testing.assert_array_equal(F.zero_pad(special, 1), [[[0, np.nan, np.inf, 0]]])


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"x": np.zeros((2, 3))}, ValueError, r"zero_pad: expected x \(N, C, ...\) with at least one spatial axis"),
        ({"x": np.zeros((1, 1, 2), int)}, TypeError, "zero_pad: expected x of float32 or float64, got int64"),
        ({"padding": -1}, ValueError, "zero_pad: expected padding from 0 to 2147483647, got -1"),
        ({"padding": ((0, -1), (0, 0))}, ValueError, "zero_pad: expected padding from 0 to 2147483647, got -1"),
        ({"padding": 1.5}, TypeError, "zero_pad: expected padding to be an int, got float 1.5"),
        ({"padding": None}, TypeError, "zero_pad: expected padding to be an int, got NoneType None"),
        ({"padding": "same"}, ValueError, "zero_pad: expected padding as numbers, got 'same'"),
        ({"padding": (1, 2, 3)}, ValueError, r"an int or 2 ints, got 3: \(1, 2, 3\)"),
        ({"padding": ((1, 2),)}, ValueError, r"zero_pad: expected padding as 2 \(before, after\) pairs"),
        ({"padding": ((1, 2, 3), (1, 2))}, ValueError, r"zero_pad: expected padding as 2 \(before, after\) pairs"),
        ({"padding": INT32_OVERFLOW}, ValueError, "padding from 0 to 2147483647, got 2147483648"),
        ({"padding": INT64_LARGEST}, ValueError, "padding from 0 to 2147483647"),
        ({"padding": 2**31 - 1}, ValueError, "zero_pad: expected at most 2147483647 elements in one channel, got"),
    ],
)
def test_bad_calls(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.zero_pad(**{"x": np.zeros((1, 1, 2, 3)), "padding": 1} | change)


def test_a_bad_gradient() -> None:
    with pytest.raises(ValueError, match=r"zero_pad_backward: expected dy \(1, 1, 4\), got \(1, 1, 3\)"):
        F.zero_pad_backward(np.zeros((1, 1, 3)), np.zeros((1, 1, 2)), 1)


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
def test_layouts_types_and_empty_batches_of_pad(mode: str, rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 3, 6, 7))
    y, dx = F.pad(x, 1, mode=mode), F.pad_backward(dy, x, 1, mode=mode)
    for kind in layouts(x):
        other_x, other_dy = layouts(x)[kind], layouts(dy)[kind]
        assert_same_bits(F.pad(other_x, 1, mode=mode), y)
        assert_same_bits(F.pad_backward(other_dy, other_x, 1, mode=mode), dx)
        np.testing.assert_array_equal(other_dy, dy)
    assert F.pad(x.astype(np.float32), 1, mode=mode).dtype == np.float32
    assert F.pad_backward(dy.astype(np.float32), x.astype(np.float32), 1, mode=mode).dtype == np.float32
    assert F.pad(np.empty((0, 3, 4)), 2, mode=mode).shape == (0, 3, 8)
    assert F.pad_backward(np.empty((0, 3, 8)), np.empty((0, 3, 4)), 2, mode=mode).shape == (0, 3, 4)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"x": np.zeros((2, 3))}, ValueError, r"pad: expected x \(N, C, ...\) with at least one spatial axis"),
        ({"padding": -1}, ValueError, "pad: expected padding from 0 to 2147483647, got -1"),
        ({"padding": "same"}, ValueError, "pad: expected padding as numbers, got 'same'"),
        ({"mode": "wrap"}, ValueError, "pad: expected mode 'constant', 'reflect' or 'edge', got 'wrap'"),
        ({"mode": None}, ValueError, "pad: expected mode 'constant', 'reflect' or 'edge', got None"),
        ({"padding": 2}, ValueError, "pad: expected padding smaller than the height to reflect, got 2 for height 2"),
        ({"padding": ((0, 1), (3, 0))}, ValueError, "than the width to reflect, got 3 for width 3"),
        ({"x": np.zeros((1, 1, 0, 2)), "mode": "edge"}, ValueError, "pad: expected a height of at least 1"),
        (
            {"padding": 2**31 - 1, "mode": "edge"},
            ValueError,
            "pad: expected at most 2147483647 elements in one channel",
        ),
    ],
)
def test_bad_calls_of_pad(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.pad(**{"x": np.zeros((1, 1, 2, 3)), "padding": 1, "mode": "reflect"} | change)


def test_layouts_types_and_empty_batches_of_pixel_shuffle(rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 12, 4, 5))
    y = F.pixel_shuffle(x, (2, 3))
    assert y.shape == (2, 2, 8, 15)
    for kind in layouts(x):
        assert_same_bits(F.pixel_shuffle(layouts(x)[kind], (2, 3)), y)
        assert_same_bits(F.pixel_shuffle_backward(layouts(y)[kind], layouts(x)[kind], (2, 3)), x)
    assert F.pixel_shuffle(x.astype(np.float32), 2).dtype == np.float32
    assert F.pixel_shuffle(np.empty((0, 4, 5)), 2).shape == (0, 2, 10)
    assert F.pixel_shuffle_backward(np.empty((0, 2, 10)), np.empty((0, 4, 5)), 2).shape == (0, 4, 5)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (
            {"x": np.zeros((2, 4))},
            ValueError,
            r"pixel_shuffle: expected x \(N, C, ...\) with at least one spatial axis",
        ),
        (
            {"x": np.zeros((1, 6, 2, 3))},
            ValueError,
            r"channels that are a multiple of 4, the product .* \(2, 2\), got 6",
        ),
        ({"upscale_factor": 0}, ValueError, "pixel_shuffle: expected upscale_factor from 1 to 2147483647, got 0"),
        ({"upscale_factor": 1.5}, TypeError, "pixel_shuffle: expected upscale_factor to be an int, got float 1.5"),
        ({"upscale_factor": (2, 2, 1)}, ValueError, "to be an int or 2 ints, got 3"),
        ({"upscale_factor": INT64_LARGEST}, ValueError, "upscale_factor from 1 to 2147483647"),
    ],
)
def test_bad_calls_of_pixel_shuffle(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.pixel_shuffle(**{"x": np.zeros((1, 4, 2, 3)), "upscale_factor": 2} | change)


def test_bad_gradients_of_pad_and_pixel_shuffle() -> None:
    with pytest.raises(ValueError, match=r"pad_backward: expected dy \(1, 1, 4\), got \(1, 1, 3\)"):
        F.pad_backward(np.zeros((1, 1, 3)), np.zeros((1, 1, 2)), 1, mode="edge")
    with pytest.raises(ValueError, match=r"pixel_shuffle_backward: expected dy \(1, 2, 4\), got \(1, 4, 2\)"):
        F.pixel_shuffle_backward(np.zeros((1, 4, 2)), np.zeros((1, 4, 2)), 2)
