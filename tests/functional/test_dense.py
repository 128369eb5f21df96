"""The dense product against plain loops and PyTorch."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import assert_close, assert_same_bits, layouts


def test_layouts_types_and_empty_batches(rng: np.random.Generator) -> None:
    x, weight, bias, dy = (rng.normal(size=shape) for shape in ((5, 6), (4, 6), (4,), (5, 4)))
    y, gradients = F.linear(x, weight, bias), F.linear_backward(dy, x, weight)
    for kind in layouts(x):
        other = [layouts(array)[kind] for array in (x, weight, bias, dy)]
        assert_same_bits(F.linear(*other[:3]), y)
        for got, wanted in zip(F.linear_backward(other[3], other[0], other[1]), gradients, strict=True):
            assert_same_bits(got, wanted)
        for array, original in zip(other, (x, weight, bias, dy), strict=True):
            np.testing.assert_array_equal(array, original)
    single = F.linear(*(array.astype(np.float32) for array in (x, weight, bias)))
    assert single.dtype == np.float32
    assert_close(single, y, 1e-5)
    dx, dweight, dbias = F.linear_backward(np.empty((0, 4)), np.empty((0, 6)), weight)
    assert F.linear(np.empty((0, 6)), weight).shape == (0, 4)
    assert dx.shape == (0, 6)
    assert_same_bits(dweight, np.zeros((4, 6)))
    assert_same_bits(dbias, np.zeros(4))


@pytest.mark.parametrize("special", [np.nan, np.inf])
def test_special_numbers_stay_in_their_row(special: float) -> None:
    y = F.linear(np.array([[1.0, special], [1.0, 2.0]]), np.ones((1, 2)))
    np.testing.assert_array_equal(y, [[special], [3.0]])


X, W = np.zeros((5, 6)), np.zeros((4, 6))
BAD_CALLS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"x": X[:, :5]}, ValueError, r"^linear: expected x \(\.\.\., 6\) for weight \(4, 6\), got \(5, 5\)"),
    ({"x": np.zeros(())}, ValueError, r"^linear: expected x \(\.\.\., 6\) for weight \(4, 6\), got \(\)"),
    ({"x": X.T}, ValueError, r"got \(6, 5\)"),
    ({"weight": W[0]}, ValueError, r"^linear: expected weight \(O, I\), got \(6,\)"),
    ({"weight": W[None]}, ValueError, r"^linear: expected weight \(O, I\), got \(1, 4, 6\)"),
    ({"bias": np.zeros(6)}, ValueError, r"^linear: expected bias \(4,\), got \(6,\)"),
    ({"bias": np.zeros((1, 4))}, ValueError, r"^linear: expected bias \(4,\), got \(1, 4\)"),
    ({"x": X.astype(int)}, TypeError, "^linear: expected x of float32 or float64, got int64"),
    ({"x": X.astype(np.float16)}, TypeError, "^linear: expected x of float32 or float64, got float16"),
    ({"x": [["a"] * 6]}, TypeError, "^linear: expected x of float32 or float64, got <U1"),
    ({"weight": W.astype(np.float32)}, TypeError, "^linear: expected weight of float64 like the input, got float32"),
    ({"bias": np.zeros(4, int)}, TypeError, "^linear: expected bias of float32 or float64, got int64"),
]


@pytest.mark.parametrize(("change", "error", "text"), BAD_CALLS)
def test_bad_calls(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.linear(**{"x": X, "weight": W} | change)


def test_a_gradient_of_the_wrong_shape() -> None:
    with pytest.raises(ValueError, match=r"^linear_backward: expected dy \(5, 4\), got \(5, 6\)"):
        F.linear_backward(X, X, W)


@pytest.mark.parametrize(("n", "inputs", "outputs"), [(3, 0, 4), (3, 5, 0), (0, 5, 4)])
def test_empty_axes(n, inputs, outputs, rng):
    x, weight, bias = rng.normal(size=(n, inputs)), rng.normal(size=(outputs, inputs)), rng.normal(size=outputs)
    y = F.linear(x, weight, bias)
    np.testing.assert_array_equal(y, x @ weight.T + bias)
    for found, like in zip(F.linear_backward(np.ones_like(y), x, weight), (x, weight, bias), strict=True):
        assert found.shape == like.shape
