import gzip
import hashlib
import io
import runpy
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from numpycnn.data import ImageFolder, cifar10, load_cifar10
from numpycnn.data.cifar10 import CLASSES, RECORD, TEST, TRAIN, decode_batch
from numpycnn.errors import DataFormatError
from tests.data.small import pack, picture_bytes
from tests.mutations import bounded_memory, mutate_bytes

COUNT = 12  # records in a test batch


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "RECORDS", COUNT)


def batches(seed: int = 0) -> dict[str, bytes]:
    """Six batches with random pixels and the labels 0 to 9, repeated."""
    rng = np.random.default_rng(seed)
    found = {}
    for name in (*TRAIN, TEST):
        records = rng.integers(0, 256, (COUNT, RECORD), dtype=np.uint8)
        records[:, 0] = np.arange(COUNT) % 10
        found[name] = records.tobytes()
    return found


def in_tar(files: dict[str, bytes]) -> dict[str, bytes]:
    extra = {"cifar-10-batches-bin/readme.html": b"x", "cifar-10-batches-bin/batches.meta.txt": b"airplane"}
    return extra | {f"cifar-10-batches-bin/{name}": content for name, content in files.items()}


class TestDecode:
    def test_a_record_is_a_label_and_three_planes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cifar10, "RECORDS", 2)
        content = bytes([7]) + bytes([1] * 1024) + bytes([2] * 1024) + bytes(range(256)) * 4
        images, labels = decode_batch(content + bytes(RECORD), "b")
        assert labels.tolist() == [7, 0]
        assert labels.dtype == np.int64
        assert images.shape == (2, 3, 32, 32)
        assert (images[0, 0] == 1).all()
        assert (images[0, 1] == 2).all()
        assert images[0, 2, 0].tolist() == list(range(32))  # row by row
        assert images[0, 2, 1, 0] == 32

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (b"", r"b\.bin: expected 12 records of 3,073 bytes \(36,876\), found 0 bytes: it is truncated"),
            (bytes(COUNT * RECORD - 1), "found 36,875 bytes: it is truncated"),
            (bytes((COUNT - 1) * RECORD), "found 33,803 bytes: it is truncated"),
            (bytes(COUNT * RECORD + 1), "found 36,877 bytes$"),
            (bytes(RECORD) + bytes([10]) + bytes((COUNT - 1) * RECORD - 1), "from 0 to 9, found 10 in record 1$"),
        ],
    )
    def test_invalid_batches_are_refused(self, content: bytes, text: str) -> None:
        with pytest.raises(DataFormatError, match=text):
            decode_batch(content, "b.bin")

    def test_mutated_batches_give_images_or_a_format_error(self) -> None:
        rng = np.random.default_rng(0)
        content = batches()[TEST]
        refused = 0
        with bounded_memory(200):
            for _ in range(2000):
                damaged = bytearray(content)
                damaged[rng.integers(COUNT) * RECORD] = rng.integers(0, 14)  # a label
                try:
                    images, labels = decode_batch(mutate_bytes(damaged, rng), "b.bin")
                except DataFormatError as error:
                    refused += str(error).startswith("b.bin: ")
                else:
                    assert images.shape == (COUNT, 3, 32, 32)
                    assert labels.max() < 10
        assert 500 < refused < 1900


@pytest.mark.parametrize("kind", ["folder", "folder itself", "tar", "tar itself"])
def test_both_binary_forms_give_the_same_data(tmp_path: Path, kind: str) -> None:
    files = batches()
    if "folder" in kind:
        root = pack(tmp_path / "cifar-10-batches-bin", "folder", files)
    else:
        root = pack(tmp_path / "cifar-10-binary.tar.gz", "tar.gz", in_tar(files))
    train, test = load_cifar10(root if "itself" in kind else tmp_path)
    assert (train.images.shape, test.images.shape) == ((5 * COUNT, 3, 32, 32), (COUNT, 3, 32, 32))
    assert train.labels.tolist() == 5 * [*range(10), 0, 1]
    records = np.frombuffer(files["data_batch_3.bin"], np.uint8).reshape(COUNT, RECORD)
    assert np.array_equal(train.images[2 * COUNT : 3 * COUNT].reshape(COUNT, -1), records[:, 1:])
    assert (train.name, train.class_names, train.source) == ("cifar10", CLASSES, str(root))
    assert train.mean.tolist() == [0.4914, 0.4822, 0.4465]
    assert ("no checksum is published" in train.note) == ("folder" in kind)
    assert ("not the published one" in train.note) == ("tar" in kind)
    assert train.note == test.note


