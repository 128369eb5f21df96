"""Pictures and spectrograms with gaps, which a network has to do without, and spectrograms at another time."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from numpycnn.data.augment.base import Transform
from numpycnn.functional.checks import whole_number


def stretch(begin: np.ndarray, size: np.ndarray | int, extent: int) -> np.ndarray:
    """Return which of the places from 0 to `extent` lie within `size` places from `begin`, (N, extent)."""
    from_begin = np.arange(extent) - begin[:, np.newaxis]
    return (from_begin >= 0) & (from_begin < np.reshape(size, (-1, 1)))


class Cutout(Transform):
    """Black out a square at a random place, which may reach over the edge.

    Parameters
    ----------
    size : int
        Pixels a side.

    Raises
    ------
    TypeError, ValueError
        If `size` is no int from 0 on.

    References
    ----------
    T. DeVries, G. Taylor, "Improved regularization of convolutional neural networks with cutout", arXiv 1708.04552.
    """

    def __init__(self, size: int) -> None:
        self.size = whole_number(size, "size", "Cutout", minimum=0)

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n, _, height, width = images.shape
        rows = stretch(rng.integers(0, height, (n,)) - self.size // 2, self.size, height)  # (N, H)
        columns = stretch(rng.integers(0, width, (n,)) - self.size // 2, self.size, width)  # (N, W)
        others = images.copy()
        np.copyto(others, 0, where=rows[:, None, :, None] & columns[:, None, None, :])
        return others


class TimeShift(Transform):
    """Move spectrograms (N, C, bands, frames) to an earlier or a later time; silence comes in.

    Parameters
    ----------
    frames : int
        How far at most, either way.

    Raises
    ------
    TypeError, ValueError
        If `frames` is no int from 0 on.
    """

    def __init__(self, frames: int) -> None:
        self.frames = whole_number(frames, "frames", "TimeShift", minimum=0)

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        far = self.frames
        padded = np.pad(images, ((0, 0), (0, 0), (0, 0), (far, far)))
        moved = sliding_window_view(padded, images.shape[3], axis=3)  # (N, C, bands, 2 far + 1, frames), a view
        return moved[np.arange(len(images)), :, :, rng.integers(0, 2 * far + 1, len(images))]  # (N, C, bands, frames)


class _Stripes(Transform):
    """Silence stripes across one axis, each of a random width at a random place within the spectrogram."""

    axis: int

    def __init__(self, width: int, *, count: int = 1) -> None:
        self.width = whole_number(width, "width", type(self).__name__, minimum=0)
        self.count = whole_number(count, "count", type(self).__name__)

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        extent = images.shape[self.axis]
        others = images.copy()
        for _ in range(self.count):
            size = rng.integers(0, min(self.width, extent) + 1, len(images))
            gap = stretch(rng.integers(0, extent - size + 1), size, extent)  # (N, extent)
            np.copyto(others, 0, where=np.expand_dims(gap, tuple({1, 2, 3} - {self.axis})))
        return others


class TimeMask(_Stripes):
    """Silence a stretch of time in spectrograms (N, C, bands, frames).

    Parameters
    ----------
    width : int
        Frames at most.
    count : int
        How many stretches; they may overlap.

    Raises
    ------
    TypeError, ValueError
        If `width` is no int from 0 on, or `count` none from 1 on.

    References
    ----------
    D. Park et al., "SpecAugment: a simple data augmentation method for automatic speech recognition",
    arXiv 1904.08779.
    """

    axis = 3


class FrequencyMask(_Stripes):
    """Silence neighbouring bands of frequency in spectrograms (N, C, bands, frames).

    Parameters
    ----------
    width : int
        Bands at most.
    count : int
        How many groups of bands; they may overlap.

    Raises
    ------
    TypeError, ValueError
        If `width` is no int from 0 on, or `count` none from 1 on.

    References
    ----------
    As for `TimeMask`.
    """

    axis = 2
