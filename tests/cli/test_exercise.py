"""`exercise` lists, begins, checks and shows the solution, and never writes to an existing file."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from numpycnn.cli import exercise
from numpycnn.exercises import EXERCISES
from numpycnn.exercises.checking import Verdict
from numpycnn.exercises.exercise import parts

Run = Callable[..., Any]


def solve(name: str, folder: Path = Path()) -> Path:
    """Write numpycnn's own solution as the answer."""
    path = folder / f"{name}.py"
    source = inspect.getsource(EXERCISES[name].solution)
    path.write_text(f"import numpy as np\nfrom numpycnn import plain\n\n{source}", encoding="utf-8")
    return path


def test_an_exercise_from_beginning_to_end(run: Run) -> None:
    begun = run("exercise", "correlate")
    assert (begun.status, begun.err) == (1, "")
    assert begun.out.splitlines() == [
        "exercise  correlate, 1 of 12: a kernel slides over a matrix",
        "file      correlate.py",
        "read      docs/operations/convolution.md in the repository",
        "written: a function with its task and without its body; write that, then give the same command again",
    ]
    sheet = Path("correlate.py").read_text(encoding="utf-8")
    untouched = run("exercise", "correlate")
    assert untouched.status == 1
    assert untouched.out.endswith("\n\nthe body is empty: the function still raises NotImplementedError\n")
    assert Path("correlate.py").read_text(encoding="utf-8") == sheet

    _, body = parts(EXERCISES["correlate"].solution)
    wrong = sheet.replace(
        "    raise NotImplementedError", body.replace("kernel * window", "kernel[::-1, ::-1] * window")
    )
    Path("correlate.py").write_text(wrong, encoding="utf-8")
    said = run("exercise", "correlate")
    assert said.status == 1
    assert (
        "  right  a 1x1 kernel, which is a factor\n  WRONG  a 2x2 kernel on a 3x3 matrix\n\ny[0, 0] is -1" in said.out
    )
    assert "likely: the kernel is flipped." in said.out
    assert Path("correlate.py").read_text(encoding="utf-8") == wrong

    Path("correlate.py").write_text(sheet.replace("    raise NotImplementedError", body), encoding="utf-8")
    said = run("exercise", "correlate")
    assert (said.status, said.err) == (0, "")
    assert said.out.splitlines()[-4:] == [
        "",
        "right: the same as numpycnn's own on all 6 cases",
        "compare: numpycnn exercise correlate --solution",
        "next: numpycnn exercise conv2d",
    ]
    assert [path.name for path in Path().iterdir()] == ["correlate.py"]


def test_the_list_with_its_states(run: Run) -> None:
    Path("mine").mkdir()
    solve("softmax", Path("mine"))
    Path("mine/sgd.py").write_text("def sgd(): pass")
    run("exercise", "adam", "--to", "mine")
    said = run("exercise", "--to", "mine")
    assert (said.status, said.err) == (0, "")
    lines = [line.split()[1:4] for line in said.out.splitlines() if re.match(r" +\d+  ", line)]
    assert [line[0] for line in lines] == list(EXERCISES)
    states = {name: state for name, state, _ in lines}
    assert states.pop("softmax") == "right"
    assert states.pop("sgd") == "wrong"
    assert set(states.values()) == {"not"}
    assert said.out.startswith("forward\n   1  correlate            not begun  a kernel slides over a matrix\n")
    assert said.out.endswith(f"\n1 of 12 are right in {Path('mine').resolve()}\nnext: numpycnn exercise correlate\n")


def test_the_list_when_all_is_done(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exercise, "check_files", lambda files: {name: Verdict("right") for name in EXERCISES})
    said = run("exercise")
    assert said.out.endswith(f"\n12 of 12 are right in {Path().resolve()}\n")


def test_the_last_exercise_has_no_next_one(run: Run) -> None:
    solve("adam")
    said = run("exercise", "adam")
    assert said.status == 0
    assert said.out.endswith("compare: numpycnn exercise adam --solution\n")


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_is_shown_with_its_location(run: Run, name: str) -> None:
    said = run("exercise", name, "--solution")
    assert (said.status, said.err) == (0, "")
    places, _, code = said.out.partition("\n\n")
    *source, library = places.splitlines()
    assert source[0].startswith("solution  ")
    assert library.startswith("library   ")
    functions = [*EXERCISES[name].source, EXERCISES[name].library]
    for line, function in zip([*source, library], functions, strict=True):
        assert line.endswith(f": {function.__name__}")
        path, _, span = line[10:].partition(", lines ")
        first, _, last = span.partition(":")[0].partition(" to ")
        lines = Path(path).read_text(encoding="utf-8").splitlines()[int(first) - 1 : int(last)]
        assert any(f" {inspect.unwrap(function).__name__}(" in text for text in lines[:2]), line
    assert len(source) == code.count("def ") == len(EXERCISES[name].source)
    assert code.startswith(f"def {EXERCISES[name].source[0].__name__}(")
    assert '"""' not in code
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["relu"], "argument NAME: invalid choice: 'relu'"),
        (["--solution"], "--solution: expected the NAME of an exercise (see numpycnn exercise --help)"),
        (["sgd", "--to", "nowhere"], "--to nowhere: expected an existing folder"),
    ],
)
def test_wrong_use(run: Run, refused: Run, arguments: list[str], text: str) -> None:
    refused(run("exercise", *arguments), text)
    assert list(Path().iterdir()) == []


def test_a_folder_in_place_of_the_file(run: Run, refused: Run) -> None:
    Path("sgd.py").mkdir()
    refused(run("exercise", "sgd"), "sgd.py: expected a file, found a folder")


def test_a_file_that_appears_in_the_meantime_is_kept(run: Run, refused: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sgd.py").write_text("mine")
    monkeypatch.setattr(Path, "exists", lambda path: False)
    refused(run("exercise", "sgd"), "sgd.py: ")
    assert Path("sgd.py").read_text() == "mine"


# ------------------------------------------------------------------------------------------------------------ the page

PAGE = (Path(__file__).parents[2] / "docs" / "exercises.md").read_text(encoding="utf-8")


def block(language: str, number: int) -> str:
    """Return a fenced block of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)[number]


def test_the_page_shows_the_output_of_the_command(run: Run) -> None:
    command, _, shown = block("console", 0).partition("\n")
    assert command == "$ numpycnn exercise correlate"
    assert run("exercise", "correlate").out == shown
    wrong = block("python", 0)
    Path("correlate.py").write_text(wrong, encoding="utf-8")
    assert run("exercise", "correlate").out == block("console", 1).partition("\n")[2]
    Path("correlate.py").write_text(wrong.replace("kernel[-1 - u, -1 - v]", "kernel[u, v]"), encoding="utf-8")
    assert run("exercise", "correlate").out.endswith(f"\n\n{block('console', 2)}")


def test_the_page_lists_all_exercises_in_their_order() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| .* \| (.*) \|$", PAGE, flags=re.MULTILINE)
    assert [(int(number), name) for number, name, _ in rows] == list(enumerate(EXERCISES, 1))
    for (_, _, links), one in zip(rows, EXERCISES.values(), strict=True):
        assert f"({one.page.removeprefix('docs/')})" in links
