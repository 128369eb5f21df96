"""Recipes: settings that reach an accuracy, as a function and as data, and the records of their runs.

`train` is what the command ``numpycnn train`` calls.
"""

from numpycnn.recipes.errors import SettingError
from numpycnn.recipes.record import Start
from numpycnn.recipes.settings import Settings
from numpycnn.recipes.tables import AUGMENTATIONS, OPTIMIZERS, RECIPES, SCHEDULES, VIEWS, Recipe
from numpycnn.recipes.training import Run, train

__all__ = [
    "AUGMENTATIONS",
    "OPTIMIZERS",
    "RECIPES",
    "SCHEDULES",
    "VIEWS",
    "Recipe",
    "Run",
    "SettingError",
    "Settings",
    "Start",
    "train",
]
