"""Settings from the options and the recipe, stored in a model, and compared with later options."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn.data import Dataset
from numpycnn.errors import DataFormatError
from numpycnn.models import mlp
from numpycnn.optim import CosineSchedule, RMSProp
from numpycnn.recipes import SettingError
from numpycnn.recipes.settings import KEY, OPTIONS, Settings, check_options, choose, expect_same, settings_of
from numpycnn.recipes.tables import AUGMENTATIONS, RECIPES, VIEWS, Recipe

SETTINGS = Settings(
    dataset="mnist",
    found="mnist",
    images=100,
    recipe="quick",
    model="mlp",
    epochs=3,
    batch_size=8,
    optimizer="adam",
    lr=0.005,
    schedule="one-cycle",
    augment="none",
    label_smoothing=0.0,
    l2=0.0,
    ema=0.0,
    views="none",
    validation=12,
    seed=0,
)
PATH = Path("checkpoint.safetensors")


def train(images: int = 100, name: str = "mnist") -> Dataset:
    return Dataset(np.zeros((images, 1, 2, 2), np.uint8), np.arange(images) % 10, tuple("0123456789"), name=name)


@pytest.mark.parametrize(
    ("images", "name", "model", "epochs", "validation"),
    [
        (60000, "mnist", "small_cnn", 4, 5000),
        (4000, "mnist-5k", "keras_cnn", 15, 500),
        (80, "mnist", "small_cnn", 4, 10),
    ],
)
def test_defaults_are_the_recipe(images: int, name: str, model: str, epochs: int, validation: int) -> None:
    found = choose("mnist", {}, train(images, name))
    expected = {"found": name, "images": images, "model": model, "epochs": epochs, "batch_size": 32}
    assert found == dataclasses.replace(SETTINGS, **expected, validation=validation)


ASKED: dict[str, Any] = {
    "recipe": "best",
    "model": "bn_net",
    "epochs": 1,
    "batch_size": 7,
    "optimizer": "rmsprop",
    "lr": 0.25,
    "schedule": "cosine",
    "augment": "crop-flip",
    "label_smoothing": 0.125,
    "l2": 0.5,
    "ema": 0.75,
    "views": "flip",
    "validation": 0,
    "seed": 3,
}


@pytest.mark.parametrize("recipe", ["quick", "best"])
def test_options_override_the_recipe(recipe: str) -> None:
    options = ASKED | {"recipe": recipe}
    assert set(options) == set(OPTIONS)
    found = choose("mnist", options, train())
    assert found == Settings(dataset="mnist", found="mnist", images=100, **options)


@pytest.mark.parametrize("option", [name for name in ASKED if name not in ("recipe", "seed")])
def test_each_option_changes_a_recipe_in_one_place(option: str) -> None:
    plain = choose("mnist", {"recipe": "best"}, train()).to_json()
    found = choose("mnist", {"recipe": "best", option: ASKED[option]}, train()).to_json()
    changed = {name for name in found if found[name] != plain[name]}
    assert changed <= ({"optimizer", "lr"} if option == "optimizer" else {option})
    assert found[option] == ASKED[option]


def test_the_rate_of_a_recipe_is_for_its_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(model="mlp", epochs=1, batch_size=8, validation=0, optimizer="adam", lr=0.001)
    monkeypatch.setitem(RECIPES["quick"], "mnist", recipe)
    assert choose("mnist", {}, train()).lr == 0.001
    assert choose("mnist", {"optimizer": "adam"}, train()).lr == 0.001
    assert choose("mnist", {"optimizer": "sgd"}, train()).lr == 0.05
    assert choose("mnist", {"optimizer": "sgd", "lr": 0.5}, train()).lr == 0.5


def test_a_recipe_becomes_a_training() -> None:
    settings = Settings(dataset="mnist", found="mnist", images=100, **ASKED)
    optimizer = settings.new_optimizer()
    assert isinstance(optimizer, RMSProp)
    assert isinstance(optimizer.lr, CosineSchedule)
    assert (optimizer.lr.lr, optimizer.lr.steps) == (0.25, 15)
    assert settings.augmentation is AUGMENTATIONS["crop-flip"]
    assert settings.test_views is VIEWS["flip"]
    assert (SETTINGS.augmentation, SETTINGS.test_views) == (None, None)


@pytest.mark.parametrize("option", ["augment", "views"])
def test_options_for_pictures_alone(option: str) -> None:
    sentences = Dataset(np.zeros((20, 5), np.int64), np.arange(20) % 2, ("no", "yes"), name="sentence_polarity")
    with pytest.raises(SettingError, match="augment= and views= are for pictures and recordings, and sentence_p"):
        choose("sentence_polarity", {option: ASKED[option]}, sentences)


def test_views_that_do_not_fit_are_refused_before_the_training() -> None:
    thin = Dataset(np.zeros((20, 1, 1, 9), np.uint8), np.arange(20) % 10, tuple("0123456789"), name="mnist")
    with pytest.raises(SettingError, match=r"views=: TestTimeAugmentation: expected images .*, got \(1, 1, 1, 9\)"):
        choose("mnist", {"views": "shift"}, thin)
    assert choose("mnist", {"views": "flip"}, thin).views == "flip"


def test_the_schedule_spans_the_whole_training() -> None:
    schedule = SETTINGS.new_optimizer().lr
    assert schedule.steps == 3 * 11  # type: ignore[union-attr]  # 88 images in batches of 8


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
        {"recipe": "x"},
        {"schedule": "x"},
        {"augment": "x"},
        {"views": "x"},
        {"ema": 1.0},
        {"label_smoothing": -0.5},
        {"l2": -1.0},
        {"more": 1},
    ],
)
def test_invalid_settings(change: dict[str, Any]) -> None:
    model = mlp()
    model.metadata = {KEY: SETTINGS.to_json() | change}
    with pytest.raises(
        DataFormatError, match=r"^checkpoint\.safetensors: expected the settings of a training .* others;"
    ):
        settings_of(model, PATH)


def test_no_settings() -> None:
    with pytest.raises(DataFormatError, match="found none; a training with a Trainer of your own is"):
        settings_of(mlp(), PATH)


def test_resuming_with_the_same_settings() -> None:
    expect_same(SETTINGS, "mnist", {}, train())
    expect_same(SETTINGS, "mnist", {"epochs": 3, "lr": 0.005, "seed": 0}, train())


def test_resuming_with_other_settings() -> None:
    with pytest.raises(SettingError, match=r"^batch_size=16: the training to be resumed has batch_size=8; leave"):
        expect_same(SETTINGS, "mnist", {"batch_size": 16}, train())
    with pytest.raises(SettingError, match=r"^dataset='other': the training to be resumed has dataset='mnist'; leave"):
        expect_same(SETTINGS, "other", {}, train())
    with pytest.raises(
        SettingError, match="began with 100 images of mnist, and now 4,000 of mnist-5k were found in memory"
    ):
        expect_same(SETTINGS, "mnist", {}, train(4000, "mnist-5k"))


def test_options_take_the_types_of_the_settings() -> None:
    found = check_options({"epochs": np.int64(2), "lr": 1, "ema": np.float32(0.5), "model": "mlp", "seed": None})
    assert found == {"epochs": 2, "lr": 1.0, "ema": 0.5, "model": "mlp"}
    assert [type(value) for value in found.values()] == [int, float, float, str]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"model": "vgg"}, "train: expected model to be one of .*mlp.*, got 'vgg'"),
        ({"recipe": 3}, "train: expected recipe to be one of quick, best, got 3"),
        ({"epochs": 0}, "train: expected epochs from 1 to"),
        ({"validation": -1}, "train: expected validation from 0 to"),
        ({"lr": 0.0}, "train: expected lr to be a number above 0, got 0.0"),
        ({"lr": float("nan")}, "train: expected lr to be finite"),
        ({"l2": -1}, "train: expected l2 to be a number of at least 0, got -1"),
        ({"ema": 1.0}, "train: expected ema to be a number of at least 0 and below 1, got 1.0"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        check_options(options)


@pytest.mark.parametrize("options", [{"epochs": "3"}, {"epochs": 2.0}, {"seed": True}, {"lr": "fast"}])
def test_options_of_another_type(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="train: expected"):
        check_options(options)
