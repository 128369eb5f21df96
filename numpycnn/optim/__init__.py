"""Optimizers and learning-rate schedules."""

from numpycnn.optim.adagrad import Adadelta, Adagrad
from numpycnn.optim.adam import Adam, AdamW, RMSProp
from numpycnn.optim.base import Optimizer
from numpycnn.optim.schedules import (
    CosineSchedule,
    ExponentialSchedule,
    FunctionSchedule,
    OneCycleSchedule,
    PerEpoch,
    Schedule,
    StepSchedule,
    WarmUp,
)
from numpycnn.optim.sgd import SGD

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "CosineSchedule", "ExponentialSchedule", "FunctionSchedule"]
__all__ += ["OneCycleSchedule", "Optimizer", "PerEpoch", "RMSProp", "Schedule", "StepSchedule", "WarmUp"]
