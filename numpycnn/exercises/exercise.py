"""The parts of an exercise: a task with its solution and its sheet, cases of increasing difficulty, known mistakes.

The solution has the signature and the docstring of the sheet that the reader fills in, and calls the function of
`numpycnn.plain` that is to be written. An answer is compared with its result, and where it differs, with the result of
each classical mistake on the same case: a mistake is recognised by its numbers, not by how it is written.
"""

import ast
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, fill
from typing import Any

import numpy as np

WIDTH = 100  # of the lines that are printed
Function = Callable[..., Any]
Arguments = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Arguments by name, and a description of what the case adds."""

    about: str
    arguments: Arguments


@dataclass(frozen=True)
class Mistake:
    """A function with a common mistake, and its diagnosis.

    It returns all outputs of the solution, or only `output`.
    """

    diagnosis: str
    function: Function
    output: str | None = None


Mistaken = Function | Mapping[str, Any]  # a function, or the arguments of the solution to change


def known_mistakes(
    solution: Function,
    of_all_outputs: Mapping[str, Mistaken | tuple[Mistaken, ...]] | None = None,
    **of_one_output: Mapping[str, Mistaken | tuple[Mistaken, ...]],
) -> tuple[Mistake, ...]:
    """Return the mistakes of tables by diagnosis: one table for all outputs, and one for each output, in their order.

    A mistake is a function, which gets all arguments by name, or a dict of arguments with which the solution returns
    the wrong result. A function in the dict takes the old argument and returns the new one.
    """
    tables: list[tuple[str | None, Any]] = [(None, of_all_outputs or {}), *of_one_output.items()]
    return tuple(
        Mistake(diagnosis, _as_function(mistaken, solution, number - 1 if output else None), output)
        for number, (output, table) in enumerate(tables)
        for diagnosis, variants in table.items()
        for mistaken in (variants if isinstance(variants, tuple) else (variants,))
    )


def _as_function(mistaken: Mistaken, solution: Function, output: int | None) -> Function:
    """Return a mistake as a function of the arguments of the solution, with its defaults."""

    def function(**given: Any) -> Any:
        bound = inspect.signature(solution).bind(**given)
        bound.apply_defaults()
        if callable(mistaken):
            return mistaken(**bound.arguments)
        for name, change in mistaken.items():
            bound.arguments[name] = change(bound.arguments[name]) if callable(change) else change
        result = solution(**bound.arguments)
        return result if output is None else result[output]

    return function


def one_pixel_apart(function: Function) -> Function:
    """Return a function with the right number of windows for its stride, but one pixel apart."""

    def mistaken(**arguments: Any) -> np.ndarray:
        return function(**arguments | {"stride": 1})[tuple(map(slice, function(**arguments).shape))]

    return mistaken


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    solution : function
        Takes the arguments of the exercise, and calls `numpycnn.plain`. Its name is that of the exercise, its docstring
        the task.
    title : str
        The task in one line.
    stage : str
        The part of a training step it belongs to.
    page : str
        Its documentation, a path in the repository.
    outputs : dict of str to str
        Names of what is to be returned, with their shapes in letters; several are a tuple.
    source : tuple of functions
        The code of the solution, in `numpycnn.plain`.
    library : function or class
        What a user of numpycnn calls.
    draw_cases : function
        Returns the cases for a generator.
    mistakes : tuple of Mistake
        The most likely ones first.
    working : function, optional
        Takes the arguments, the name of an output and an index, and returns the calculation of that value in one or two
        lines.
    """

    solution: Function
    title: str
    stage: str
    page: str
    outputs: Mapping[str, str]
    source: tuple[Function, ...]
    library: Any
    draw_cases: Callable[[np.random.Generator], list[Case]]
    mistakes: tuple[Mistake, ...]
    working: Callable[[Arguments, str, tuple[int, ...]], str] | None = None

    @property
    def name(self) -> str:
        """Name of the function, of the file and on the command line."""
        return self.solution.__name__

    def cases(self) -> list[Case]:
        """Return the cases, the same ones each time."""
        return self.draw_cases(np.random.default_rng(0))


def wrapped(text: str) -> str:
    """Return a paragraph, wrapped to the line width."""
    return fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def frozen(arguments: Arguments) -> Arguments:
    """Return the arguments with read-only copies of the arrays."""
    copies = {}
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            value = value.copy()
            value.flags.writeable = False
        copies[name] = value
    return copies


def small_numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return integers from -9 to 9 as float64, which are easy to check by hand."""
    return rng.integers(-9, 10, shape).astype(np.float64)


def one_digit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return numbers from -2 to 2 with one decimal."""
    return rng.integers(-20, 21, shape) / 10


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
