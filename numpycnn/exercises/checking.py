"""Check an answer on each case, and report the first one that it fails."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Literal

import numpy as np

from numpycnn._checks import format_shape
from numpycnn.exercises.answer import AnswerError, Call, NotBegunError, call, load
from numpycnn.exercises.comparison import as_arrays, as_outputs, difference
from numpycnn.exercises.diagnosis import diagnose
from numpycnn.exercises.exercise import WIDTH, Arguments, Case, Exercise, Function, frozen, wrapped

State = Literal["not begun", "wrong", "right"]


@dataclass(frozen=True)
class Verdict:
    """The result of a check.

    Attributes
    ----------
    state : str
    passed : tuple of str
        The cases passed.
    failed : str or None
        The case that failed.
    text : str
        The report.
    """

    state: State
    passed: tuple[str, ...] = ()
    failed: str | None = None
    text: str = ""


#: Returns the context of a call of the learner's code: passed cases, current case (None while loading), its arguments.
Watch = Callable[[tuple[str, ...], str | None, str], AbstractContextManager[None]]


def unwatched(passed: tuple[str, ...], about: str | None, shown: str) -> AbstractContextManager[None]:
    """Return a context that does nothing."""
    return nullcontext()


def check_file(exercise: Exercise, path: Path, watch: Watch = unwatched) -> Verdict:
    """Run and check the answer in the file of a learner."""
    if not path.exists():
        return Verdict("not begun")
    path = path.resolve()
    try:
        with watch((), None, ""):
            function = load(exercise, path)
    except NotBegunError as error:
        return Verdict("not begun", text=str(error))
    except AnswerError as error:
        return Verdict("wrong", text=str(error))
    return check(exercise, function, path.parent, watch)


def check(exercise: Exercise, function: Function, folder: Path | None = None, watch: Watch = unwatched) -> Verdict:
    """Check an answer.

    Parameters
    ----------
    exercise : Exercise
    function : function
        With the parameters of the solution.
    folder : Path, optional
        Folder of the learner's files; tracebacks show only lines of these.
    watch : Watch, optional
        Takes the cases passed, the current case and its arguments; returns a context for the call of the function.

    Returns
    -------
    Verdict
    """
    folder = folder or Path(function.__code__.co_filename).parent
    passed: tuple[str, ...] = ()
    for case in exercise.cases():
        expected = as_arrays(exercise.solution(**frozen(case.arguments)), list(exercise.outputs))
        try:
            with watch(passed, case.about, show_arguments(case.arguments)):
                answer = call(function, case.arguments, exercise.name, folder)
        except NotBegunError as error:
            return Verdict("wrong" if passed else "not begun", passed, case.about, str(error))
        except AnswerError as error:
            return Verdict("wrong", passed, case.about, f"{error}\n\n{show_arguments(case.arguments)}")
        text = _compare(exercise, case, answer, expected)
        if text is not None:
            return Verdict("wrong", passed, case.about, text)
        passed += (case.about,)
    return Verdict("right", passed)


def _compare(exercise: Exercise, case: Case, answer: Call, expected: Mapping[str, np.ndarray]) -> str | None:
    """Return a report of the first difference: value, likely cause, calculation by hand, arguments; or None."""
    found = as_outputs(answer.result, exercise.outputs)
    if isinstance(found, str):
        return "\n".join([wrapped(found), "", show_arguments(case.arguments), "", answer.aside]).rstrip()
    differences = {n: difference(n, exercise.outputs[n], found[n], expected[n]) for n in expected}
    first = next((first for first in differences.values() if first is not None), None)
    if first is None:
        return None
    name, lines = first.output, [first.text]
    right = [other for other, nothing in differences.items() if nothing is None]
    if right:
        lines.append(f"correct: {', '.join(right)}")
    why = diagnose(exercise, name, case.arguments, found, expected)
    lines.append(wrapped(f"likely: {why}") if why else "no known mistake gives these values")
    if exercise.working is not None and first.index is not None:
        lines.append(wrapped(f"by hand: {exercise.working(case.arguments, name, first.index)}"))
    shown = [show_array(f"expected {name}", expected[name]), show_array(f"found {name}", found[name])]
    return "\n".join([*lines, "", show_arguments(case.arguments), "", *shown, "", answer.aside]).rstrip()


def show_array(name: str, array: np.ndarray) -> str:
    """Format an array with its name and shape, abbreviated if it is large."""
    if not array.ndim:
        return f"{name} = {array:.6g}"
    text = np.array2string(
        array, max_line_width=WIDTH - 2, precision=4, suppress_small=True, threshold=150, edgeitems=2
    )
    lines = [line for line in text.splitlines() if line]  # without the empty ones between planes
    return f"{name} {format_shape(array.shape)}\n{indent(chr(10).join(lines), '  ')}"


def show_arguments(arguments: Arguments) -> str:
    """Format the arguments of a call: arrays first, then settings in one line."""
    arrays = [show_array(name, value) for name, value in arguments.items() if isinstance(value, np.ndarray)]
    settings = [f"{name} = {value}" for name, value in arguments.items() if not isinstance(value, np.ndarray)]
    return "\n".join([*arrays, *([", ".join(settings)] if settings else [])])
