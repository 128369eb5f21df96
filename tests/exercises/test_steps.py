"""Optimizer steps: correct solutions and recognized mistakes."""

from typing import Any

import numpy as np
import pytest

from tests.exercises.answers import assert_exercise, first_lines


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_the_solution_is_correct_and_each_mistake_is_recognized(name: str) -> None:
    assert_exercise(name)


def test_a_velocity_that_is_a_mean() -> None:
    def answer(
        value: np.ndarray, grad: np.ndarray, velocity: np.ndarray, lr: float, momentum: float = 0.9
    ) -> tuple[np.ndarray, np.ndarray]:
        velocity = momentum * velocity + (1 - momentum) * grad
        return value - lr * velocity, velocity

    failed, report = first_lines("sgd", answer)
    assert failed == "the first step, with momentum"
    assert "likely: the gradient has the factor (1 - momentum), which makes the velocity a mean" in report


def adam_without(correction: bool, root_of_sum: bool) -> Any:
    def answer(
        value: np.ndarray,
        grad: np.ndarray,
        mean: np.ndarray,
        square: np.ndarray,
        step: int,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        mean = betas[0] * mean + (1 - betas[0]) * grad
        square = betas[1] * square + (1 - betas[1]) * grad**2
        m = mean / (1 - betas[0] ** step) if correction else mean
        s = square / (1 - betas[1] ** step) if correction else square
        return value - lr * m / (np.sqrt(s + eps) if root_of_sum else np.sqrt(s) + eps), mean, square

    return answer


def test_a_missing_correction() -> None:
    failed, report = first_lines("adam", adam_without(correction=False, root_of_sum=False))
    assert failed == "the first step"
    assert "correct: mean, square likely: the bias correction is missing" in report


def test_eps_under_the_root() -> None:
    failed, report = first_lines("adam", adam_without(correction=True, root_of_sum=True))
    assert failed == "a large eps"
    assert "likely: eps is inside the square root" in report
