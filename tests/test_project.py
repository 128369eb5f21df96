"""The project's names on PyPI and its extras, and how its tests ask for PyTorch."""

import os
import re
import subprocess
import sys
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


def test_every_requirement_has_a_lower_bound() -> None:
    wanted = [*PROJECT["dependencies"], *(entry for extra in EXTRAS.values() for entry in extra)]
    assert [entry for entry in wanted if not re.search(r"[>=]=\d", entry) and PROJECT["name"] not in entry] == []


def test_python_has_no_upper_bound() -> None:
    """The wheels of numba decide which interpreters are supported."""
    assert re.fullmatch(r">=3\.\d+", PROJECT["requires-python"])


def test_messages_and_pages_install_from_the_clone_or_name_the_libraries() -> None:
    assert having(r"pip install [^\n]*\bnumpycnn\b", [*(ROOT / "numpycnn").rglob("*.py"), *PAGES]) == []


def test_pytorch_is_asked_for_by_its_fixture_alone() -> None:
    """The fixture also marks the test; a test that skips itself would be left out of `-m oracle`."""
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path.name != Path(__file__).name]
    assert having(r"(importorskip|find_spec|import_module)\(\s*[\"']torch", tests) == ["tests/conftest.py"]


def test_without_pytorch_its_tests_are_skipped_and_nothing_else_fails(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('No module named torch', name='torch')")
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "oracle", "tests/models", "tests/optim"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "PyTorch wanted, to compare with: make oracle" in done.stdout
    assert re.search(r"^=+ \d+ skipped, \d+ deselected in .*$", done.stdout, re.MULTILINE)
