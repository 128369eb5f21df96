"""The tables of the recipes."""

import numpy as np
import pytest

from numpycnn.data import CATALOG
from numpycnn.models import MODELS, create
from numpycnn.optim import OneCycleSchedule, Optimizer
from numpycnn.recipes.tables import AUGMENTATIONS, FOLDER, OPTIMIZERS, RECIPES, SCHEDULES, VIEWS, Recipe

EACH = [pytest.param(recipe, id=f"{kind} {name}") for kind, table in RECIPES.items() for name, recipe in table.items()]
SHAPES = {"digits": (1, 28, 28), "crop-flip": (1, 28, 28), "photographs": (3, 32, 32), "speech": (1, 40, 64)}


@pytest.mark.parametrize("recipe", EACH)
def test_a_recipe_can_be_followed(recipe: Recipe) -> None:
    assert recipe.model in MODELS
    assert min(recipe.epochs, recipe.batch_size) >= 1
    assert recipe.validation >= 0
    assert recipe.optimizer in OPTIMIZERS
    assert recipe.lr is None or 0 < recipe.lr < 1
    assert recipe.schedule in SCHEDULES
    assert recipe.augment in AUGMENTATIONS
    assert recipe.views in VIEWS
    assert 0 <= recipe.label_smoothing < 1
    assert 0 <= recipe.ema < 1
    assert recipe.l2 >= 0


@pytest.mark.parametrize("kind", list(RECIPES))
def test_every_data_set_has_a_recipe(kind: str) -> None:
    assert set(RECIPES[kind]) == {*CATALOG, "mnist-5k", FOLDER}


def test_settings_are_of_the_type_that_the_command_line_reads() -> None:
    for recipe in (param.values[0] for param in EACH):
        assert isinstance(recipe, Recipe)
        for number in (recipe.label_smoothing, recipe.l2, recipe.ema, recipe.lr or 0.0):
            assert type(number) is float


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_an_optimizer_takes_a_schedule(name: str) -> None:
    make, peak = OPTIMIZERS[name]
    schedule = OneCycleSchedule(peak, 10)
    optimizer = make(schedule)
    assert isinstance(optimizer, Optimizer)
    assert type(optimizer).__name__.lower() == name
    assert optimizer.learning_rate == schedule(0) < peak <= 1


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_a_schedule_spans_the_training(name: str) -> None:
    rates = SCHEDULES[name](0.5, 100)
    found = [rates(step) if callable(rates) else rates for step in range(100)]
    assert max(found) == 0.5
    assert (found[-1] == 0.5) == (name == "constant")
    assert found[-1] == 0.5 or found[-1] < 0.01


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if name != "none"])
def test_an_augmentation_makes_others_of_its_kind(name: str) -> None:
    augment = AUGMENTATIONS[name]
    images = np.random.default_rng(0).integers(1, 256, (6, *SHAPES[name]), dtype=np.uint8)
    assert augment is not None
    others, labels = augment(images, np.arange(6), 0)
    assert (others.shape, others.dtype, labels.tolist()) == (images.shape, images.dtype, list(range(6)))
    assert all((one != other).any() for one, other in zip(images, others, strict=True))


@pytest.mark.parametrize("name", [name for name in VIEWS if name != "none"])
def test_views_can_be_averaged(name: str) -> None:
    views, model = VIEWS[name], create("mlp", (1, 4, 5), 3)
    assert views is not None
    assert views(model, np.zeros((2, 1, 4, 5), np.float32)).shape == (2, 3)
