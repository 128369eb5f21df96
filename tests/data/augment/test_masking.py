"""Positions and sizes of masks, and shifts in time."""

from typing import Any

import numpy as np
import pytest

from numpycnn.data.augment import Cutout, FrequencyMask, TimeMask, TimeShift, Transform

N = 600
LABELS = np.zeros(N, np.int64)


def make_images() -> np.ndarray:
    return np.random.default_rng(0).integers(1, 256, (N, 2, 9, 7), dtype=np.uint8)


def masked_pixels(transform: Transform) -> np.ndarray:
    """Return the masked pixels, (N, H, W); the others must be unchanged, and all channels masked alike."""
    images = make_images()
    others, _ = transform(images, LABELS, 0)
    masked = others == 0  # the images contain no black
    assert np.array_equal(others[~masked], images[~masked])
    assert np.array_equal(masked[:, 0], masked[:, 1])
    return masked[:, 0]


def runs(row: np.ndarray) -> list[int]:
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
    return (edges[1::2] - edges[::2]).tolist()


@pytest.mark.parametrize("size", [3, 4])
def test_cutout_is_a_square_that_may_extend_over_the_edge(size: int) -> None:
    masked = masked_pixels(Cutout(size))
    places = set()
    for gap in masked:
        rows, columns = gap.any(axis=1), gap.any(axis=0)
        assert np.array_equal(gap, np.outer(rows, columns))
        assert len(runs(rows)) == len(runs(columns)) == 1
        assert max(rows.sum(), columns.sum()) <= size
        places.add((tuple(rows), tuple(columns)))
    assert len(places) == 9 * 7  # one for each center
    assert masked.sum(axis=(1, 2)).max() == size * size
    assert masked.all(axis=0).sum() == 0
    assert masked.any(axis=0).all()


def test_a_square_larger_than_the_image_covers_it() -> None:
    assert masked_pixels(Cutout(100)).all()


@pytest.mark.parametrize(("kind", "axis", "extent"), [(TimeMask, 1, 7), (FrequencyMask, 0, 9)])
@pytest.mark.parametrize("count", [1, 2])
def test_stripes_have_random_widths_and_positions(kind: Any, axis: int, extent: int, count: int) -> None:
    masked = masked_pixels(kind(3, count=count))
    lines = masked.any(axis=2 - axis)  # (N, extent)
    assert np.array_equal(masked, np.broadcast_to(np.expand_dims(lines, 2 - axis), masked.shape))
    widths = lines.sum(axis=1)
    assert set(widths) == set(range(3 * count + 1))
    assert max(len(runs(line)) for line in lines) == count
    assert lines.any(axis=0).all()
    if count == 1:
        assert np.abs(np.bincount(widths) / N - 0.25).max() < 0.06


def test_a_stripe_is_never_wider_than_the_spectrogram() -> None:
    widths = masked_pixels(TimeMask(100)).any(axis=1).sum(axis=1)
    assert set(widths) == set(range(8))


def test_shifts_fill_with_silence() -> None:
    images = make_images()
    others, _ = TimeShift(2)(images, LABELS, 0)
    found = set()
    for image, other in zip(images, others, strict=True):
        padded = np.pad(image, ((0, 0), (0, 0), (2, 2)))
        shifts = [s for s in range(5) if np.array_equal(padded[:, :, s : s + 7], other)]
        assert len(shifts) == 1
        found.add(shifts[0])
    assert found == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Cutout(-1), ValueError, "Cutout: expected size from 0 to 2147483647, got -1"),
        (lambda: Cutout(1.5), TypeError, "Cutout: expected size to be an int, got float 1.5"),
        (lambda: TimeShift(-2), ValueError, "TimeShift: expected frames from 0 to 2147483647, got -2"),
        (lambda: TimeMask(-2), ValueError, "TimeMask: expected width from 0 to 2147483647, got -2"),
        (lambda: FrequencyMask(2, count=0), ValueError, "FrequencyMask: expected count from 1 to 2147483647, got 0"),
    ],
)
def test_bad_settings(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^{text}$"):
        make()


def test_a_shift_in_time_takes_no_more_memory_than_the_spectrogram() -> None:
    images = make_images()
    assert not TimeShift(2**31 - 1)(images, LABELS, 0)[0].any()
    shifted, _ = TimeShift(9)(images, LABELS, 0)  # more than the 7 frames
    padded = np.pad(images, ((0, 0), (0, 0), (0, 0), (9, 9)))
    begins = np.random.default_rng(0).integers(0, 19, N)
    expected = [image[:, :, begin : begin + 7] for image, begin in zip(padded, begins, strict=True)]
    assert np.array_equal(shifted, expected)


def test_targets_for_each_frame_are_refused() -> None:
    spoken = np.random.default_rng(0).integers(0, 2, (N, 7))
    with pytest.raises(ValueError, match=r"^TimeShift: expected one label .* targets \(600, 7\), one for each frame"):
        TimeShift(2)(make_images(), spoken, 0)
    assert TimeShift(2)(make_images(), spoken[:, :6], 0)[1].shape == (N, 6)  # six classes, yes or no
