"""A small set of made-up digits in MNIST's files, the command line run in this process, and one finished training."""

import dataclasses
import hashlib
import signal
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import numpycnn.data.mnist
from numpycnn.cli import main
from numpycnn.visualize import misclassified

TRAINING_IMAGES, TEST_IMAGES = 480, 120


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


def write_idx(path: Path, array: np.ndarray) -> None:
    path.write_bytes(bytes((0, 0, 0x08, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())


def draw(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright square at a place that stands for the class."""
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = rng.integers(0, 60, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 5)
        image[4 + 12 * row : 10 + 12 * row, 1 + 5 * column : 6 + 5 * column] = 255
    return images, labels


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four files."""
    folder = tmp_path_factory.mktemp("digits") / "mnist"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for prefix, count in (("train", TRAINING_IMAGES), ("t10k", TEST_IMAGES)):
        images, labels = draw(rng, count)
        write_idx(folder / f"{prefix}-images-idx3-ubyte", images)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte", labels)
    return folder


@contextmanager
def pinned(digits: Path) -> Iterator[Path]:
    """Tell the loader that these are the files to expect, as long as this is open."""
    mnist = numpycnn.data.mnist.MNIST
    sums = [hashlib.sha256((digits / name).read_bytes()).hexdigest() for name in mnist.forms[0].files]
    form = dataclasses.replace(mnist.forms[0], sha256=tuple(sums))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numpycnn.data.mnist, "MNIST", dataclasses.replace(mnist, forms=(form,)))
        yield digits


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
    monkeypatch.setattr("numpycnn.cli.results.misclassified", partial(misclassified, limit=1))

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
    """Python's own handling of Ctrl-C, which is off, for children as well, where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def trained(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished training, not to be changed."""
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
