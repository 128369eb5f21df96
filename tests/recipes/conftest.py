"""Made-up digits as MNIST, in an empty folder."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from numpycnn.visualize import misclassified
from tests.recipes.digits import pinned, write_digits


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four files."""
    return write_digits(tmp_path_factory.mktemp("digits") / "mnist")


@pytest.fixture
def known_digits(digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same folder, expected by the loader, with an empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMPYCNN_DATA", str(digits.parent))
    monkeypatch.setattr("numpycnn.visualize.style.DPI", 40)  # small pictures are drawn sooner
    monkeypatch.setattr("numpycnn.visualize.misclassified", partial(misclassified, limit=1))
    with pinned(digits):
        yield digits
