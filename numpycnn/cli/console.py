"""Input and output of the command line: argument parsers, error messages, and lines that any terminal can show."""

import argparse
import shutil
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TextIO

from numpycnn._checks import MAX_INT
from numpycnn._tables import WIDTH
from numpycnn.errors import DataFormatError, escape_controls
from numpycnn.recipes.errors import Setting, SettingError, spell_path

LABEL = 10  # columns of an item's name
LEAST_WIDTH = 20  # columns; a smaller reported width is ignored
WRONG_GRADIENT, WRONG_USE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141  # exit statuses besides 0


class CommandError(Exception):
    """A user error; only its message is shown."""


#: User errors; any other exception is a bug.
EXPECTED = (CommandError, DataFormatError, FloatingPointError, MemoryError, OSError, SettingError)


class HelpFormatter(argparse.HelpFormatter):
    """Wraps paragraphs as argparse does, and keeps each example (an indented line) separate."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks = [block.splitlines() for block in text.strip("\n").split("\n\n")]
        return "\n\n".join("\n".join(self._fill_block(lines, width)) for lines in blocks)

    def _fill_block(self, lines: list[str], width: int) -> Iterator[str]:
        prose = " ".join(line for line in lines if not line.startswith(" "))
        yield from textwrap.wrap(prose, width, break_long_words=False, break_on_hyphens=False)
        for line in lines:
            if line.startswith(" "):
                yield self._fill_example(line, width)

    def _fill_example(self, line: str, width: int) -> str:
        """Move the explanation below its command if the line is too long, and wrap a long command."""
        if len(line) <= width:
            return line
        command, _, meaning = line.strip().partition("  ")
        parts = textwrap.wrap(command, width - 8, break_long_words=False, break_on_hyphens=False)
        return "\n      ".join(["  " + " \\\n      ".join(parts), *textwrap.wrap(meaning.strip(), width - 6)])


class Parser(argparse.ArgumentParser):
    """Keeps examples on their lines, accepts no abbreviations, and leaves error messages to `main`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise a `CommandError`, which `main` prints as one line."""
        raise CommandError(f"{message} (see {self.prog} --help)")


# --------------------------------------------------------------------------------------------------------------- output


def say(text: str = "", stream: TextIO | None = None, *, wrap: bool = True) -> None:
    """Print lines and flush; control characters, and those that the stream cannot encode, are escaped.

    In a terminal, longer lines than it has columns are wrapped. ``wrap=False`` is for a command to copy.
    """
    stream = stream or sys.stdout
    if stream is None:  # closed by the parent process
        return
    encoding = stream.encoding or "utf-8"
    text = escape_controls(text)
    if wrap and stream.isatty():
        text = "\n".join(wrap_line(line, terminal_width()) for line in text.split("\n"))
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def wrap_line(line: str, width: int) -> str:
    """Wrap a line between words, and indent what follows like its start."""
    if len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip(" ")))
    wrapper = textwrap.TextWrapper(
        width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return wrapper.fill(line.lstrip(" "))


def complain(text: str, *, wrap: bool = True) -> None:
    """Print a line on the standard error stream; see `say`."""
    if sys.stderr is not None:
        say(text, sys.stderr, wrap=wrap)


def report(error: BaseException) -> None:
    """Print an error as one line, without the system's error numbers."""
    text = one_line(error)
    if isinstance(error, SettingError):
        text = one_line("".join(as_option(part) if isinstance(part, Setting) else part for part in error.parts))
    elif isinstance(error, MemoryError):
        text = f"not enough memory: {text or 'try a smaller model or batch'}"
    elif isinstance(error, OSError) and error.strerror is not None:
        text = error.strerror if error.filename is None else f"{spell_path(error.filename)}: {error.strerror}"
    complain(f"numpycnn: error: {text}", wrap=False)


def as_option(setting: Setting) -> str:
    """Format a setting as a command-line option, and the data set as a positional argument."""
    value = setting.value
    text = ",".join(map(str, value)) if isinstance(value, tuple) else spell_path(str(value))
    if setting.name == "dataset":
        return text
    option = f"--{setting.name.replace('_', '-')}"
    return option if value is None or value is True else f"{option} {text}"


def terminal_width() -> int:
    """Return the columns of the terminal, or COLUMNS; at most 80 for a file."""
    columns = max(LEAST_WIDTH, shutil.get_terminal_size((WIDTH, 0)).columns)
    return columns if sys.stdout is not None and sys.stdout.isatty() else min(columns, WIDTH)


def item(name: str, text: str, indent: int = 0) -> None:
    """Print a labeled line, aligned with the others; wrapped in a terminal, unwrapped in a file."""
    head = f"{'':{indent}}{name:<{LABEL}}"
    if sys.stdout is not None and sys.stdout.isatty():
        room = max(LEAST_WIDTH, terminal_width() - len(head))
        text = f"\n{'':{len(head)}}".join(textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False))
    say(head + text)


def can_show(text: str) -> bool:
    """Return whether the standard output can encode these characters."""
    try:
        text.encode((sys.stdout and sys.stdout.encoding) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def one_line(text: object) -> str:
    """Return a text without line breaks."""
    return " ".join(str(text).split())


@contextmanager
def refusing(*kinds: type[Exception], prefix: str = "", advice: str = "") -> Iterator[None]:
    """Turn errors of these kinds into a `CommandError`."""
    try:
        yield
    except kinds as error:
        raise CommandError(f"{prefix}{one_line(error)}{advice}") from error


@contextmanager
def notes_to(show: Callable[[str], object] = lambda text: complain(f"note: {text}")) -> Iterator[None]:
    """Pass each `UserWarning` as one line to a function, by default to print it; others stay warnings."""
    before = warnings.showwarning

    def note(message: Warning | str, category: type[Warning], *where: Any, **named: Any) -> None:
        if category is UserWarning:
            show(one_line(message))
        else:
            before(message, category, *where, **named)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = note
        yield


# -------------------------------------------------------------------------------------------------------------- parsing


def whole(minimum: int, maximum: int = MAX_INT) -> Callable[[str], int]:
    """Return a parser of whole numbers from `minimum` to `maximum`."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not minimum <= int(text[:20]) <= maximum:
            raise argparse.ArgumentTypeError(f"expected a whole number from {minimum} to {maximum}, got {text!r}")
        return int(text)

    return parse


def number(expected: str, fits: Callable[[float], bool]) -> Callable[[str], float]:
    """Return a parser of numbers, with the valid ones in words and as a test that NaN fails."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not fits(value):
            raise argparse.ArgumentTypeError(f"expected a number {expected}, got {text!r}")
        return value

    return parse


def shape(text: str) -> tuple[int, ...]:
    """Parse a shape such as ``1,28,28``."""
    try:
        return tuple(whole(1)(size.strip()) for size in text.split(","))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"expected sizes of at least 1, such as 1,28,28, got {text!r}") from None
