"""Training a model: the loop, callbacks and checkpoints."""

from numpycnn.training.averaging import WeightAverage
from numpycnn.training.callbacks import Callback, CSVLogger, EarlyStopping, LearningRateLogger, ModelCheckpoint
from numpycnn.training.history import History
from numpycnn.training.lr_finder import LearningRates, find_learning_rate
from numpycnn.training.plateau import ReduceOnPlateau
from numpycnn.training.test_time import TestTimeAugmentation
from numpycnn.training.trainer import Trainer
from numpycnn.training.updates import UpdateRatios

ViewAverage = TestTimeAugmentation  #: The name in earlier versions.

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LearningRateLogger",
    "LearningRates",
    "ModelCheckpoint",
    "ReduceOnPlateau",
    "TestTimeAugmentation",
    "Trainer",
    "UpdateRatios",
    "ViewAverage",
    "WeightAverage",
    "find_learning_rate",
]
