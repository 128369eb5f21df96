"""Colour jitter: brightness, contrast, saturation and hue as one matrix for each image."""

from math import pi

import numpy as np

from numpycnn._checks import check_number
from numpycnn.data.augment.base import Transform, cast_like

# Rows: luminance, and two axes of colour that are 0 for grey (YIQ, the colours of NTSC television).
YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
GREY = YIQ[0]


class ColorJitter(Transform):
    """Change brightness, contrast, saturation and hue of each image by random amounts.

    With the luminance ``l = 0.299 R + 0.587 G + 0.114 B`` of a pixel ``x``, and its mean ``m`` over the image,

        x = R(hue) (saturation x + (1 - saturation) l)
        y = brightness (contrast x + (1 - contrast) m)

    where ``R`` turns the colour about the axis of grey and keeps the luminance. All of it is linear in ``x``: one 3x3
    matrix and one number for each image.

    Parameters
    ----------
    brightness, contrast, saturation : float
        The factor is from 1 - value to 1 + value.
    hue : float
        Largest turn in both directions, as a fraction of the circle of colours.

    Raises
    ------
    TypeError, ValueError
        If `brightness`, `contrast` or `saturation` is not a number from 0 to 1, or `hue` from 0 to 0.5. When called, if
        images have another number of channels than 3, or 1 without `saturation` and `hue`.

    Notes
    -----
    PyTorch's transform of this name turns the hue in the space HSV, and applies the four in a random order.
    """

    moves = False

    def __init__(
        self, brightness: float = 0.0, contrast: float = 0.0, saturation: float = 0.0, hue: float = 0.0
    ) -> None:
        self.brightness = check_number(brightness, "brightness", "ColorJitter", minimum=0, maximum=1)
        self.contrast = check_number(contrast, "contrast", "ColorJitter", minimum=0, maximum=1)
        self.saturation = check_number(saturation, "saturation", "ColorJitter", minimum=0, maximum=1)
        self.hue = check_number(hue, "hue", "ColorJitter", minimum=0, maximum=0.5)

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, channels = images.shape[:2]
        if channels != 3 and (channels != 1 or self.saturation or self.hue):
            raise ValueError(
                f"ColorJitter: expected images of 3 channels, or of 1 without saturation and hue, got {channels}"
            )
        dtype = np.result_type(images.dtype, np.float32)
        brightness, contrast, saturation = (
            rng.uniform(1 - strength, 1 + strength, (n, 1, 1))
            for strength in (self.brightness, self.contrast, self.saturation)
        )
        angle = 2 * pi * rng.uniform(-self.hue, self.hue, n)
        grey = GREY if channels == 3 else np.ones(1)
        colours = saturation * np.eye(channels) + (1 - saturation) * grey  # (N, C, C)
        if channels == 3:
            turn = np.tile(np.eye(3), (n, 1, 1))
            turn[:, 1, 1] = turn[:, 2, 2] = np.cos(angle)
            turn[:, 2, 1] = np.sin(angle)
            turn[:, 1, 2] = -turn[:, 2, 1]
            colours = np.linalg.inv(YIQ) @ turn @ YIQ @ colours
        pixels = images.reshape(n, channels, -1).astype(dtype)  # (N, C, H * W)
        mean = (grey @ pixels.mean(axis=2, dtype=np.float64)[:, :, None]).reshape(n, 1, 1)
        others = (brightness * contrast * colours).astype(dtype) @ pixels
        others += (brightness * (1 - contrast) * mean).astype(dtype)
        return cast_like(others.reshape(images.shape), images)
