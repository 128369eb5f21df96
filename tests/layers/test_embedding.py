"""The embedding layer."""

from typing import Any

import numpy as np
import pytest

from numpycnn import Dense, Embedding, Flatten, Layer, Sequential
from tests.helpers import assert_same_bits
from tests.layers.bad_calls import Bad, bad_sizes, refuse


def test_looks_up_rows_and_gives_them_their_gradients() -> None:
    layer = Embedding(4, 2)
    assert layer.build((3,), dtype=np.float64) == (3, 2)
    x = np.array([[0, 3, 3], [1, 0, 3]])
    assert_same_bits(layer.forward(x, training=True), layer.weight.value[x])
    dx = layer.backward(np.ones((2, 3, 2)))
    np.testing.assert_array_equal(layer.weight.grad, [[2, 2], [1, 1], [0, 0], [3, 3]])
    assert_same_bits(dx, np.zeros((2, 3)))


def test_the_table_begins_with_small_normal_numbers() -> None:
    layer = Embedding(300, 100)
    layer.build((3,), rng=0)
    assert layer.weight.value.mean() == pytest.approx(0, abs=0.001)
    assert layer.weight.value.std() == pytest.approx(0.05, abs=0.001)


def test_pytorch_s_initial_table_can_be_asked_for() -> None:
    layer = Embedding(300, 100, initializer=lambda rng, shape: rng.normal(size=shape))
    layer.build((3,), rng=0)
    assert layer.weight.value.std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int64, np.uint64])
def test_indices_of_any_integer_type(kind: type) -> None:
    model = Sequential([Embedding(5, 3), Flatten(), Dense(2)], input_shape=(4,))
    x = np.array([[0, 1, 4, 2]])
    assert_same_bits(model.forward(x.astype(kind)), model.forward(x))


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        ([[0, 4]], ValueError, "Embedding: expected indices from 0 to 3, got 4"),
        ([[0, -1]], ValueError, "Embedding: expected indices from 0 to 3, got -1"),
        ([[0, 2**63 - 1]], ValueError, "Embedding: expected indices from 0 to 3, got 9223372036854775807"),
        ([[0.0, 1.0]], TypeError, "Embedding: expected integers, got float64"),
        ([[True, False]], TypeError, "Embedding: expected integers, got bool"),
        ([0, 1], ValueError, r"Embedding: expected \(N, S1\), got \(2,\)"),
    ],
)
def test_bad_indices(x: Any, error: type[Exception], text: str) -> None:
    layer = Embedding(4, 2)
    layer.build((2,))
    with pytest.raises(error, match=text):
        layer.forward(x)


def make(**settings: Any) -> Layer:
    return Embedding(**{"num_embeddings": 4, "embedding_dim": 3} | settings)


HUGE = Bad(
    lambda: Embedding(2**31 - 1, 300),
    ValueError,
    "Embedding: expected at most 1073741824 weights, got (2147483647, 300), which would take 2,576,980,376,400 bytes",
    (5,),
)


@pytest.mark.parametrize(
    "bad", [HUGE, *bad_sizes(make, "Embedding", "num_embeddings"), *bad_sizes(make, "Embedding", "embedding_dim")]
)
def test_bad_calls(bad: Bad) -> None:
    refuse(bad)
