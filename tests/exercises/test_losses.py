"""Softmax and cross-entropy: correct solutions and recognized mistakes."""

from typing import Any

import numpy as np
import pytest

from numpycnn.exercises.losses import softmax
from tests.exercises.answers import assert_exercise, first_lines


@pytest.mark.parametrize("name", ["softmax", "cross_entropy"])
def test_the_solution_is_correct_and_each_mistake_is_recognized(name: str) -> None:
    assert_exercise(name)


def test_an_overflow() -> None:
    def answer(x: np.ndarray) -> Any:
        return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)

    failed, report = first_lines("softmax", answer)
    assert failed == "large numbers"
    assert report.startswith("y[0, 0] is nan, expected 0.244728;")
    assert "likely: exp overflows: subtract the maximum of the row first" in report
    assert report.endswith(
        "by hand: y[0, 0] = exp(-1) / (exp(-1) + exp(0) + exp(-2)), with the row's maximum subtracted"
    )


def test_a_logarithm_of_zero() -> None:
    def answer(logits: np.ndarray, labels: np.ndarray) -> Any:
        p, rows = softmax(logits), np.arange(len(labels))
        loss = -np.log(p[rows, labels]).mean()
        p[rows, labels] -= 1
        return loss, p / len(p)

    failed, report = first_lines("cross_entropy", answer)
    assert failed == "a class of probability 0"
    assert report.startswith("loss is inf, expected 1000 correct: dlogits likely: the logarithm of a probability that")


@pytest.mark.parametrize("small", [1e-12, 1e-9])
def test_a_small_number_added(small: float) -> None:
    def answer(logits: np.ndarray, labels: np.ndarray) -> Any:
        p, rows = softmax(logits), np.arange(len(labels))
        loss = -np.log(p[rows, labels] + small).mean()
        p[rows, labels] -= 1
        return loss, p / len(p)

    failed, report = first_lines("cross_entropy", answer)
    assert failed == "a class of probability 0"
    assert "likely: p is clipped, or has a small number added" in report


def test_a_gradient_of_the_sum() -> None:
    def answer(logits: np.ndarray, labels: np.ndarray) -> Any:
        p, rows = softmax(logits), np.arange(len(labels))
        z = logits - logits.max(axis=1, keepdims=True)
        loss = -(z[rows, labels] - np.log(np.exp(z).sum(axis=1))).mean()
        p[rows, labels] -= 1
        return loss, p

    failed, report = first_lines("cross_entropy", answer)
    assert failed == "a batch of three"
    assert "likely: dlogits is not divided by N" in report
    assert "by hand: dlogits[0, 0] = (p - t) / N = (" in report
