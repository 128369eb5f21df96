"""Colour jitter against its formula, channel by channel."""

from typing import Any

import numpy as np
import pytest

from numpycnn.data.augment import ColorJitter

N = 60
LABELS = np.zeros(N, np.int64)
GREY = np.array([0.299, 0.587, 0.114])


def images(kind: Any = np.float64, channels: int = 3) -> np.ndarray:
    values = np.random.default_rng(0).uniform(0.2, 0.6, (N, channels, 4, 5))
    return (255 * values).astype(np.uint8) if kind == np.uint8 else values.astype(kind)


def luminance(x: np.ndarray) -> np.ndarray:
    return np.einsum("c,nchw->nhw", GREY, x)


def test_brightness_is_a_factor() -> None:
    x = images()
    factor = ColorJitter(brightness=0.4)(x, LABELS, 0)[0] / x
    np.testing.assert_allclose(factor, np.broadcast_to(factor[:, :1, :1, :1], factor.shape), rtol=1e-9)
    assert 0.6 <= factor.min() < 0.65
    assert 1.35 < factor.max() <= 1.4


def test_contrast_keeps_the_mean_luminance() -> None:
    x = images()
    y = ColorJitter(contrast=0.5)(x, LABELS, 0)[0]
    mean = luminance(x).mean(axis=(1, 2))
    np.testing.assert_allclose(luminance(y).mean(axis=(1, 2)), mean, rtol=1e-9)
    factor = (y - mean[:, None, None, None]) / (x - mean[:, None, None, None])
    np.testing.assert_allclose(factor, np.broadcast_to(factor[:, :1, :1, :1], factor.shape), rtol=1e-6)
    assert 0.5 <= factor.min() < factor.max() <= 1.5


def test_saturation_mixes_with_the_luminance() -> None:
    x = images()
    y = ColorJitter(saturation=0.5)(x, LABELS, 0)[0]
    np.testing.assert_allclose(luminance(y), luminance(x), rtol=1e-9)
    grey = luminance(x)[:, None]
    factor = (y - grey) / (x - grey)
    np.testing.assert_allclose(factor, np.broadcast_to(factor[:, :1, :1, :1], factor.shape), rtol=1e-5)


def test_hue_keeps_luminance_saturation_and_grey() -> None:
    x = images()
    y = ColorJitter(hue=0.5)(x, LABELS, 0)[0]
    np.testing.assert_allclose(luminance(y), luminance(x), rtol=1e-9)
    assert (abs(y - x).max(axis=(1, 2, 3)) > 0.05).mean() > 0.5
    grey = np.repeat(x[:, :1], 3, axis=1)
    np.testing.assert_allclose(ColorJitter(hue=0.5)(grey, LABELS, 0)[0], grey, rtol=1e-9)
    axes = np.array([[0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])  # I and Q
    length = [np.hypot(*np.einsum("ac,nchw->anhw", axes, z)) for z in (x, y)]
    np.testing.assert_allclose(*length, rtol=1e-9)


def test_pixels_are_rounded_and_clipped() -> None:
    x = images(np.uint8)
    settings = {"brightness": 1.0, "contrast": 0.5, "saturation": 1.0, "hue": 0.2}
    y = ColorJitter(**settings)(x, LABELS, 0)[0]
    exact = ColorJitter(**settings)(x.astype(np.float64), LABELS, 0)[0]
    np.testing.assert_allclose(y, np.clip(exact, 0, 255), atol=0.51)
    assert (exact.min() < 0) or (exact.max() > 255)


def test_grey_images() -> None:
    x = images(channels=1)
    y = ColorJitter(0.4, 0.4)(x, LABELS, 0)[0]
    colour = ColorJitter(0.4, 0.4)(np.repeat(x, 3, axis=1), LABELS, 0)[0]
    np.testing.assert_allclose(y, colour[:, :1], rtol=1e-9)
    for channels, settings in ((1, {"saturation": 0.1}), (1, {"hue": 0.1}), (2, {})):
        text = f"expected images of 3 channels, or of 1 without saturation and hue, got {channels}"
        with pytest.raises(ValueError, match=text):
            ColorJitter(**settings)(images(channels=channels), LABELS, 0)


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_bad_settings(name: str) -> None:
    highest = "0.5" if name == "hue" else "1"
    with pytest.raises(ValueError, match=f"ColorJitter: expected {name} to be at least 0 and at most {highest}, got 2"):
        ColorJitter(**{name: 2})
    with pytest.raises(TypeError, match=f"ColorJitter: expected {name} to be a number, got str 'a'"):
        ColorJitter(**{name: "a"})
