"""Check an answer case by case, and report the first failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from numpycnn.exercises import EXERCISES, check
from numpycnn.exercises.checking import check_file, show_arguments, show_array

SOFTMAX = EXERCISES["softmax"]


def write(folder: Path, text: str) -> Path:
    path = folder / "softmax.py"
    path.write_text(text, encoding="utf-8")
    return path


RIGHT = """
import numpy as np
def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""


def test_a_right_file(tmp_path: Path) -> None:
    verdict = check_file(SOFTMAX, write(tmp_path, RIGHT))
    assert (verdict.state, verdict.failed, verdict.text) == ("right", None, "")
    assert len(verdict.passed) == len(SOFTMAX.cases())


@pytest.mark.parametrize("text", ["def softmax(x):\n    raise NotImplementedError", None])
def test_a_file_that_is_not_begun(tmp_path: Path, text: str | None) -> None:
    path = write(tmp_path, text) if text else tmp_path / "softmax.py"
    assert check_file(SOFTMAX, path).state == "not begun"


def test_a_case_without_a_body_is_wrong(tmp_path: Path) -> None:
    text = RIGHT.replace("    e =", "    if len(x) > 1:\n        raise NotImplementedError\n    e =", 1)
    verdict = check_file(SOFTMAX, write(tmp_path, text))
    assert (verdict.state, verdict.failed) == ("wrong", "two rows")


def test_a_file_that_cannot_be_loaded_is_wrong(tmp_path: Path) -> None:
    verdict = check_file(SOFTMAX, write(tmp_path, "def softmax(x)"))
    assert (verdict.state, verdict.passed, verdict.failed) == ("wrong", (), None)
    assert verdict.text.startswith("softmax.py cannot be loaded")


def test_the_report_of_a_difference() -> None:
    def answer(x: np.ndarray) -> np.ndarray:
        print("called")
        return np.exp(x)

    assert check(SOFTMAX, answer).text == "\n".join(
        [
            "y[0, 0] is 1, expected 0.268941; all values of y differ, this is the first",
            "likely: the exponentials are not divided by their sum",
            "by hand: y[0, 0] = exp(-1) / (exp(-1) + exp(0)), with the row's maximum subtracted",
            "",
            "x (1, 2)",
            "  [[0. 1.]]",
            "",
            "expected y (1, 2)",
            "  [[0.2689 0.7311]]",
            "found y (1, 2)",
            "  [[1.     2.7183]]",
            "",
            "printed by the function:",
            "  called",
        ]
    )


def test_an_unknown_mistake() -> None:
    verdict = check(SOFTMAX, lambda x: np.sin(x) + 0.1)
    assert "no known mistake gives these values" in verdict.text


def test_a_wrong_type_is_reported_with_the_arguments() -> None:
    verdict = check(SOFTMAX, lambda x: None)
    assert verdict.text == (
        "the function returns None, expected an array: is the return statement missing?\n\nx (1, 2)\n  [[0. 1.]]"
    )


def test_an_exception_is_reported_with_the_arguments() -> None:
    verdict = check(SOFTMAX, lambda x: 1 / 0)
    assert verdict.text.endswith("ZeroDivisionError: division by zero\n\nx (1, 2)\n  [[0. 1.]]")


def test_the_watch_is_called_around_each_call(tmp_path: Path) -> None:
    calls: list[str] = []

    @contextmanager
    def watch(passed: tuple[str, ...], about: str | None, shown: str) -> Iterator[None]:
        calls.append(f"{len(passed)} {about} {bool(shown)}")
        yield
        calls.append("end")

    verdict = check_file(SOFTMAX, write(tmp_path, RIGHT.replace("axis=1", "axis=0")), watch)
    assert verdict.failed == "one row of two scores"
    assert calls == ["0 None False", "end", "0 one row of two scores True", "end"]


def test_arrays_and_settings_are_abbreviated() -> None:
    x = np.arange(8.0).reshape(2, 1, 2, 2)
    assert show_arguments({"x": x, "stride": 2, "padding": 1}).splitlines() == [
        "x (2, 1, 2, 2)",
        "  [[[[0. 1.]",
        "     [2. 3.]]]",
        "   [[[4. 5.]",
        "     [6. 7.]]]]",
        "stride = 2, padding = 1",
    ]
    assert show_array("loss", np.array(0.5)) == "loss = 0.5"
    assert "..." in show_array("x", np.zeros((20, 20)))
