"""Folders, zips and tars give the same files; damaged or oversized archives are refused."""

import gzip
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from numpycnn.data import archives
from numpycnn.data.archives import members, open_files
from numpycnn.errors import DataFormatError
from tests.data.small import pack
from tests.mutations import bounded_memory, mutate_bytes

FILES = {"a/1.txt": b"one", "a/2.txt": b"", "b/c/3.txt": bytes(5000), "top.txt": b"top"}
HIDDEN = {".git/config": b"x", "a/.DS_Store": b"x", "__MACOSX/a/1.txt": b"x"}
KINDS = ["folder", "zip", "tar", "tar.gz"]


def contents(path: Path, max_bytes: int) -> dict[str, bytes]:
    return {member.name: member.read(max_bytes) for member in members(path)}


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_have_the_same_members(tmp_path: Path, kind: str) -> None:
    path = pack(tmp_path / "data", kind, FILES | HIDDEN)
    assert contents(path, 5000) == FILES
    assert [member.name for member in members(path)] == [member.name for member in members(path)]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in ("zip", "tar") for name in ("./cat/a.png", "cat/./a.png", "cat//a.png", "././cat/a.png")]
    + [("zip", "cat\\a.png"), ("zip", ".\\cat\\a.png")],
)
def test_the_name_of_a_member_is_normalized(tmp_path: Path, kind: str, name: str) -> None:
    assert contents(pack(tmp_path / "data", kind, {name: b"x"}), 1) == {"cat/a.png": b"x"}


def test_a_zip_after_a_program_that_unpacks_it(tmp_path: Path) -> None:
    path = pack(tmp_path / "data", "zip", FILES)
    path.write_bytes(b"MZ" + bytes(3000) + path.read_bytes())
    assert contents(path, 5000) == FILES
    assert open_files(path)("a/1.txt", 5000) == b"one"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_first_of_equal_names_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("a/1.txt", b"first")
        archive.writestr("a/1.txt", b"second")
    assert open_files(tmp_path / "data.zip")("a/1.txt", 10) == next(members(tmp_path / "data.zip")).read(10) == b"first"


def test_a_forked_process_opens_the_zip_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, opened = pack(tmp_path / "data", "zip", FILES), []

    class Counted(zipfile.ZipFile):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            opened.append(self)

    monkeypatch.setattr(zipfile, "ZipFile", Counted)
    read = open_files(path)
    for process, count in ((os.getpid(), 1), (-1, 2)):
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        assert read("a/1.txt", 10) == read("a/1.txt", 10) == b"one"
        assert len(opened) == count
    for archive in opened:
        archive.close()


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_a_zip_at_the_end_of_a_tar_is_a_member(tmp_path: Path, kind: str) -> None:
    inner = pack(tmp_path / "inner.zip", "zip", {"b.txt": b"two"}).read_bytes()
    assert contents(pack(tmp_path / "data", kind, {"inner.zip": inner}), 5000) == {"inner.zip": inner}


def test_folders_are_members_if_they_are_asked_for(tmp_path: Path) -> None:
    root = pack(tmp_path / "data", "folder", {"a/1": b"x", "b/c/2": b"y"})
    (root / "d" / "e").mkdir(parents=True)
    (root / ".hidden").mkdir()
    found = {member.name: member.read(1) for member in members(root, folders=True)}
    assert found == {"a/": b"", "a/1": b"x", "b/": b"", "b/c/": b"", "b/c/2": b"y", "d/": b"", "d/e/": b""}


def test_the_members_of_a_folder_are_sorted(tmp_path: Path) -> None:
    files = {f"{folder}/{file}": b"" for folder in "cab" for file in "zyx"}
    names = [member.name for member in members(pack(tmp_path / "data", "folder", files))]
    assert names == sorted(files)


