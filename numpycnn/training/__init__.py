"""Training a model: the loop, what can be hooked into it, and checkpoints."""

from numpycnn.training.callbacks import Callback, CSVLogger, EarlyStopping, LearningRateLogger, ModelCheckpoint
from numpycnn.training.history import History
from numpycnn.training.trainer import Trainer
from numpycnn.training.updates import UpdateRatios

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LearningRateLogger",
    "ModelCheckpoint",
    "Trainer",
    "UpdateRatios",
]
