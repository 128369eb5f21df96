"""The curves are the values of the history."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn import History
from numpycnn.visualize import learning_curves, learning_rate_curve, update_ratios
from numpycnn.visualize.curves import running_median

RECORDS = [
    {"epoch": 1, "loss": 0.5, "accuracy": 0.80, "val_loss": 0.3, "val_accuracy": 0.90},
    {"epoch": 2, "loss": 0.25, "accuracy": 0.92, "val_loss": 0.2, "val_accuracy": 0.95},
    {"epoch": 3, "loss": 0.125, "accuracy": 0.97, "val_loss": 0.1875, "val_accuracy": 0.96},
]


def test_lines_are_the_history(tmp_path: Path) -> None:
    figure = learning_curves(History(RECORDS), tmp_path / "curves.png")
    loss, accuracy = figure.axes
    assert [axes.get_title(loc="left") for axes in (loss, accuracy)] == ["loss", "accuracy in %"]
    for axes, name, scale in ((loss, "loss", 1), (accuracy, "accuracy", 100)):
        assert axes.get_xlabel() == "epoch"
        for line, key in zip(axes.lines, (name, f"val_{name}"), strict=True):
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
            np.testing.assert_allclose(line.get_ydata(), [scale * record[key] for record in RECORDS])
    legends = [[text.get_text() for text in axes.get_legend().get_texts()] for axes in (loss, accuracy)]
    assert legends == [
        ["training, final 0.125", "validation, final 0.188"],
        ["training, final 97.00 %", "validation, final 96.00 %"],
    ]
    with Image.open(tmp_path / "curves.png") as file:
        assert file.format == "PNG"


def test_lines_differ_without_colour() -> None:
    lines = learning_curves(RECORDS).axes[0].lines
    assert [line.get_color() for line in lines] == ["#0072B2", "#D55E00"]
    assert len({line.get_marker() for line in lines}) == 2  # distinguishable without colour


def test_a_training_without_validation_or_accuracy() -> None:
    (axes,) = learning_curves([{"loss": 2.0}, {"loss": 1.0}]).axes
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xdata(), [1, 2])
    np.testing.assert_array_equal(line.get_ydata(), [2, 1])


def test_validation_in_some_epochs_only() -> None:
    records = [{"epoch": 5, "loss": 3.0}, {"epoch": 6, "loss": 2.0, "val_loss": 2.5}]
    training, validation = learning_curves(records).axes[0].lines
    np.testing.assert_array_equal(training.get_xdata(), [5, 6])
    np.testing.assert_array_equal(validation.get_xdata(), [6])


def test_one_epoch(tmp_path: Path) -> None:
    ticks = learning_curves(RECORDS[:1], tmp_path / "one.png").axes[0].get_xticks()
    assert 1 in ticks
    assert all(float(tick).is_integer() for tick in ticks)


def test_empty_history() -> None:
    with pytest.raises(ValueError, match="learning_curves: expected a history of at least one epoch, got an empty one"):
        learning_curves(History())
    with pytest.raises(ValueError, match="learning_curves: expected records with a loss, got epoch, lr"):
        learning_curves([{"epoch": 1, "lr": 0.1}])


RATES, LOSSES = [1e-4, 1e-3, 1e-2, 1e-1], [2.0, 1.5, 0.5, 1.0]


def test_the_line_is_the_loss(tmp_path: Path) -> None:
    (axes,) = learning_rate_curve(RATES, LOSSES, 1e-3, tmp_path / "rates.png").axes
    line, mark = axes.lines
    np.testing.assert_array_equal(line.get_xdata(), RATES)
    np.testing.assert_array_equal(line.get_ydata(), LOSSES)
    assert set(mark.get_xdata()) == {1e-3}
    assert axes.get_xscale() == "log"
    assert axes.get_legend().get_texts()[1].get_text() == "suggestion 0.001"
    with Image.open(tmp_path / "rates.png") as file:
        assert file.format == "PNG"


def test_the_suggestion_is_optional() -> None:
    assert len(learning_rate_curve(RATES, LOSSES).axes[0].lines) == 1


@pytest.mark.parametrize(("rates", "losses"), [([], []), (RATES, LOSSES[:2])])
def test_lengths_differ(rates: list[float], losses: list[float]) -> None:
    with pytest.raises(ValueError, match="expected as many losses as rates"):
        learning_rate_curve(rates, losses)


@pytest.mark.parametrize(("rates", "suggestion"), [([0.0, *RATES[1:]], None), (RATES, 0.0)])
def test_rates_without_a_logarithm(rates: list[float], suggestion: float | None) -> None:
    with pytest.raises(ValueError, match="expected positive rates"):
        learning_rate_curve(rates, LOSSES, suggestion)


def test_lines_are_the_ratios(rng: np.random.Generator, tmp_path: Path) -> None:
    ratios = {"0.weight": rng.uniform(1e-4, 1e-2, 60).tolist(), "3.weight": rng.uniform(1e-4, 1e-2, 60).tolist()}
    (axes,) = update_ratios(ratios, tmp_path / "a.png").axes
    faint, strong = axes.lines[0:4:2], axes.lines[1:4:2]
    for line, middle, (name, values) in zip(faint, strong, ratios.items(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 61))
        np.testing.assert_array_equal(line.get_ydata(), values)
        np.testing.assert_array_equal(middle.get_ydata(), running_median(values, 5))
        assert middle.get_label() == name
    assert set(np.asarray(axes.lines[4].get_ydata()).tolist()) == {1e-3}
    assert axes.get_yscale() == "log"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "|change of w| / |w|")
    with Image.open(tmp_path / "a.png") as file:
        assert file.format == "PNG"


def test_few_steps_have_markers() -> None:
    line = update_ratios({"w": [1e-3, 2e-3]}).axes[0].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), [1e-3, 2e-3])
    assert line.get_marker() == "o"


def test_nonpositive_ratios_are_not_drawn() -> None:
    line = update_ratios({"w": [0.0, float("inf"), 1e-3]}).axes[0].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), [np.nan, np.nan, 1e-3])


def test_no_ratios() -> None:
    for ratios in ({}, {"w": []}):
        with pytest.raises(ValueError, match="update_ratios: expected ratios of at least one step, got none"):
            update_ratios(ratios)