def test_the_note_identifies_the_published_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "cifar-10-binary.tar.gz", "tar.gz", in_tar(batches()))
    form = replace(cifar10.OFFICIAL, sha256=(hashlib.sha256(path.read_bytes()).hexdigest(),))
    monkeypatch.setattr(cifar10, "OFFICIAL", form)
    monkeypatch.setattr(cifar10, "CIFAR10", replace(cifar10.CIFAR10, forms=(form, cifar10.BATCHES, cifar10.JPEG)))
    assert load_cifar10(tmp_path)[0].note == "the official binary version"


def test_a_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    def fetch(name: str, mirrors: tuple, sha256: str, folder: Path, **settings: object) -> Path:
        assert sha256 == cifar10.TAR_SHA256
        folder.mkdir()
        return pack(folder / name, "tar.gz", in_tar(batches()))

    monkeypatch.setattr("numpycnn.data.source.fetch", fetch)
    train, _ = load_cifar10()
    assert train.source == str(own_cache / "cifar10" / "cifar-10-binary.tar.gz")
    assert train.note == "the official binary version"


def test_the_official_version_is_preferred(tmp_path: Path) -> None:
    pack(tmp_path / "cifar-10-binary.tar.gz", "tar.gz", in_tar(batches(1)))
    pack(tmp_path / "cifar-10-batches-bin", "folder", batches(2))
    (tmp_path / "cifar10-jpeg.zip").touch()
    assert load_cifar10(tmp_path)[0].source.endswith("tar.gz")


def jpegs() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    return {
        f"{part}/{name}/{i:04}.jpg": picture_bytes(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8), "JPEG")
        for part, count in (("train", 3), ("test", 1))
        for name in CLASSES
        for i in range(count)
    }


def test_the_note_identifies_jpeg_copies(tmp_path: Path) -> None:
    pack(tmp_path / "cifar10-jpeg.zip", "zip", jpegs())
    train, test = load_cifar10(tmp_path)
    assert (train.images.shape, test.images.shape) == ((30, 3, 32, 32), (10, 3, 32, 32))
    assert np.bincount(train.labels).tolist() == [3] * 10
    assert train.labels.tolist() != sorted(train.labels)
    assert train.note.startswith("JPEG copies of CIFAR-10: their pixels are close to the official ones, and not equal")
    assert np.array_equal(load_cifar10(tmp_path)[0].images, train.images)


def test_jpeg_copies_with_other_classes_are_refused(tmp_path: Path) -> None:
    files = {name: content for name, content in jpegs().items() if "/cat/" not in name}
    pack(tmp_path / "cifar10-jpeg.zip", "zip", files)
    with pytest.raises(
        DataFormatError, match=r"expected the classes airplane, .*, found airplane, automobile, bird, deer"
    ):
        load_cifar10(tmp_path)


@pytest.mark.parametrize("kind", ["folder", "tar.gz"])
def test_a_truncated_batch_is_named(tmp_path: Path, kind: str) -> None:
    files = batches()
    files["data_batch_4.bin"] = files["data_batch_4.bin"][:-1000]
    if kind == "folder":
        pack(tmp_path / "cifar-10-batches-bin", "folder", files)
    else:
        pack(tmp_path / "cifar-10-binary.tar.gz", "tar.gz", in_tar(files))
    with pytest.raises(DataFormatError, match=r"data_batch_4\.bin: expected 12 records .*: it is truncated"):
        load_cifar10(tmp_path)


