"""Size, shape and place of erased rectangles."""

from typing import Any

import numpy as np
import pytest

from numpycnn.data.augment import RandomErasing

N, H, W = 800, 40, 30
IMAGES = np.random.default_rng(0).integers(1, 255, (N, 2, H, W), dtype=np.uint8)
LABELS = np.zeros(N, np.int64)


def test_rectangles_have_the_areas_and_ratios_of_the_settings() -> None:
    others, _ = RandomErasing(0.6, scale=(0.1, 0.3), ratio=(0.5, 2))(IMAGES, LABELS, 0)
    gaps = others == 0
    assert np.array_equal(others[~gaps], IMAGES[~gaps])
    assert np.array_equal(gaps[:, 0], gaps[:, 1])
    heights, widths = gaps[:, 0].any(axis=2).sum(axis=1), gaps[:, 0].any(axis=1).sum(axis=1)
    assert np.array_equal(heights * widths, gaps[:, 0].sum(axis=(1, 2)))  # rectangles without holes
    erased = heights > 0
    assert abs(erased.mean() - 0.6) < 4 * np.sqrt(0.6 * 0.4 / N)
    areas, ratios = (heights * widths / (H * W))[erased], (heights / np.maximum(widths, 1))[erased]
    assert 0.09 < areas.min() < 0.13
    assert 0.27 < areas.max() < 0.32
    assert 0.45 < ratios.min() < 0.6
    assert 1.7 < ratios.max() < 2.2
    assert gaps.any(axis=(0, 1, 3)).all()  # every row, and every column
    assert gaps.any(axis=(0, 1, 2)).all()


@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_random_noise(kind: Any) -> None:
    images = np.full((50, 1, H, W), 2, kind)
    others, _ = RandomErasing(1.0, scale=(1, 1), ratio=(H / W, H / W), mode="random")(images, LABELS[:50], 0)
    white = 255 if kind == np.uint8 else 1
    assert others.dtype == kind
    assert abs(others.mean() / white - 0.5) < 0.01
    assert others.std() / white == pytest.approx(1 / np.sqrt(12), abs=0.01)


def test_a_rectangle_is_cut_to_the_image() -> None:
    others, _ = RandomErasing(1.0, scale=(0.9, 0.9), ratio=(100, 100))(IMAGES, LABELS, 0)
    assert ((others == 0).any(axis=3).all(axis=(1, 2))).all()  # as high as the image


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"p": 2}, ValueError, "RandomErasing: expected p to be at least 0 and at most 1, got 2"),
        ({"scale": 0.2}, TypeError, r"expected scale as a pair \(smallest, largest\), got 0.2"),
        ({"scale": (0.3, 0.2)}, ValueError, r"expected scale as a pair \(smallest, largest\), got \(0.3, 0.2\)"),
        ({"scale": (0, 1.5)}, ValueError, "expected scale to be at least 0 and at most 1, got 1.5"),
        ({"ratio": (0, 1)}, ValueError, "expected ratio to be at least 0.001 and at most 1000, got 0"),
        ({"mode": "noise"}, ValueError, "expected mode 'zero' or 'random', got 'noise'"),
    ],
)
def test_bad_settings(settings: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        RandomErasing(**settings)
