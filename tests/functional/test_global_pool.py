"""Global pooling against plain loops and PyTorch."""

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import assert_same_bits, layouts

PAIRS = [(F.global_avg_pool, F.global_avg_pool_backward), (F.global_max_pool, F.global_max_pool_backward)]


@pytest.mark.parametrize(("forward", "backward"), PAIRS)
def test_any_layout_gives_the_same_bits(forward: object, backward: object, rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(3, 4, 5, 6)), rng.normal(size=(3, 4))
    for kind in layouts(x):
        assert_same_bits(forward(layouts(x)[kind]), forward(x))
        assert_same_bits(backward(layouts(dy)[kind], layouts(x)[kind]), backward(dy, x))


@pytest.mark.parametrize(("forward", "backward"), PAIRS)
def test_special_numbers_empty_batches_and_bad_calls(forward: object, backward: object) -> None:
    x = np.ones((1, 3, 2, 2))
    x[0, 0, 1, 0], x[0, 1, 0, 1] = np.nan, np.inf
    np.testing.assert_array_equal(forward(x), [[np.nan, np.inf, 1.0]])
    empty = np.empty((0, 2, 3))
    assert forward(empty).shape == (0, 2)
    assert backward(np.empty((0, 2)), empty).shape == (0, 2, 3)
    name = forward.__name__
    for bad, error, text in (
        (
            np.zeros((2, 3)),
            ValueError,
            rf"{name}: expected x \(N, C, ...\) with at least one spatial axis, got \(2, 3\)",
        ),
        (np.zeros((2, 3, 0)), ValueError, rf"{name}: expected x with no empty axis but N, got \(2, 3, 0\)"),
        (np.zeros((2, 3, 4), int), TypeError, f"{name}: expected x of float32 or float64, got int64"),
    ):
        with pytest.raises(error, match=text):
            forward(bad)
    with pytest.raises(ValueError, match=rf"{name}_backward: expected dy \(1, 3\), got \(1, 3, 2\)"):
        backward(np.zeros((1, 3, 2)), x)
