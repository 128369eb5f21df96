"""Errors that name a setting, as a keyword argument in Python and as an option on the command line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Setting(NamedTuple):
    """A setting that an error names, with its value if that matters."""

    name: str
    value: object = None

    def as_keyword(self) -> str:
        """Write it as Python does, such as ``epochs=3``."""
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
        return self.write(Setting.as_keyword)

    def write(self, spell: Callable[[Setting], str]) -> str:
        """Return the message with its settings as `spell` writes them.

        Parameters
        ----------
        spell : callable
            Returns the text of a `Setting`, such as ``--epochs 3``.

        Returns
        -------
        str
        """
        return "".join(spell(part) if isinstance(part, Setting) else part for part in self.parts)


@contextmanager
def as_setting_error(*prefix: str | Setting) -> Iterator[None]:
    """While inside, a ValueError becomes a `SettingError` whose message begins with the prefix."""
    try:
        yield
    except SettingError:
        raise
    except ValueError as error:
        raise SettingError(*prefix, str(error)) from error


def spell_path(path: str | Path) -> str:
    """Return a path as text that fits into a line."""
    text = str(path)
    return text if text.isprintable() else ascii(text)
