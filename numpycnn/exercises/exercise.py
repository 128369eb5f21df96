"""What an exercise is made of: a task with its solution, cases of growing difficulty, and mistakes that are known.

The solution is a plain function. Without its body it is the sheet that the reader fills in. An answer is held against
what numpycnn's own operation says, and where it differs, against what each of the classical mistakes would have said on
the same case: a mistake is recognised by its numbers, and not by how it is written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np

WIDTH = 100  # of the lines that are printed
Function = Callable[..., Any]
Arguments = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Arguments to try an answer on, by the names of the parameters, and what is new about them."""

    about: str
    arguments: Arguments


@dataclass(frozen=True)
class Mistake:
    """A function that makes a classical mistake, and what to tell whoever made the same.

    It returns what the solution returns, or a single output that is named.
    """

    diagnosis: str
    function: Function
    output: str | None = None


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    solution : function
        Plain NumPy, with the task as its docstring; the exercise goes by its name.
    title : str
        The task in one line.
    stage : str
        Which part of a training it belongs to.
    page : str
        Where to read about it, a path in the repository.
    outputs : dict of str to str
        Names of what is to be returned, with their shapes in letters; several are a tuple.
    reference : function
        The same by numpycnn's own operation, with the same parameters and results.
    library : tuple of functions and classes
        Where the operation is in numpycnn.
    draw_cases : function
        Returns the cases for a generator.
    mistakes : tuple of Mistake
        The likelier ones first.
    working : function, optional
        Of the arguments, the name of an output and an index: how that number is made, in one or two lines.
    """

    solution: Function
    title: str
    stage: str
    page: str
    outputs: Mapping[str, str]
    reference: Function
    library: tuple[Any, ...]
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
    """Return a paragraph on lines that fit."""
    return fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def frozen(arguments: Arguments) -> Arguments:
    """Return the arguments with copies of the arrays that cannot be written to."""
    copies = {}
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            value = value.copy()
            value.flags.writeable = False
        copies[name] = value
    return copies


def small_numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return whole numbers from -9 to 9 as float64, which are easy to follow by hand."""
    return rng.integers(-9, 10, shape).astype(np.float64)


def one_digit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return numbers from -2 to 2 with one digit after the point."""
    return rng.integers(-20, 21, shape) / 10
