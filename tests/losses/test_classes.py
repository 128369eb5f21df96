"""Losses for classes: what is ignored, what a label may be, probabilities."""

import math
from typing import Any

import numpy as np
import pytest

from numpycnn import CrossEntropy, KLDivergence, NegativeLogLikelihood
from numpycnn import functional as F
from tests.helpers import assert_same_bits


def test_if_all_labels_are_ignored_the_loss_is_zero() -> None:
    loss = CrossEntropy(0.1, [1, 2, 3], ignore_index=255)
    assert loss.forward(np.ones((2, 3, 2, 2)), np.full((2, 2, 2), 255, np.uint8)) == 0
    assert not loss.backward().any()


@pytest.mark.parametrize("ignored", [255, -100, 1])
def test_an_ignored_label_is_as_if_it_were_not_there(ignored: int, rng: np.random.Generator) -> None:
    logits, labels = rng.normal(size=(5, 3)), np.array([0, ignored, 2, 0, ignored])
    loss = CrossEntropy(0.2, ignore_index=ignored)
    kept = labels != ignored
    assert loss.forward(logits, labels) == pytest.approx(CrossEntropy(0.2).value(logits[kept], labels[kept]), rel=1e-14)
    assert not loss.backward()[~kept].any()


def test_one_hot_labels_of_any_type_are_labels(rng: np.random.Generator) -> None:
    logits, labels = rng.normal(size=(4, 3, 2)), rng.integers(0, 3, (4, 2))
    hot = np.moveaxis(np.eye(3)[labels], -1, 1)
    loss = CrossEntropy(0.1)
    value = loss.forward(logits, labels)
    gradient = loss.backward()
    for kind in (bool, int, np.uint8, np.float32, np.float64):
        assert loss.forward(logits, hot.astype(kind)) == value
        assert_same_bits(loss.backward(), gradient)


def test_a_probability_of_zero_costs_much_and_not_infinitely_much() -> None:
    loss = CrossEntropy(from_logits=False)
    assert loss.forward(np.array([[0.0, 1.0]]), [0]) == pytest.approx(-math.log(np.finfo(np.float64).tiny))
    assert np.isfinite(loss.backward()).all()


def test_logits_are_not_taken_for_probabilities() -> None:
    text = (
        r"CrossEntropy: expected probabilities from 0 to 1 with from_logits=False, got -1 to 2; leave from_logits out"
    )
    with pytest.raises(ValueError, match=text):
        CrossEntropy(from_logits=False).forward(np.array([[-1.0, 2.0]]), [0])


def test_the_divergence_of_a_distribution_from_itself_is_zero(rng: np.random.Generator) -> None:
    p = F.softmax(rng.normal(size=(3, 4)))
    assert KLDivergence().value(np.log(p), p) == pytest.approx(0, abs=1e-15)
    assert KLDivergence().value(np.log([[0.5, 0.5]]), [[1, 0]]) == pytest.approx(math.log(2))  # 0 log 0 is 0


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: CrossEntropy(class_weight=[1, -1]), ValueError, "class_weight to be finite and at least 0, got -1"),
        (lambda: CrossEntropy(class_weight=2.0), ValueError, r"CrossEntropy: expected class_weight \(K,\), got \(\)"),
        (
            lambda: CrossEntropy(class_weight={0: 1}),
            TypeError,
            "CrossEntropy: expected class_weight to be a list or an array",
        ),
        (lambda: NegativeLogLikelihood(ignore_index=0.5), TypeError, "NegativeLogLikelihood: expected ignore_index"),
        (lambda: CrossEntropy(from_logits=1), TypeError, "CrossEntropy: expected from_logits to be True or False"),
        (
            lambda: CrossEntropy(class_weight=[1, 1]).value(np.zeros((2, 3)), [0, 1]),
            ValueError,
            r"cross_entropy: expected class_weight \(3,\), got \(2,\)",
        ),
        (
            lambda: CrossEntropy(ignore_index=0).value(np.zeros((2, 3)), np.eye(3)[:2]),
            ValueError,
            r"expected labels as integers \(2,\) with an ignore_index",
        ),
        (
            lambda: CrossEntropy(ignore_index=-1).value(np.zeros((2, 3)), [-1, 3]),
            ValueError,
            "expected labels from 0 to 2, got 3 at position 1",
        ),
        (
            lambda: CrossEntropy().value(np.zeros((2, 3, 4)), np.zeros((2, 3), int)),
            ValueError,
            r"expected labels \(2, 4\), or one-hot \(2, 3, 4\), got \(2, 3\)",
        ),
        (
            lambda: CrossEntropy().value(np.zeros((2, 3)), np.ones((2, 3), int)),
            ValueError,
            "a smallest share of 1 and a sum of 3 in row 0",
        ),
        (
            lambda: CrossEntropy().value(np.zeros((2, 3)), [["a"] * 3] * 2),
            TypeError,
            "expected labels to be integers or shares",
        ),
        (
            lambda: NegativeLogLikelihood().value(np.zeros(3), [0]),
            ValueError,
            r"negative_log_likelihood: expected log_p \(N, K\), or",
        ),
        (
            lambda: KLDivergence().value(np.zeros((1, 2)), [[-1, 2]]),
            ValueError,
            "KLDivergence: expected probabilities as targets, got a smallest one of -1",
        ),
    ],
)
def test_bad_calls(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_log_probability_of_minus_infinity_counts_only_where_its_target_is_above_zero() -> None:
    y, target = np.array([[0.0, -np.inf]]), np.array([[1.0, 0.0]])
    loss = KLDivergence()
    assert loss.forward(y, target) == 0
    np.testing.assert_array_equal(loss.backward(), [[-1, 0]])
    assert KLDivergence().value(y, target[:, ::-1]) == np.inf
