"""Dropout as a function of a key: the mask, its share, its independence of threads."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from numpycnn import get_num_threads, set_num_threads
from tests.helpers import assert_same_bits, layouts


def test_the_mask_depends_on_key_and_position_alone() -> None:
    x = np.ones(100_000, np.float32)
    before = get_num_threads()
    try:
        masks = []
        for n in (1, 2, 5):
            set_num_threads(n)
            masks.append(F.dropout(x, p=0.3, key=7)[1])
    finally:
        set_num_threads(before)
    for mask in masks[1:]:
        assert_same_bits(mask, masks[0])
    assert_same_bits(F.dropout(x[:1000].astype(np.float64), p=0.3, key=7)[1], masks[0][:1000])


def test_layouts_types_and_empty_arrays(rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(4, 5, 6)), rng.normal(size=(4, 5, 6))
    y, kept = F.dropout(x, p=0.5, key=3)
    for kind in layouts(x):
        assert_same_bits(F.dropout(layouts(x)[kind], p=0.5, key=3)[0], y)
        assert_same_bits(F.dropout_backward(layouts(dy)[kind], kept, p=0.5), F.dropout_backward(dy, kept, p=0.5))
    assert F.dropout(x.astype(np.float32), p=0.5, key=3)[0].dtype == np.float32
    assert F.dropout(np.empty((0, 3)), p=0.5, key=3)[0].shape == (0, 3)


def test_special_numbers_pass_where_they_are_kept() -> None:
    y, kept = F.dropout(np.full(1000, np.nan), p=0.5, key=0)
    np.testing.assert_array_equal(np.isnan(y), kept)
    np.testing.assert_array_equal(y[~kept], 0)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"p": 1}, ValueError, "dropout: expected p to be at least 0 and below 1, got 1"),
        ({"p": -0.1}, ValueError, "dropout: expected p to be at least 0 and below 1, got -0.1"),
        ({"p": np.nan}, ValueError, "dropout: expected p to be finite, got nan"),
        ({"p": "half"}, TypeError, "dropout: expected p to be a number, got str 'half'"),
        ({"key": -1}, ValueError, "dropout: expected key from 0 to 2147483647, got -1"),
        ({"key": 2**31}, ValueError, "dropout: expected key from 0 to 2147483647, got 2147483648"),
        ({"key": 1.5}, TypeError, "dropout: expected key to be an int, got float 1.5"),
        ({"x": np.zeros(3, int)}, TypeError, "dropout: expected x of float32 or float64, got int64"),
        ({"x": np.zeros(3, np.float16)}, TypeError, "dropout: expected x of float32 or float64, got float16"),
    ],
)
def test_bad_calls(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.dropout(**{"x": np.zeros(3), "p": 0.5, "key": 0} | change)


def test_a_bad_gradient() -> None:
    with pytest.raises(ValueError, match=r"dropout_backward: expected dy \(3,\), got \(4,\)"):
        F.dropout_backward(np.zeros(4), np.ones(3, bool), p=0.5)


def test_whole_channels_are_left_out(rng: np.random.Generator) -> None:
    x = rng.normal(size=(50, 40, 3, 2))
    y, kept = F.spatial_dropout(x, p=0.3, key=1)
    assert 1 - kept.mean() == pytest.approx(0.3, abs=0.03)
    np.testing.assert_array_equal(y[~kept], 0)
    np.testing.assert_allclose(y[kept], x[kept] / 0.7)
    for kind in layouts(x):
        assert_same_bits(F.spatial_dropout(layouts(x)[kind], p=0.3, key=1)[0], y)
        assert_same_bits(F.spatial_dropout_backward(layouts(x)[kind], kept, p=0.3), y)
    assert F.spatial_dropout(x.astype(np.float32), p=0.3, key=1)[0].dtype == np.float32
    y, kept = F.spatial_dropout(np.empty((0, 3, 2)), p=0.3, key=1)
    assert (y.shape, kept.shape) == ((0, 3, 2), (0, 3))


def test_bad_calls_of_spatial_dropout() -> None:
    x, kept = np.zeros((2, 3, 4)), np.ones((2, 3), bool)
    with pytest.raises(ValueError, match=r"spatial_dropout: expected x \(N, C, ...\) with at least one spatial axis"):
        F.spatial_dropout(x[0], p=0.5, key=0)
    with pytest.raises(ValueError, match="spatial_dropout: expected p to be at least 0 and below 1, got 1"):
        F.spatial_dropout(x, p=1, key=0)
    with pytest.raises(TypeError, match="spatial_dropout: expected key to be an int, got float"):
        F.spatial_dropout(x, p=0.5, key=0.5)
    with pytest.raises(ValueError, match=r"spatial_dropout_backward: .* got \(2, 3, 4\) and \(3, 2\)"):
        F.spatial_dropout_backward(x, kept.T, p=0.5)
    with pytest.raises(TypeError, match="spatial_dropout_backward: expected kept as an array of bool, got list"):
        F.spatial_dropout_backward(x, [True], p=0.5)
