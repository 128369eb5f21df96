"""Global pooling against plain loops and PyTorch."""

import math
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import assert_close, assert_same_bits, generators, layouts


def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    size = rng.integers(1, 6, rng.integers(1, 4))
    x = rng.normal(size=(rng.integers(1, 4), rng.integers(1, 4), *size))
    if rng.random() < 0.3:
        x = np.round(x)  # ties
    return x, rng.normal(size=x.shape[:2])


def test_average_equals_the_definition() -> None:
    for rng in generators(13):
        x, dy = draw(rng)
        y, dx = np.zeros(x.shape[:2]), np.zeros(x.shape)
        for n, c in np.ndindex(*x.shape[:2]):
            numbers = [float(v) for v in x[n, c].ravel()]
            y[n, c] = math.fsum(numbers) / len(numbers)
            dx[n, c] = dy[n, c] / len(numbers)
        assert_close(F.global_avg_pool(x), y)
        assert_close(F.global_avg_pool_backward(dy, x), dx)


def test_maximum_equals_the_definition() -> None:
    for rng in generators(14):
        x, dy = draw(rng)
        y, dx = np.zeros(x.shape[:2]), np.zeros(x.shape)
        for n, c in np.ndindex(*x.shape[:2]):
            winner = max(np.ndindex(x.shape[2:]), key=lambda at, plane=x[n, c]: plane[at])  # the first of the largest
            y[n, c] = x[n, c][winner]
            dx[n, c][winner] = dy[n, c]
        np.testing.assert_array_equal(F.global_max_pool(x), y)
        np.testing.assert_array_equal(F.global_max_pool_backward(dy, x), dx)


def test_equal_pytorch(torch: Any) -> None:
    for rng in generators(15):
        x, dy = draw(rng)
        for forward, backward, theirs in (
            (F.global_avg_pool, F.global_avg_pool_backward, lambda t: t.flatten(2).mean(2)),
            (F.global_max_pool, F.global_max_pool_backward, lambda t: t.flatten(2).max(2).values),
        ):
            tensor = torch.tensor(x, requires_grad=True)
            y = theirs(tensor)
            y.backward(torch.tensor(dy))
            assert_close(forward(x), y.detach())
            assert_close(backward(dy, x), tensor.grad)


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
