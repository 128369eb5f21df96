"""Loss functions as objects: each remembers its last forward pass for the backward one."""

from numpycnn.losses.losses import BinaryCrossEntropy, CrossEntropy, Loss, MeanSquaredError

__all__ = ["BinaryCrossEntropy", "CrossEntropy", "Loss", "MeanSquaredError"]
