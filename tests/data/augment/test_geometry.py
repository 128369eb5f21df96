"""Geometric transforms, by hand and against SciPy and scikit-image."""

from typing import Any

import numpy as np
import pytest
from skimage import transform

from numpycnn.data.augment import Affine, Flip, PadCrop, RandomResizedCrop
from numpycnn.data.augment.geometry import resample
from tests.helpers import assert_same_bits

LABELS = np.zeros(500, np.int64)


def make_images(n: int = 500, shape: tuple[int, int, int] = (2, 7, 5), kind: Any = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 256, (n, *shape)).astype(kind)


def find_crop(padded: np.ndarray, crop: np.ndarray) -> list[tuple[int, int]]:
    """Return the positions of a crop in a padded image."""
    height, width = crop.shape[1:]
    return [
        (top, left)
        for top in range(padded.shape[1] - height + 1)
        for left in range(padded.shape[2] - width + 1)
        if np.array_equal(padded[:, top : top + height, left : left + width], crop)
    ]


@pytest.mark.parametrize(("mode", "numpy_mode"), [("zero", "constant"), ("reflect", "reflect")])
def test_pad_crop_reaches_every_position(mode: str, numpy_mode: Any) -> None:
    images = make_images()
    crops, _ = PadCrop(2, mode=mode)(images, LABELS, 0)
    places = [
        find_crop(np.pad(image, ((0, 0), (2, 2), (2, 2)), numpy_mode), crop)
        for image, crop in zip(images, crops, strict=True)
    ]
    assert all(len(found) == 1 for found in places)
    assert {found[0] for found in places} == {(top, left) for top in range(5) for left in range(5)}


def test_reflection_needs_an_image_larger_than_the_padding() -> None:
    with pytest.raises(ValueError, match=r"PadCrop: expected padding smaller than the images .* 5 for \(7, 5\)"):
        PadCrop(5, mode="reflect")(make_images(2), LABELS[:2], 0)


@pytest.mark.parametrize("p", [0.25, 0.5, 1.0])
def test_flips_left_to_right(p: float) -> None:
    images = make_images()
    others, _ = Flip(p)(images, LABELS, 0)
    same = (others == images).all(axis=(1, 2, 3))
    mirrored = (others == images[:, :, :, ::-1]).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert abs(mirrored.mean() - p) < 0.06


def as_maps(matrices: np.ndarray, added: np.ndarray) -> np.ndarray:
    """(2, 3, N) from (N, 2, 2) and (N, 2)."""
    return np.concatenate([matrices, added[:, :, None]], axis=2).transpose(1, 2, 0)


def test_resample_equals_scipys_affine_transform() -> None:
    from scipy.ndimage import affine_transform

    rng = np.random.default_rng(0)
    images = rng.normal(size=(40, 2, 9, 6))
    matrices, added = rng.normal(size=(40, 2, 2)), rng.normal(size=(40, 2)) * 3
    ours = resample(images, as_maps(matrices, added))
    middle = np.array([4, 2.5])
    for image, other, matrix, move in zip(images, ours, matrices, added, strict=True):
        offset = middle + move - matrix @ middle
        for plane, own in zip(image, other, strict=True):
            # With a black border, SciPy interpolates at the edges in the same way.
            wide = affine_transform(
                np.pad(plane, 20), matrix, offset + 20 - matrix @ np.array([20, 20]), order=1, prefilter=False
            )
            np.testing.assert_allclose(own, wide[20:-20, 20:-20], atol=1e-9)


def test_rotation_and_scale_equal_scikit_images_warp() -> None:
    image = np.random.default_rng(0).random((1, 1, 12, 15))
    angle, zoom = np.deg2rad(25), 1.3
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / zoom
    ours = resample(image, as_maps(rotation[None], np.zeros((1, 2))))[0, 0]
    middle = transform.AffineTransform(translation=(7, 5.5))
    whole = middle.inverse + transform.AffineTransform(rotation=-angle, scale=zoom) + middle
    np.testing.assert_allclose(ours, transform.warp(image[0, 0], whole.inverse, order=1, mode="constant"), atol=1e-9)


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_integer_shifts_and_quarter_turns_are_exact(kind: Any) -> None:
    images = make_images(4, (2, 6, 6), kind)
    still = np.broadcast_to(np.eye(2), (4, 2, 2))
    moved = resample(images, as_maps(still, np.full((4, 2), [1.0, -2.0])))
    expected = np.zeros_like(images)
    expected[:, :, :-1, 2:] = images[:, :, 1:, :-2]
    assert_same_bits(moved, expected)
    quarter = np.broadcast_to([[0.0, 1.0], [-1.0, 0.0]], (4, 2, 2))
    assert_same_bits(resample(images, as_maps(quarter, np.zeros((4, 2)))), np.rot90(images, axes=(2, 3)).copy())


def test_outside_is_black() -> None:
    images = make_images(1)
    still = np.eye(2)[None]
    for far in ([100.0, 0.0], [0.0, -100.0], [1e9, 1e9]):
        assert not resample(images, as_maps(still, np.array([far]))).any()


def blob(row: float, column: float, size: int = 41) -> np.ndarray:
    r, q = np.mgrid[:size, :size]
    return np.exp(-((r - row) ** 2 + (q - column) ** 2) / 8)[None, None]


def center(image: np.ndarray) -> np.ndarray:
    r, q = np.mgrid[: image.shape[-2], : image.shape[-1]]
    return np.array([(image * r).sum(), (image * q).sum()]) / image.sum()


