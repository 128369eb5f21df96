"""A page for every source file, with a name for each line, and links from the other pages to them.

Links in the Markdown are those that GitHub follows, such as ``../numpycnn/layers/dense.py``. Here they lead to the page
of a file, and those that name something, as in ``[`Dense` in `layers/dense.py`](../numpycnn/layers/dense.py)``, to its
line. A link to an example leads to the gallery, and one to the changelog to its page.
"""

import ast
import posixpath
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
FOLDERS = ("numpycnn", "benchmarks", "tests", "docs", "examples")
SUFFIXES = (".py", ".js", ".css", ".html")
TOP = ("LICENSE", "Makefile", "pyproject.toml", "numpycnn_command.py")
PAGES = {
    "README.md": "index",
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "benchmarks/results.md": "benchmarks",
}


def sources() -> list[str]:
    """Return the files that get a page, as paths from the root."""
    found = [ROOT / name for name in TOP]
    for folder in FOLDERS:
        found += (path for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)
    names = (path.relative_to(ROOT).as_posix() for path in found if path.is_file())
    return sorted(name for name in names if not name.startswith(("docs/_build/", "docs/gallery/")))


def target_of(link: str, docname: str) -> str | None:
    """Return the document that a link of a page means, or None if Sphinx knows better.

    Examples
    --------
    >>> target_of("../numpycnn/layers/dense.py", "performance")
    'source/numpycnn/layers/dense.py'
    >>> target_of("../../examples/01_first_exercise.py", "operations/convolution")
    'gallery/01_first_exercise'
    """
    path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(docname), link))
    if path.startswith("../") or not (ROOT / path).exists():
        return None
    if path.startswith("examples"):
        return f"gallery/{Path(path).stem if path.endswith('.py') else 'index'}"
    if path in PAGES:
        return PAGES[path]
    if (ROOT / path).is_dir():
        return f"source/{path}/index"
    return f"source/{path}" if path in TOP or path.endswith(SUFFIXES) else None


def line_of(path: str, name: str) -> str:
    """Return ``#L`` and the number of the line that defines a function, a class, a method or a constant of a file."""
    body, found = ast.parse((ROOT / path).read_text(encoding="utf-8")).body, None
    for part in name.split("."):
        found = next((node for node in body if part in names_of(node)), None)
        if found is None:
            raise ValueError(f"{path} does not define {name}")
        body = getattr(found, "body", [])
    return f"#L{found.lineno}" if found else ""


def names_of(node: ast.stmt) -> set[str]:
    """Return the names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}


def rewrite_links(app: Sphinx, docname: str, source: list[str]) -> None:
    """Write the links of a Markdown page to files outside of the documentation as links to their pages."""

    def rewrite(link: re.Match[str]) -> str:
        text, name, path = link.groups()
        page = None if "://" in path else target_of(path, docname)
        if page is None:
            return link[0]
        if name:
            file = posixpath.normpath(posixpath.join("docs", posixpath.dirname(docname), path))
            return f"{text}](source:source/{file}{line_of(file, name)})"
        if page.startswith("source/"):
            return f"](source:{page})"
        return f"](project:/{page}{'.rst' if page.startswith('gallery/') else '.md'})"

    if app.env.doc2path(docname).suffix == ".md":
        source[0] = re.sub(r"(\[`([\w.]+)`\s+in\s+`[^`]+`)?\]\(([^)\s#]+)\)", rewrite, source[0])


def finish_links(app: Sphinx, doctree: nodes.document) -> None:
    """Make the way from the page to the source relative, so that the folder of pages can lie anywhere."""
    for link in doctree.findall(nodes.reference):
        if link.get("refuri", "").startswith("source:"):
            page, _, line = link["refuri"].removeprefix("source:").partition("#")
            uri = app.builder.get_relative_uri(app.env.docname, page)
            link["refuri"], link["internal"] = f"{uri}#{line}".rstrip("#"), True


def lines_of(path: str) -> str:
    """Return a file as HTML, each line with its number and the name ``L`` and the number."""
    text = (ROOT / path).read_text(encoding="utf-8")
    try:
        lexer = get_lexer_for_filename(path)
    except ClassNotFound:
        lexer = TextLexer()
    formatter = HtmlFormatter(linenos="inline", linespans="L", anchorlinenos=False)
    return highlight(text, lexer, formatter).replace('<span id="L-', '<span class="line" id="L')


def collect_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Give Sphinx the page of every source file, and one for each folder."""
    folders: dict[str, set[str]] = {}
    for path in sources():
        title = escape(path)
        yield f"source/{path}", {"title": title, "body": f"<h1>{title}</h1>{lines_of(path)}"}, "page.html"
        folder, _, name = path.rpartition("/")
        while folder:
            folders.setdefault(folder, set()).add(name)
            folder, _, name = folder.rpartition("/")
    for folder, names in folders.items():
        items = "".join(
            f'<li><a href="{name}{"/index" if f"{folder}/{name}" in folders else ""}.html">{name}</a></li>'
            for name in sorted(names)
        )
        yield f"source/{folder}/index", {"title": folder, "body": f"<h1>{folder}</h1><ul>{items}</ul>"}, "page.html"


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect these functions to the build."""
    app.connect("source-read", rewrite_links)
    app.connect("doctree-read", finish_links)
    app.connect("html-collect-pages", collect_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
