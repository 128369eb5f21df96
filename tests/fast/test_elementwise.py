"""ReLU and dropout of the fast backend give what the textbook's do, bit by bit."""

import numpy as np
import pytest

import numpycnn
from numpycnn import functional as F
from tests.drawn import generators
from tests.fast.agreement import agree
from tests.helpers import assert_same_bits
from tests.operations import shape


def test_relu_equals_the_textbook() -> None:
    agree("relu")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_equals_the_textbook(dtype: type) -> None:
    for rng in generators(92):
        x = rng.normal(size=shape(rng, 0, 4, 9)).astype(dtype)
        x.flat[0] = rng.choice([np.nan, np.inf, 1.0])
        dy = rng.normal(size=x.shape).astype(dtype)
        p, key = float(rng.choice([0, 0.1, 0.5, 0.9])), int(rng.integers(2**31))
        results = []
        for backend in ("plain", "fast"):
            with numpycnn.backend(backend):
                y, kept = F.dropout(x, p=p, key=key)
                results.append((y, kept, F.dropout_backward(dy, kept, p=p)))
        for textbook, fast in zip(*results, strict=True):
            assert_same_bits(fast, textbook)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_relu_keeps_nan(dtype: type) -> None:
    x, dy = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 2], dtype), np.arange(1, 7, dtype=dtype)
    with numpycnn.backend("fast"):
        np.testing.assert_array_equal(F.relu(x), [np.nan, np.inf, 0, 0, 0, 2])
        np.testing.assert_array_equal(F.relu_backward(dy, x), [1, 2, 0, 0, 0, 6])
