"""Losses against their formulas and PyTorch, extreme logits included."""

import math
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import assert_same_bits, layouts


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_share_of_one_is_a_label(kind: type, rng: np.random.Generator) -> None:
    logits, labels = rng.normal(size=(5, 3)).astype(np.float32), rng.integers(0, 3, 5)
    shares = F.one_hot(labels, 3, dtype=kind)
    assert F.cross_entropy(logits, shares, label_smoothing=0.1) == F.cross_entropy(logits, labels, label_smoothing=0.1)
    assert_same_bits(F.cross_entropy_backward(logits, shares), F.cross_entropy_backward(logits, labels))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_logits_of_ten_thousand(dtype: type, label: int, smoothing: float) -> None:
    logits = np.array([[1e4, -1e4, 0]], dtype)
    loss = F.cross_entropy(logits, [label], label_smoothing=smoothing)
    costs = [0, 2e4, 1e4]
    assert loss == pytest.approx((1 - smoothing) * costs[label] + smoothing * sum(costs) / 3, rel=1e-6)
    gradient = F.cross_entropy_backward(logits, [label], label_smoothing=smoothing)
    assert gradient.dtype == dtype
    target = (1 - smoothing) * np.eye(3)[label] + smoothing / 3
    np.testing.assert_allclose(gradient, [np.array([1, 0, 0]) - target], atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_logits_of_ten_thousand(dtype: type) -> None:
    logits, target = np.array([1e4, -1e4, 1e4, -1e4], dtype), np.array([1, 0, 0, 1], dtype)
    assert F.binary_cross_entropy(logits, target) == pytest.approx(5e3)
    np.testing.assert_allclose(F.binary_cross_entropy_backward(logits, target), [0, 0, 0.25, -0.25])


def test_an_impossible_class_costs_nothing_where_it_is_not_the_label() -> None:
    logits = np.array([[0.0, -np.inf, 0.0]])
    assert F.cross_entropy(logits, [0]) == pytest.approx(math.log(2))
    assert F.cross_entropy(logits, [1]) == np.inf
    np.testing.assert_allclose(F.cross_entropy_backward(logits, [0]), [[-0.5, 0, 0.5]])


def test_nan_is_not_hidden() -> None:
    nan = np.array([[np.nan, 0.0]])
    assert np.isnan(F.cross_entropy(nan, [1]))
    assert np.isnan(F.binary_cross_entropy(nan, np.zeros((1, 2))))
    assert np.isnan(F.mean_squared_error(nan, np.zeros((1, 2))))
    assert np.isnan(F.mean_squared_error_backward(np.ones(2), np.zeros(2), dy=np.nan)).all()


def test_any_layout_gives_the_same_bits(rng: np.random.Generator) -> None:
    logits, target, labels = rng.normal(size=(40, 30)), rng.random((40, 30)), rng.integers(0, 30, 40)
    shares = target / target.sum(axis=1, keepdims=True)
    for kind in layouts(logits):
        z, t = layouts(logits)[kind], layouts(target)[kind]
        assert F.cross_entropy(z, layouts(shares)[kind]) == F.cross_entropy(logits, shares)
        assert F.cross_entropy(z, layouts(labels)[kind]) == F.cross_entropy(logits, labels)
        assert_same_bits(F.cross_entropy_backward(z, labels), F.cross_entropy_backward(logits, labels))
        for loss in (F.binary_cross_entropy, F.mean_squared_error):
            assert loss(z, t) == loss(logits, target)
        for gradient in (F.binary_cross_entropy_backward, F.mean_squared_error_backward):
            assert_same_bits(gradient(z, t), gradient(logits, target))
        np.testing.assert_array_equal(z, logits)
        np.testing.assert_array_equal(t, target)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int16, np.int64, np.uint64])
