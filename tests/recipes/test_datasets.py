"""A name or a path is resolved to a training and a test set."""

from pathlib import Path

import numpy as np
import pytest

from numpycnn.data import CATALOG, PictureReader
from numpycnn.errors import DataFormatError
from numpycnn.recipes import SettingError
from numpycnn.recipes.datasets import expect_dataset, label_of, load
from tests.data.small import pack, picture_bytes


@pytest.fixture
def pets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of five pictures of each of two classes, in the current folder."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    files = {
        f"{name}/{i}.png": picture_bytes(rng.integers(100 * c, 100 * c + 99, (9, 12, 3)).astype(np.uint8))
        for c, name in enumerate(("cat", "dog"))
        for i in range(5)
    }
    return pack(tmp_path / "pets", "folder", files)


@pytest.mark.parametrize("name", list(CATALOG))
def test_names_of_the_catalog(name: str) -> None:
    expect_dataset(name)
    assert label_of(name) == name


def test_paths(pets: Path) -> None:
    expect_dataset("pets")
    assert label_of(str(pets)) == label_of("./pets/") == "pets"


@pytest.mark.parametrize("text", ["cifar", "", "no/such/folder", "x" * 300])
def test_neither_a_name_nor_a_path(text: str) -> None:
    with pytest.raises(SettingError, match=rf"invalid choice: '{text}' \(choose from 'mnist', .*, or name"):
        expect_dataset(text)


def test_a_name_is_not_taken_for_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the name of a data set is given as a path, such as ./mnist."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist").mkdir()
    with pytest.raises(FileNotFoundError, match="MNIST: expected train-images"):
        load("mnist", Path("."))
    with pytest.raises(DataFormatError, match="found no pictures"):
        load("./mnist", None)


def test_pictures_are_resized_to_one_size(pets: Path) -> None:
    train, test = load("pets", None)
    assert (train.images.shape, test.images.shape) == ((8, 3, 64, 64), (2, 3, 64, 64))
    train, _ = load("pets", None, trained=PictureReader((9, 12), 1))
    assert train.images.shape == (8, 1, 9, 12)


def test_skipped_pictures_are_warned_about(pets: Path) -> None:
    (pets / "cat" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DataFormatError, match=r"bad\.png: expected a PNG or JPEG picture"):
        load("pets", None)
    with pytest.warns(UserWarning, match=r"^pets: 1 of 11 pictures were skipped: pets/cat/bad\.png: expected"):
        train, _ = load("pets", None, skip_broken=True)
    assert len(train) == 8


def test_options_that_do_not_fit(pets: Path) -> None:
    with pytest.raises(SettingError, match=r"^data='pets' is for a named data set, and pets is a path already$"):
        load("pets", Path("pets"))
    with pytest.raises(SettingError, match=r"^skip_broken=True is for folders of pictures, not for mnist$"):
        load("mnist", None, skip_broken=True)
