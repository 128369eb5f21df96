"""Augmentation: random variations of the training examples, computed a batch at a time."""

from numpycnn.data.augment.base import Augment, Transform
from numpycnn.data.augment.geometry import Affine, Flip, PadCrop
from numpycnn.data.augment.intensity import BrightnessContrast, Noise
from numpycnn.data.augment.masking import Cutout, FrequencyMask, TimeMask, TimeShift
from numpycnn.data.augment.mixing import MixUp

__all__ = [
    "Affine",
    "Augment",
    "BrightnessContrast",
    "Cutout",
    "Flip",
    "FrequencyMask",
    "MixUp",
    "Noise",
    "PadCrop",
    "TimeMask",
    "TimeShift",
    "Transform",
]
