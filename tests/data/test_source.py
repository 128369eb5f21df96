"""The search order of data sets, and the errors if one is missing."""

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from numpycnn.data import source as module
from numpycnn.data.catalog import CATALOG
from numpycnn.data.source import DatasetNotFoundError, Form, Found, Published, Source, find_or_fetch, is_known, locate

ONE, TWO = b"one", b"two"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


BEST = Form(("one", "two"), (sha256(ONE), sha256(TWO)), packed=True, shared=True)
OTHER = Form(("both.zip",), note="made from something else")
TREE = Form(("tree",))
TOY = Source(
    name="toy",
    title="Toy",
    about="two files",
    licence="none",
    homepage="https://example.invalid/toy",
    folders=("toy", "toy-1.0"),
    forms=(BEST, OTHER, TREE),
    published=(Published("one.gz", 3, "0" * 64), Published("two.gz", 3, "1" * 64)),
    mirrors=("https://example.invalid/",),
)


def put(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        content = {"one": ONE, "two": TWO}.get(name.removesuffix(".gz"), b"x")
        (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder


@pytest.mark.parametrize("below", ["", "toy", "toy-1.0"])
@pytest.mark.parametrize("names", [("one", "two"), ("one.gz", "two"), ("one.gz", "two.gz")])
def test_a_given_folder(tmp_path: Path, below: str, names: tuple[str, str]) -> None:
    folder = put(tmp_path / below, *names)
    found = find_or_fetch(TOY, str(tmp_path))
    assert found == Found(BEST, tuple(folder / name for name in names))
    assert found.folder == folder
    assert is_known(found) is True


def test_the_preferred_form_wins_in_any_folder(tmp_path: Path) -> None:
    put(tmp_path, "both.zip")
    assert find_or_fetch(TOY, tmp_path).form is OTHER
    put(tmp_path / "toy", "one", "two")
    assert find_or_fetch(TOY, tmp_path).form is BEST


@pytest.mark.parametrize("name", ["both.zip", "tree"])
def test_the_file_or_folder_itself_may_be_given(tmp_path: Path, name: str) -> None:
    put(tmp_path, "both.zip")
    (tmp_path / "tree").mkdir()
    found = find_or_fetch(TOY, tmp_path / name)
    assert found.paths == (tmp_path / name,)
    assert is_known(found) is None


def test_the_environment_comes_before_the_system_and_both_before_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    toy = replace(TOY, system=(str(tmp_path / "system"),))
    assert locate(toy) is None
    put(own_cache / "toy", "one.gz", "two.gz")
    found = locate(toy)
    assert found is not None
    assert (found.folder, found.fetched) == (own_cache / "toy", True)
    put(tmp_path / "system", "one", "two")
    found = locate(toy)
    assert found is not None
    assert (found.folder, found.fetched) == (tmp_path / "system", False)
    monkeypatch.setenv("NUMPYCNN_DATA", str(tmp_path / "data"))
    assert find_or_fetch(toy).folder == tmp_path / "system"
    put(tmp_path / "data" / "toy", "one", "two")
    assert find_or_fetch(toy).folder == tmp_path / "data" / "toy"


def test_shared_file_names_are_accepted_only_in_the_data_sets_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMPYCNN_DATA", str(put(tmp_path, "one", "two")))
    assert locate(TOY) is None
    put(tmp_path, "both.zip")
    found = locate(TOY)
    assert found is not None
    assert found.form is OTHER


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("one",), r"^Toy: missing in .*toy: two \(plain or \.gz\)$"),
        ((), r"^Toy: expected one, two \(plain or \.gz\) or both\.zip or tree in .* or .*toy, found none of them$"),
        (None, "found no such folder$"),
    ],
)
def test_missing_files_are_named_and_no_other_place_is_searched(
    tmp_path: Path, no_network: list[str], names: tuple[str, ...] | None, text: str
) -> None:
    root = tmp_path / "root"
    if names is not None:
        root.mkdir()
        put(root / "toy", *names)
    with pytest.raises(FileNotFoundError, match=text):
        find_or_fetch(TOY, root)
    assert no_network == []


def test_another_file_in_place_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match=r"Toy: expected a folder with its files, got a file, .*other"):
        find_or_fetch(TOY, put(tmp_path, "other") / "other")


def test_a_missing_data_set_is_downloaded(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    asked = []

    def fetch(name: str, mirrors: tuple, sha256: str, folder: Path, **settings: object) -> Path:
        asked.append((name, mirrors, sha256, folder, settings["size"]))
        return folder / name

    monkeypatch.setattr(module, "fetch", fetch)
    found = find_or_fetch(TOY)
    cache = own_cache / "toy"
    assert found == Found(BEST, (cache / "one.gz", cache / "two.gz"), fetched=True)
    assert asked == [
        ("one.gz", TOY.mirrors, "0" * 64, cache, 3),
        ("two.gz", TOY.mirrors, "1" * 64, cache, 3),
    ]


def test_a_failed_download_is_one_error() -> None:
    text = (
        r"^Toy is not on this machine, and one.gz could not be downloaded \(no network in tests\)\. Put one, two or "
        r"both\.zip or tree into a folder 'toy' and set NUMPYCNN_DATA to the folder above it, or name the folder; they "
        r"come from https://example\.invalid/toy$"
    )
    with pytest.raises(DatasetNotFoundError, match=text) as caught:
        find_or_fetch(TOY)
    assert caught.value.reason == "one.gz could not be downloaded (no network in tests)"


def test_a_data_set_without_mirrors() -> None:
    with pytest.raises(DatasetNotFoundError, match="Toy is not on this machine, and no mirror is known"):
        find_or_fetch(replace(TOY, published=(), mirrors=()))


@pytest.mark.parametrize(
    "damage",
    [b"", b"one more", gzip.compress(ONE)[:-4], gzip.compress(b"other")],
    ids=["empty", "longer", "cut short", "other content"],  # a gzip file holds the time, on which no name may depend
)
def test_other_content_is_noticed(tmp_path: Path, damage: bytes) -> None:
    put(tmp_path, "one.gz", "two")
    (tmp_path / "one.gz").write_bytes(damage)
    assert is_known(find_or_fetch(TOY, tmp_path)) is False


# ------------------------------------------------------------------------------------------------------- the catalog


@pytest.mark.parametrize("name", list(CATALOG))
def test_catalog_entries_use_https_and_full_checksums(name: str) -> None:
    source = CATALOG[name].source
    assert source.name == name
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in source.mirrors)
    assert bool(source.mirrors) == bool(source.published)
    sums = [file.sha256 for file in source.published] + [value for form in source.forms for value in form.sha256]
    assert all(len(value) == 64 and set(value) <= set("0123456789abcdef") for value in sums)
    assert all(file.size > 1000 for file in source.published)
    for form in source.forms:
        assert len(form.sha256) in (0, len(form.files))
    if source.published:
        assert len(source.published) == len(source.forms[0].files)
    assert source.about
    assert source.licence


def test_no_two_data_sets_share_a_folder() -> None:
    folders = [folder for entry in CATALOG.values() for folder in entry.source.folders]
    assert len(set(folders)) == len(folders)
