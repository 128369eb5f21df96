"""The file of an exercise: the solution without its body; an existing file is never overwritten."""

import ast
from pathlib import Path

import pytest

from numpycnn.exercises import EXERCISES, Exercise
from numpycnn.exercises.answer import NotBegunError, call, load
from numpycnn.exercises.convolution import correlate
from numpycnn.exercises.sheet import parts, place, write_sheet


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_a_sheet_has_the_task_and_no_answer(exercise: Exercise, tmp_path: Path) -> None:
    path = tmp_path / f"{exercise.name}.py"
    write_sheet(exercise, path)
    text = path.read_text(encoding="utf-8")
    module = ast.parse(text)
    (function,) = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    assert function.name == exercise.name
    assert ast.get_docstring(function, clean=False) == exercise.solution.__doc__
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