def test_labels_of_any_integer_type(kind: type) -> None:
    labels = np.array([2, 0, 1], kind)
    np.testing.assert_array_equal(F.one_hot(labels, 3), [[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    logits = np.arange(9.0).reshape(3, 3)
    assert F.cross_entropy(logits, labels) == F.cross_entropy(logits, labels.tolist())


def test_one_hot_of_nothing_and_its_type() -> None:
    assert F.one_hot(np.empty(0, int), 4).shape == (0, 4)
    assert F.one_hot([1], 2).dtype == np.float32
    assert F.one_hot([1], 2, dtype=np.float64).dtype == np.float64


Z, L = np.zeros((4, 3)), np.array([0, 1, 2, 0])
BAD_CALLS: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (F.cross_entropy, {"logits": Z[0]}, ValueError, r"cross_entropy: expected logits \(N, K\), or .*, got \(3,\)"),
    (F.cross_entropy, {"logits": Z.astype(int)}, TypeError, "expected logits of float32 or float64, got int64"),
    (F.cross_entropy, {"labels": L[:3]}, ValueError, "expected 4 labels, one for each row of logits, got 3"),
    (F.cross_entropy, {"labels": L[:, None]}, ValueError, r"expected labels \(4,\), or one-hot \(4, 3\), got \(4, 1\)"),
    (F.cross_entropy, {"labels": L + 1}, ValueError, "expected labels from 0 to 2, got 3 at position 2"),
    (F.cross_entropy, {"labels": L - 1}, ValueError, "expected labels from 0 to 2, got -1 at position 0"),
    (F.cross_entropy, {"labels": [2**63] * 4}, ValueError, "expected labels from 0 to 2, got 9223372036854775808"),
    (F.cross_entropy, {"labels": L.astype(float)}, TypeError, "expected labels to be integers, got float64"),
    (F.cross_entropy, {"labels": L == 1}, TypeError, "expected labels to be integers, got bool"),
    (
        F.cross_entropy,
        {"label_smoothing": 1.1},
        ValueError,
        "expected label_smoothing to be at least 0 and at most 1, got 1.1",
    ),
    (F.cross_entropy, {"label_smoothing": np.nan}, ValueError, "expected label_smoothing to be finite, got nan"),
    (
        F.cross_entropy,
        {"label_smoothing": -0.1},
        ValueError,
        "expected label_smoothing to be at least 0 and at most 1, got -0.1",
    ),
    (F.cross_entropy, {"label_smoothing": "a"}, TypeError, "expected label_smoothing to be a number, got str"),
    (F.cross_entropy, {"logits": Z[:0], "labels": L[:0]}, ValueError, r"batch that is not empty, got logits \(0, 3\)"),
    (F.binary_cross_entropy, {"target": Z[0]}, ValueError, r"expected target \(4, 3\), got \(3,\)"),
    (F.binary_cross_entropy, {"target": Z + 2}, ValueError, "expected targets from 0 to 1, got 2 to 2"),
    (F.binary_cross_entropy, {"logits": Z.astype(int), "target": Z}, TypeError, "float32 or float64, got int64"),
    (F.binary_cross_entropy, {"target": "yes"}, TypeError, "binary_cross_entropy: expected target to hold numbers"),
    (F.mean_squared_error, {"target": Z * 1j}, TypeError, "expected target to hold numbers, got complex128"),
    (F.mean_squared_error, {"target": None}, TypeError, "expected target to hold numbers, got object"),
    (F.cross_entropy_backward, {"dy": "1"}, TypeError, "cross_entropy_backward: expected dy to be a number, got str"),
    (F.binary_cross_entropy_backward, {"dy": None, "target": Z}, TypeError, "expected dy to be a number, got NoneType"),
    (F.mean_squared_error_backward, {"dy": Z, "target": Z}, TypeError, "expected dy to be a number, got ndarray"),
    (F.mean_squared_error, {"target": Z.T}, ValueError, r"expected target \(4, 3\), got \(3, 4\)"),
    (F.mean_squared_error, {"y": Z[:0], "target": Z[:0]}, ValueError, r"batch that is not empty, got \(0, 3\)"),
    (F.one_hot, {"labels": [3]}, ValueError, "one_hot: expected labels from 0 to 2, got 3 at position 0"),
    (F.one_hot, {"labels": [0.0]}, TypeError, "one_hot: expected labels to be integers, got float64"),
    (F.one_hot, {"num_classes": 0}, ValueError, "one_hot: expected num_classes from 1 to 2147483647, got 0"),
    (F.one_hot, {"num_classes": 2**63 - 1}, ValueError, "expected num_classes from 1 to 2147483647"),
    (F.one_hot, {"num_classes": 3.0}, TypeError, "one_hot: expected num_classes to be an int, got float 3.0"),
]
DEFAULTS: dict[Any, dict[str, Any]] = {
    F.cross_entropy: {"logits": Z, "labels": L},
    F.cross_entropy_backward: {"logits": Z, "labels": L},
    F.binary_cross_entropy: {"logits": Z},
    F.binary_cross_entropy_backward: {"logits": Z},
    F.mean_squared_error: {"y": Z},
    F.mean_squared_error_backward: {"y": Z},
    F.one_hot: {"labels": L, "num_classes": 3},
}


@pytest.mark.parametrize(("function", "change", "error", "text"), BAD_CALLS)
def test_bad_calls(function: Any, change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        function(**DEFAULTS[function] | change)
