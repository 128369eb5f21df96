"""Occlusion against plain loops over pixels, and the figure against the occlusion."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn import Sequential
from numpycnn.visualize import occlude, occlusion_map
from numpycnn.visualize.classes import class_probabilities
from tests.helpers import assert_same_bits, layouts
from tests.visualize.networks import PICTURES, batch, features, grey, signal, smooth


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (3, 2), (4, 3), (5, 7), (9, 1)])
def test_probabilities_match_plain_loops(size: int, stride: int) -> None:
    model = smooth()
    x = batch(model, 2)
    found = occlude(model, x, [2, 0], size=size, stride=stride, fill=0.5, batch_size=7)
    height, width = 6, 8
    rows, columns = -(-height // stride), -(-width // stride)
    assert found.shape == (2, rows, columns)
    for n, target in enumerate([2, 0]):
        for i in range(rows):
            for j in range(columns):
                covered = x[n].copy()
                top, left = i * stride + stride // 2 - size // 2, j * stride + stride // 2 - size // 2
                for r in range(height):
                    for c in range(width):
                        if top <= r < top + size and left <= c < left + size:
                            covered[:, r, c] = 0.5
                expected = class_probabilities(model, covered[np.newaxis])[0, target]
                assert found[n, i, j] == pytest.approx(expected, rel=1e-9)


def test_signal_and_volume() -> None:
    model = signal()
    x = batch(model, 1)
    found = occlude(model, x, 1, size=5, stride=4)
    assert found.shape == (1, 8)
    covered = x.copy()
    covered[:, :, 8:13] = 0  # around position 10, the center of 8 to 11
    assert found[0, 2] == pytest.approx(class_probabilities(model, covered)[0, 1], rel=1e-5)


def test_any_layout_gives_the_same_bits() -> None:
    model = smooth()
    x = batch(model, 2)
    expected = occlude(model, x, [2, 0], size=3, stride=2)
    for array in layouts(x).values():
        assert_same_bits(occlude(model, array, [2, 0], size=3, stride=2), expected)
    with pytest.raises(TypeError, match="occlude: expected x without a mask, got a masked array"):
        occlude(model, np.ma.array(x), [2, 0])


def test_a_patch_can_cover_the_whole_image() -> None:
    model = grey()
    found = occlude(model, batch(model, 2), 1, size=100, stride=5)
    blank = class_probabilities(model, np.zeros((1, 1, 10, 12), np.float32))[0, 1]
    np.testing.assert_allclose(found, blank, rtol=1e-5)


def test_default_settings() -> None:
    model = grey()
    x = batch(model, 1)
    assert occlude(model, x).shape == (1, 10, 12)
    np.testing.assert_array_equal(occlude(model, x), occlude(model, x, size=3, stride=1))


@pytest.mark.parametrize("build", PICTURES)
def test_the_figure_shows_the_probabilities(build: Callable[[], Sequential], tmp_path: Path) -> None:
    model = build()
    x = batch(model, 2)
    figure = occlusion_map(model, x, 1, size=3, stride=2, class_names=["a", "b", "c", "d"], path=tmp_path / "a.png")
    found = occlude(model, x, 1, size=3, stride=2)
    drawn = [axes for axes in figure.axes if axes.get_title() == "its probability while covered"]
    pictures = [axes for axes in figure.axes if axes.get_title().startswith("b, ")]
    for axes, picture, values in zip(drawn, pictures, found, strict=True):
        if values.ndim == 1:
            np.testing.assert_allclose([bar.get_height() for bar in axes.patches], 100 * values)  # type: ignore[attr-defined]
            assert axes.get_ylabel() == "probability in %"
            assert axes.get_xlim() == (-0.5, 29.5)
            continue
        shown = values[len(values) // 2] if values.ndim == 3 else values
        image = axes.images[0]
        np.testing.assert_allclose(np.asarray(image.get_array()), 100 * shown)
        assert image.get_clim() == (0, 100)
        assert list(image.get_extent()) == [-0.5, 2 * shown.shape[1] - 0.5, 2 * shown.shape[0] - 0.5, -0.5]
        worst = np.unravel_index(values.argmin(), values.shape)
        (box,) = picture.patches
        row, column = (2 * int(place) + 1 for place in worst[-2:])
        left, top = box.get_xy()  # type: ignore[attr-defined]
        assert (left, top) == (max(column - 1.5, -0.5), max(row - 1.5, -0.5))
    with Image.open(tmp_path / "a.png") as saved:
        assert saved.format == "PNG"


def test_wrong_arguments() -> None:
    model = grey()
    x = batch(model)
    with pytest.raises(ValueError, match="occlude: expected size from 1"):
        occlude(model, x, size=0)
    with pytest.raises(ValueError, match="occlude: expected stride from 1"):
        occlude(model, x, stride=0)
    with pytest.raises(ValueError, match="occlude: expected batch_size from 1"):
        occlude(model, x, batch_size=0)
    with pytest.raises(ValueError, match=r"occlude: expected images of floats \(N, C, \.\.\.\), got float32 \(3, 9\)"):
        occlude(features(), batch(features()))
