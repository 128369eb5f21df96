"""How the command line reads and speaks: arguments with plain complaints, and lines that any terminal can show."""

import argparse
import shutil
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TextIO

from numpycnn._tables import WIDTH
from numpycnn.errors import DataFormatError
from numpycnn.functional.checks import LARGEST
from numpycnn.recipes.errors import Setting, SettingError, spell_path

LABEL = 10  # columns of the name of an item
LEAST_WIDTH = 20  # columns; less is taken for a terminal that does not know its size
WRONG_GRADIENT, WRONG_USE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141  # exit statuses besides 0
Commands = Any  # what argparse's add_subparsers returns, a class without a public name


class CommandError(Exception):
    """Something that the user can mend; its text is all that is shown."""


#: What a user can run into; any other exception is a defect of ours.
EXPECTED = (CommandError, DataFormatError, FloatingPointError, MemoryError, OSError, SettingError)


class HelpFormatter(argparse.HelpFormatter):
    """Wraps paragraphs as argparse does, and keeps each example, an indented line, on lines of its own."""

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
        """Put below a command what is said beside it where the line is too long, and break a long command."""
        if len(line) <= width:
            return line
        command, _, meaning = line.strip().partition("  ")
        parts = textwrap.wrap(command, width - 8, break_long_words=False, break_on_hyphens=False)
        return "\n      ".join(["  " + " \\\n      ".join(parts), *textwrap.wrap(meaning.strip(), width - 6)])


class Parser(argparse.ArgumentParser):
    """Keeps examples on their lines, takes no abbreviations, and leaves a complaint to `main`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=HelpFormatter, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise what `main` turns into one line."""
        raise CommandError(f"{message} (see {self.prog} --help)")


# ------------------------------------------------------------------------------------------------------------- speaking


def say(text: str = "", stream: TextIO | None = None) -> None:
    """Print a line at once; what the stream's encoding lacks is written as an escape sequence."""
    stream = stream or sys.stdout
    if stream is None:  # closed by whoever started us
        return
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def complain(text: str) -> None:
    """Print a line on the standard error stream."""
    if sys.stderr is not None:
        say(text, sys.stderr)


def report(error: BaseException) -> None:
    """Print an error as one line, without the system's error numbers."""
    text = one_line(error.write(as_option) if isinstance(error, SettingError) else error)
    if isinstance(error, MemoryError):
        text = f"not enough memory: {text or 'try a smaller model or batch'}"
    elif isinstance(error, OSError) and error.strerror is not None:
        text = error.strerror if error.filename is None else f"{spell_path(error.filename)}: {error.strerror}"
    complain(f"numpycnn: error: {text}")


def as_option(setting: Setting) -> str:
    """Write a setting as an option of the command line; the data set is named without one."""
    value = setting.value
    text = ",".join(map(str, value)) if isinstance(value, tuple) else spell_path(str(value))
    if setting.name == "dataset":
        return text
    option = f"--{setting.name.replace('_', '-')}"
    return option if value is None or value is True else f"{option} {text}"


def terminal_width() -> int:
    """Return the columns of the terminal, or of COLUMNS; a file gets lines of 80 at most."""
    columns = max(LEAST_WIDTH, shutil.get_terminal_size((WIDTH, 0)).columns)
    return columns if sys.stdout is not None and sys.stdout.isatty() else min(columns, WIDTH)


def item(name: str, text: str, indent: int = 0) -> None:
    """Print a named piece of information, aligned with the others; a terminal gets it wrapped, a file in one line."""
    head = f"{'':{indent}}{name:<{LABEL}}"
    if sys.stdout is not None and sys.stdout.isatty():
        room = max(LEAST_WIDTH, terminal_width() - len(head))
        text = f"\n{'':{len(head)}}".join(textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False))
    say(head + text)


def can_show(text: str) -> bool:
    """Return whether the standard output has these characters."""
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
    """While inside, errors of these kinds are the user's to mend."""
    try:
        yield
    except kinds as error:
        raise CommandError(f"{prefix}{one_line(error)}{advice}") from error


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """While inside, a warning for the user becomes a plain line."""
    show = warnings.showwarning

    def note(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if category is UserWarning:
            complain(f"note: {one_line(message)}")
        else:
            show(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = note
        yield


# -------------------------------------------------------------------------------------------------------------- reading


def whole(minimum: int, maximum: int = LARGEST) -> Callable[[str], int]:
    """Return a reader of whole numbers from `minimum` to `maximum`."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not minimum <= int(text[:20]) <= maximum:
            raise argparse.ArgumentTypeError(f"expected a whole number from {minimum} to {maximum}, got {text!r}")
        return int(text)

    return read


def _number(text: str, fits: Callable[[float], bool], expected: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not fits(value):
        raise argparse.ArgumentTypeError(f"expected a number {expected}, got {text!r}")
    return value


def rate(text: str) -> float:
    """Read a learning rate."""
    return _number(text, lambda value: 0 < value < float("inf"), "above 0")


def amount(text: str) -> float:
    """Read a number from 0 on."""
    return _number(text, lambda value: 0 <= value < float("inf"), "from 0 on")


def share(text: str) -> float:
    """Read a number from 0 to below 1."""
    return _number(text, lambda value: 0 <= value < 1, "from 0 to below 1")


def shape(text: str) -> tuple[int, ...]:
    """Read a shape such as ``1,28,28``."""
    try:
        return tuple(whole(1)(size.strip()) for size in text.split(","))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"expected sizes from 1 on such as 1,28,28, got {text!r}") from None


def add_threads(command: argparse.ArgumentParser) -> None:
    """Let a command take ``--threads``."""
    command.add_argument(
        "--threads",
        type=whole(1),
        metavar="N",
        help="processors to use (default: NUMPYCNN_NUM_THREADS if that is set, otherwise all of them)",
    )


def use_threads(wanted: int | None) -> int:
    """Set the number of threads if one is wanted, and return how many there are now."""
    from numpycnn.kernels.threads import get_num_threads, set_num_threads

    with refusing(ValueError):
        if wanted is not None:
            set_num_threads(wanted)
        return get_num_threads()
