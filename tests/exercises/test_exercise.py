"""The table of exercises: each is complete and has small, reproducible cases."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

from numpycnn.exercises import EXERCISES, Exercise
from numpycnn.exercises.answer import NotBegunError, call, load
from numpycnn.exercises.convolution import correlate
from numpycnn.exercises.exercise import frozen, parts, place, wrapped, write_sheet

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
    documentation = inspect.getdoc(exercise.solution) or ""
    for part in ("Parameters\n", "Returns\n", "Hints:\n\n- ", "Examples\n", ">>> "):
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


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_a_sheet_has_the_task_and_no_answer(exercise: Exercise, tmp_path: Path) -> None:
    path = tmp_path / f"{exercise.name}.py"
    write_sheet(exercise, path)
    text = path.read_text(encoding="utf-8")
    module = ast.parse(text)
    (function,) = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    assert function.name == exercise.name
    assert ast.get_docstring(function) == inspect.getdoc(exercise.solution)
    assert [ast.unparse(node) for node in function.body[1:]] == ["raise NotImplementedError"]
    assert max(map(len, text.splitlines())) <= 120
    filled_in = load(exercise, path)
    with pytest.raises(NotBegunError):
        call(filled_in, exercise.cases()[0].arguments, exercise.name, tmp_path)


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "correlate.py"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        write_sheet(EXERCISES["correlate"], path)
    assert path.read_text() == "mine"


def test_head_and_body_are_the_whole_function() -> None:
    head, body = parts(correlate)
    assert head.startswith("def correlate(")
    assert head.endswith('"""')
    assert body.lstrip().startswith("(h, w), (kh, kw) = x.shape, kernel.shape")
    assert body.rstrip().endswith("return y  # (OH, OW)")


def test_the_place_of_a_function() -> None:
    path, first, last = place(correlate)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert path.name == "convolution.py"
    assert lines[first - 1].startswith("def correlate(")
    assert lines[last - 1] == "    return y  # (OH, OW)"
