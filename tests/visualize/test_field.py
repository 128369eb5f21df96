"""Receptive fields against the pixels that change a unit, one by one, and against the formula."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from numpycnn import AvgPool2D, Concat, Conv1D, Conv2D, Dense, Flatten, MaxPool2D, ReLU, Residual, Sequential, ZeroPad
from numpycnn.inspection.traces import follow, layers_of
from numpycnn.models import tiny_vgg
from numpycnn.visualize import find_field, measure_field, receptive_fields
from numpycnn.visualize.style import TIMES
from tests.helpers import assert_close
from tests.visualize.networks import PICTURES, batch, dense, enlarging, features, grey, signal, smooth


def moved_by(model: Sequential, at: str, unit: tuple[int, ...]) -> tuple[tuple[int, int], ...] | None:
    """Return the box of the pixels that change a unit, found one pixel at a time."""
    assert model.input_shape is not None
    rng = np.random.default_rng(0)
    found: set[tuple[int, ...]] = set()
    for _ in range(6):  # a max pooling shows what it depends on for some inputs only
        x = rng.normal(size=(1, *model.input_shape))
        before = follow(model, x)[at].y[(0, slice(None), *unit)]
        for place in np.ndindex(model.input_shape[1:]):
            other = x.copy()
            other[(0, slice(None), *place)] += rng.choice([-9.0, 9.0])
            if np.any(follow(model, other)[at].y[(0, slice(None), *unit)] != before):
                found.add(place)
    if not found:
        return None
    places = np.array(sorted(found))
    return tuple((int(low), int(high) + 1) for low, high in zip(places.min(axis=0), places.max(axis=0), strict=True))


def odd() -> Sequential:
    """Return a network with strides, dilation, one-sided padding, upsampling and branches of different fields."""
    branches = [Conv2D(2, (1, 3), padding=(0, 1)), Sequential([Conv2D(2, 3, dilation=2, padding=2)])]
    layers = [
        Conv2D(3, (2, 3), stride=(2, 1), padding=((1, 0), (0, 2))),
        Concat(branches),
        Residual(Conv2D(4, 1)),
        AvgPool2D(2, stride=1),
    ]
    return Sequential(layers, input_shape=(1, 9, 8), seed=3, dtype=np.float64)


UNITS = [("0", (0, 0)), ("0", (2, 5)), ("1", (1, 4)), ("1.0", (2, 2)), ("1.1", (2, 3)), ("2", (4, 7)), ("3", (3, 6))]


@pytest.mark.parametrize(("at", "unit"), UNITS)
def test_field_matches_single_pixels(at: str, unit: tuple[int, int]) -> None:
    model = odd()
    assert find_field(model, at, unit) == moved_by(model, at, unit)


def test_max_pooling_and_upsampling() -> None:
    pooled = Sequential([Conv2D(1, 3), MaxPool2D(2)], input_shape=(1, 8, 7), seed=1, dtype=np.float64)
    assert find_field(pooled, "1", (1, 1)) == moved_by(pooled, "1", (1, 1)) == ((2, 6), (2, 6))
    model = enlarging(np.float64)
    for at, unit in (("2", (4, 5)), ("2", (5, 4)), ("3", (0, 10))):
        assert find_field(model, at, unit) == moved_by(model, at, unit)


def test_sizes_match_the_formula() -> None:
    model = tiny_vgg()
    rows = {row.layer.split()[0]: row.receptive_field for row in model.summary().rows}
    for key in layers_of(model):
        if rows[key] is None:
            assert find_field(model, key) == ((0, 28), (0, 28))
        else:
            field = find_field(model, key)
            assert field is not None
            assert tuple(end - first for first, end in field) == rows[key]


def test_a_unit_on_padding_alone() -> None:
    model = Sequential([ZeroPad(3), Conv2D(2, 2)], input_shape=(1, 4, 5))
    assert find_field(model, "1", (0, 0)) is None
    assert find_field(model, "1", (3, 4)) == ((0, 2), (1, 3))


@pytest.mark.parametrize("build", PICTURES)
def test_gradient_is_zero_outside_the_field(build: Callable[[], Sequential]) -> None:
    model = build()
    x = batch(model, 4)
    for key, layer in layers_of(model).items():
        unit = tuple(side // 2 for side in (layer.output_shape or ())[1:])
        field, counts = find_field(model, key, unit), measure_field(model, x, key, unit)
        assert field is not None
        inside = np.zeros(counts.shape, bool)
        inside[tuple(slice(first, end) for first, end in field)] = True
        assert not counts[~inside].any()


def test_influence_is_the_mean_gradient() -> None:
    model = smooth()
    x = batch(model, 2)
    found = measure_field(model, x, "1", (2, 3))
    expected = np.zeros((2, 2, 6, 8))
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += 1e-5
        down[index] -= 1e-5
        change = follow(model, up)["1"].y[index[0], :, 2, 3].sum() - follow(model, down)["1"].y[index[0], :, 2, 3].sum()
        expected[index] = change / 2e-5
    assert_close(found, np.abs(expected).max(axis=1).mean(axis=0), 1e-7)


def panel(figure: Figure, row: int, column: int) -> Axes:
    """Return the axes at a position of the grid."""
    for axes in figure.axes:
        spec = axes.get_subplotspec()
        if spec is not None and (spec.rowspan.start, spec.colspan.start) == (row, column):
            return axes
    raise AssertionError(f"nothing at {row}, {column}")


def test_the_figure_shows_fields_and_gradients(tmp_path: Path) -> None:
    model = grey()
    x = batch(model, 3)
    figure = receptive_fields(model, x, path=tmp_path / "a.png")
    places = ["0", "2", "4"]
    for column, at in enumerate(places):
        field, counts = find_field(model, at), measure_field(model, x, at)
        assert field is not None
        above, below = (panel(figure, row, column) for row in (0, 1))
        rows, columns = field
        size = f"{rows[1] - rows[0]} {TIMES} {columns[1] - columns[0]}"
        assert above.get_title() == f"{at} {type(model[int(at)]).__name__}\n{size}"
        for axes in (above, below):
            (box,) = axes.patches
            assert box.get_xy() == (columns[0] - 0.5, rows[0] - 0.5)  # type: ignore[attr-defined]
            assert box.get_width() == columns[1] - columns[0]  # type: ignore[attr-defined]
            assert box.get_height() == rows[1] - rows[0]  # type: ignore[attr-defined]
        np.testing.assert_array_equal(np.asarray(above.images[0].get_array()), x[0, 0])
        np.testing.assert_allclose(np.asarray(below.images[0].get_array()), np.sqrt(counts / counts.max()))
    with Image.open(tmp_path / "a.png") as file:
        assert file.format == "PNG"


def test_a_signal_and_layers_that_are_named() -> None:
    model = signal()
    figure = receptive_fields(model, batch(model, 1), at=["0", "3"], unit=(4,))
    assert [axes.get_title() for axes in figure.axes[::2]] == ["0 Conv1D\n5", "3 Conv1D\n10"]


def test_layers_inside_branches_are_drawn() -> None:
    titles = [axes.get_title() for axes in receptive_fields(smooth(), batch(smooth(), 1)).axes]
    heads = [title.split()[0] for title in titles if title]
    assert heads == ["0", "1.main.2", "2.0", "2.1.0", "3"]


def test_many_layers_are_thinned_out_evenly() -> None:
    model = Sequential([Conv1D(2, 3, padding=1) for _ in range(20)], input_shape=(1, 40))
    heads = [axes.get_title().split()[0] for axes in receptive_fields(model, batch(model, 1)).axes[::2]]
    assert len(heads) == 7
    assert (heads[0], heads[-1]) == ("0", "19")


def test_wrong_arguments() -> None:
    model = grey()
    with pytest.raises(ValueError, match=r"find_field: expected the key of a layer, one of 0, .*, got '9'"):
        find_field(model, "9")
    with pytest.raises(
        ValueError, match=r"find_field: expected unit to be a position in maps of \(8, 10\), got \(8, 0\)"
    ):
        find_field(model, "0", (8, 0))
    with pytest.raises(ValueError, match=r"expected unit to be a position in maps of \(8, 10\), got \(1,\)"):
        find_field(model, "0", (1,))
    with pytest.raises(ValueError, match=r"find_field: expected a model for images \(C, \.\.\.\), got one for \(9,\)"):
        find_field(features(), "0")
    with pytest.raises(ValueError, match="receptive_fields: expected a model with a layer that slides a window"):
        receptive_fields(dense(), batch(dense(), 1))
    flat = Sequential([Flatten(), Dense(2), ReLU()], input_shape=(1, 4, 4))
    assert find_field(flat, "1") == ((0, 4), (0, 4))
