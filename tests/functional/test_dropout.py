"""Dropout as a function of a key: the mask, its share, its independence of threads."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from numpycnn import get_num_threads, set_num_threads
from tests.helpers import assert_same_bits, generators, layouts


def test_equals_the_definition_given_its_mask() -> None:
    for key, rng in enumerate(generators(42)):
        shape, p = tuple(rng.integers(1, 5, rng.integers(0, 5))), float(rng.choice([0, 0.2, 0.5, 0.9]))
        x, dy = rng.normal(size=shape), rng.normal(size=shape)
        y, kept = F.dropout(x, p=p, key=key)
        mask = np.where(kept, 1 / (1 - p), 0)
        np.testing.assert_allclose(y, x * mask, rtol=1e-15)
        np.testing.assert_allclose(F.dropout_backward(dy, kept, p=p), dy * mask, rtol=1e-15)
        assert kept.dtype == np.bool_
        assert kept.shape == shape


@pytest.mark.parametrize("p", [0.0, 0.01, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("key", [0, 1, 2**31 - 1])
def test_the_share_that_is_left_out(p: float, key: int) -> None:
    y, kept = F.dropout(np.ones(100_000), p=p, key=key)
    assert 1 - kept.mean() == pytest.approx(p, abs=0.006)
    assert y.mean() == pytest.approx(1, abs=0.03)


def test_keys_give_masks_that_have_nothing_to_do_with_each_other() -> None:
    masks = np.array([F.dropout(np.ones(20_000), p=0.5, key=key)[1] for key in range(8)]) - 0.5
    assert np.abs(4 * masks @ masks.T / 20_000 - np.eye(8)).max() < 0.04


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
        ({"p": 1}, ValueError, "dropout: expected p from 0 to below 1, got 1"),
        ({"p": -0.1}, ValueError, "dropout: expected p from 0 to below 1, got -0.1"),
        ({"p": np.nan}, ValueError, "dropout: expected p from 0 to below 1, got nan"),
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
