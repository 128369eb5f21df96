"""Geometric transforms: crop, flip, rotate, scale and shift."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from numpycnn._checks import check_int, check_number
from numpycnn.data.augment.base import Transform, cast_like

MODES = {"zero": "constant", "reflect": "reflect"}
BLOCK = 16  # images at a time; for 3x32x32 more than twice as fast as 128, because the coordinates stay in the cache


class PadCrop(Transform):
    """Pad each side, then crop to the original size at a random place.

    Parameters
    ----------
    padding : int
        Pixels on each side, and the largest shift.
    mode : str
        ``"zero"`` pads with black, ``"reflect"`` with the mirrored image.

    Raises
    ------
    TypeError, ValueError
        If `padding` is not an int, or `padding` is negative, or `mode` is unknown.

    References
    ----------
    K. He et al., "Deep residual learning for image recognition", arXiv 1512.03385, section 4.2.
    """

    def __init__(self, padding: int, *, mode: str = "zero") -> None:
        self.padding = check_int(padding, "padding", "PadCrop", minimum=0)
        if mode not in MODES:
            raise ValueError(f"PadCrop: expected mode to be one of {', '.join(MODES)}, got {mode!r}")
        self.mode = mode

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        p = self.padding
        if self.mode == "reflect" and p >= min(images.shape[2:]):
            raise ValueError(
                f"PadCrop: expected padding smaller than the images for mode 'reflect', got {p} for {images.shape[2:]}"
            )
        padded = np.pad(images, ((0, 0), (0, 0), (p, p), (p, p)), MODES[self.mode])  # type: ignore[call-overload]
        crops = sliding_window_view(padded, images.shape[2:], axis=(2, 3))  # (N, C, 2p + 1, 2p + 1, H, W), a view
        top, left = rng.integers(0, 2 * p + 1, (2, len(images)))
        return crops[np.arange(len(images)), :, top, left]  # (N, C, H, W)


class Flip(Transform):
    """Flip images left to right: suited to photographs, not to letters.

    Parameters
    ----------
    p : float
        Probability of a flip.

    Raises
    ------
    TypeError, ValueError
        If `p` is not a number from 0 to 1.
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = check_number(p, "p", "Flip", minimum=0, maximum=1)

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        flipped = rng.random(len(images)) < self.p
        others = images.copy()
        others[flipped] = images[flipped, ..., ::-1]
        return others


class Affine(Transform):
    """Rotate and scale each image about its center, and shift it, by random amounts.

    Each output pixel is interpolated between the four pixels around its source position.

    Parameters
    ----------
    rotation : float
        Largest angle in degrees, in both directions.
    scale : float
        Largest enlargement or reduction: 0.1 allows factors from 1 / 1.1 to 1.1.
    shift : float
        Largest shift in both directions, as a fraction of height and width.

    Raises
    ------
    TypeError, ValueError
        If `rotation` is not a number from 0 to 180, `scale` from 0 to 10, or `shift` from 0 to 1.

    Notes
    -----
    For an image rotated by ``a`` and scaled by ``s``, the source of the pixel at row ``r`` and column ``q`` from the
    center is

        row     (  cos(a) r + sin(a) q) / s - down
        column  (- sin(a) r + cos(a) q) / s - right

    and with row ``r + f`` and column ``q + g`` of such a source, ``0 <= f, g < 1``,

        y = (1 - f) ((1 - g) x[r, q] + g x[r, q + 1]) + f ((1 - g) x[r + 1, q] + g x[r + 1, q + 1])

    Computed with one flat index for each pixel and four gathers for the whole batch; black outside of the image.
    """

    def __init__(self, *, rotation: float = 0.0, scale: float = 0.0, shift: float = 0.0) -> None:
        self.rotation = check_number(rotation, "rotation", "Affine", minimum=0, maximum=180)
        self.scale = check_number(scale, "scale", "Affine", minimum=0, maximum=10)
        self.shift = check_number(shift, "shift", "Affine", minimum=0, maximum=1)

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, _, height, width = images.shape
        angle = np.deg2rad(rng.uniform(-self.rotation, self.rotation, n))
        zoom = np.exp(rng.uniform(-1, 1, n) * np.log1p(self.scale))
        down, right = rng.uniform(-self.shift, self.shift, (2, n)) * [[height], [width]]
        maps = np.array(
            [
                [np.cos(angle) / zoom, np.sin(angle) / zoom, -down],
                [-np.sin(angle) / zoom, np.cos(angle) / zoom, -right],
            ]
        )  # (2, 3, N)
        others = np.empty_like(images)
        for start in range(0, n, BLOCK):
            block = slice(start, start + BLOCK)
            others[block] = resample(images[block], maps[..., block])
        return others


def resample(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return images (N, C, H, W) with each pixel interpolated at its source position.

    `maps` (2, 3, N) map row and column of an output pixel, relative to the center, to those of its source.
    """
    n, channels, height, width = images.shape
    dtype: Any = np.float64 if images.dtype == np.float64 else np.float32
    padded = np.zeros((channels, n, height + 3, width + 3), dtype)  # a black border, for the limits below
    padded[:, :, 1:-2, 1:-2] = images.swapaxes(0, 1)
    down, right = (np.arange(size) - (size - 1) / 2 for size in (height, width))
    places, bases = [], []
    for (by_row, by_column, added), size in zip(maps, (height, width), strict=True):
        along = by_row[:, None] * down  # (N, H)
        across = by_column[:, None] * right + (added + (size - 1) / 2 + 1)[:, None]  # (N, W); 1 for the padding
        place = along.astype(dtype)[:, :, None] + across.astype(dtype)[:, None, :]  # (N, H, W)
        np.clip(place, 0, size + 1, out=place)
        base = place.astype(np.intp)
        place -= base
        places.append(place)
        bases.append(base)
    (f, g), (row, column) = places, bases
    line = width + 3
    row *= line
    row += column
    row += (np.arange(n) * (height + 3) * line)[:, None, None]  # now the flat index of x[r, q]
    others = np.empty((n, channels, height, width), dtype)
    for channel, plane in enumerate(padded.reshape(channels, -1)):
        above, below = (_interpolate(plane[first:].take(row), plane[first + 1 :].take(row), g) for first in (0, line))
        others[:, channel] = _interpolate(above, below, f)
    return cast_like(others, images)


def _interpolate(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return ``(1 - share) a + share b``; both may be overwritten."""
    b -= a
    b *= share
    b += a
    return b
