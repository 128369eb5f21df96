"""The pages tell the truth: their Python runs and prints what they say, links lead somewhere, pictures are small.

A page's ```python blocks run in their order, in one namespace. A ```text block that follows one directly is what it
prints.
"""

import ast
import inspect
import os
import re
import runpy
import shlex
import subprocess
import sys
from dataclasses import dataclass
from inspect import isfunction
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import numpycnn
import numpycnn.data
from numpycnn import cli, visualize
from numpycnn.data import Dataset

ROOT = Path(__file__).parents[1]
OPERATIONS = ROOT / "docs" / "operations"
FIGURES = ROOT / "docs" / "figures"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
END = "[end of block]"
EMPTY = inspect.Parameter.empty

# What is not run: a page and words in the block, with the reason.
NOT_RUN = {
    ("models.md", "import torchvision"): "downloads weights",
}
# What a page says in words should be there.
BEFORE = {
    "adding-a-layer.md": "import numpy as np; import numpycnn as nn",
    "models.md": "import numpycnn; numpycnn.models.resnet18().save_torch('resnet18.safetensors')",
}


@dataclass
class Block:
    """A fenced block of a page: its language, its lines, and the number of the line that opens it."""

    language: str
    lines: list[str]
    begin: int

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def blocks(text: str) -> list[Block]:
    found: list[Block] = []
    inside = False
    for number, line in enumerate(text.splitlines()):
        if line.startswith("```"):
            if not inside:
                found.append(Block(line[3:].strip(), [], number))
            inside = not inside
        elif inside:
            found[-1].lines.append(line)
    assert not inside, "a block is not closed"
    return found


def is_run(page: str, block: Block) -> bool:
    if block.language != "python":
        return False
    return not any(page == name and words in block.text for name, words in NOT_RUN)


def as_script(page: str, text: str) -> tuple[str, list[tuple[Block, str | None]]]:
    """The blocks that run, at the lines where they stand in the page, and what the page says that each prints."""
    found, count = blocks(text), len(text.splitlines())
    lines, expected = [""] * count, []
    lines[0] = BEFORE.get(page, "")
    for block, after in zip_longest(found, found[1:]):
        if not is_run(page, block):
            continue
        end = block.begin + len(block.lines) + 1  # where the fence closes
        lines[block.begin + 1 : end] = block.lines
        lines[end] = f"print({END!r})"
        between = text.splitlines()[end + 1 : after.begin] if after else []
        follows = after is not None and after.language == "text" and not "".join(between).strip()
        expected.append((block, after.text if follows and after else None))
    return "\n".join(lines) + "\n", expected


def few_digits() -> tuple[Dataset, Dataset]:
    """Stand in for MNIST, of which the README takes a whole epoch."""
    images = np.random.default_rng(0).integers(0, 256, (96, 1, 28, 28), dtype=np.uint8)
    digits = Dataset(images, np.arange(96) % 10, list("0123456789"), mean=0.13, std=0.31)
    return digits[:64], digits[64:]


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_the_code_of_a_page_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script, expected = as_script(path.name, path.read_text(encoding="utf-8"))
    file = tmp_path / f"{path.stem}_md.py"
    file.write_text(script, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    if path.name == "README.md":
        monkeypatch.setattr(numpycnn.data, "load_mnist", few_digits)
    with numpycnn.backend(numpycnn.get_backend()):  # a page may choose another one
        runpy.run_path(str(file), run_name="a_page")
    printed = capsys.readouterr().out.split(END + "\n")[:-1]
    for (block, wanted), actual in zip(expected, printed, strict=True):
        if wanted is not None:
            assert actual.rstrip() == wanted.rstrip(), f"{path.name}, line {block.begin + 1}, prints something else"


def test_a_page_that_is_wrong_is_found() -> None:
    page = "# a\n```python\nx = 1\n```\nwords\n```python\nprint(x)\n```\n\n```text\n1\n```\n"
    script, expected = as_script("page.md", page)
    assert script.splitlines()[2] == "x = 1"
    assert script.splitlines()[6] == "print(x)"
    assert [wanted for _, wanted in expected] == [None, "1"]
    assert as_script("models.md", "```python\nimport torchvision\n```\n")[1] == []


def test_every_exception_is_needed() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in PAGES}
    for name, words in NOT_RUN:
        assert any(words in block.text for block in blocks(texts[name]) if block.language == "python"), (name, words)
    assert set(BEFORE) <= set(texts)


