"""Pictures that stay on disk: the same bits as in memory, for any number of threads."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn.data import ImageFolder, load_image_folder
from numpycnn.data.pictures import decode_picture
from numpycnn.data.rows import Rows
from numpycnn.errors import DataFormatError
from tests.data.small import pack, picture_bytes

SIZE = (7, 5)


def noise(classes: str = "cat dog", count: int = 6) -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    return {
        f"{name}/{i}.{ending}": picture_bytes(rng.integers(0, 256, (9, 8, 3), dtype=np.uint8), kind)
        for name in classes.split()
        for i in range(count)
        for ending, kind in [("png", "PNG") if i % 2 else ("jpg", "JPEG")]
    }


@pytest.fixture(params=["folder", "zip"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return pack(tmp_path / ("pets" if request.param == "folder" else "pets.zip"), request.param, noise())


@pytest.mark.parametrize("threads", [None, 1, 2, 5, 40])
def test_batches_equal_those_in_memory(root: Path, threads: int | None) -> None:
    there = ImageFolder(root, SIZE, in_memory=False, threads=threads)
    here = ImageFolder(root, SIZE)
    assert isinstance(there.images, Rows)
    assert repr(there) == repr(here)
    assert (there.names, there.class_names) == (here.names, here.class_names)
    assert np.array_equal(there.labels, here.labels)
    assert np.array_equal(there.images[:], here.images)
    assert np.array_equal(there.images[3], here.images[3])
    part, expected = (data.split(0.5, seed=3)[0][[4, 1, 1]] for data in (there, here))
    for ours, theirs in zip(part.batch([2, 0]), expected.batch([2, 0]), strict=True):
        assert np.array_equal(ours, theirs)


def test_loading_both_sets(root: Path) -> None:
    for there, here in zip(load_image_folder(root, SIZE, in_memory=False), load_image_folder(root, SIZE), strict=True):
        assert isinstance(there.images, Rows)
        assert np.array_equal(there.images[:], here.images)
        assert (there.mean.tolist(), there.std.tolist()) == (here.mean.tolist(), here.std.tolist())


def test_construction_decodes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []

    def decode(content: bytes, name: str) -> np.ndarray:
        decoded.append(name)
        return np.zeros((9, 8, 3), np.uint8)

    monkeypatch.setattr("numpycnn.data.picture_files.decode_picture", decode)
    data = ImageFolder(root, SIZE, in_memory=False)[2:]
    assert decoded == []
    data.batch([0, 3])
    assert sorted(decoded) == sorted(str(root / name) for name in ("cat/2.jpg", "cat/5.png"))


def test_a_broken_picture_is_an_error_of_its_batch(tmp_path: Path) -> None:
    root = pack(tmp_path / "pets", "folder", noise() | {"cat/1.png": b"\x89PNG damaged"})
    data = ImageFolder(root, SIZE, in_memory=False)
    assert len(data.batch([0, 2])[0]) == 2
    with pytest.raises(DataFormatError, match=r"cat/1\.png: expected a PNG or JPEG picture"):
        data.batch([0, 1])
    with pytest.warns(UserWarning, match=r"1 of 12 pictures were skipped: .*cat/1\.png"):
        there = ImageFolder(root, SIZE, in_memory=False, skip_broken=True)
    with pytest.warns(UserWarning, match="skipped"):
        here = ImageFolder(root, SIZE, skip_broken=True)
    assert (there.names, there.skipped) == (here.names, here.skipped)
    assert np.array_equal(there.images[:], here.images)


def test_decoding_leaves_the_filters_of_warnings_alone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They belong to the process: two threads that change them and put them back may leave them changed."""

    def change(*_: object, **__: object) -> None:
        raise AssertionError("the filters of warnings are changed")

    data = ImageFolder(root, SIZE, in_memory=False, threads=2)
    with monkeypatch.context() as patch:
        patch.setattr(warnings, "catch_warnings", change)
        patch.setattr(warnings, "simplefilter", change)
        patch.setattr(warnings, "filterwarnings", change)
        images = data.batch(slice(None))[0]
        decode_picture(noise()["cat/0.jpg"], "0.jpg")
    assert len(images) == 12


def test_a_picture_that_was_removed(tmp_path: Path) -> None:
    root = pack(tmp_path / "pets", "folder", noise())
    data = ImageFolder(root, SIZE, in_memory=False)
    (root / "dog" / "0.jpg").unlink()
    with pytest.raises(DataFormatError, match=r"dog/0\.jpg was removed while the folder was read"):
        data.batch([6])


def test_a_tar_archive_is_read_in_order_only(tmp_path: Path) -> None:
    root = pack(tmp_path / "pets.tar.gz", "tar.gz", noise())
    with pytest.raises(DataFormatError, match="expected a folder or a zip, found an archive that is read in order"):
        ImageFolder(root, SIZE, in_memory=False)


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"in_memory": 0}, TypeError, "ImageFolder: expected in_memory to be True or False, got int 0"),
        ({"threads": 0}, ValueError, "ImageFolder: expected threads from 1 to 1024, got 0"),
    ],
)
def test_bad_settings(settings: dict[str, Any], error: type[Exception], text: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=text):
        ImageFolder(pack(tmp_path / "pets", "folder", noise()), SIZE, **settings)


def test_a_relative_path_stays_valid_in_another_working_directory(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    data = ImageFolder(root.name, SIZE, in_memory=False)
    expected = data.batch([0, 2])[0]
    monkeypatch.chdir("/")
    assert np.array_equal(data.batch([0, 2])[0], expected)
