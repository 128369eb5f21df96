from collections.abc import Callable
from pathlib import Path

import pytest

from numpycnn.data import CATALOG, Dataset
from numpycnn.data.readers import reader_from


def test_the_names() -> None:
    assert list(CATALOG) == ["mnist", "fashion_mnist", "cifar10", "spoken_digits", "sentence_polarity"]


@pytest.mark.parametrize("name", [name for name in CATALOG if name != "mnist"])
def test_a_missing_data_set_is_an_error(name: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"is not on this machine, and .*set NUMPYCNN_DATA to the folder above"):
        CATALOG[name].load(None)


@pytest.mark.parametrize("name", list(CATALOG))
def test_a_folder_without_the_data_set(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"expected .* in {tmp_path} or .*, found none of them"):
        CATALOG[name].load(tmp_path)


@pytest.mark.parametrize("name", list(CATALOG))
def test_real_data_sets_are_ready_for_training(
    name: str, data_folder: Path, real: Callable[[str], tuple[Dataset, Dataset]]
) -> None:
    train, test = real(name)
    for data in (train, test):
        assert isinstance(data, Dataset)
        assert data.name == name
        assert len(set(data.labels[:300].tolist())) == len(data.class_names)  # shuffled, not sorted by class
        assert str(data_folder) in data.source
        assert data.reader is not None
        assert data.reader.shape == data.images.shape[1:]
        assert reader_from(data.describe()["reader"]) == data.reader
    assert train.images.dtype == test.images.dtype
    assert train.describe() == test.describe()
    assert len(test) < len(train)
