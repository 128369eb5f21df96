"""The list of data sets, and the command that fetches one."""

import dataclasses
import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from numpycnn.data import CATALOG
from numpycnn.data.catalog import Entry
from numpycnn.data.source import Form, Published, Source

Run = Callable[..., Any]
CONTENT = gzip.compress(b"the files of a data set", mtime=0)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


TOY = Source(
    name="toy",
    title="Toy",
    about="nothing much",
    licence="CC0",
    homepage="https://example.invalid/",
    folders=("toy",),
    forms=(Form(("toy.tar.gz",), (sha256(CONTENT),)), Form(("tree",), note="found as a tree")),
    published=(Published("toy.tar.gz", 1_234_567, sha256(CONTENT)),),
    mirrors=("https://example.invalid/",),
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Only a toy in the catalog, and a mirror that has it; the list holds the requested files."""
    for name in list(CATALOG):
        monkeypatch.delitem(CATALOG, name)
    monkeypatch.setitem(CATALOG, "toy", Entry(TOY, lambda root: pytest.fail("nothing is loaded")))
    asked: list[str] = []

    def fetch(name: str, mirrors: tuple, wanted: str, folder: Path, **settings: object) -> Path:
        path = folder / name
        if not path.is_file() or sha256(path.read_bytes()) != wanted:
            asked.append(name)
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(CONTENT)
        return path

    monkeypatch.setattr("numpycnn.data.source.fetch", fetch)
    return asked


def test_every_data_set_is_listed(run: Run, known_digits: Path) -> None:
    outcome = run("data")
    assert outcome.status == 0
    assert outcome.err == ""
    blocks = [block.splitlines() for block in outcome.out.split("\n\n")]
    assert [block[0].partition(":")[0] for block in blocks] == list(CATALOG)
    for block, entry in zip(blocks, CATALOG.values(), strict=True):
        assert block[0] == f"{entry.source.name}: {entry.source.about}"
        assert f"  license   {entry.source.licence}" in block
    assert blocks[0][1].startswith(f"  found     {known_digits} (4 files, 0.5 MB)")
    assert blocks[0][3].startswith("  checksum  WRONG: the SHA-256 is not the expected one")  # they are made up
    missing = "  found     not on this machine; "
    assert f"{missing}numpycnn data cifar10 fetches 170.1 MB" in blocks[2]
    assert f"{missing}get it from https://www.cs.cornell.edu/people/pabo/movie-review-data/" in blocks[4]


@pytest.mark.usefixtures("run")
def test_one_is_fetched_once_and_checked(run: Run, asked: list[str], tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "toy"
    for first in (True, False):
        outcome = run("data", "toy")
        assert outcome.status == 0
        lines = outcome.out.splitlines()
        assert lines[0] == ("Toy: 1.2 MB to fetch" if first else "toy: nothing much")
        assert lines[-3:] == [
            f"  found     {cache} (toy.tar.gz, 0.0 MB)",
            "  license   CC0",
            "  checksum  SHA-256 as expected",
        ]
    assert asked == ["toy.tar.gz"]


def test_a_file_in_the_cache_that_is_wrong_is_shown_and_fetched_again(
    run: Run, asked: list[str], tmp_path: Path
) -> None:
    assert run("data", "toy").status == 0
    (tmp_path / "cache" / "toy" / "toy.tar.gz").write_bytes(b"tampered with")
    assert "WRONG: the SHA-256 is not the expected one; replace or remove the files" in run("data").out
    assert "SHA-256 as expected" in run("data", "toy").out
    assert asked == ["toy.tar.gz"] * 2


def test_another_form_and_its_note(run: Run, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMPYCNN_DATA", str(tmp_path))
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a").write_bytes(bytes(300_000))
    assert run("data", "toy").out.splitlines() == [
        "toy: nothing much",
        f"  found     {tmp_path} (tree, 0.3 MB)",
        "  license   CC0",
        "  checksum  none is published for this form",
        "  note      found as a tree",
    ]
    assert asked == []


def test_a_failed_download(run: Run, refused: Run, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, *arguments: object, **settings: object) -> None:
        raise ConnectionError(f"{name} could not be downloaded (no network)")

    monkeypatch.setattr("numpycnn.data.source.fetch", fail)
    outcome = run("data", "toy")
    assert outcome.status == 2
    assert outcome.out == "Toy: 1.2 MB to fetch\n"
    assert outcome.err.startswith("numpycnn: error: Toy is not on this machine, and toy.tar.gz could not be downloaded")
    assert outcome.err.count("\n") == 1
    monkeypatch.setitem(CATALOG, "toy", Entry(dataclasses.replace(TOY, published=(), mirrors=()), CATALOG["toy"].load))
    refused(
        run("data", "toy"), "Toy is not on this machine, and no mirror is known. Put toy.tar.gz or tree into a folder"
    )


def test_an_unknown_data_set(run: Run, refused: Run) -> None:
    refused(run("data", "cifar"), "argument NAME: invalid choice: 'cifar'")
