"""Loss functions as objects: each remembers its last forward pass for the backward one."""

from numpycnn.losses.base import Loss
from numpycnn.losses.binary import BinaryCrossEntropy, Hinge
from numpycnn.losses.classes import CrossEntropy, KLDivergence, NegativeLogLikelihood
from numpycnn.losses.regression import Huber, MeanAbsoluteError, MeanSquaredError
from numpycnn.losses.sums import SumOfLosses
from numpycnn.losses.triplet import Triplet

__all__ = [
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Hinge",
    "Huber",
    "KLDivergence",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "NegativeLogLikelihood",
    "SumOfLosses",
    "Triplet",
]
