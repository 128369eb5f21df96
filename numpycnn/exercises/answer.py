"""Load the answer of a learner, call it on a case, and report exceptions and output in a few lines."""

import importlib.util
import inspect
import io
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Any

from numpycnn.exercises.exercise import Arguments, Exercise, Function, frozen, wrapped

MOST_PRINTED = 2000  # characters of output kept per call
IN_PLACE = (
    "likely: the line above modifies an array of the caller in place (x -= 1, x[i] = 0). Make a new "
    "array: x = x - 1, or start with x.copy()"
)


class AnswerError(Exception):
    """The answer cannot be checked; the message has the reason."""


class NotBegunError(AnswerError):
    """The body is still empty."""


class _Notes(io.StringIO):
    """Keeps the start of the printed output."""

    def write(self, text: str) -> int:
        if self.tell() < MOST_PRINTED:
            super().write(text[: MOST_PRINTED - self.tell()])
        return len(text)


@dataclass(frozen=True)
class Call:
    """The outcome of a call: the result, and warnings of NumPy and printed output."""

    result: Any
    aside: str


def describe(error: BaseException, folder: Path) -> str:
    """Return a traceback with the lines of the learner only: those of the files in a folder."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == folder]
    if isinstance(error, SyntaxError):  # its message contains the line
        frames = []
    lines = traceback.StackSummary.from_list(frames).format()
    text = "".join([*lines, *traceback.format_exception_only(error)]).rstrip()
    return text.replace(f"{folder}{os.sep}", "")


@contextmanager
def _explaining(name: str, folder: Path, what: str) -> Iterator[None]:
    """Convert any exception of the learner's code into an `AnswerError`."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit as well
        last = traceback.extract_tb(error.__traceback__)[-1]
        if isinstance(error, NotImplementedError) and last.name == name:  # and not another unfinished function
            raise NotBegunError("the body is empty: the function still raises NotImplementedError") from error
        text = f"{what}\n{describe(error, folder)}"
        if isinstance(error, ValueError) and "read-only" in str(error):
            text = f"{text}\n\n{wrapped(IN_PLACE)}"
        raise AnswerError(text) from error


def load(exercise: Exercise, path: Path) -> Function:
    """Load the function of an exercise from the file of the learner; an AnswerError says why that is not possible."""
    name, folder = exercise.name, path.parent
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # so that conv2d.py can import correlate
    with _explaining(name, folder, f"{path.name} cannot be loaded"), redirect_stdout(_Notes()):
        try:
            specification.loader.exec_module(module)
        except BaseException:
            sys.modules.pop(name, None)  # as Python itself does
            raise
    function = getattr(module, name, None)
    if function is None:
        needed = signature(exercise.solution)
        raise AnswerError(wrapped(f"{path.name} has no function {name}; the exercise needs def {needed}"))
    try:
        found, needed = signature(function), signature(exercise.solution)
    except (TypeError, ValueError):  # not callable, or without a signature
        kind = type(function).__name__
        raise AnswerError(f"{path.name}: expected {name} to be a Python function, found {kind}") from None
    if list(inspect.signature(function).parameters) != list(inspect.signature(exercise.solution).parameters):
        raise AnswerError(wrapped(f"the parameters were changed: expected def {needed}, found def {found}"))
    return function


def signature(function: Function) -> str:
    """Format the name and parameters of a function, without types."""
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in inspect.signature(function).parameters.values()]
    return f"{getattr(function, '__name__', 'function')}({', '.join(map(str, bare))})"


def call(function: Function, arguments: Arguments, name: str, folder: Path) -> Call:
    """Call the function of the learner with read-only arrays; any exception becomes an AnswerError."""
    printed = _Notes()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with _explaining(name, folder, f"{name} raises an exception"), redirect_stdout(printed):
                result = function(**frozen(arguments))
        except NotBegunError:
            raise
        except AnswerError as error:
            raise AnswerError("\n\n".join([str(error), *_quoted(printed)])) from error
    own = [warning for warning in caught if Path(warning.filename).parent == folder]
    warned = dict.fromkeys(f"NumPy warning in line {warning.lineno}: {warning.message}" for warning in own)
    return Call(result, "\n".join([*list(warned)[:3], *_quoted(printed)]))


def _quoted(printed: _Notes) -> list[str]:
    text = printed.getvalue().rstrip()
    return [f"printed by the function:\n{indent(text, '  ')}"] if text else []
