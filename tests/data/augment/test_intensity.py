"""Brightness, contrast and noise, by their formulas and their statistics."""

from typing import Any

import numpy as np
import pytest

from numpycnn.data.augment import BrightnessContrast, Noise
from numpycnn.data.augment.intensity import normal_quantiles

N = 300
LABELS = np.zeros(N, np.int64)


def make_images(kind: Any) -> np.ndarray:
    """Between a third and two thirds of the scale, so that nothing is clipped."""
    images = np.random.default_rng(0).integers(100, 156, (N, 2, 6, 5)).astype(kind)
    return images if kind == np.uint8 else images / kind(255)


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_brightness_and_contrast_are_linear(kind: Any) -> None:
    images = make_images(kind)
    scale = 255 if kind == np.uint8 else 1
    others, _ = BrightnessContrast(0.1, 0.3)(images, LABELS, 0)
    slopes, moves = [], []
    for image, other in zip(images.astype(float), others.astype(float), strict=True):
        c, offset = np.polyfit(image.ravel(), other.ravel(), 1)
        np.testing.assert_allclose(c * image + offset, other, atol=1.0 if kind == np.uint8 else 1e-6)
        slopes.append(c)
        moves.append((other.mean() - image.mean()) / scale)
    for values, middle, reach in ((slopes, 1, 0.3), (moves, 0, 0.1)):
        assert abs(np.mean(values) - middle) < 0.2 * reach
        assert 0.95 * reach < np.abs(np.array(values) - middle).max() < 1.03 * reach


def test_pixels_are_clipped_to_black_and_white() -> None:
    images = np.array([0, 255], np.uint8).reshape(1, 1, 1, 2).repeat(200, axis=0)
    others, _ = BrightnessContrast(0.5, 0.5)(images, LABELS[:200], 0)
    assert (others.min(), others.max()) == (0, 255)
    assert (others[..., 0] <= others[..., 1]).all()  # no wraparound


def test_features_of_any_rank() -> None:
    features = np.random.default_rng(0).normal(size=(N, 8)).astype(np.float32)
    assert BrightnessContrast()(features, LABELS, 0)[0].shape == (N, 8)
    assert Noise()(features, LABELS, 0)[0].shape == (N, 8)


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_noise_is_normal(kind: Any) -> None:
    from scipy.stats import kstest

    images = make_images(kind)
    others, _ = Noise(0.1)(images, LABELS, 0)
    added = (others.astype(float) - images).ravel() / (25.5 if kind == np.uint8 else 0.1)
    assert abs(added.mean()) < 0.02
    assert abs(added.std() - 1) < 0.02
    if kind != np.uint8:
        assert kstest(added, "norm").pvalue > 1e-3
    neighbors = np.corrcoef(added[:-1], added[1:])[0, 1]
    assert abs(neighbors) < 0.03


def test_quantiles_are_those_of_the_normal_distribution() -> None:
    from scipy.stats import norm

    table = normal_quantiles()
    assert (table.shape, table.dtype) == ((65536,), np.dtype(np.float32))
    np.testing.assert_allclose(norm.cdf(table[::1000]) * 65536, np.arange(0.5, 65536, 1000), rtol=1e-4)
    np.testing.assert_array_equal(table, -table[::-1])
    assert (np.diff(table) > 0).all()


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda: BrightnessContrast(1.5),
            ValueError,
            "BrightnessContrast: expected brightness to be at least 0 and at most 1, got 1.5",
        ),
        (
            lambda: BrightnessContrast(0, -1),
            ValueError,
            "BrightnessContrast: expected contrast to be at least 0 and at most 1, got -1",
        ),
        (lambda: Noise(-0.1), ValueError, "Noise: expected std to be at least 0, got -0.1"),
        (lambda: Noise(float("inf")), ValueError, "Noise: expected std to be finite, got inf"),
        (lambda: Noise(None), TypeError, "Noise: expected std to be a number, got NoneType None"),
    ],
)
def test_bad_settings(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"^{text}$"):
        make()
