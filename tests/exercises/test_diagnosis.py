"""What is recognised in any wrong answer, and the order of what is tried."""

import numpy as np
import pytest

from numpycnn.exercises import EXERCISES
from numpycnn.exercises.diagnosis import diagnose, general, known, mistaken
from numpycnn.exercises.exercise import Mistake

Y = np.random.default_rng(0).normal(size=(2, 3, 4)) * 5

GENERAL = [
    (Y.transpose(2, 0, 1), "the axes of y are in another order: transpose(1, 2, 0) gives what was expected"),
    (Y[None], "the numbers are right, but axes of size 1 are missing or too many in y"),
    (Y.reshape(6, 4), "the numbers are right and in the right order: y lacks a reshape to its shape"),
    (np.where(Y > 0, np.nan, Y), "y has numbers that are none (nan)"),
    (np.where(Y > 0, np.inf, Y), "y has infinite numbers"),
    (0 * Y, "y is all zeros: the array is made, but nothing is written into it"),
    (Y.astype(int), "y is an array of whole numbers, which cuts off what is behind the point"),
    (Y * (np.arange(2) == 0)[:, None, None], "only y[0] is filled in, and that is right"),
    (Y[:, 0:-0], "y is empty. A slice [p:-p] is, where p is 0"),
    (-Y, "y has the wrong sign everywhere"),
    (Y / 3, "every number of y is 0.333333 times what was expected"),
    (Y - 0.5, "every number of y is 0.5 too small"),
]


@pytest.mark.parametrize(("found", "text"), GENERAL)
def test_what_is_recognised_anywhere(found: np.ndarray, text: str) -> None:
    said = general(found, Y, "y")
    assert said is not None
    assert said.startswith(text)


@pytest.mark.parametrize("found", [Y**2, Y[:1], np.random.default_rng(1).normal(size=(2, 3, 4))])
def test_nothing_is_made_up(found: np.ndarray) -> None:
    assert general(found, Y, "y") is None


def test_square_axes_in_another_order() -> None:
    square = Y[:, :, :3]
    assert "transpose(0, 2, 1)" in (general(square.swapaxes(1, 2), square, "y") or "")


def test_a_mistake_that_cannot_be_made_is_left_out() -> None:
    exercise = EXERCISES["softmax"]

    def impossible(x: np.ndarray) -> np.ndarray:
        raise ValueError("shapes")

    assert mistaken(Mistake("", impossible), exercise, {"x": np.zeros((1, 2))}) == {}


def test_a_mistake_that_changes_nothing_is_not_diagnosed() -> None:
    """Stride 1 is what a stride that is not used gives as well."""
    exercise = EXERCISES["correlate"]
    case = exercise.cases()[1]
    right = {"y": exercise.solution(**case.arguments)}
    assert known(exercise, "y", case.arguments, right, right) is None


def test_a_mistake_in_all_outputs_has_to_give_all_of_them() -> None:
    exercise = EXERCISES["adam"]
    case = exercise.cases()[0]
    expected = dict(zip(exercise.outputs, exercise.solution(**case.arguments), strict=True))
    (whole,) = [mistake for mistake in exercise.mistakes if mistake.output is None]
    found = mistaken(whole, exercise, case.arguments)
    assert known(exercise, "value", case.arguments, found, expected) == whole.diagnosis
    found["square"] = expected["square"]
    assert "the square is not corrected" in (known(exercise, "value", case.arguments, found, expected) or "")


def test_an_output_in_the_place_of_another() -> None:
    exercise = EXERCISES["sgd"]
    case = exercise.cases()[2]
    value, velocity = exercise.solution(**case.arguments)
    said = diagnose(
        exercise,
        "value",
        case.arguments,
        {"value": velocity, "velocity": value},
        {"value": value, "velocity": velocity},
    )
    assert said == "what is returned as value is velocity: the order is value, velocity"
