"""The grid of originals and transformed images."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from numpycnn.data.augment import Augment, BrightnessContrast, Cutout, Flip, MixUp, Noise, TimeMask
from numpycnn.visualize import augmentations


def shown(axes: Any) -> np.ndarray:
    return np.asarray(axes.images[0].get_array())


@pytest.mark.parametrize("channels", [1, 3])
def test_one_row_per_transform(channels: int, rng: np.random.Generator, tmp_path: Path) -> None:
    images = rng.integers(0, 256, (4, channels, 6, 9), dtype=np.uint8)
    transforms = [Flip(), Cutout(3), MixUp(4)]
    figure = augmentations(images, transforms, tmp_path / "grid.png", seed=3)
    assert [text.get_text() for text in figure.texts] == ["original", "Flip()", "Cutout(3)", "MixUp(4)"]
    assert len(figure.axes) == 16
    expected = [images, *(transform(images, np.zeros(4, int), 3)[0] for transform in transforms)]
    for i, axes in enumerate(figure.axes):
        picture = expected[i // 4][i % 4]
        np.testing.assert_array_equal(shown(axes), picture[0] if channels == 1 else np.moveaxis(picture, 0, -1))
        assert axes.images[0].get_clim() == (0, 255)
    with Image.open(tmp_path / "grid.png") as picture_file:
        assert picture_file.format == "PNG"


def test_rows_and_columns_are_aligned(rng: np.random.Generator) -> None:
    figure = augmentations(rng.integers(0, 256, (3, 1, 8, 5), dtype=np.uint8), [Flip(), Noise()])
    boxes = np.array([axes.get_position().bounds for axes in figure.axes]).reshape(3, 3, 4)
    width, height = figure.get_size_inches()
    assert np.allclose(boxes[..., 0], boxes[:1, :, 0])
    assert np.allclose(boxes[..., 1], boxes[:, :1, 1])
    assert (np.diff(boxes[:, 0, 1]) < 0).all()
    assert np.allclose(boxes[..., 3] * height / (boxes[..., 2] * width), 8 / 5)
    assert boxes.min() > 0
    assert (boxes[..., :2] + boxes[..., 2:]).max() <= 1


def test_spectrograms_have_their_lowest_band_at_the_bottom(rng: np.random.Generator) -> None:
    spectrograms = rng.random((2, 1, 8, 10)).astype(np.float32)
    figure = augmentations(spectrograms, [TimeMask(4)])
    for axes in figure.axes:
        bottom, top = axes.get_ylim()
        assert bottom < top
        assert axes.images[0].get_clim() == pytest.approx((spectrograms.min(), spectrograms.max()))
    np.testing.assert_array_equal(shown(figure.axes[0]), spectrograms[0, 0])


def test_long_names_are_wrapped(rng: np.random.Generator) -> None:
    transforms = [BrightnessContrast(0.25, 0.5), Augment([Flip(), Cutout(3), Noise()])]
    figure = augmentations(rng.integers(0, 256, (1, 1, 8, 8), dtype=np.uint8), transforms)
    _, first, second = (text.get_text() for text in figure.texts)
    assert first == "BrightnessContrast(\nbrightness=0.25,\ncontrast=0.5)"
    assert second == "Augment([Flip(),\nCutout(3), Noise()])"


@pytest.mark.parametrize(
    ("images", "transforms", "text"),
    [
        (np.zeros((2, 2, 8, 8), np.uint8), [Flip()], r"got \(2, 2, 8, 8\) of uint8"),
        (np.zeros((2, 3, 8, 8)), [Flip()], r"got \(2, 3, 8, 8\) of float64"),
        (np.zeros((0, 3, 8, 8), np.uint8), [Flip()], r"got \(0, 3, 8, 8\) of uint8"),
        (np.zeros((8, 8), np.uint8), [Flip()], r"got \(8, 8\) of uint8"),
        (np.zeros((2, 3, 8, 8), np.uint8), [], "expected at least one transform, got none"),
    ],
)
def test_wrong_arguments(images: np.ndarray, transforms: list[Any], text: str) -> None:
    with pytest.raises(ValueError, match=f"^augmentations: .*{text}$"):
        augmentations(images, transforms)
