"""The only custom exception, and how text from a file is printed.

Other errors are a ``ValueError``, ``TypeError`` or ``RuntimeError``.
"""

from unicodedata import category


class DataFormatError(ValueError):
    """The content of a file does not match its format.

    Its message may quote the file; control characters in it are escaped.
    """

    def __str__(self) -> str:
        return escape_controls(super().__str__())


def escape_controls(text: str) -> str:
    r"""Return a text with its control characters escaped, except for line breaks.

    A terminal would interpret them: clear the screen, or reorder the characters around them.

    Examples
    --------
    >>> print(escape_controls("\x1b[2Jcat\u202e, dog"))
    \x1b[2Jcat\u202e, dog
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c == "\n" or category(c) == "Zs" else c.encode("unicode_escape").decode() for c in text
    )
