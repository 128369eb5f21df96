"""The word list finds what it lists, with its line, and accepts good English."""

import subprocess
from pathlib import Path

import pytest

from tools import check_words
from tools.check_words import find_words


# Each phrase in two parts, so that the check does not find it here.
@pytest.mark.parametrize(
    ("before", "after", "suggestion"),
    [
        ("if `layers` is", " no list of layers", "is not a ..."),
        ("def test_a_model_is", "_no_checkpoint() -> None:", "is not a ..."),
        ("    # for the weights that are\n    #", " no arrays", "is not a ..."),
        ("after so", " many steps", "the number, or the name of the argument"),
        ("expected p from 0", " on", "at least 0, at least 1, or counted from 0"),
        ("the worker lies", "\n    down", "blocks, or sleeps"),
        ("y = deal", "_out(x)", "pack"),
    ],
)
def test_a_listed_phrase_is_found(before: str, after: str, suggestion: str) -> None:
    ((line, _, found),) = find_words(f"first line\n{before}{after}\n")
    assert (line, found) == (2, suggestion)


@pytest.mark.parametrize(
    "text",
    [
        "if there is no folder",
        "def test_there_is_no_second_thread() -> None:",
        "which is no longer than the input",
        "it is not a list",
        "The answer is no.",
        "from 0 once",
        "how many steps",
        "expected a whole number",
        "spelled_out",
    ],
)
def test_good_english_is_accepted(text: str) -> None:
    assert list(find_words(text)) == []


def test_files_are_named_and_the_status_is_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = "one\ntwo: the cache is" + " no dict\n"
    for name, text in (
        ("numpycnn/a.py", planted),
        ("docs/tour/b.md", planted),
        ("docs/c.md", "fine\n"),
        ("d.md", planted),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    monkeypatch.setattr(check_words, "ROOT", tmp_path)
    assert check_words.main() == 1
    assert capsys.readouterr().out == "numpycnn/a.py:2: 'is" + " no dict' -> is not a ...\n"
    (tmp_path / "numpycnn/a.py").write_text("one\n", encoding="utf-8")
    assert check_words.main() == 0
