"""Made-up digits as MNIST, the command line run in this process, and one finished training."""

import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

import numpycnn
from numpycnn.cli import main
from numpycnn.visualize import misclassified
from tests.recipes.digits import pinned, write_digits


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four files."""
    return write_digits(tmp_path_factory.mktemp("digits") / "mnist")


@pytest.fixture
def known_digits(digits: Path) -> Iterator[Path]:
    """The same folder, expected by the loader."""
    with pinned(digits):
        yield digits


@pytest.fixture
def run(
    known_digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """The command line, in an empty folder, with the made-up digits as MNIST."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMPYCNN_DATA", str(known_digits.parent))
    monkeypatch.setenv("NUMPYCNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("numpycnn.visualize.style.DPI", 40)  # small pictures are drawn sooner
    monkeypatch.setattr("numpycnn.visualize.misclassified", partial(misclassified, limit=1))

    def run_main(*arguments: object) -> Outcome:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as leaving:  # --help and --version
            status = int(leaving.code or 0)
        return Outcome(status, *capsys.readouterr())

    threads = numpycnn.get_num_threads()
    yield run_main
    numpycnn.set_num_threads(threads)


@pytest.fixture
def default_ctrl_c() -> Iterator[None]:
    """Python's own handling of Ctrl-C: tests in the background, and their children, run without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def trained(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished training; tests must not change it."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    arguments = ["train", "mnist", "--model", "lenet", "--epochs", "2", "--lr", "0.01", "--data", str(digits)]
    with pinned(digits):
        assert main([*arguments, "--out", str(folder)]) == 0
    return folder


def assert_refused(outcome: Outcome, text: str) -> None:
    """One line on the standard error stream, exit status 2, no output."""
    assert outcome.status == 2
    assert outcome.err.startswith("numpycnn: error: ")
    assert outcome.err.count("\n") == 1
    assert text in outcome.err
    assert outcome.out == ""


@pytest.fixture
def refused() -> Callable[[Outcome, str], None]:
    return assert_refused
