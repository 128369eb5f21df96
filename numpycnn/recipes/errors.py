"""Errors that name a setting, as a keyword argument in Python and as an option on the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Setting(NamedTuple):
    """A setting that an error names, with its value if that matters."""

    name: str
    value: object = None

    def as_keyword(self) -> str:
        """Format it as a Python keyword argument, such as ``epochs=3``."""
        if self.value is None:
            return f"{self.name}="
        value = str(self.value) if isinstance(self.value, Path) else self.value
        return f"{self.name}={value!r}"


class SettingError(ValueError):
    """A setting does not fit the data, the model or the folder.

    Parameters
    ----------
    *parts : str or Setting
        The message; the text of the exception names its settings as keyword arguments.
    """

    def __init__(self, *parts: str | Setting) -> None:
        super().__init__(*parts)
        self.parts = parts

    def __str__(self) -> str:
        return "".join(part.as_keyword() if isinstance(part, Setting) else part for part in self.parts)


def differing(name: str, value: object, own: object) -> SettingError:
    """Return the error of a setting that is not that of the training to be resumed."""
    between, after = ": the training to be resumed has ", "; leave the option out, or train anew without "
    return SettingError(Setting(name, value), between, Setting(name, own), after, Setting("resume", True))


@contextmanager
def as_setting_error(*prefix: str | Setting) -> Iterator[None]:
    """Turn a ValueError into a `SettingError`, with a prefix before its message."""
    try:
        yield
    except SettingError:
        raise
    except ValueError as error:
        raise SettingError(*prefix, str(error)) from error


def spell_path(path: str | Path) -> str:
    """Format a path, or a name that a file gives, on one line and without control characters."""
    text = str(path)
    return text if text.isprintable() else ascii(text)
