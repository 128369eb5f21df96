"""An answer tried on one case after the other, and what there is to say of the first one that it gets wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Literal

import numpy as np

from numpycnn.exercises.answer import AnswerError, Call, NotBegunError, call, load
from numpycnn.exercises.comparison import Difference, as_arrays, as_outputs, difference
from numpycnn.exercises.diagnosis import diagnose
from numpycnn.exercises.exercise import WIDTH, Arguments, Case, Exercise, Function, frozen, wrapped
from numpycnn.functional.checks import spell

State = Literal["not begun", "wrong", "right"]


@dataclass(frozen=True)
class Verdict:
    """What came of a check.

    Attributes
    ----------
    state : str
    passed : tuple of str
        The cases that were right.
    failed : str or None
        The one that was not.
    text : str
        What there is to say.
    """

    state: State
    passed: tuple[str, ...] = ()
    failed: str | None = None
    text: str = ""


class Watch:
    """Told before the reader's code runs and after it; this one does nothing."""

    def begin(self, passed: tuple[str, ...], about: str | None, shown: str) -> None:
        """Take note of what is about to run: cases behind it, the case itself (None while loading), its arguments."""

    def end(self) -> None:
        """Take note that it came to its end."""


def check_file(exercise: Exercise, path: Path, watch: Watch | None = None) -> Verdict:
    """Check the answer in a reader's file, which is thereby run."""
    watch = watch or Watch()
    if not path.exists():
        return Verdict("not begun")
    path = path.resolve()
    try:
        watch.begin((), None, "")
        function = load(exercise, path)
    except NotBegunError as error:
        return Verdict("not begun", text=str(error))
    except AnswerError as error:
        return Verdict("wrong", text=str(error))
    finally:
        watch.end()
    return check(exercise, function, path.parent, watch)


def check(exercise: Exercise, function: Function, folder: Path | None = None, watch: Watch | None = None) -> Verdict:
    """Check an answer.

    Parameters
    ----------
    exercise : Exercise
    function : function
        With the parameters of the solution.
    folder : Path, optional
        Where the reader's own files are, to whose lines a traceback is shortened.
    watch : Watch, optional

    Returns
    -------
    Verdict
    """
    watch, folder = watch or Watch(), folder or Path(function.__code__.co_filename).parent
    passed: tuple[str, ...] = ()
    for case in exercise.cases():
        expected = as_arrays(exercise.reference(**frozen(case.arguments)), list(exercise.outputs))
        try:
            watch.begin(passed, case.about, show_arguments(case.arguments))
            answer = call(function, case.arguments, exercise.name, folder)
        except NotBegunError as error:
            return Verdict("wrong" if passed else "not begun", passed, case.about, str(error))
        except AnswerError as error:
            return Verdict("wrong", passed, case.about, f"{error}\n\n{show_arguments(case.arguments)}")
        finally:
            watch.end()
        text = _compare(exercise, case, answer, expected)
        if text is not None:
            return Verdict("wrong", passed, case.about, text)
        passed += (case.about,)
    return Verdict("right", passed)


def _compare(exercise: Exercise, case: Case, answer: Call, expected: Mapping[str, np.ndarray]) -> str | None:
    """Return what is wrong with an answer on one case, or None."""
    found = as_outputs(answer.result, exercise.outputs)
    if isinstance(found, str):
        return "\n".join([wrapped(found), "", show_arguments(case.arguments), "", answer.aside]).rstrip()
    differences = {n: difference(n, exercise.outputs[n], found[n], expected[n]) for n in expected}
    for first in differences.values():
        if first is not None:
            right = [other for other, nothing in differences.items() if nothing is None]
            return _tell(exercise, case, answer, first, found, expected, right)
    return None


def _tell(
    exercise: Exercise,
    case: Case,
    answer: Call,
    first: Difference,
    found: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    right: list[str],
) -> str:
    """Write down one difference: what, why, how it is made, what went in, and what came out."""
    name, lines = first.output, [first.text]
    if right:
        lines.append(f"right already: {', '.join(right)}")
    why = diagnose(exercise, name, case.arguments, found, expected)
    lines.append(wrapped(f"likely: {why}") if why else "none of the mistakes that are known here gives these numbers")
    if exercise.working is not None and first.index is not None:
        lines.append(wrapped(f"by hand: {exercise.working(case.arguments, name, first.index)}"))
    shown = [show_array(f"expected {name}", expected[name]), show_array(f"found {name}", found[name])]
    return "\n".join([*lines, "", show_arguments(case.arguments), "", *shown, "", answer.aside]).rstrip()


def show_array(name: str, array: np.ndarray) -> str:
    """Write an array with its name and its shape, cut short if it is large."""
    if not array.ndim:
        return f"{name} = {array:.6g}"
    text = np.array2string(
        array, max_line_width=WIDTH - 2, precision=4, suppress_small=True, threshold=150, edgeitems=2
    )
    lines = [line for line in text.splitlines() if line]  # without the empty ones between planes
    return f"{name} {spell(array.shape)}\n{indent(chr(10).join(lines), '  ')}"


def show_arguments(arguments: Arguments) -> str:
    """Write down what a function is called with: arrays first, then settings in one line."""
    arrays = [show_array(name, value) for name, value in arguments.items() if isinstance(value, np.ndarray)]
    settings = [f"{name} = {value}" for name, value in arguments.items() if not isinstance(value, np.ndarray)]
    return "\n".join([*arrays, *([", ".join(settings)] if settings else [])])
