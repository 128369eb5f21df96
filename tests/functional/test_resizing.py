"""Zeros around an input, against its definition and PyTorch."""

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
