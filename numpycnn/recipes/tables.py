"""The recipes of the data sets, and the tables of names for their settings."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from numpycnn.data.augment import Affine, Augment, Cutout, Flip, FrequencyMask, PadCrop, TimeMask, TimeShift
from numpycnn.optim import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    CosineSchedule,
    OneCycleSchedule,
    Optimizer,
    RMSProp,
    Schedule,
)
from numpycnn.training import TestTimeAugmentation

Rate = float | Schedule


@dataclass(frozen=True)
class Recipe:
    """The default settings for training on a data set.

    Attributes
    ----------
    model : str
    epochs, batch_size : int
    validation : int
        Number of training examples to hold out.
    optimizer : str
        One of `OPTIMIZERS`.
    lr : float or None
        The highest learning rate; None is that of `OPTIMIZERS`.
    schedule : str
        One of `SCHEDULES`.
    augment : str
        One of `AUGMENTATIONS`.
    label_smoothing : float
        See `numpycnn.CrossEntropy`.
    l2 : float
        Weight of the penalty on half the sum of squared weights: weight decay without biases and batch normalization.
    ema : float
        Decay of the moving average of the weights, see `numpycnn.training.WeightAverage`; 0 for none.
    views : str
        One of `VIEWS`.
    """

    model: str
    epochs: int
    batch_size: int
    validation: int
    optimizer: str = "adam"
    lr: float | None = None
    schedule: str = "one-cycle"
    augment: str = "none"
    label_smoothing: float = 0.0
    l2: float = 0.0
    ema: float = 0.0
    views: str = "none"


#: The recipe for a folder of pictures.
FOLDER = "FOLDER"

#: A good model in a minute or two, by the name of the data that was found. A small stand-in has its own recipe: with
#: few examples a network with dropout does better.
QUICK: dict[str, Recipe] = {
    "mnist": Recipe(model="small_cnn", epochs=4, batch_size=32, validation=5000),
    "mnist-5k": Recipe(model="keras_cnn", epochs=15, batch_size=32, validation=500),
    "fashion_mnist": Recipe(model="small_cnn", epochs=8, batch_size=32, validation=5000),
    "cifar10": Recipe(model="vgg5", epochs=2, batch_size=64, validation=5000),
    "spoken_digits": Recipe(model="audio_cnn", epochs=10, batch_size=32, validation=270),
    "sentence_polarity": Recipe(model="text_cnn", epochs=5, batch_size=50, validation=960),
    FOLDER: Recipe(model="small_cnn", epochs=10, batch_size=32, validation=1000),
}

#: A network and settings that suit small images of all kinds.
_SMALL_PICTURES = Recipe(
    model="vgg7",
    epochs=6,
    batch_size=128,
    validation=5000,
    optimizer="sgd",
    lr=0.1,
    augment="crop-flip",
    label_smoothing=0.1,
    l2=5e-4,
    ema=0.998,
    views="flip-shift",
)

#: The highest accuracy in less than three quarters of an hour on two cores, see docs/results.md.
BEST: dict[str, Recipe] = {
    "mnist": replace(_SMALL_PICTURES, augment="digits", views="shift"),
    "mnist-5k": Recipe(
        model="vgg5",
        epochs=30,
        batch_size=64,
        validation=500,
        augment="digits",
        label_smoothing=0.05,
        ema=0.998,
        views="shift",
    ),
    "fashion_mnist": _SMALL_PICTURES,
    "cifar10": replace(_SMALL_PICTURES, epochs=20, validation=0, augment="photographs"),
    "spoken_digits": Recipe(
        model="audio_cnn", epochs=15, batch_size=32, validation=270, augment="speech", label_smoothing=0.1, ema=0.99
    ),
    "sentence_polarity": Recipe(model="text_cnn", epochs=4, batch_size=50, validation=0, lr=0.002, ema=0.99),
    FOLDER: replace(
        _SMALL_PICTURES, model="resnet9", epochs=30, batch_size=64, validation=1000, augment="photographs", views="flip"
    ),
}

RECIPES: dict[str, dict[str, Recipe]] = {"quick": QUICK, "best": BEST}

#: Optimizers, each with the highest learning rate that suits it.
OPTIMIZERS: dict[str, tuple[Callable[[Rate], Optimizer], float]] = {
    "adam": (Adam, 0.005),
    "adamw": (AdamW, 0.005),
    "sgd": (lambda lr: SGD(lr, momentum=0.9, nesterov=True), 0.05),
    "rmsprop": (RMSProp, 0.002),
    "adagrad": (Adagrad, 0.02),
    "adadelta": (Adadelta, 1.0),
}

#: Schedules, as functions of the highest learning rate and the number of steps.
SCHEDULES: dict[str, Callable[[float, int], Rate]] = {
    "one-cycle": OneCycleSchedule,
    "cosine": CosineSchedule,
    "constant": lambda lr, steps: lr,
}

AUGMENTATIONS: dict[str, Augment | None] = {
    "none": None,
    "digits": Augment([Affine(rotation=10, scale=0.1, shift=0.07)]),
    "crop-flip": Augment([PadCrop(2), Flip()]),
    "photographs": Augment([PadCrop(4), Flip(), Cutout(8)]),
    "speech": Augment([TimeShift(6), TimeMask(10), FrequencyMask(6)]),
}

#: Views of each image that are averaged in the test.
VIEWS: dict[str, TestTimeAugmentation | None] = {
    "none": None,
    "flip": TestTimeAugmentation(flip=True),
    "shift": TestTimeAugmentation(shift=1),
    "flip-shift": TestTimeAugmentation(flip=True, shift=1),
}