def test_links_are_followed_without_cycles(tmp_path: Path) -> None:
    """A class folder may be a link."""
    elsewhere = pack(tmp_path / "elsewhere", "folder", {"1": b"one", "below/2": b"two"})
    root = pack(tmp_path / "data", "folder", {"a/3": b"three"})
    try:
        (root / "b").symlink_to(elsewhere)
        (root / "c").symlink_to(elsewhere / "1")
        (root / "gone").symlink_to(root / "nowhere")
        (elsewhere / "below" / "round").symlink_to(root)
        (elsewhere / "itself").symlink_to(elsewhere)
    except OSError:
        pytest.skip("links are not permitted")
    expected = {"a/3": b"three", "b/1": b"one", "b/below/2": b"two", "c": b"one"}
    assert contents(root, 10) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_over_the_limit_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    path = pack(tmp_path / "data", kind, FILES)
    with pytest.raises(DataFormatError, match=r"b/c/3\.txt: expected at most 4,999 bytes, found 5,000"):
        contents(path, 4999)


def test_no_more_than_the_limit_is_read() -> None:
    asked: list[int] = []

    def read(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    with pytest.raises(DataFormatError, match="grown: expected 5 bytes, found more"):
        archives._read_checked("grown", 5, 10, read)
    assert asked == [6]


@pytest.mark.parametrize("kind", KINDS)
def test_a_high_limit_takes_no_memory(tmp_path: Path, kind: str) -> None:
    path = pack(tmp_path / "data", kind, FILES)
    tracemalloc.start()
    try:
        contents(path, 100_000_000)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt", "a/../../outside.txt", "C:\\outside.txt"])
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_no_member_name_writes_a_file(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / "deep").mkdir()
    path = pack(tmp_path / "deep" / "data", kind, {name: b"x"})
    before = sorted(tmp_path.rglob("*"))
    found = contents(path, 10)
    assert list(found.values()) == ([] if ".." in name else [b"x"])  # names with .. are skipped
    assert sorted(tmp_path.rglob("*")) == before


def test_links_and_devices_of_a_tar_are_skipped(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "data", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo("odd")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert list(members(tmp_path / "data")) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_a_folder_is_skipped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert list(members(tmp_path)) == []
    with pytest.raises(DataFormatError, match="found neither a file nor a folder"):
        list(members(tmp_path / "pipe.png"))


def test_missing_and_unsupported_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="expected a folder, a zip or a tar archive, found nothing"):
        list(members(tmp_path / "missing"))
    (tmp_path / "text").write_text("hello")
    with pytest.raises(DataFormatError, match="found another kind of file"):
        list(members(tmp_path / "text"))


def test_a_member_that_unpacks_to_more_than_its_declared_size(tmp_path: Path) -> None:
    """A zip with a file of a million bytes, declared as 10."""
    path = pack(tmp_path / "data.zip", "zip", {"bomb": bytes(1_000_000)})
    content = path.read_bytes().replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"data\.zip: bomb: expected a whole archive, found a damaged one .*CRC"):
        contents(path, 1000)


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_an_archive_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / "data", kind, {"big": bytes(3_000_000), "small": b"x"})
    monkeypatch.setattr(archives, "MAX_TAR_BYTES", 1_000_000)
    with pytest.raises(DataFormatError, match="expected an archive of at most 1,000,000 bytes, found more"):
        [member.name for member in members(path)]


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_truncated_archive_is_refused(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    path = pack(tmp_path / "data", kind, {name: rng.bytes(3000) for name in "abc"})
    content = path.read_bytes()
    for length in (5, 30, 2000, len(content) - 30):
        path.write_bytes(content[:length])
        with pytest.raises(DataFormatError, match=r"data.*: expected a"):
            contents(path, 5000)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "data.zip", "zip", {"a": b"content"})
    content = bytearray(path.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags] |= 1
    path.write_bytes(content)
    with pytest.raises(
        DataFormatError, match=r"data\.zip: a: expected an archive without a password, found it encrypted"
    ):
        contents(path, 100)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_mutated_archives_give_files_or_a_format_error(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)
    path = pack(tmp_path / "data", kind, {"a/1": rng.bytes(100), "b/2": bytes(300)})
    content = path.read_bytes()
    if kind == "tar.gz":
        content = gzip.compress(gzip.decompress(content)[:4096], mtime=0)
    elif kind == "tar":
        content = content[:4096]
    refused = 0
    with bounded_memory(200):
        for _ in range(2000):
            path.write_bytes(mutate_bytes(content, rng))
            try:
                assert max(map(len, contents(path, 1000).values()), default=0) <= 1000
            except DataFormatError as error:
                refused += str(path) in str(error)
    assert refused > 100
