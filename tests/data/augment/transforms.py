"""One row for each transform, with settings under which it changes something."""

from numpycnn.data.augment import (
    Affine,
    Augment,
    BrightnessContrast,
    Cutout,
    Flip,
    FrequencyMask,
    MixUp,
    Noise,
    PadCrop,
    TimeMask,
    TimeShift,
    Transform,
)

CLASSES = 4
TRANSFORMS: list[Transform] = [
    Affine(rotation=20, scale=0.2, shift=0.2),
    Augment([PadCrop(2), Flip(), Noise()]),
    BrightnessContrast(),
    Cutout(4),
    Flip(),
    FrequencyMask(3, count=2),
    MixUp(CLASSES, alpha=1.0),
    Noise(),
    PadCrop(3),
    PadCrop(3, mode="reflect"),
    TimeMask(3),
    TimeShift(2),
]
UNCHANGING: list[Transform] = [  # with settings that change nothing
    Affine(),
    Augment([]),
    BrightnessContrast(0, 0),
    Cutout(0),
    Flip(0),
    FrequencyMask(0),
    Noise(0),
    PadCrop(0),
    PadCrop(0, mode="reflect"),
    TimeMask(0),
    TimeShift(0),
]
