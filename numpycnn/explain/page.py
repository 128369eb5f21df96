"""One HTML file that needs nothing else: style, scripts and numbers are inside, and it may not ask for more.

The scripts are the files of the folder `static`, one after the other, as they stand there. A content security policy
names the SHA-256 of each, so the browser runs these and nothing else. Texts from outside (names of files, classes and
layers) are only ever data: they go into one block of JSON, in which no ``<`` is left that could end it, and the scripts
show them as text.
"""

import base64
import hashlib
import json
import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from numpycnn.explain.arrays import MOST_BYTES
from numpycnn.explain.contents import Example, contents
from numpycnn.sequential import Sequential
from numpycnn.serialization import replacing

SCRIPTS = (
    "words.js",
    "data.js",
    "windows.js",
    "arithmetic.js",
    "colours.js",
    "stage.js",
    "sentences.js",
    "flow.js",
    "lens_window.js",
    "lens_number.js",
    "lens_terms.js",
    "lens.js",
)
DRAWING = ("draw.js",)
START = "page.js"
STYLE = "explain.css"
MARK = b'<meta name="generator" content="numpycnn explain">'  # near the beginning of each page


@cache
def read_static(name: str) -> str:
    """Return a file of the folder `static`."""
    return (files("numpycnn.explain") / "static" / name).read_text(encoding="utf-8")


def render(model: Sequential, example: Example, *, most_bytes: int = MOST_BYTES) -> str:
    """Return the page that shows one example's way through a network.

    Parameters
    ----------
    model : Sequential
        Built, of any layers. It is not changed.
    example : Example
    most_bytes : int
        Of the numbers in the page, which as text take a third more.

    Returns
    -------
    str
        HTML that works from a file, without a network.

    Raises
    ------
    TypeError, ValueError
        If `model` is no model, the input does not have its shape, or there is not one class name for each output.
    RuntimeError
        If the model has not been built.
    """
    return as_page(contents(model, example, most_bytes=most_bytes))


def write_page(
    path: str | os.PathLike[str], model: Sequential, example: Example, *, most_bytes: int = MOST_BYTES
) -> None:
    """Write what `render` returns to a file, all or nothing.

    Parameters
    ----------
    path : path_like
    model, example, most_bytes
        As for `render`.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As `render`.
    FileNotFoundError, IsADirectoryError
        If there is no such folder, or `path` is one.
    """
    text = render(model, example, most_bytes=most_bytes)
    with replacing(Path(path)) as beside:
        beside.write_text(text, encoding="utf-8")


def is_page(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a page that `write_page` wrote.

    Parameters
    ----------
    path : path_like

    Returns
    -------
    bool
    """
    if not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        return MARK in file.read(4 * len(MARK))


def as_page(data: dict[str, Any], *, extra: tuple[str, ...] = (), connect: bool = False) -> str:
    """Put data, style and scripts into the template.

    Parameters
    ----------
    data : dict
        See `contents`.
    extra : tuple of str
        More scripts.
    connect : bool
        Whether the page may talk to the server that it comes from.
    """
    parts = {
        "policy": policy(extra=extra, connect=connect),
        "style": read_static(STYLE),
        "data": as_data(data),
        "scripts": "\n".join(f"<script>{script}</script>" for script in _scripts(extra)),
    }
    page = read_static("page.html")
    for name, part in parts.items():
        head, _, tail = page.partition(f"<!-- {name} -->")
        page = head + part + tail
    return page


def as_data(value: Any) -> str:
    """Return JSON that may stand inside of a ``<script>``: without any ``<``, ``>`` or ``&``."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def policy(*, extra: tuple[str, ...] = (), connect: bool = False) -> str:
    """Return the content security policy under which the page's own style and scripts have an effect, and no others."""
    allowed = " ".join(f"'sha256-{_sha256(script)}'" for script in _scripts(extra))
    own_server = "'self'" if connect else "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'sha256-{_sha256(read_static(STYLE))}'; "
        f"connect-src {own_server}; base-uri 'none'; form-action 'none'"
    )


def _scripts(extra: tuple[str, ...]) -> list[str]:
    return [read_static(name) for name in (*SCRIPTS, *extra, START)]


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
