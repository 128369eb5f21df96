"""Settings from the command line and the recipe, kept in a model, and held against what is asked for later."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn.cli.console import CommandError
from numpycnn.cli.settings import KEY, Settings, choose, settings_of
from numpycnn.data import Dataset
from numpycnn.errors import DataFormatError
from numpycnn.models import mlp

SETTINGS = Settings("mnist", "mnist", 100, "mlp", 3, 8, "adam", 0.005, 12, 0)
PATH = Path("checkpoint.safetensors")


def train(images: int = 100, name: str = "mnist") -> Dataset:
    return Dataset(np.zeros((images, 1, 2, 2), np.uint8), np.arange(images) % 10, tuple("0123456789"), name=name)


def asked(**options: Any) -> argparse.Namespace:
    names = ("model", "epochs", "batch_size", "optimizer", "lr", "validation", "seed")
    return argparse.Namespace(**(dict.fromkeys(names) | {"dataset": "mnist"} | options))


@pytest.mark.parametrize(
    ("images", "name", "model", "epochs", "validation"),
    [
        (60000, "mnist", "small_cnn", 4, 5000),
        (4000, "mnist-5k", "keras_cnn", 15, 500),
        (80, "mnist", "small_cnn", 4, 10),
    ],
)
def test_defaults_are_the_recipe(images: int, name: str, model: str, epochs: int, validation: int) -> None:
    found = choose(asked(), train(images, name))
    assert found == Settings("mnist", name, images, model, epochs, 32, "adam", 0.005, validation, 0)


def test_what_is_asked_for_counts() -> None:
    options = {"model": "bn_net", "epochs": 1, "batch_size": 7, "optimizer": "sgd", "validation": 0, "seed": 3}
    found = choose(asked(**options), train())
    assert found == Settings("mnist", "mnist", 100, "bn_net", 1, 7, "sgd", 0.05, 0, 3)
    assert choose(asked(lr=0.5), train()).lr == 0.5


def test_the_schedule_spans_the_whole_training() -> None:
    schedule = SETTINGS.new_optimizer().lr
    assert schedule.steps == 3 * 11  # type: ignore[union-attr]  # 88 images in batches of 8


def test_the_split() -> None:
    held_out, rest = SETTINGS.split(train())
    assert held_out is not None
    assert (len(held_out), len(rest)) == (12, 88)
    nothing, everything = dataclasses.replace(SETTINGS, validation=0).split(train())
    assert nothing is None
    assert len(everything) == 100


def test_settings_in_a_model() -> None:
    model = mlp()
    model.metadata = {KEY: SETTINGS.to_json()}
    assert settings_of(model, PATH) == SETTINGS


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": "3"},
        {"epochs": True},
        {"epochs": 0},
        {"batch_size": -1},
        {"seed": -1},
        {"validation": 100},
        {"validation": -1},
        {"lr": 1},
        {"model": "x"},
        {"optimizer": "x"},
        {"more": 1},
    ],
)
def test_settings_that_make_no_sense(change: dict[str, Any]) -> None:
    model = mlp()
    model.metadata = {KEY: SETTINGS.to_json() | change}
    with pytest.raises(
        DataFormatError, match=r"^checkpoint\.safetensors: expected the settings of a training .* others;"
    ):
        settings_of(model, PATH)


def test_no_settings() -> None:
    with pytest.raises(DataFormatError, match="found none; a training from Python is resumed with"):
        settings_of(mlp(), PATH)


def test_the_same_again() -> None:
    SETTINGS.expect_same(asked(), train())
    SETTINGS.expect_same(asked(epochs=3, lr=0.005, seed=0), train())


def test_something_else() -> None:
    with pytest.raises(CommandError, match=r"^--batch-size 16: the training to be resumed has --batch-size 8; leave"):
        SETTINGS.expect_same(asked(batch_size=16), train())
    with pytest.raises(CommandError, match=r"^other: the training to be resumed has mnist; leave"):
        SETTINGS.expect_same(asked(dataset="other"), train())
    with pytest.raises(
        CommandError, match="began with 100 images of mnist, and now 4,000 of mnist-5k were found in memory"
    ):
        SETTINGS.expect_same(asked(), train(4000, "mnist-5k"))