def test_code_that_is_not_run_is_python_at_least() -> None:
    for path in PAGES:
        for block in blocks(path.read_text(encoding="utf-8")):
            if block.language == "python":
                compile(block.text, str(path), "exec")


# ---------------------------------------------------------------------------------------- formulas, links and pictures


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_formulas_survive_markdown(path: Path) -> None:
    """Outside of a ```math block, Markdown eats a backslash before a sign, and reads stars as emphasis."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert "$$" not in text, f"{path.name}: write displayed formulas as ```math blocks"
    for line in text.splitlines():
        bare = re.sub(r"`[^`]*`", "", line)
        assert bare.count("$") % 2 == 0, f"{path.name}: a formula is not closed in its line: {line}"
        for formula in re.findall(r"\$([^$]+)\$", bare):
            assert formula == formula.strip(), f"{path.name}: {formula!r}"
            assert not re.search(r"\\[^A-Za-z]|\*|\)_|\]_", formula), f"{path.name}: {formula!r}"
            assert "|" not in formula or not line.startswith("|"), f"{path.name}: {formula!r} in a table"


def links(path: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    return [target for target in found if "://" not in target]


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_the_links_of_a_page_lead_somewhere(path: Path) -> None:
    for target in links(path):
        file, _, anchor = target.partition("#")
        goal = path.parent / file if file else path
        assert goal.exists(), f"{path.name} points to {target}, which is not there"
        if anchor:
            heads = re.findall(r"^#+ +(.+)$", goal.read_text(encoding="utf-8"), flags=re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor in anchors, f"{path.name} points to {target}, which has no such heading"


def test_the_index_lists_each_operation() -> None:
    listed = {target for target in links(OPERATIONS / "index.md") if "/" not in target}
    assert listed == {path.name for path in OPERATIONS.glob("*.md")} - {"index.md"}


@pytest.mark.parametrize("path", sorted(set(OPERATIONS.glob("*.md")) - {OPERATIONS / "index.md"}), ids=ids)
def test_a_page_of_an_operation_is_complete(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert any(target.startswith("../figures/") for target in links(path))
    assert any(block.language == "python" for block in blocks(text))
    if path.stem != "hyperparameters":
        for heading in ("## Definition", "## Backward", "## Shapes", "## Cost"):
            assert re.search(rf"^{heading}", text, flags=re.MULTILINE), f"{path.name} lacks {heading!r}"


def test_the_figures_that_are_drawn_are_shown() -> None:
    script = (ROOT / "docs" / "make_figures.py").read_text(encoding="utf-8")
    drawn = {f"{name}.png" for name in re.findall(r'save\(figure, "([\w-]+)"\)', script)}
    drawn |= set(re.findall(r'FOLDER / "([\w-]+\.gif)"', script))
    targets = {target for path in OPERATIONS.glob("*.md") for target in links(path)}
    assert drawn == {Path(target).name for target in targets if "figures/" in target}


def test_the_figures_of_a_network_are_shown() -> None:
    """Each figure that docs/visualize_figures.py draws is on the page, and so is each function that draws one."""
    script = (ROOT / "docs" / "visualize_figures.py").read_text(encoding="utf-8")
    drawn = set(re.findall(r'"([\w-]+)"(?:\] =|:) visualize\.', script))
    page = ROOT / "docs" / "visualize.md"
    shown = {Path(target).stem for target in links(page) if "figures/visualize/" in target}
    assert drawn == shown == {path.stem for path in (FIGURES / "visualize").iterdir()}
    called = set(re.findall(r"visualize\.(\w+)\(", page.read_text(encoding="utf-8")))
    public = (getattr(visualize, name) for name in visualize.__all__)
    figures = {f.__name__ for f in public if isfunction(f) and "Figure" in str(f.__annotations__["return"])}
    assert figures - {"learning_curves"} <= called  # that one is shown in the tour


def test_the_figures_of_augmentation_are_shown() -> None:
    script = (ROOT / "docs" / "augmentation_figures.py").read_text(encoding="utf-8")
    drawn = set(re.findall(r'save\(visualize\..*, "([\w-]+)"\)', script))
    shown = {Path(target).stem for target in links(ROOT / "docs" / "augmentation.md") if "figures/" in target}
    files = {path.stem: path.stat().st_size for path in (FIGURES / "augmentation").iterdir()}
    assert drawn == shown == set(files)
    assert sum(files.values()) < 130_000


def test_the_figures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in FIGURES.iterdir() if path.is_file()}
    assert {name: size for name, size in sizes.items() if size >= 60_000} == {}
    assert sum(sizes.values()) < 600_000
    of_networks = {path.name: path.stat().st_size for path in (FIGURES / "visualize").iterdir()}
    assert {name: size for name, size in of_networks.items() if size >= 60_000} == {}
    assert sum(of_networks.values()) < 500_000


def names_of_ours(page: str) -> set[str]:
    """Return the names in the first column of the tables."""
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    return {re.sub(r"\(.*", "", name) for row in rows for name in re.findall(r"`([^`]+)`", row)}


def lookup(name: str) -> object:
    thing: object = numpycnn
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing


def test_our_names_beside_those_of_others_exist() -> None:
    names = names_of_ours((ROOT / "docs" / "names.md").read_text(encoding="utf-8"))
    for name in names:
        assert callable(lookup(name)), name
    layers = {name for name in numpycnn.layers.__all__ if isinstance(lookup(name), type)}
    assert layers <= names
    with pytest.raises(AttributeError):
        lookup("functional.conv4d")
    assert names_of_ours("| `Conv2D(..., groups=2)` `Dense` | `Linear` |\n| words | `Add` |") == {"Conv2D", "Dense"}


def rows_of(page: str) -> list[list[str]]:
    """Return the cells of all tables."""
    return [line[1:-1].split("|") for line in page.splitlines() if line.startswith("| ")]


def calls_in(cell: str) -> dict[str, dict[str, Any]]:
    """Return the settings of each call in a cell by its name; a setting that must be given is EMPTY."""
    found: dict[str, dict[str, Any]] = {}
    for code in re.findall(r"`([\w.]+\([^`]*\))`", cell):
        call = ast.parse(code, mode="eval").body
        assert isinstance(call, ast.Call)
        given = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
        found[ast.unparse(call.func)] = {ast.unparse(name): EMPTY for name in call.args} | given
    return found


def defaults_of(thing: Any) -> dict[str, Any]:
    return {name: parameter.default for name, parameter in inspect.signature(thing).parameters.items()}


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n")[1].split("\n## ")[0]


def test_our_defaults_are_those_of_the_page() -> None:
    page = section((ROOT / "docs" / "names.md").read_text(encoding="utf-8"), "Defaults that differ")
    calls = [call for row in rows_of(page) for call in calls_in(row[0]).items()]
    assert len(calls) > 30
    for name, settings in calls:
        assert settings.items() <= defaults_of(lookup(name)).items(), name
    assert calls_in('`f.G(a, b="c")` and `2 * h(3)`') == {"f.G": {"a": EMPTY, "b": "c"}}


def find_torch(torch: Any, name: str) -> Any:
    """Return a class of PyTorch by its name on the page, or None if PyTorch has none of this name."""
    for module in (torch.nn, torch.optim, torch.optim.lr_scheduler):
        if isinstance(thing := getattr(module, name.split(".")[-1], None), type):
            return thing
    return None


def test_the_defaults_of_pytorch_are_those_of_the_page(torch: Any) -> None:
    page = section((ROOT / "docs" / "names.md").read_text(encoding="utf-8"), "Defaults that differ")
    calls = [call for row in rows_of(page) for call in calls_in(row[1]).items()]
    assert len(calls) > 20
    for name, settings in calls:
        assert settings.items() <= defaults_of(find_torch(torch, name)).items(), name


def test_every_default_unlike_pytorchs_is_on_the_page(torch: Any) -> None:
    """Compare the settings of the same name; the tables of names say which class is which."""
    page = (ROOT / "docs" / "names.md").read_text(encoding="utf-8")
    rows = rows_of(section(page, "Defaults that differ"))
    listed = {(name, key) for row in rows for name, settings in calls_in(row[0]).items() for key in settings}
    pairs = 0
    for row in rows_of(section(page, "Layers") + section(page, "Training")):
        ours, theirs = (re.findall(r"`([\w.]+)[(`]", cell) for cell in row[:2])
        for name, other in zip(ours, theirs, strict=False) if len(ours) == len(theirs) else ():
            if (peer := find_torch(torch, other)) is None or not isinstance(lookup(name), type):
                continue
            pairs += 1
            own, foreign = defaults_of(lookup(name)), defaults_of(peer)
            same = {key for key in own.keys() & foreign.keys() if own[key] is not None or foreign[key] is not EMPTY}
            unlike = {(name, key) for key in same if own[key] != foreign[key]}  # input sizes are found out here
            assert unlike <= listed, unlike - listed
    assert pairs > 50


def test_the_names_of_the_map_exist() -> None:
    text = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
    names = re.findall(r"`((?:functional|visualize|animate|recipes|models|data|training)\.\w+)", text)
    assert len(names) > 20
    for name in names:
        lookup(name)
    commands = set(re.findall(r"`numpycnn (\w+)", text))
    assert commands <= {path.stem for path in (ROOT / "numpycnn" / "cli").glob("*.py")}


def debugger_sessions(text: str) -> list[tuple[str, list[str], list[str]]]:
    """Return the environment, the commands and the output of each session with pdb, which may span several blocks."""
    found: list[tuple[str, list[str], list[str]]] = []
    for block in blocks(text):
        for line in block.lines if "\n(Pdb) " in f"\n{block.text}" else []:
            if start := re.fullmatch(r"\$ (.*)python -m pdb step.py", line):
                found.append((start[1].strip(), [], []))
            elif line.startswith("(Pdb) "):
                found[-1][1].append(line.removeprefix("(Pdb) "))
            elif not line.startswith("$ "):
                found[-1][2].append(line)
    return found


def test_the_debugger_shows_what_the_page_says(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    script = next(block.text for block in blocks(text) if block.language == "python")
    sessions = debugger_sessions(text)
    assert [environment for environment, _, _ in sessions] == ["", "NUMBA_DISABLE_JIT=1"]
    for (environment, commands, printed), backend in zip(sessions, ("plain", "fast"), strict=True):
        (tmp_path / "step.py").write_text(script.replace('"plain"', f'"{backend}"'), encoding="utf-8")
        variables = os.environ | {"PYTHONPATH": str(ROOT)} | dict([environment.split("=")] if environment else [])
        done = subprocess.run(
            [sys.executable, "-m", "pdb", "step.py"],
            input="\n".join(commands) + "\n",
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
        )
        assert "***" not in done.stdout, done.stdout  # how pdb complains
        shown = re.sub(r"^(?:\(Pdb\) )*[> ] *", "", done.stdout, flags=re.MULTILINE)
        shown = re.sub(r"^(?:\(Pdb\) )+", "", shown, flags=re.MULTILINE)
        shown = re.sub(
            r"^\S*?(?:/numpycnn/(?=\w+/)|/(?=step))(\S+)\(\d+\)(\S+?)(?:\(\))?$", r"\1 \2", shown, flags=re.MULTILINE
        )
        rest = iter(shown.splitlines())
        for line in printed:
            assert line in rest, f"{backend}: not printed, or in another order: {line}\n{shown}"


PLACEHOLDERS = {"NAME": "correlate", "FOLDER": "pets", "DATASET": "mnist", "MODEL": "runs/mnist", "N": "1"}


@pytest.mark.parametrize("path", PAGES, ids=ids)
def test_the_commands_of_a_page_are_understood(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those behind a prompt; on the pages that list commands, those in the text as well."""
    (tmp_path / "pets").mkdir()
    monkeypatch.chdir(tmp_path)
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"^\$ (?:\.venv/bin/)?numpycnn (.*)$", text, flags=re.MULTILINE)
    if path.stem in ("map", "recipes", "results", "exercises"):
        found += re.findall(r"`numpycnn (\w+ [^`]+)`", text)
    for command in found:
        words = shlex.split(command, comments=True)
        cli.parser().parse_args([PLACEHOLDERS.get(word, word) for word in words])  # raises what it does not know
