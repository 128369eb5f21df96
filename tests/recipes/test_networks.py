"""The description of a training in a model's metadata, and new networks for a data set."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn.data import PictureReader, SentenceReader
from numpycnn.io.loading import load_model
from numpycnn.models import mlp
from numpycnn.recipes.networks import Training, create_for, training_of

WORDS = ("<padding>", "<unknown>", "film")
TRAINING = Training("mnist", ("no", "yes"), (0.25,), (0.5,), PictureReader((2, 2), 1))
METADATA = {
    "dataset": "mnist",
    "class_names": ["no", "yes"],
    "mean": [0.25],
    "std": [0.5],
    "reader": {"kind": "picture", "size": [2, 2], "channels": 1, "fit": "crop"},
}


def test_the_description_of_a_training_survives_a_file(tmp_path: Path) -> None:
    model = mlp(classes=2)
    model.metadata = METADATA
    model.save(tmp_path / "model.safetensors")
    assert training_of(load_model(tmp_path / "model.safetensors")) == TRAINING


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": 3},
        {"class_names": []},
        {"class_names": ["no", 1]},
        {"mean": None},
        {"std": 0.5},
        {"mean": [True]},
        {"reader": "digit"},
        {"reader": {"kind": "digit", "size": 3}},
    ],
)
def test_incomplete_metadata(change: dict[str, Any]) -> None:
    model = mlp()
    model.metadata = METADATA | change
    assert training_of(model) is None


def test_the_reader_is_optional() -> None:
    for metadata in (METADATA | {"reader": None}, {key: METADATA[key] for key in METADATA if key != "reader"}):
        model = mlp()
        model.metadata = metadata
        training = training_of(model)
        assert training is not None
        assert training.reader is None


def test_tokens_have_no_mean() -> None:
    model = mlp()
    model.metadata = METADATA | {"mean": [], "std": [], "reader": SentenceReader(WORDS, 5).to_json()}
    training = training_of(model)
    assert training is not None
    dataset = training.dataset_of(np.array([2, 1, 0, 0, 0]))
    assert dataset.batch([0])[0].tolist() == [[2, 1, 0, 0, 0]]


def test_metadata_that_is_not_a_dict() -> None:
    model = mlp()
    model.metadata = ["no table"]  # type: ignore[assignment]  # as a file may hold
    assert training_of(model) is None


def test_pictures_are_normalized_as_in_the_training() -> None:
    dataset = TRAINING.dataset_of(np.full((1, 2, 2), 255, np.uint8))
    np.testing.assert_allclose(dataset.batch([0])[0], 1.5)  # (1 - 0.25) / 0.5
    assert dataset.name == TRAINING.dataset


def test_a_network_fits_the_examples_and_classes() -> None:
    pictures = TRAINING.dataset_of(np.zeros((1, 30, 34), np.uint8))
    model = create_for("lenet", pictures, seed=3)
    assert (model.input_shape, model.output_shape) == ((1, 30, 34), (2,))
    with pytest.raises(ValueError, match=r"^text_cnn takes sentences and nothing else, and the examples of mnist are"):
        create_for("text_cnn", pictures)
