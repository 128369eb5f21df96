import hashlib
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn.data import fashion_mnist, load_fashion_mnist, load_mnist, mnist
from numpycnn.data.fashion_mnist import GarmentReader, prepare_garment
from numpycnn.errors import DataFormatError
from tests.data.conftest import idx_bytes


def write_set(folder: Path, seed: int) -> list[str]:
    """Write four small IDX files, and return the SHA-256 of each."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    sums = []
    for name, count in zip(mnist.IDX_FILES, (6, 6, 3, 3), strict=True):
        shape = (count, 28, 28) if "images" in name else (count,)
        content = idx_bytes(rng.integers(0, 10, shape, dtype=np.uint8))
        (folder / name).write_bytes(content)
        sums.append(hashlib.sha256(content).hexdigest())
    return sums


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders of small copies of MNIST and Fashion-MNIST, both expected by their loaders."""
    digits = mnist.idx_form(*write_set(tmp_path / "mnist", 0))
    clothes = mnist.idx_form(*write_set(tmp_path / "fashion-mnist", 1))
    monkeypatch.setattr(mnist, "MNIST", replace(mnist.MNIST, forms=(digits,)))
    source = replace(fashion_mnist.FASHION_MNIST, forms=(clothes,), system=())
    monkeypatch.setattr(fashion_mnist, "FASHION_MNIST", source)
    return tmp_path


def test_load(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMPYCNN_DATA", str(folders))
    train, test = load_fashion_mnist()
    assert (train.images.shape, test.images.shape) == ((6, 1, 28, 28), (3, 1, 28, 28))
    assert train.class_names[0] == "T-shirt/top"
    assert train.class_names[9] == "Ankle boot"
    assert (train.name, train.source) == ("fashion_mnist", str(folders / "fashion-mnist"))
    assert (train.mean.tolist(), train.std.tolist()) == ([0.286], [0.353])
    assert isinstance(train.reader, GarmentReader)


def test_the_files_of_the_two_data_sets_are_distinguished(
    folders: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    """The file names are equal: each set is found in its own folder, and refused in the other's."""
    monkeypatch.setenv("NUMPYCNN_DATA", str(folders))
    assert not np.array_equal(load_mnist()[0].images, load_fashion_mnist()[0].images)
    with pytest.raises(DataFormatError, match="expected unpacked content with SHA-256"):
        load_fashion_mnist(folders / "mnist")
    with pytest.raises(DataFormatError, match="expected unpacked content with SHA-256"):
        load_mnist(folders / "fashion-mnist")
    names = [file.name for file in mnist.MNIST.published]
    assert names == [file.name for file in fashion_mnist.FASHION_MNIST.published]
    assert mnist.MNIST.folders[0] != fashion_mnist.FASHION_MNIST.folders[0]


def test_debians_folder_is_searched(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mnist.MNIST.system == ()
    source = replace(fashion_mnist.FASHION_MNIST, system=(str(folders / "fashion-mnist"),))
    monkeypatch.setattr(fashion_mnist, "FASHION_MNIST", source)
    assert load_fashion_mnist()[1].source == str(folders / "fashion-mnist")


def test_debians_folder_is_listed() -> None:
    assert fashion_mnist.FASHION_MNIST.system == ("/usr/share/datasets/fashion-mnist",)


@pytest.mark.usefixtures("folders")
def test_there_is_no_fallback() -> None:
    with pytest.raises(FileNotFoundError, match=r"Fashion-MNIST is not on this machine, and train-images.*no network"):
        load_fashion_mnist()


class TestGarment:
    SHIRT = np.full((60, 90), 250, np.uint8)
    SHIRT[10:50, 30:50] = 40

    def test_a_dark_shirt_on_white_is_light_on_black(self) -> None:
        image = prepare_garment(self.SHIRT)
        assert (image.shape, image.dtype) == ((1, 28, 28), np.uint8)
        rows, columns = np.nonzero(image[0] > 100)
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (28, 14)
        assert columns.min() == 7
        assert image[0, :, :6].max() <= 10
        assert image[0, 14, 14] == 215

    def test_two_pieces_are_noted(self) -> None:
        text = "one piece of clothing, found 2 separate shapes, which are read as one; crop it to one"
        with pytest.warns(UserWarning, match=f"expected a picture of {text}"):
            assert prepare_garment(np.hstack([self.SHIRT, self.SHIRT])).shape == (1, 28, 28)
        button = self.SHIRT.copy()
        button[12:20, 22:26] = 40  # too small to be a piece of its own
        assert prepare_garment(button)[0, 14, 16] == 215

    def test_an_odd_pixel_of_padding_comes_first(self) -> None:
        trousers = np.zeros((28, 40), np.uint8)
        trousers[:, 3:14] = 200
        columns = np.flatnonzero(prepare_garment(trousers)[0].any(axis=0))
        assert (columns[0], columns[-1]) == (9, 19)
        rows = np.flatnonzero(prepare_garment(trousers.T)[0].any(axis=1))
        assert (rows[0], rows[-1]) == (9, 19)

    def test_light_on_black_is_not_inverted(self) -> None:
        assert np.abs(prepare_garment(255 - self.SHIRT).astype(int) - prepare_garment(self.SHIRT)).max() <= 1

    def test_a_horizontal_garment_in_colours(self) -> None:
        picture = np.stack([self.SHIRT.T, self.SHIRT.T, self.SHIRT.T // 2], axis=-1)
        rows, columns = np.nonzero(prepare_garment(picture)[0] > 60)
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (14, 28)

    def test_an_image_of_the_data_set_is_unchanged(self, tmp_path: Path) -> None:
        image = np.zeros((28, 28), np.uint8)
        image[0:28, 5:23] = np.random.default_rng(0).integers(50, 256, (28, 18))
        Image.fromarray(image).save(tmp_path / "a.png")
        assert np.array_equal(GarmentReader().read(tmp_path / "a.png")[0], image)

    @pytest.mark.parametrize("level", [0, 128, 255])
    def test_a_blank_picture_is_refused(self, level: int) -> None:
        with pytest.raises(ValueError, match="found only background"):
            prepare_garment(np.full((30, 40), level, np.uint8))

    def test_specks_that_the_reduction_removes_are_background(self) -> None:
        picture = np.zeros((7, 590), np.uint8)
        picture[[1, 5], [5, 580]] = 20
        with pytest.raises(ValueError, match="found only background"):
            prepare_garment(picture)

    @pytest.mark.parametrize("shape", [(1, 2000), (2000, 1), (2, 2)])
    def test_odd_shapes(self, shape: tuple[int, int]) -> None:
        picture = np.zeros(shape, np.uint8)
        picture.flat[1] = 255
        assert prepare_garment(picture).shape == (1, 28, 28)


def test_real_files(real) -> None:
    train, test = real("fashion_mnist")
    assert (train.images.shape, test.images.shape) == ((60_000, 1, 28, 28), (10_000, 1, 28, 28))
    assert np.bincount(train.labels).tolist() == [6000] * 10
    assert np.bincount(test.labels).tolist() == [1000] * 10
    mean, std = train.statistics()
    assert mean[0] == pytest.approx(train.mean[0], abs=1e-4)
    assert std[0] == pytest.approx(train.std[0], abs=1e-4)
    with warnings.catch_warnings(record=True, action="always") as caught:
        correlations = [np.corrcoef(prepare_garment(x[0]).ravel(), x.ravel())[0, 1] for x in test.images[:200]]
    assert np.median(correlations) > 0.95
    assert len(caught) == 1  # a T-shirt in two parts
