"""Every data set and every reader by its name."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn.data import CATALOG, Dataset
from numpycnn.data.audio import SpectrogramReader
from numpycnn.data.catalog import READERS, reader_from
from numpycnn.data.fashion_mnist import GarmentReader
from numpycnn.data.mnist import DigitReader
from numpycnn.data.pictures import PictureReader
from numpycnn.data.text import PADDING, UNKNOWN, SentenceReader

EXAMPLES: list[Any] = [
    DigitReader(),
    GarmentReader(),
    PictureReader((20, 30), 1, "stretch"),
    SpectrogramReader(mels=20),
    SentenceReader((PADDING, UNKNOWN, "a", "é"), 7),
]


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


# -------------------------------------------------------------------------------------------------------- the readers


def test_every_reader_has_an_example() -> None:
    assert {type(reader) for reader in EXAMPLES} == set(READERS.values())


@pytest.mark.parametrize("reader", EXAMPLES, ids=lambda reader: reader.kind)
def test_settings_through_json(reader: Any) -> None:
    again = reader_from(json.loads(json.dumps(reader.to_json())))
    assert again == reader
    assert again.shape == reader.shape
    assert again.noun in ("picture", "recording", "sentence")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (None, "expected a kind of reader, one of digit, garment, picture, spectrogram, sentence, got None"),
        ([], "expected a kind of reader"),
        ({"kind": "video"}, "got 'video'"),
        ({"kind": ["digit"]}, "expected a kind of reader"),
        ({"kind": "digit", "size": 3}, "expected the settings none of a digit reader, got size"),
        (
            {"kind": "picture", "size": [3, 3]},
            "expected the settings size, channels, fit of a picture reader, got size",
        ),
        ({"kind": "sentence", "words": [], "length": 3}, "expected different words"),
        ({"kind": "sentence", "words": {"a": 1}, "length": 3}, "expected words to be a list of strings"),
    ],
)
def test_invalid_settings_are_refused(settings: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        reader_from(settings)


@pytest.mark.parametrize("reader", EXAMPLES, ids=lambda reader: reader.kind)
def test_mutated_settings_give_a_reader_or_a_value_error(reader: Any) -> None:
    rng = np.random.default_rng(0)
    odd: list[Any] = [None, True, -1, 0, 1.5, 1 << 70, float("nan"), "x", [], [1, 2], {}, {"a": 1}, [[1]], "crop"]
    for _ in range(400):
        settings = reader.to_json()
        name = [*settings, "more"][rng.integers(len(settings) + 1)]
        if rng.random() < 0.2:
            settings.pop(name, None)
        else:
            settings[name] = odd[rng.integers(len(odd))]
        with suppress(ValueError):
            assert min(reader_from(settings).shape) >= 1
