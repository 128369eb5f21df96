"""Answers to the exercises: the solution, and the solution with a known mistake."""

from typing import Any

from numpycnn.exercises import EXERCISES, Exercise, Verdict, check
from numpycnn.exercises.comparison import as_arrays
from numpycnn.exercises.exercise import Function, Mistake


def with_mistake(exercise: Exercise, mistake: Mistake) -> Function:
    """Return an answer with one mistake."""

    def answer(**arguments: Any) -> Any:
        if mistake.output is None:
            return mistake.function(**arguments)
        outputs = as_arrays(exercise.solution(**arguments), list(exercise.outputs))
        outputs[mistake.output] = mistake.function(**arguments)
        return tuple(outputs.values())

    return answer


def plain(text: str) -> str:
    """Return a text in one line."""
    return " ".join(text.split())


def assert_exercise(name: str) -> None:
    """Compare the solution with the library, and check that each known mistake is recognized as itself."""
    exercise = EXERCISES[name]
    verdict = check(exercise, exercise.solution)
    assert verdict == Verdict("right", tuple(case.about for case in exercise.cases()))
    assert exercise.mistakes
    for mistake in exercise.mistakes:
        verdict = check(exercise, with_mistake(exercise, mistake))
        assert verdict.state == "wrong", mistake.diagnosis
        assert plain(f"likely: {mistake.diagnosis}") in plain(verdict.text)


def first_lines(name: str, answer: Function) -> tuple[str | None, str]:
    """Return the case that an answer fails, and the report up to the arrays."""
    verdict = check(EXERCISES[name], answer)
    return verdict.failed, plain(verdict.text.partition("\n\n")[0])
