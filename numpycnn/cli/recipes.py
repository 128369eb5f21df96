"""How each data set is trained unless the user says otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpycnn.optim import SGD, Adam, AdamW, RMSProp


@dataclass(frozen=True)
class Recipe:
    """How a data set is trained; `validation` counts the training examples that are held out."""

    model: str
    epochs: int
    batch_size: int
    validation: int


#: The recipe for a folder of pictures.
FOLDER = "FOLDER"

#: Recipes by the name of the data that was found, which may be a small stand-in for what was asked for:
#: with few examples a network with dropout does better.
RECIPES: dict[str, Recipe] = {
    "mnist": Recipe(model="small_cnn", epochs=4, batch_size=32, validation=5000),
    "mnist-5k": Recipe(model="keras_cnn", epochs=15, batch_size=32, validation=500),
    "fashion_mnist": Recipe(model="small_cnn", epochs=8, batch_size=32, validation=5000),
    "cifar10": Recipe(model="resnet20", epochs=10, batch_size=64, validation=5000),
    "spoken_digits": Recipe(model="audio_cnn", epochs=10, batch_size=32, validation=270),
    "sentence_polarity": Recipe(model="text_cnn", epochs=5, batch_size=50, validation=960),
    FOLDER: Recipe(model="small_cnn", epochs=10, batch_size=32, validation=1000),
}

#: Optimizers, each with the peak of its one-cycle learning rate.
OPTIMIZERS: dict[str, tuple[Callable[[Any], Any], float]] = {
    "adam": (Adam, 0.005),
    "adamw": (AdamW, 0.005),
    "sgd": (lambda lr: SGD(lr, momentum=0.9, nesterov=True), 0.05),
    "rmsprop": (RMSProp, 0.002),
}
