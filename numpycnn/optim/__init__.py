"""Optimizers and learning-rate schedules."""

from numpycnn.optim.adam import Adam, AdamW, RMSProp
from numpycnn.optim.base import Optimizer
from numpycnn.optim.schedules import CosineSchedule, OneCycleSchedule, Schedule, StepSchedule, WarmUp
from numpycnn.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "CosineSchedule", "OneCycleSchedule", "Optimizer", "RMSProp", "Schedule"]
__all__ += ["StepSchedule", "WarmUp"]
