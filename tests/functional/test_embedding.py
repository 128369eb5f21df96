"""Rows of a table looked up by index, against plain loops and PyTorch."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import assert_same_bits, layouts


def test_layouts_types_and_empty_batches(rng: np.random.Generator) -> None:
    x, weight, dy = rng.integers(0, 5, (3, 4)), rng.normal(size=(5, 2)), rng.normal(size=(3, 4, 2))
    for kind in layouts(x):
        other = [layouts(array)[kind] for array in (x, weight, dy)]
        assert_same_bits(F.embedding(other[0], other[1]), F.embedding(x, weight))
        assert_same_bits(F.embedding_backward(other[2], other[0], other[1]), F.embedding_backward(dy, x, weight))
    for integers in (np.uint8, np.int16, np.uint64):
        assert_same_bits(F.embedding(x.astype(integers), weight), F.embedding(x, weight))
        assert_same_bits(F.embedding_backward(dy, x.astype(integers), weight), F.embedding_backward(dy, x, weight))
    empty = np.empty((0, 4), int)
    assert F.embedding(empty, weight).shape == (0, 4, 2)
    assert_same_bits(F.embedding_backward(np.empty((0, 4, 2)), empty, weight), np.zeros((5, 2)))


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"x": np.array([5])}, ValueError, "embedding: expected indices from 0 to 4, got 5"),
        ({"x": np.array([-1])}, ValueError, "embedding: expected indices from 0 to 4, got -1"),
        ({"x": np.array([2**31])}, ValueError, "embedding: expected indices from 0 to 4, got 2147483648"),
        ({"x": np.array([2**63 - 1])}, ValueError, "embedding: expected indices from 0 to 4, got 9223372036854775807"),
        ({"x": np.array([2**64 - 1], np.uint64)}, ValueError, "expected indices from 0 to 4, got 18446744073709551615"),
        ({"x": np.array([1.0])}, TypeError, "embedding: expected x to hold integers, got float64"),
        ({"x": np.array([True])}, TypeError, "embedding: expected x to hold integers, got bool"),
        ({"x": "word"}, TypeError, "embedding: expected x to hold integers, got <U4"),
        ({"weight": np.zeros(5)}, ValueError, r"embedding: expected weight \(V, D\), got \(5,\)"),
        ({"weight": np.zeros((5, 2, 1))}, ValueError, r"embedding: expected weight \(V, D\), got \(5, 2, 1\)"),
        ({"weight": np.zeros((5, 2), int)}, TypeError, "embedding: expected weight of float32 or float64, got int64"),
        ({"weight": None}, TypeError, "embedding: expected weight of float32 or float64, got object"),
    ],
)
def test_bad_calls(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.embedding(**{"x": np.array([0]), "weight": np.zeros((5, 2))} | change)


def test_a_bad_gradient() -> None:
    with pytest.raises(ValueError, match=r"embedding_backward: expected dy \(3, 2\), got \(3, 4\)"):
        F.embedding_backward(np.zeros((3, 4)), np.zeros(3, int), np.zeros((5, 2)))
    with pytest.raises(TypeError, match="embedding_backward: expected dy of float64 like the input, got float32"):
        F.embedding_backward(np.zeros((3, 2), np.float32), np.zeros(3, int), np.zeros((5, 2)))
