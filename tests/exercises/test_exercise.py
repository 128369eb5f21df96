"""The table of exercises: each is complete and has small, reproducible cases."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from numpycnn.exercises import EXERCISES, Exercise
from numpycnn.exercises.exercise import frozen, wrapped

REPOSITORY = Path(__file__).parents[2]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))


@every_exercise
def test_the_cases_are_the_same_each_time_and_small(exercise: Exercise) -> None:
    for case, again in zip(exercise.cases(), exercise.cases(), strict=True):
        assert case.about == again.about
        for name, value in case.arguments.items():
            np.testing.assert_array_equal(value, again.arguments[name])
            assert np.size(value) <= 100
    assert len({case.about for case in exercise.cases()}) == len(exercise.cases()) >= 4


@every_exercise
def test_an_exercise_is_complete(exercise: Exercise) -> None:
    assert exercise.solution.__name__ == exercise.name
    documentation = exercise.solution.__doc__ or ""
    for part in ("Parameters\n", "Returns\n", "Hints:\n\n    - ", "Examples\n", ">>> "):
        assert part in documentation
    for parameter in inspect.signature(exercise.solution).parameters:
        assert f"{parameter}" in documentation.partition("Returns\n")[0]
    assert (REPOSITORY / exercise.page).is_file()
    assert exercise.source


@every_exercise
def test_cases_match_the_parameters_of_the_solution(exercise: Exercise) -> None:
    for case in exercise.cases():
        inspect.signature(exercise.solution).bind(**case.arguments)


def test_the_order_is_that_of_a_training_step() -> None:
    stages = [exercise.stage for exercise in EXERCISES.values()]
    assert list(dict.fromkeys(stages)) == ["forward", "loss", "backward", "step"]
    assert stages == sorted(stages, key=["forward", "loss", "backward", "step"].index)


def test_frozen_arguments_are_read_only_copies() -> None:
    x = np.zeros(2)
    given = frozen({"x": x, "stride": 2})
    assert given["stride"] == 2
    assert given["x"] is not x
    with pytest.raises(ValueError, match="read-only"):
        given["x"][0] = 1


def test_a_paragraph_fits() -> None:
    lines = wrapped("word " * 50).splitlines()
    assert len(lines) == 3
    assert max(map(len, lines)) <= 100
