"""The project's name on PyPI and its extras."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def having(pattern: str, paths: list[Path]) -> list[str]:
    """The files in which the pattern is found."""
    assert paths
    return [str(path.relative_to(ROOT)) for path in paths if re.search(pattern, path.read_text(encoding="utf-8"))]


def test_the_distribution_has_a_name_of_its_own() -> None:
    """The name numpycnn is another project's on PyPI."""
    assert PROJECT["name"] == "numpycnn-framework"


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_includes_others_by_this_name(extra: str) -> None:
    for requirement in EXTRAS[extra]:
        if requirement.startswith("numpycnn"):
            match = re.fullmatch(r"([\w-]+)\[(\w+)\]", requirement)
            assert match, requirement
            assert match[1] == PROJECT["name"]
            assert match[2] in EXTRAS


def test_messages_and_pages_install_from_the_clone_or_name_the_libraries() -> None:
    assert having(r"pip install [^\n]*\bnumpycnn\b", [*(ROOT / "numpycnn").rglob("*.py"), *PAGES]) == []
