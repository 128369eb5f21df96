"""General diagnoses, known mistakes and their order."""

import numpy as np
import pytest

from numpycnn.exercises import EXERCISES
from numpycnn.exercises.diagnosis import diagnose, general, known, mistaken
from numpycnn.exercises.exercise import Mistake

Y = np.random.default_rng(0).normal(size=(2, 3, 4)) * 5

GENERAL = [
    (Y.transpose(2, 0, 1), "the axes of y are in another order: apply transpose(1, 2, 0)"),
    (Y[None], "the values are right, but y has missing or extra axes of size 1"),
    (Y.reshape(6, 4), "the values are right and in the right order: reshape y"),
    (np.where(Y > 0, np.nan, Y), "y contains nan"),
    (np.where(Y > 0, np.inf, Y), "y contains infinity"),
    (0 * Y, "y is all zeros: the array is created, but no value is assigned"),
    (Y.astype(int), "y is an integer array, which truncates the values"),
    (Y * (np.arange(2) == 0)[:, None, None], "only y[0] is filled in, correctly"),
    (Y[:, 0:-0], "y is empty: a slice [p:-p] is empty for p = 0"),
    (-Y, "y has the wrong sign everywhere"),
    (Y / 3, "every value of y is 0.333333 times the expected one"),
    (Y - 0.5, "every value of y is 0.5 too small"),
]


@pytest.mark.parametrize(("found", "text"), GENERAL)
def test_general_diagnoses(found: np.ndarray, text: str) -> None:
    report = general(found, Y, "y")
    assert report is not None
    assert report.startswith(text)


@pytest.mark.parametrize("found", [Y**2, Y[:1], np.random.default_rng(1).normal(size=(2, 3, 4))])
def test_no_diagnosis(found: np.ndarray) -> None:
    assert general(found, Y, "y") is None


def test_square_axes_in_another_order() -> None:
    square = Y[:, :, :3]
    assert "transpose(0, 2, 1)" in (general(square.swapaxes(1, 2), square, "y") or "")


def test_a_mistake_that_raises_is_skipped() -> None:
    exercise = EXERCISES["softmax"]

    def impossible(x: np.ndarray) -> np.ndarray:
        raise ValueError("shapes")

    assert mistaken(Mistake("", impossible), exercise, {"x": np.zeros((1, 2))}) == {}


def test_a_mistake_that_changes_nothing_is_not_diagnosed() -> None:
    """An unused stride gives the same result as stride 1."""
    exercise = EXERCISES["correlate"]
    case = exercise.cases()[1]
    right = {"y": exercise.solution(**case.arguments)}
    assert known(exercise, "y", case.arguments, right, right) is None


def test_a_mistake_in_all_outputs_must_match_all() -> None:
    exercise = EXERCISES["adam"]
    case = exercise.cases()[0]
    expected = dict(zip(exercise.outputs, exercise.solution(**case.arguments), strict=True))
    (whole,) = [mistake for mistake in exercise.mistakes if mistake.output is None]
    found = mistaken(whole, exercise, case.arguments)
    assert known(exercise, "value", case.arguments, found, expected) == whole.diagnosis
    found["square"] = expected["square"]
    assert "the square is not corrected" in (known(exercise, "value", case.arguments, found, expected) or "")


def test_swapped_outputs() -> None:
    exercise = EXERCISES["sgd"]
    case = exercise.cases()[2]
    value, velocity = exercise.solution(**case.arguments)
    report = diagnose(
        exercise,
        "value",
        case.arguments,
        {"value": velocity, "velocity": value},
        {"value": value, "velocity": velocity},
    )
    assert report == "the result returned as value is velocity: the order is value, velocity"
