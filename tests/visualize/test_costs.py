"""The bars are the values of the summary."""

from pathlib import Path

import pytest
from PIL import Image

from numpycnn import Dense, Sequential
from numpycnn.visualize import layer_costs
from numpycnn.visualize.style import TIMES
from tests.visualize.networks import grey, signal, smooth


@pytest.mark.parametrize("build", [grey, smooth, signal])
def test_bars_match_the_summary(build: type, tmp_path: Path) -> None:
    model: Sequential = build()
    summary = model.summary()
    rows = [row for row in summary.rows if not row.layer.endswith("Sequential")]
    grid = layer_costs(model, tmp_path / "a.png").axes
    for axes, name, values in (
        (grid[0], "parameters", [row.parameters for row in rows]),
        (grid[1], "multiply-adds", [row.multiply_adds for row in rows]),
        (grid[2], "activations in KiB", [row.activation_bytes / 1024 for row in rows]),
    ):
        assert [bar.get_width() for bar in axes.patches] == values  # type: ignore[attr-defined]
        assert axes.get_title(loc="left").split(":")[0] == name
        assert len(axes.texts) == sum(value > 0 for value in values)
    assert sum(bar.get_width() for bar in grid[0].patches) == summary.parameters  # type: ignore[attr-defined]
    labels = [label.get_text() for label in grid[0].get_yticklabels()]
    for label, row in zip(labels, rows, strict=True):
        sees = "all" if row.receptive_field is None else f" {TIMES} ".join(map(str, row.receptive_field))
        assert label.endswith(f": {f' {TIMES} '.join(map(str, row.output_shape))}, sees {sees}")
        assert row.layer.strip().split(" ", 1)[1] in label
    with Image.open(tmp_path / "a.png") as file:
        assert file.format == "PNG"


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError, match="layer_costs: expected a Sequential or a Model, got Dense"):
        layer_costs(Dense(2))  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="summary: the model is not built yet"):
        layer_costs(Sequential([Dense(2)]))
