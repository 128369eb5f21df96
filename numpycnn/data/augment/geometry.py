"""Geometric transforms: crop, resize, flip, rotate, scale and shift."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from numpycnn._checks import check_int, check_number
from numpycnn.data.augment.base import GeometricTransform, cast_like, check_range

MODES = {"zero": "constant", "reflect": "reflect"}
BLOCK = 16  # images at a time; for 3x32x32 more than twice as fast as 128, because the coordinates stay in the cache


class PadCrop(GeometricTransform):
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

    def _moved(self, images: np.ndarray, rng: np.random.Generator, nearest: bool) -> np.ndarray:
        p = self.padding
        if self.mode == "reflect" and p >= min(images.shape[2:]):
            raise ValueError(
                f"PadCrop: expected padding smaller than the images for mode 'reflect', got {p} for {images.shape[2:]}"
            )
        high, wide = (min(p, size) for size in images.shape[2:])  # a crop that is farther away is black as well
        padded = np.pad(images, ((0, 0), (0, 0), (high, high), (wide, wide)), MODES[self.mode])  # type: ignore[call-overload]
        crops = sliding_window_view(
            padded, images.shape[2:], axis=(2, 3)
        )  # (N, C, 2 high + 1, 2 wide + 1, H, W), a view
        down, right = rng.integers(0, 2 * p + 1, (2, len(images))) - p
        top, left = np.clip(down, -high, high) + high, np.clip(right, -wide, wide) + wide
        return crops[np.arange(len(images)), :, top, left]  # (N, C, H, W)


class Flip(GeometricTransform):
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

    def _moved(self, images: np.ndarray, rng: np.random.Generator, nearest: bool) -> np.ndarray:
        flipped = rng.random(len(images)) < self.p
        others = images.copy()
        others[flipped] = images[flipped, ..., ::-1]
        return others


class Resampling(GeometricTransform):
    """Base class of transforms that interpolate each output pixel at its source position.

    Subclasses implement ``_maps``, which returns the maps of `resample` for N images.
    """

    def _maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        raise NotImplementedError

    def _moved(self, images: np.ndarray, rng: np.random.Generator, nearest: bool) -> np.ndarray:
        n, _, height, width = images.shape
        maps = self._maps(n, height, width, rng)  # (2, 3, N)
        others = np.empty_like(images)
        for start in range(0, n, BLOCK):
            block = slice(start, start + BLOCK)
            others[block] = resample(images[block], maps[..., block], nearest)
        return others


class Affine(Resampling):
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

    def _maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        angle = np.deg2rad(rng.uniform(-self.rotation, self.rotation, n))
        zoom = np.exp(rng.uniform(-1, 1, n) * np.log1p(self.scale))
        down, right = rng.uniform(-self.shift, self.shift, (2, n)) * [[height], [width]]
        return np.array(
            [
                [np.cos(angle) / zoom, np.sin(angle) / zoom, -down],
                [-np.sin(angle) / zoom, np.cos(angle) / zoom, -right],
            ]
        )


class RandomResizedCrop(Resampling):
    """Crop a rectangle of a random size and shape at a random place, and resize it to the size of the image.

    Parameters
    ----------
    scale : (float, float)
        Smallest and largest area of the rectangle, as shares of the image.
    ratio : (float, float)
        Smallest and largest ratio of width to height, relative to that of the image: at 2, objects are shown half as
        wide as they were.

    Raises
    ------
    TypeError, ValueError
        If `scale` is not two ascending numbers from 0 to 1, or `ratio` not two ascending numbers from 0.001 to 1000.

    Notes
    -----
    An axis of H pixels shows h of them, from ``top``, so output row ``i`` is interpolated at
    ``top + i (h - 1) / (H - 1)``. A rectangle that would be longer than the image is cut to its length.

    References
    ----------
    C. Szegedy et al., "Going deeper with convolutions", arXiv 1409.4842, section 6.
    """

    def __init__(
        self, *, scale: tuple[float, float] = (0.08, 1.0), ratio: tuple[float, float] = (3 / 4, 4 / 3)
    ) -> None:
        self.scale = check_range(scale, "scale", "RandomResizedCrop", minimum=0, maximum=1)
        self.ratio = check_range(ratio, "ratio", "RandomResizedCrop", minimum=1e-3, maximum=1e3)

    def _maps(self, n: int, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        low, high = np.log(self.ratio)
        area, ratio = rng.uniform(*self.scale, n), np.exp(rng.uniform(low, high, n))
        maps = np.zeros((2, 3, n))
        for axis, (size, share) in enumerate([(height, np.sqrt(area / ratio)), (width, np.sqrt(area * ratio))]):
            shown = np.clip(share * size, 1, size)
            begin = rng.uniform(0, 1, n) * (size - shown)
            maps[axis, axis] = (shown - 1) / max(size - 1, 1)
            maps[axis, 2] = begin + (shown - 1) / 2 - (size - 1) / 2  # from the center of the image to that of the crop
        return maps


def resample(images: np.ndarray, maps: np.ndarray, nearest: bool = False) -> np.ndarray:
    """Return images (N, C, H, W) with each pixel interpolated at its source position, or the nearest pixel there.

    `maps` (2, 3, N) map row and column of an output pixel, relative to the center, to those of its source.
    """
    n, channels, height, width = images.shape
    dtype: Any = np.float64 if images.dtype == np.float64 else np.float32
    kept = images.dtype if nearest else dtype
    padded = np.zeros((channels, n, height + 3, width + 3), kept)  # a black border, for the limits below
    padded[:, :, 1:-2, 1:-2] = images.swapaxes(0, 1)
    down, right = (np.arange(size) - (size - 1) / 2 for size in (height, width))
    places, bases = [], []
    for (by_row, by_column, added), size in zip(maps, (height, width), strict=True):
        along = by_row[:, None] * down  # (N, H)
        across = by_column[:, None] * right + (added + (size - 1) / 2 + 1)[:, None]  # (N, W); 1 for the padding
        place = along.astype(dtype)[:, :, None] + across.astype(dtype)[:, None, :]  # (N, H, W)
        np.clip(place, 0, size + 1, out=place)
        if nearest:
            place += dtype(0.5)
        base = place.astype(np.intp)
        place -= base
        places.append(place)
        bases.append(base)
    (f, g), (row, column) = places, bases
    line = width + 3
    row *= line
    row += column
    row += (np.arange(n) * (height + 3) * line)[:, None, None]  # now the flat index of x[r, q]
    others = np.empty((n, channels, height, width), kept)
    for channel, plane in enumerate(padded.reshape(channels, -1)):
        if nearest:
            others[:, channel] = plane.take(row)
            continue
        above, below = (_interpolate(plane[first:].take(row), plane[first + 1 :].take(row), g) for first in (0, line))
        others[:, channel] = _interpolate(above, below, f)
    return others if nearest else cast_like(others, images)


def _interpolate(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return ``(1 - share) a + share b``; both may be overwritten."""
    b -= a
    b *= share
    b += a
    return b
