"""Shifted images against plain loops, probabilities against the model, curves against the probabilities."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from numpycnn import Conv2D, Dense, GlobalMaxPool, ReLU, Sequential
from numpycnn.visualize import class_probabilities, measure_shifts, shift, translation_curves
from tests.visualize.networks import batch, features, grey, signal


@given(st.integers(1, 5), st.integers(1, 6), st.integers(-8, 8))
def test_shift_matches_plain_loops(rows: int, columns: int, by: int) -> None:
    x = np.arange(rows * columns).reshape(rows, columns)
    moved, down = shift(x, by), shift(x, by, axis=0)
    for r in range(rows):
        for c in range(columns):
            assert moved[r, c] == x[r, min(max(c - by, 0), columns - 1)]
            assert down[r, c] == x[min(max(r - by, 0), rows - 1), c]


def test_probabilities_of_the_true_class() -> None:
    model = grey()
    x, labels = batch(model), np.array([3, 0, 1])
    found = measure_shifts(model, x, labels, [-2, 0, 5])
    assert found.shape == (3, 3)
    for row, by in zip(found, (-2, 0, 5), strict=True):
        for n in range(3):
            assert row[n] == pytest.approx(class_probabilities(model, shift(x[n : n + 1], by))[0, labels[n]], rel=1e-5)
    down = measure_shifts(model, x, labels, [1], axis=-2)
    np.testing.assert_allclose(down[0, 0], class_probabilities(model, shift(x, 1, 2))[0, 3], rtol=1e-5)


def test_global_pooling_is_shift_invariant() -> None:
    """Away from the border, a blob gives the same outputs at every position."""
    model = Sequential([Conv2D(6, 3), ReLU(), GlobalMaxPool(), Dense(3)], input_shape=(1, 9, 20), dtype=np.float64)
    x = np.zeros((1, 1, 9, 20))
    x[0, 0, 3:6, 8:12] = np.random.default_rng(0).normal(size=(3, 4))
    shares = measure_shifts(model, x, 1, range(-5, 6))
    np.testing.assert_allclose(shares, np.full((11, 1), shares[5, 0]), rtol=1e-12)


def test_curves_are_means_over_the_images(tmp_path: Path) -> None:
    models = {"first": grey(), "second": Sequential(grey().layers, input_shape=(1, 10, 12), seed=5)}
    x, labels = batch(grey(), 5), np.array([0, 1, 2, 3, 0])
    figure = translation_curves(models, x, labels, shifts=[-3, 0, 3], path=tmp_path / "a.png")
    axes = figure.axes[-1]
    for line, (name, model) in zip(axes.lines, models.items(), strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_xdata(), [-3, 0, 3])
        expected = 100 * measure_shifts(model, x, labels, [-3, 0, 3]).mean(axis=1)
        np.testing.assert_allclose(line.get_ydata(), expected)
    assert len({line.get_color() for line in axes.lines}) == len({line.get_marker() for line in axes.lines}) == 2
    assert axes.get_xlabel() == "shift to the right in pixels"
    assert axes.get_ylabel() == "probability of the true class in %"
    assert axes.get_title(loc="left") == "confidence over shift, mean of 5 images"
    assert [panel.get_title() for panel in figure.axes[:-1]] == ["-3", "0", "+3"]
    for panel, by in zip(figure.axes[:-1], (-3, 0, 3), strict=True):
        np.testing.assert_array_equal(np.asarray(panel.images[0].get_array()), shift(x[0, 0], by))
    with Image.open(tmp_path / "a.png") as file:
        assert file.format == "PNG"


def test_thumbnails_show_measured_shifts() -> None:
    x = batch(grey(), 1)
    for shifts, shown in {
        (0,): ["0"],
        (4, -2, 4, 0): ["-2", "0", "+4"],
        tuple(range(-4, 5)): ["-4", "-2", "0", "+2", "+4"],
    }.items():
        figure = translation_curves({"a": grey()}, x, 1, shifts=shifts)
        assert [panel.get_title() for panel in figure.axes[:-1]] == shown
        (line,) = figure.axes[-1].lines
        np.testing.assert_array_equal(line.get_xdata(), sorted(shifts))
        expected = 100 * measure_shifts(grey(), x, 1, sorted(shifts))[:, 0]
        np.testing.assert_allclose(line.get_ydata(), expected)
    with pytest.raises(ValueError, match="translation_curves: expected at least one shift, got none"):
        translation_curves({"a": grey()}, x, 1, shifts=[])


def test_default_shifts_of_a_signal() -> None:
    axes = translation_curves({"a": signal()}, batch(signal(), 1)[0], 1).axes[-1]
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), np.arange(-10, 11))
    assert axes.get_title(loc="left") == "confidence over shift"
    assert translation_curves({"a": grey()}, batch(grey()), 1, axis=-2).axes[-1].get_xlabel() == "shift down in pixels"


def test_wrong_arguments() -> None:
    model = grey()
    x = batch(model)
    with pytest.raises(
        ValueError, match=r"measure_shifts: expected axis to be a spatial axis, 2 to 3 of \(3, 1, 10, 12\)"
    ):
        measure_shifts(model, x, 0, [1], axis=1)
    with pytest.raises(ValueError, match="expected axis to be a spatial axis"):
        measure_shifts(features(), batch(features()), 0, [1])
    with pytest.raises(ValueError, match="measure_shifts: expected one target for each of 3 examples, got 2"):
        measure_shifts(model, x, [0, 1], [1])
    with pytest.raises(TypeError, match=r"shift: expected by to be an int, got float 1\.5"):
        measure_shifts(model, x, 0, [1.5])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"translation_curves: expected models by name, .*, got none"):
        translation_curves({}, x, 0)