def test_a_batch_that_is_missing_or_too_long(tmp_path: Path) -> None:
    files = batches()
    del files["data_batch_2.bin"]
    path = pack(tmp_path / "cifar-10-binary.tar.gz", "tar.gz", in_tar(files))
    with pytest.raises(DataFormatError, match=r"expected data_batch_1\.bin, .*, found no data_batch_2\.bin"):
        load_cifar10(tmp_path)
    pack(path, "tar.gz", in_tar(batches() | {TEST: bytes(COUNT * RECORD + 1)}))
    with pytest.raises(DataFormatError, match=r"test_batch\.bin: expected at most 36,876 bytes, found 36,877"):
        load_cifar10(tmp_path)
    pack(tmp_path / "cifar-10-batches-bin", "folder", files)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"CIFAR-10: missing in .*cifar-10-batches-bin: data_batch_2\.bin$"):
        load_cifar10(tmp_path)


def test_a_truncated_archive(tmp_path: Path) -> None:
    path = pack(tmp_path / "cifar-10-binary.tar.gz", "tar.gz", in_tar(batches()))
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(DataFormatError, match=r"cifar-10-binary\.tar\.gz.*: expected"):
        load_cifar10(tmp_path)


def test_the_pickled_version_is_not_read(tmp_path: Path) -> None:
    pack(
        tmp_path / "cifar-10-batches-py", "folder", {name.removesuffix(".bin"): b"\x80\x04." for name in (*TRAIN, TEST)}
    )
    pack(tmp_path / "cifar-10-python.tar.gz", "tar.gz", {"cifar-10-batches-py/data_batch_1": b"\x80\x04."})
    with pytest.raises(FileNotFoundError, match="found none of them"):
        load_cifar10(tmp_path)


def test_batches_in_subfolders_are_ignored(tmp_path: Path) -> None:
    files = batches(1)
    older = {f"older/{name}": content for name, content in batches(2).items()}
    pack(tmp_path, "folder", files | older)
    train, _ = load_cifar10(tmp_path)
    assert train.images[0].tobytes() == files["data_batch_1.bin"][1:RECORD]


def test_member_names_with_parent_folders_write_nothing(tmp_path: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in batches().items():
            info = tarfile.TarInfo(f"../../{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(gzip.compress(file.getvalue()))
    before = sorted(tmp_path.parent.rglob("*"))
    with pytest.raises(DataFormatError, match=r"expected data_batch_1\.bin, .*, found no data_batch_1\.bin, "):
        load_cifar10(tmp_path)
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_real_copies_in_the_official_layout(data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script next to the data writes the images of the zip in the authors' layout."""
    script, archive = data_folder / "make_cifar10_binary.py", data_folder / "cifar10-jpeg.zip"
    if not (script.is_file() and archive.is_file()):
        pytest.skip("NUMPYCNN_DATA does not contain cifar10-jpeg.zip and its script")
    monkeypatch.setattr(cifar10, "RECORDS", 10_000)
    with zipfile.ZipFile(archive) as file:
        batch = runpy.run_path(str(script))["records"](file, "test").tobytes()
    pack(tmp_path / "cifar-10-batches-bin", "folder", dict.fromkeys((*TRAIN, TEST), batch))
    train, test = load_cifar10(tmp_path)
    assert (train.images.shape, test.images.shape) == ((50_000, 3, 32, 32), (10_000, 3, 32, 32))
    mean, std = test.statistics()
    np.testing.assert_allclose(mean, test.mean, atol=7e-3)
    np.testing.assert_allclose(std, test.std, atol=7e-3)
    copies = ImageFolder(archive, (32, 32), part="test")
    for label in (0, 9):
        ours, theirs = (
            np.unique(data.images[data.labels == label].reshape(1000, -1), axis=0) for data in (test, copies)
        )
        assert np.array_equal(ours, theirs)
