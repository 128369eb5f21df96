"""Masks for images and spectrograms, and shifts in time."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from numpycnn._checks import check_int, format_shape
from numpycnn.data.augment.base import GeometricTransform, Transform


def stretch(begin: np.ndarray, size: np.ndarray | int, extent: int) -> np.ndarray:
    """Return a mask, (N, extent), of the `size` positions from `begin` for each image."""
    from_begin = np.arange(extent) - begin[:, np.newaxis]
    return (from_begin >= 0) & (from_begin < np.reshape(size, (-1, 1)))


class Cutout(Transform):
    """Black out a square at a random place; it may extend over the edge.

    Parameters
    ----------
    size : int
        Side of the square in pixels.

    Raises
    ------
    TypeError, ValueError
        If `size` is not an int of at least 0.

    References
    ----------
    T. DeVries, G. Taylor, "Improved regularization of convolutional neural networks with cutout", arXiv 1708.04552.
    """

    moves = False

    def __init__(self, size: int) -> None:
        self.size = check_int(size, "size", "Cutout", minimum=0)

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, _, height, width = images.shape
        rows = stretch(rng.integers(0, height, (n,)) - self.size // 2, self.size, height)  # (N, H)
        columns = stretch(rng.integers(0, width, (n,)) - self.size // 2, self.size, width)  # (N, W)
        others = images.copy()
        np.copyto(others, 0, where=rows[:, None, :, None] & columns[:, None, None, :])
        return others


class TimeShift(GeometricTransform):
    """Shift spectrograms (N, C, bands, frames) in time, filling with silence.

    Parameters
    ----------
    frames : int
        Largest shift in both directions.

    Raises
    ------
    TypeError, ValueError
        If `frames` is not an int of at least 0.
    """

    def __init__(self, frames: int) -> None:
        self.frames = check_int(frames, "frames", "TimeShift", minimum=0)

    def _check_targets(self, images: np.ndarray, targets: np.ndarray) -> None:
        super()._check_targets(images, targets)
        if targets.ndim == 2 and targets.shape[1] == images.shape[3]:
            raise ValueError(
                f"TimeShift: expected one label for each spectrogram, got targets {format_shape(targets.shape)}, one "
                "for each frame, which would not be moved; pass a function of (images, targets, rng) that returns both"
            )

    def _moved(self, images: np.ndarray, rng: np.random.Generator, nearest: bool) -> np.ndarray:
        far = min(self.frames, images.shape[3])  # after a longer shift, everything is silent as well
        padded = np.pad(images, ((0, 0), (0, 0), (0, 0), (far, far)))
        moved = sliding_window_view(padded, images.shape[3], axis=3)  # (N, C, bands, 2 far + 1, frames), a view
        shift = np.clip(rng.integers(0, 2 * self.frames + 1, len(images)) - self.frames, -far, far)
        return moved[np.arange(len(images)), :, :, shift + far]  # (N, C, bands, frames)


class _Stripes(Transform):
    """Silence stripes along one axis, each of a random width at a random place within the spectrogram."""

    axis: int
    moves = False

    def __init__(self, width: int, *, count: int = 1) -> None:
        self.width = check_int(width, "width", type(self).__name__, minimum=0)
        self.count = check_int(count, "count", type(self).__name__)

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        extent = images.shape[self.axis]
        others = images.copy()
        for _ in range(self.count):
            size = rng.integers(0, min(self.width, extent) + 1, len(images))
            gap = stretch(rng.integers(0, extent - size + 1), size, extent)  # (N, extent)
            np.copyto(others, 0, where=np.expand_dims(gap, tuple({1, 2, 3} - {self.axis})))
        return others


class TimeMask(_Stripes):
    """Silence time intervals in spectrograms (N, C, bands, frames).

    Parameters
    ----------
    width : int
        Largest width in frames.
    count : int
        Number of intervals; they may overlap.

    Raises
    ------
    TypeError, ValueError
        If `width` is not an int of at least 0, or `count` not an int of at least 1.

    References
    ----------
    D. Park et al., "SpecAugment: a simple data augmentation method for automatic speech recognition",
    arXiv 1904.08779.
    """

    axis = 3


class FrequencyMask(_Stripes):
    """Silence adjacent frequency bands in spectrograms (N, C, bands, frames).

    Parameters
    ----------
    width, count : int
        As for `TimeMask`, of groups of bands.

    Raises
    ------
    TypeError, ValueError
        As `TimeMask`.

    References
    ----------
    As for `TimeMask`.
    """

    axis = 2
