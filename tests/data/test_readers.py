"""Readers restored from the settings in a model file."""

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from numpycnn.data.audio import SpectrogramReader
from numpycnn.data.fashion_mnist import GarmentReader
from numpycnn.data.mnist import DigitReader
from numpycnn.data.pictures import PictureReader
from numpycnn.data.readers import READERS, reader_from
from numpycnn.data.text import PADDING, UNKNOWN, SentenceReader

EXAMPLES: list[Any] = [
    DigitReader(),
    GarmentReader(),
    PictureReader((20, 30), 1, "stretch"),
    SpectrogramReader(mels=20),
    SentenceReader((PADDING, UNKNOWN, "a", "é"), 7),
]


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
