"""What the pages say of the code is true: the names that they point to are there, and the code that they quote is it.

A link ``[`name` in `file.py`](path/to/file.py)`` points to a function, a class, a method or a constant of that file. A
block of ```` ```py ```` quotes the name that the last such link above it points to, with ``# ...`` where something is
left out. (A block of ```` ```python ```` is run, see `test_docs`.)
"""

import ast
import re
import textwrap
from pathlib import Path

import pytest

from numpycnn.exercises import EXERCISES

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
POINTER = re.compile(r"\[`([\w.]+)`\s+in\s+`([^`]+)`\]\(([^)\s]+)\)")
QUOTE = re.compile(r"^```py\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def definitions(source: str) -> dict[str, str]:
    """Return what each name of a file is defined by, methods as ``Class.method``; decorators belong to it."""
    lines, found = source.splitlines(), {}

    def keep(name: str, node: ast.stmt) -> None:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        found[name] = textwrap.dedent("\n".join(lines[first - 1 : node.end_lineno]))

    def visit(body: list[ast.stmt], owner: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                keep(owner + node.name, node)
                if isinstance(node, ast.ClassDef):
                    visit(node.body, f"{node.name}.")
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    for part in ast.walk(target):
                        if isinstance(part, ast.Name):
                            keep(owner + part.id, node)

    visit(ast.parse(source).body, "")
    return found


def is_quoted(block: str, definition: str) -> bool:
    """Whether a block is made of whole lines of a definition, in their order, with ``# ...`` for what is left out."""
    rest = definition.splitlines()
    for number, part in enumerate(re.split(r"^ *# \.\.\.$", block.rstrip(), flags=re.MULTILINE)):
        wanted = part.strip("\n").splitlines()
        places = range(1) if number == 0 else range(len(rest) - len(wanted) + 1)
        begin = next((i for i in places if rest[i : i + len(wanted)] == wanted), None)
        if begin is None:
            return False
        rest = rest[begin + len(wanted) :]
    return True


def check(path: Path, text: str) -> tuple[list[str], int]:
    """Return what is wrong with the pointers and quotes of a page, and how many there are."""
    found = [(match.start(), match) for match in POINTER.finditer(text)]
    wrong, defined = [], {}
    for begin, match in found:
        name, shown, target = match.groups()
        file = (path.parent / target).resolve()
        if not file.is_file() or not file.as_posix().endswith(f"/{shown}"):
            wrong.append(f"{shown} is said to be {target}")
        elif name not in (names := definitions(file.read_text(encoding="utf-8"))):
            wrong.append(f"{shown} has no {name}")
        else:
            defined[begin] = names[name]
    quotes = list(QUOTE.finditer(text))
    for quote in quotes:
        above = [begin for begin, _ in found if begin < quote.start()]
        if not above or not is_quoted(quote[1], defined.get(above[-1], "")):
            first = quote[1].splitlines()[0]
            wrong.append(f"the block that begins with {first!r} is not what the link above it points to")
    return wrong, len(found) + len(quotes)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_points_to_what_is_there_and_quotes_what_it_says(path: Path) -> None:
    wrong, _ = check(path, path.read_text(encoding="utf-8"))
    assert wrong == []


def test_each_stop_of_the_tour_points_to_code() -> None:
    stops = sorted((ROOT / "docs" / "tour").glob("[0-9]*.md"))
    assert len(stops) >= 10
    for path in stops:
        assert check(path, path.read_text(encoding="utf-8"))[1], f"{path.name} points to no code"


def test_each_exercise_of_the_tour_is_there() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "tour").glob("*.md"))
    assert set(re.findall(r"numpycnn exercise (\w+)", pages)) == set(EXERCISES)


def test_the_figures_of_the_tour_are_drawn_shown_and_small() -> None:
    docs = ROOT / "docs"
    drawn = set(re.findall(r'save\(figure, "([\w-]+)"', (docs / "tour_figures.py").read_text(encoding="utf-8")))
    pages = "".join(path.read_text(encoding="utf-8") for path in (docs / "tour").glob("*.md"))
    files = {path.stem: path.stat().st_size for path in (docs / "figures" / "tour").iterdir()}
    assert drawn == set(re.findall(r"\(\.\./figures/tour/([\w-]+)\.png\)", pages)) == set(files)
    assert {name: size for name, size in files.items() if size >= 60_000} == {}


SOURCE = '''
LIMIT, OTHER = 1, 2

@jit
def loop(x):
    """Add."""
    total = 0
    for i in x:
        total += i
    return total

class Adder:
    def add(self, x):
        return loop(x)
'''


def test_what_is_not_in_the_code_is_found(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(SOURCE, encoding="utf-8")
    page = tmp_path / "page.md"
    link = "[`{}` in `code.py`](code.py)"
    for name in ("loop", "LIMIT", "OTHER", "Adder", "Adder.add"):
        assert check(page, link.format(name)) == ([], 1)
    assert check(page, link.format("lop"))[0] == ["code.py has no lop"]
    assert check(page, "[`loop` in `code.py`](other.py)")[0] == ["code.py is said to be other.py"]

    def quoted(name: str, code: str) -> bool:
        return not check(page, f"{link.format(name)}\n\n```py\n{code}\n```\n")[0]

    assert quoted("Adder.add", "def add(self, x):\n    return loop(x)")
    assert quoted("loop", "@jit\ndef loop(x):\n    # ...\n    for i in x:\n        total += i\n    # ...")
    assert not quoted("loop", "@jit\ndef loop(x):\n    for i in x:")  # a line is missing
    assert not quoted("loop", "@jit\ndef loop(x):\n    # ...\n    total = 1")
    assert not quoted(
        "loop", "@jit\ndef loop(x):\n    # ...\n    for i in x:\n    # ...\n    total = 0"
    )  # in another order
    assert not quoted("loop", "total = 0")  # does not begin where the definition does
    assert not quoted("Adder", "@jit\ndef loop(x):")
    assert check(page, "```py\nx = 1\n```\n")[0] != []  # quotes nothing
