"""Augmentation: random variations of the training examples, computed a batch at a time."""

from numpycnn.data.augment.base import Augment, GeometricTransform, Transform
from numpycnn.data.augment.colour import ColorJitter
from numpycnn.data.augment.erasing import RandomErasing
from numpycnn.data.augment.geometry import Affine, Flip, PadCrop, RandomResizedCrop
from numpycnn.data.augment.intensity import BrightnessContrast, Noise
from numpycnn.data.augment.masking import Cutout, FrequencyMask, TimeMask, TimeShift
from numpycnn.data.augment.mixing import CutMix, MixUp

__all__ = [
    "Affine",
    "Augment",
    "BrightnessContrast",
    "ColorJitter",
    "CutMix",
    "Cutout",
    "Flip",
    "FrequencyMask",
    "GeometricTransform",
    "MixUp",
    "Noise",
    "PadCrop",
    "RandomErasing",
    "RandomResizedCrop",
    "TimeMask",
    "TimeShift",
    "Transform",
]
