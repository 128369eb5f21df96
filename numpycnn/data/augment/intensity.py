"""Intensity transforms: brightness, contrast and noise."""

from functools import cache

import numpy as np

from numpycnn._checks import check_number
from numpycnn.data.augment.base import Transform, cast_like, per_image


def full_scale(images: np.ndarray) -> float:
    """Return the value of white: 255 for pixels, 1 for features."""
    return 255.0 if images.dtype == np.uint8 else 1.0


class BrightnessContrast(Transform):
    """``y = m + c (x - m) + b`` with random ``b`` and ``c`` for each image, and its mean ``m``.

    Parameters
    ----------
    brightness : float
        Largest ``|b|``, as a fraction of the range from black to white (for features: on their own scale).
    contrast : float
        ``c`` is from 1 - contrast to 1 + contrast.

    Raises
    ------
    TypeError, ValueError
        If a setting is not a number from 0 to 1.
    """

    planar = moves = False

    def __init__(self, brightness: float = 0.2, contrast: float = 0.2) -> None:
        self.brightness = check_number(brightness, "brightness", "BrightnessContrast", minimum=0, maximum=1)
        self.contrast = check_number(contrast, "contrast", "BrightnessContrast", minimum=0, maximum=1)

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        dtype = np.result_type(images.dtype, np.float32)
        b = full_scale(images) * rng.uniform(-self.brightness, self.brightness, len(images))
        c = rng.uniform(1 - self.contrast, 1 + self.contrast, len(images))
        m = images.mean(axis=tuple(range(1, images.ndim)), dtype=dtype)
        others = images * per_image(c, images).astype(dtype)
        others += per_image(m * (1 - c) + b, images).astype(dtype)
        return cast_like(others, images)


@cache
def normal_quantiles() -> np.ndarray:
    """Return 65,536 equally likely quantiles of the standard normal distribution, float32, in ascending order.

    A lookup with 16 random bits is four times as fast as ``standard_normal``, and precise enough for noise.
    """
    from scipy.special import ndtri

    return ndtri((np.arange(65536) + 0.5) / 65536).astype(np.float32)


class Noise(Transform):
    """Add independent normally distributed noise to each pixel of each channel.

    Parameters
    ----------
    std : float
        Standard deviation, as a fraction of the range from black to white (for features: on their own scale).

    Raises
    ------
    TypeError, ValueError
        If `std` is not a number of at least 0.
    """

    planar = moves = False

    def __init__(self, std: float = 0.05) -> None:
        self.std = check_number(std, "std", "Noise", minimum=0)

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        dtype = np.result_type(images.dtype, np.float32)
        table = (normal_quantiles() * (self.std * full_scale(images))).astype(dtype)
        others = table.take(rng.integers(0, len(table), images.shape, dtype=np.uint16))
        others += images
        return cast_like(others, images)
