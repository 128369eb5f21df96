"""Batch normalization, forward and backward: correct solutions and recognized mistakes."""

from typing import Any

import numpy as np
import pytest

from numpycnn.exercises.normalization import batch_norm
from tests.exercises.answers import assert_exercise, first_lines


@pytest.mark.parametrize("name", ["batch_norm", "batch_norm_backward"])
def test_the_solution_is_correct_and_each_mistake_is_recognized(name: str) -> None:
    assert_exercise(name)


def test_the_unbiased_variance() -> None:
    def answer(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, *rest: Any, **settings: Any) -> Any:
        _, mean, var = batch_norm(x, weight, bias, *rest, **settings)
        xhat = (x - x.mean(axis=(0, 2, 3), keepdims=True)) / x.std(axis=(0, 2, 3), ddof=1, keepdims=True)
        return weight[:, None, None] * xhat + bias[:, None, None], mean, var

    _, report = first_lines("batch_norm", answer)
    assert "correct: running_mean, running_var" in report
    assert "likely: y uses the unbiased variance (divided by m - 1)" in report


def test_a_biased_running_variance() -> None:
    def answer(running_var: np.ndarray, training: bool, momentum: float = 0.1, **more: Any) -> Any:
        y, mean, _ = batch_norm(**more, running_var=running_var, training=training, momentum=momentum)
        if training:
            running_var = (1 - momentum) * running_var + momentum * more["x"].var(axis=(0, 2, 3))
        return y, mean, running_var

    _, report = first_lines("batch_norm", answer)
    assert "likely: running_var uses the biased variance of the batch" in report


def test_mean_and_variance_as_constants() -> None:
    def answer(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, eps: float = 1e-5) -> Any:
        deviation = np.sqrt(x.var(axis=(0, 2, 3), keepdims=True) + eps)
        xhat = (x - x.mean(axis=(0, 2, 3), keepdims=True)) / deviation
        return dy * weight[:, None, None] / deviation, (dy * xhat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))

    _, report = first_lines("batch_norm_backward", answer)
    assert "likely: dx treats mean and variance as constants" in report
