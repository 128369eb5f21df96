"""A self-contained HTML file: style, scripts and data are inline, and the page loads nothing else.

The scripts are the files of the folder `static`, unchanged. A content security policy lists the SHA-256 of each, so the
browser runs no other script. Untrusted text (names of files, classes and layers) is data only: it goes into one block
of JSON, in which every ``<`` is escaped, and the scripts insert it as text.
"""

import base64
import hashlib
import json
import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from numpycnn.explain.arrays import MAX_BYTES
from numpycnn.explain.contents import Example, contents
from numpycnn.io.serialization import replacing
from numpycnn.layers.network import Network

SCRIPTS = (
    "words.js",
    "data.js",
    "windows.js",
    "recurrence.js",
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
MARK = b'<meta name="generator" content="numpycnn explain">'  # near the start of each page, for `is_page`


@cache
def read_static(name: str) -> str:
    """Return the text of a file in the folder `static`."""
    return (files("numpycnn.explain") / "static" / name).read_text(encoding="utf-8")


def render(model: Network, example: Example, *, most_bytes: int = MAX_BYTES) -> str:
    """Return the page that shows how a network processes one example.

    Parameters
    ----------
    model : Sequential or Model
        Built, of any layers. It is not modified.
    example : Example
    most_bytes : int
        Size limit of the arrays in the page, before base64 adds a third.

    Returns
    -------
    str
        HTML that works offline.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        If `model` is not a model, the input has another shape, the numbers of class names and outputs differ, or
        the model has not been built.
    """
    return as_page(contents(model, example, most_bytes=most_bytes))


def write_page(path: str | os.PathLike[str], model: Network, example: Example, *, most_bytes: int = MAX_BYTES) -> None:
    """Write the page of `render` to a file, atomically.

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
        If the folder of `path` does not exist, or `path` is a folder.
    """
    text = render(model, example, most_bytes=most_bytes)
    with replacing(Path(path)) as beside:
        beside.write_text(text, encoding="utf-8")


def is_page(path: str | os.PathLike[str]) -> bool:
    """Return whether a file was written by `write_page`.

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
    """Insert data, style and scripts into the template; with `connect`, the page may call its own server."""
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
    """Return JSON that is safe inside a ``<script>``: ``<``, ``>`` and ``&`` are escaped."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def policy(*, extra: tuple[str, ...] = (), connect: bool = False) -> str:
    """Return the content security policy that allows only the style and scripts of the page."""
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