@pytest.mark.parametrize(
    ("transform", "farthest"),
    [
        (Affine(rotation=30), 2 * 10 * np.sin(np.deg2rad(15))),
        (Affine(scale=0.5), 5.0),
        (Affine(shift=0.1), np.hypot(4.1, 4.1)),
    ],
    ids=repr,
)
def test_affine_stays_within_its_limits(transform: Affine, farthest: float) -> None:
    others, _ = transform(np.repeat(blob(20, 30), 300, axis=0), LABELS[:300], 0)
    moves = np.array([center(other[0]) for other in others]) - [20, 30]
    lengths = np.hypot(*moves.T)
    assert lengths.max() <= farthest + 0.1
    assert lengths.max() > 0.8 * farthest
    if transform.rotation:
        np.testing.assert_allclose(np.hypot(*(moves + np.array([0, 10])).T), 10, atol=0.1)
    if transform.scale:
        np.testing.assert_allclose(moves[:, 0], 0, atol=0.05)
        assert abs(np.median(moves[:, 1])) < 1.2  # larger as often as smaller


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: PadCrop(-1), ValueError, "PadCrop: expected padding from 0 to 2147483647, got -1"),
        (lambda: PadCrop(2.0), TypeError, r"PadCrop: expected padding to be an int, got float 2\.0"),
        (lambda: PadCrop(2, mode="mirror"), ValueError, "PadCrop: expected mode to be one of zero, reflect, got 'mirr"),
        (lambda: Flip(1.5), ValueError, "Flip: expected p to be at least 0 and at most 1, got 1.5"),
        (lambda: Flip("a"), TypeError, "Flip: expected p to be a number, got str 'a'"),
        (
            lambda: Affine(rotation=200),
            ValueError,
            "Affine: expected rotation to be at least 0 and at most 180, got 200",
        ),
        (lambda: Affine(scale=-0.1), ValueError, "Affine: expected scale to be at least 0 and at most 10, got -0.1"),
        (lambda: Affine(shift=float("nan")), ValueError, "Affine: expected shift to be finite, got nan"),
        (lambda: Affine(shift=True), TypeError, "Affine: expected shift to be a number, got bool True"),
    ],
)
def test_bad_settings(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^{text}"):
        make()


def test_padding_takes_no_more_memory_than_the_image() -> None:
    images = make_images()
    crops, _ = PadCrop(2**31 - 1)(images, LABELS, 0)
    assert not crops.any()  # farther away than the size of the image
    crops, _ = PadCrop(6)(images, LABELS, 0)  # between width and height
    padded = np.pad(images, ((0, 0), (0, 0), (6, 6), (6, 6)))
    top, left = np.random.default_rng(0).integers(0, 13, (2, len(images)))
    expected = [image[:, t : t + 7, q : q + 5] for image, t, q in zip(padded, top, left, strict=True)]
    assert np.array_equal(crops, expected)


# -------------------------------------------------------------------------------------------------------- resized crop


def coordinates(height: int, width: int, n: int = 300) -> np.ndarray:
    """Images with the row of each pixel in the first channel, and its column in the second one."""
    return np.tile(np.indices((height, width)).astype(np.float64), (n, 1, 1, 1))


def test_a_resized_crop_shows_a_rectangle_inside_of_the_image() -> None:
    height, width = 21, 13
    crop = RandomResizedCrop(scale=(0.2, 0.6), ratio=(0.5, 2))
    rows, columns = crop(coordinates(height, width), np.zeros(300, int), 0)[0].swapaxes(0, 1)
    np.testing.assert_allclose(rows, np.broadcast_to(rows[:, :, :1], rows.shape), atol=1e-6)
    np.testing.assert_allclose(columns, np.broadcast_to(columns[:, :1], columns.shape), atol=1e-6)
    steps = np.diff(rows[:, :, 0], axis=1), np.diff(columns[:, 0], axis=1)
    for places, size, step in zip((rows, columns), (height, width), steps, strict=True):
        np.testing.assert_allclose(step, np.broadcast_to(step[:, :1], step.shape), atol=1e-6)
        assert places.min() >= -1e-6
        assert places.max() <= size - 1 + 1e-6
    shares = [(step[:, 0] * (size - 1) + 1) / size for step, size in zip(steps, (height, width), strict=True)]
    areas, ratios = shares[0] * shares[1], shares[1] / shares[0]
    assert areas.max() <= 0.6 + 1e-6
    assert 0.2 - 1e-6 <= areas.min() < 0.25
    assert 0.5 - 1e-6 <= ratios.min() < 0.6
    assert 1.8 < ratios.max() <= 2 + 1e-6


def test_a_resized_crop_of_one_row() -> None:
    images = np.random.default_rng(0).uniform(size=(20, 1, 1, 9))
    others, _ = RandomResizedCrop(scale=(0.1, 0.1))(images, np.zeros(20, int), 0)
    assert np.isfinite(others).all()
    assert (others.min(axis=3) >= images.min(axis=3) - 1e-12).all()  # nothing of the black border


@pytest.mark.parametrize("settings", [{"scale": (0.5, 0.2)}, {"ratio": (2, 1)}])
def test_bad_settings_of_a_resized_crop(settings: dict) -> None:
    with pytest.raises(ValueError, match=r"RandomResizedCrop: expected \w+ as a pair \(smallest, largest\), got"):
        RandomResizedCrop(**settings)
