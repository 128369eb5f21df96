"""Panels shared by several figures."""

import numpy as np
import pytest

from numpycnn import AvgPool2D, Conv2D, Dense, Flatten, LpPool1D, MaxPool2D, ReLU, Residual, Sequential
from numpycnn.visualize.panels import (
    colour_bar,
    draw_heat,
    draw_input,
    draw_signed,
    frame_region,
    frame_tiles,
    is_pooling,
    kind_colour,
    map_extent,
    max_magnitude,
    middle_slice,
    single_example,
    tile,
)
from numpycnn.visualize.style import BLUE, GREEN, VERMILION, new_figure
from tests.visualize.networks import batch, grey


def test_tile_positions(rng: np.random.Generator) -> None:
    maps = rng.normal(size=(5, 2, 3))
    sheet = tile(maps, columns=3, gap=2)
    assert sheet.shape == (2 * 2 + 2, 3 * 3 + 2 * 2)
    for i in range(5):
        row, column = divmod(i, 3)
        np.testing.assert_array_equal(sheet[row * 4 : row * 4 + 2, column * 5 : column * 5 + 3], maps[i])
    assert np.isnan(sheet).sum() == sheet.size - maps.size
    axes = new_figure(2, 2).subplots()
    frame_tiles(axes, maps, 3, 2)
    (frames,) = axes.collections
    corners = [path.vertices.min(axis=0).tolist() for path in frames.get_paths()]
    assert corners == [[5 * (i % 3) - 0.5, 4 * (i // 3) - 0.5] for i in range(5)]


def test_a_single_example() -> None:
    model = grey()
    x = batch(model, 2)
    for given in (x[0], x[:1]):
        (found,) = single_example(model, given, "f")
        np.testing.assert_array_equal(found, x[:1])
    with pytest.raises(ValueError, match=r"f: expected one example \(1, 10, 12\), got 2"):
        single_example(model, x, "f")


def test_inputs_of_every_kind(rng: np.random.Generator) -> None:
    def axes_with(example: np.ndarray):  # type: ignore[no-untyped-def]
        axes = new_figure(2, 2).subplots()
        draw_input(axes, example)
        return axes

    assert [bar.get_height() for bar in axes_with(np.array([1.0, -2.0, 0.5])).patches] == [1, -2, 0.5]
    signal = rng.normal(size=(2, 7))
    np.testing.assert_array_equal([line.get_ydata() for line in axes_with(signal).lines], signal)
    picture = rng.normal(size=(1, 4, 5))
    np.testing.assert_array_equal(np.asarray(axes_with(picture).images[0].get_array()), picture[0])
    colours = rng.normal(size=(3, 4, 5))
    shown = np.asarray(axes_with(colours).images[0].get_array())
    np.testing.assert_allclose(shown * np.ptp(colours) + colours.min(), np.moveaxis(colours, 0, -1))
    many = rng.normal(size=(4, 4, 5))
    np.testing.assert_allclose(np.asarray(axes_with(many).images[0].get_array()), many.mean(axis=0))
    volume = rng.normal(size=(1, 5, 4, 3))
    np.testing.assert_array_equal(np.asarray(axes_with(volume).images[0].get_array()), volume[0, 2])
    assert np.all(np.isfinite(np.asarray(axes_with(np.ones((3, 2, 2))).images[0].get_array())))


def test_signed_values_are_white_at_zero(rng: np.random.Generator) -> None:
    axes = new_figure(2, 2).subplots()
    values = rng.normal(size=(4, 5))
    image = draw_signed(axes, values)
    assert image is not None
    assert image.get_clim() == (-np.abs(values).max(), np.abs(values).max())
    blue, white, red = image.get_cmap()([0.25, 0.5, 0.75])
    assert min(white[:3]) > 0.99
    assert blue[2] > blue[0]
    assert red[0] > red[2]
    line = new_figure(2, 2).subplots()
    assert draw_signed(line, values[0]) is None
    np.testing.assert_array_equal(line.lines[0].get_ydata(), values[0])


def test_heat_and_its_colour_bar(rng: np.random.Generator) -> None:
    axes = new_figure(2, 2).subplots()
    values = rng.random((3, 6))
    image = draw_heat(axes, values, 2.0, map_extent(values, 4))
    assert image is not None
    assert image.get_clim() == (0, 2)
    assert list(image.get_extent()) == [-0.5, 23.5, 11.5, -0.5]
    colour_bar(image, "unit")
    (bar,) = (child for child in axes.child_axes if child.get_ylabel() == "unit")
    assert bar.get_ylim() == (0, 2)
    assert map_extent(values[0], 2) == (-0.5, 11.5)


def test_patches() -> None:
    axes = new_figure(2, 2).subplots()
    frame_region(axes, ((0, 3), (4, 8)), BLUE)
    (box,) = axes.patches
    assert (box.get_xy(), box.get_width(), box.get_height()) == ((3.5, -0.5), 4, 3)  # type: ignore[attr-defined]


def test_helpers() -> None:
    assert max_magnitude(np.array([0.0, -3.0, np.nan])) == 3
    assert max_magnitude(np.zeros(3)) == max_magnitude(np.zeros(0)) == 1
    np.testing.assert_array_equal(middle_slice(np.arange(12).reshape(3, 2, 2)), [[4, 5], [6, 7]])


def test_kinds_of_layers() -> None:
    model = Sequential([Residual(Conv2D(2, 1)), MaxPool2D(2), ReLU(), Flatten(), Dense(2)], input_shape=(2, 4, 4))
    assert [kind_colour(layer) for layer in model] == [BLUE, GREEN, VERMILION, VERMILION, BLUE]
    assert all(is_pooling(layer) for layer in (AvgPool2D(2), LpPool1D(3)))
