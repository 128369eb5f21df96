"""The tables that the command line works from."""

import pytest

from numpycnn.cli.recipes import FOLDER, OPTIMIZERS, RECIPES
from numpycnn.data import CATALOG
from numpycnn.models import MODELS
from numpycnn.optim import OneCycleSchedule, Optimizer


@pytest.mark.parametrize("name", list(RECIPES))
def test_a_recipe_can_be_followed(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.model in MODELS
    assert min(recipe.epochs, recipe.batch_size, recipe.validation) >= 1


def test_every_data_set_has_a_recipe() -> None:
    assert set(RECIPES) == {*CATALOG, "mnist-5k", FOLDER}


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_an_optimizer_takes_a_schedule(name: str) -> None:
    make, peak = OPTIMIZERS[name]
    schedule = OneCycleSchedule(peak, 10)
    optimizer = make(schedule)
    assert isinstance(optimizer, Optimizer)
    assert type(optimizer).__name__.lower() == name
    assert optimizer.learning_rate == schedule(0) < peak < 1
