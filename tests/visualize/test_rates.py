from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn.visualize import learning_rate_curve

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
