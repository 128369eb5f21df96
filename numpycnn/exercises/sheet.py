"""The file that a learner completes: signature and task of the solution, without its body."""

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

from numpycnn.exercises.exercise import Exercise


def parts(function: Callable[..., Any]) -> tuple[str, str]:
    """Return the source of a function in two parts: signature with docstring, and body."""
    source = dedent(inspect.getsource(function))
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.FunctionDef)
    end = definition.body[0].end_lineno
    lines = source.splitlines()
    return "\n".join(lines[:end]), "\n".join(lines[end:])


def write_sheet(exercise: Exercise, path: Path) -> None:
    """Write the file of an exercise; an existing one is never overwritten, which is a FileExistsError."""
    head, _ = parts(exercise.solution)
    with path.open("x", encoding="utf-8") as file:
        file.write(
            f'"""An exercise of numpycnn: {exercise.title}.\n\n'
            f"Write the body of the function, then check it with: numpycnn exercise {exercise.name}\n"
            f'"""\n\nimport numpy as np\n\n\n{head}\n    raise NotImplementedError\n'
        )


def place(thing: Any) -> tuple[Path, int, int]:
    """Return the file in which a function or a class is, its first line there and its last."""
    thing = inspect.unwrap(thing)  # conv2d and its like are made of one function for every rank
    lines, first = inspect.getsourcelines(thing)
    return Path(inspect.getsourcefile(thing) or ""), first, first + len(lines) - 1
