"""What the command line knows by name: data sets, and how each is trained unless the user says otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from numpycnn import data
from numpycnn.cli.console import refusing, warnings_as_notes
from numpycnn.data import Dataset
from numpycnn.optim import SGD, Adam, AdamW, RMSProp


@dataclass(frozen=True)
class Source:
    """A data set that can be asked for.

    Attributes
    ----------
    about : str
        For the help.
    load : callable
        Takes a folder or None, returns the training and the test set.
    prepare : callable
        Makes a picture from disk, uint8 (H, W) or (H, W, 3), into an image of this data set, uint8 (C, H, W).
    """

    about: str
    load: Callable[[Any], tuple[Dataset, Dataset]]
    prepare: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Recipe:
    """How a data set is trained; `validation` counts the training images that are held out."""

    model: str
    epochs: int
    batch_size: int
    validation: int


#: Data sets by the name that a user gives.
SOURCES: dict[str, Source] = {
    "mnist": Source("70,000 handwritten digits", data.load_mnist, data.prepare_digit),
}

#: Recipes by the name of the data that was found, which may be a small stand-in for what was asked for:
#: with few examples a network with dropout does better.
RECIPES: dict[str, Recipe] = {
    "mnist": Recipe(model="small_cnn", epochs=4, batch_size=32, validation=5000),
    "mnist-5k": Recipe(model="keras_cnn", epochs=15, batch_size=32, validation=500),
}

#: Optimizers, each with the peak of its one-cycle learning rate.
OPTIMIZERS: dict[str, tuple[Callable[[Any], Any], float]] = {
    "adam": (Adam, 0.005),
    "adamw": (AdamW, 0.005),
    "sgd": (lambda lr: SGD(lr, momentum=0.9, nesterov=True), 0.05),
    "rmsprop": (RMSProp, 0.002),
}


def load(name: str, folder: Path | None) -> tuple[Dataset, Dataset]:
    """Return training and test set; a stand-in is announced in a line."""
    with warnings_as_notes(), refusing(FileNotFoundError):
        return SOURCES[name].load(folder)
