"""Docstrings as they are written here, made into what Sphinx expects."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.autosummary import autosummary_toc


def escape_stars(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Take the star in ``(N, C, *size)`` for what it is, also where it stands outside of a literal."""
    for number, line in enumerate(lines):
        parts = line.split("``")  # every second one is a literal
        parts[::2] = [re.sub(r"(\(|, )\*(?=[\w(])", r"\1\\*", part) for part in parts[::2]]
        lines[number] = "``".join(parts)


def leave_menu(app: Sphinx, doctree: nodes.document) -> None:
    """Keep the hundreds of public names out of the menu; the tables of the reference lead to them."""
    for menu in list(doctree.findall(autosummary_toc)):
        menu.parent.remove(menu)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both to the build, before numpydoc and before the menu is made."""
    app.connect("autodoc-process-docstring", escape_stars, priority=100)
    app.connect("doctree-read", leave_menu, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
