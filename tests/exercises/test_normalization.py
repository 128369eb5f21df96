"""Batch normalisation and its way back: the solutions are right, and mistakes that are written out are recognised."""

from typing import Any

import numpy as np
import pytest

from numpycnn.exercises.normalization import batch_norm
from tests.exercises.answers import assert_exercise, first_lines


@pytest.mark.parametrize("name", ["batch_norm", "batch_norm_backward"])
def test_the_solution_is_right_and_each_mistake_is_recognised(name: str) -> None:
    assert_exercise(name)


def test_the_sample_variance() -> None:
    def answer(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, *rest: Any, **settings: Any) -> Any:
        _, mean, var = batch_norm(x, weight, bias, *rest, **settings)
        xhat = (x - x.mean(axis=(0, 2, 3), keepdims=True)) / x.std(axis=(0, 2, 3), ddof=1, keepdims=True)
        return weight[:, None, None] * xhat + bias[:, None, None], mean, var

    _, said = first_lines("batch_norm", answer)
    assert "right already: running_mean, running_var" in said
    assert "likely: y is made with the sample variance (divided by m - 1)" in said


def test_a_running_variance_of_the_population() -> None:
    def answer(running_var: np.ndarray, training: bool, momentum: float = 0.1, **more: Any) -> Any:
        y, mean, _ = batch_norm(**more, running_var=running_var, training=training, momentum=momentum)
        if training:
            running_var = (1 - momentum) * running_var + momentum * more["x"].var(axis=(0, 2, 3))
        return y, mean, running_var

    _, said = first_lines("batch_norm", answer)
    assert "likely: running_var is fed with the population variance of the batch" in said


def test_mean_and_variance_as_constants() -> None:
    def answer(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, eps: float = 1e-5) -> Any:
        deviation = np.sqrt(x.var(axis=(0, 2, 3), keepdims=True) + eps)
        xhat = (x - x.mean(axis=(0, 2, 3), keepdims=True)) / deviation
        return dy * weight[:, None, None] / deviation, (dy * xhat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))

    _, said = first_lines("batch_norm_backward", answer)
    assert "likely: dx takes mean and variance for constants" in said
