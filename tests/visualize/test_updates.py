"""The lines are the ratios."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn.visualize import update_ratios
from numpycnn.visualize.updates import running_median


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
