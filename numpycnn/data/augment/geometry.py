"""Pictures in another place: cropped, flipped, turned, enlarged, moved."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from numpycnn.data.augment.base import Transform, amount, like
from numpycnn.functional.checks import whole_number

MODES = {"zero": "constant", "reflect": "reflect"}
BLOCK = 16  # pictures at a time: of 3x32x32, more than twice as fast as 128, whose coordinates would leave the cache


class PadCrop(Transform):
    """Pad each side, and cut a picture of the old size out at a random place.

    Parameters
    ----------
    padding : int
        Pixels on each side, which is also how far a picture moves at most.
    mode : str
        ``"zero"`` pads with black, ``"reflect"`` with the mirrored picture.

    Raises
    ------
    ValueError
        If `padding` is negative, or `mode` is unknown.
    TypeError
        If `padding` is not an int.

    References
    ----------
    K. He et al., "Deep residual learning for image recognition", arXiv 1512.03385, section 4.2.
    """

    def __init__(self, padding: int, *, mode: str = "zero") -> None:
        self.padding = whole_number(padding, "padding", "PadCrop", minimum=0)
        if mode not in MODES:
            raise ValueError(f"PadCrop: expected mode to be one of {', '.join(MODES)}, got {mode!r}")
        self.mode = mode

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        p = self.padding
        if self.mode == "reflect" and p >= min(images.shape[2:]):
            raise ValueError(
                f"PadCrop: expected a padding smaller than the pictures to reflect, got {p} for {images.shape[2:]}"
            )
        padded = np.pad(images, ((0, 0), (0, 0), (p, p), (p, p)), MODES[self.mode])  # type: ignore[call-overload]
        crops = sliding_window_view(padded, images.shape[2:], axis=(2, 3))  # (N, C, 2p + 1, 2p + 1, H, W), a view
        top, left = rng.integers(0, 2 * p + 1, (2, len(images)))
        return crops[np.arange(len(images)), :, top, left]  # (N, C, H, W)


class Flip(Transform):
    """Mirror pictures left to right: right for photographs, wrong for letters.

    Parameters
    ----------
    p : float
        Share of the pictures that are flipped.

    Raises
    ------
    TypeError, ValueError
        If `p` is no number from 0 to 1.
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = amount(p, "p", "Flip", most=1)

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        flipped = rng.random(len(images)) < self.p
        others = images.copy()
        others[flipped] = images[flipped, ..., ::-1]
        return others


class Affine(Transform):
    """Turn, enlarge and move each picture by random amounts about its middle, in one go.

    The colour of each new pixel is interpolated between the four pixels around the place that it comes from.

    Parameters
    ----------
    rotation : float
        Degrees at most, either way.
    scale : float
        At most this share larger, or smaller by the same factor: 0.1 is from 1 / 1.1 to 1.1.
    shift : float
        At most this share of the height and of the width, either way.

    Raises
    ------
    TypeError, ValueError
        If `rotation` is no number from 0 to 180, `scale` none from 0 to 10, or `shift` none from 0 to 1.

    Notes
    -----
    For a picture turned by ``a`` and enlarged by ``s``, the pixel at row ``r`` and column ``q`` from the middle comes
    from

        row     (  cos(a) r + sin(a) q) / s - down
        column  (- sin(a) r + cos(a) q) / s - right

    and with ``r + f`` for the row and ``q + g`` for the column of such a place, ``f`` and ``g`` from 0 to below 1,

        y = (1 - f) ((1 - g) x[r, q] + g x[r, q + 1]) + f ((1 - g) x[r + 1, q] + g x[r + 1, q + 1])

    One flat index for each pixel and four gathers for the whole batch do it; outside of a picture is black.
    """

    def __init__(self, *, rotation: float = 0.0, scale: float = 0.0, shift: float = 0.0) -> None:
        self.rotation = amount(rotation, "rotation", "Affine", most=180)
        self.scale = amount(scale, "scale", "Affine", most=10)
        self.shift = amount(shift, "shift", "Affine", most=1)

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
            others[block] = resampled(images[block], maps[..., block])
        return others


def resampled(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return pictures whose pixels come from other places of the old ones.

    Parameters
    ----------
    images : ndarray of shape (N, C, H, W)
    maps : ndarray of shape (2, 3, N)
        Row and column of the place for each picture, as factors of the row and the column of the new pixel, and what
        is added; all counted from the middle.

    Returns
    -------
    ndarray of shape (N, C, H, W)
    """
    n, channels, height, width = images.shape
    number: Any = np.float64 if images.dtype == np.float64 else np.float32
    padded = np.zeros((channels, n, height + 3, width + 3), number)  # black before and behind, see the limits below
    padded[:, :, 1:-2, 1:-2] = images.swapaxes(0, 1)
    down, right = (np.arange(size) - (size - 1) / 2 for size in (height, width))
    places, bases = [], []
    for (by_row, by_column, added), size in zip(maps, (height, width), strict=True):
        along = by_row[:, None] * down  # (N, H)
        across = by_column[:, None] * right + (added + (size - 1) / 2 + 1)[:, None]  # (N, W); 1 for the padding
        place = along.astype(number)[:, :, None] + across.astype(number)[:, None, :]  # (N, H, W)
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
    others = np.empty((n, channels, height, width), number)
    for channel, plane in enumerate(padded.reshape(channels, -1)):
        above, below = (_between(plane[first:].take(row), plane[first + 1 :].take(row), g) for first in (0, line))
        others[:, channel] = _between(above, below, f)
    return like(others, images)


def _between(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return ``(1 - share) a + share b``; both may be written over."""
    b -= a
    b *= share
    b += a
    return b
