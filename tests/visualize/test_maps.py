"""The rows of the figure are the layer outputs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn import LSTM, Dense, Flatten, Sequential
from numpycnn.inspection.graph import graph_of
from numpycnn.visualize import feature_maps, follow
from numpycnn.visualize.maps import sheet_of
from numpycnn.visualize.panels import format_short
from numpycnn.visualize.style import TIMES
from tests.visualize.networks import CLASSIFIERS, batch, enlarging, grey, smooth


@pytest.mark.parametrize("build", [*CLASSIFIERS, enlarging])
def test_one_row_per_layer(build: Callable[[], Sequential], tmp_path: Path) -> None:
    model = build()
    x = batch(model, 1)
    figure = feature_maps(model, x[0], channels=4, path=tmp_path / "a.png")
    rows = {axes.texts[0].get_text(): axes for axes in figure.axes}
    order = {key: number for number, key in enumerate(use.key for use in graph_of(model).steps())}
    passages = [p for key, p in follow(model, x).items() if key in order and type(p.layer).__name__ != "Flatten"]
    passages.sort(key=lambda passage: order[passage.key])
    assert list(rows) == ["input", *(passage.title for passage in passages)]
    for passage in passages:
        axes, y = rows[passage.title], passage.y[0]
        assert (
            axes.texts[1].get_text() == f"{f' {TIMES} '.join(map(str, y.shape))}, up to {format_short(np.abs(y).max())}"
        )
        if y.ndim == 1:
            np.testing.assert_array_equal([bar.get_height() for bar in axes.patches], y)  # type: ignore[attr-defined]
            continue
        (image,) = axes.images
        np.testing.assert_array_equal(np.nan_to_num(np.asarray(image.get_array())), np.nan_to_num(sheet_of(y, 4)))
        assert image.get_clim() == (-np.abs(y).max(), np.abs(y).max())
    with Image.open(tmp_path / "a.png") as file:
        assert file.format == "PNG"


def test_sheets_of_every_kind(rng: np.random.Generator) -> None:
    y = rng.normal(size=(3, 4, 5))
    sheet = sheet_of(y, 2)
    assert sheet.shape == (4, 11)
    np.testing.assert_array_equal(sheet[:, :5], y[0])
    np.testing.assert_array_equal(sheet[:, 6:], y[1])
    np.testing.assert_array_equal(sheet_of(y[0], 2), y[0, :2])
    np.testing.assert_array_equal(sheet_of(y[0, 0], 2), y[0, :1])
    np.testing.assert_array_equal(sheet_of(rng.normal(size=(2, 5, 4, 3))[:1], 3).shape, (4, 3))


@pytest.mark.parametrize("sequences", [False, True])
def test_a_recurrent_layer_shows_its_state_over_time(sequences: bool, rng: np.random.Generator) -> None:
    layers = [LSTM(5, bidirectional=True, return_sequences=sequences), Flatten(), Dense(2)]
    model = Sequential(layers, input_shape=(7, 3), seed=0)
    x = rng.normal(size=(1, 7, 3)).astype(np.float32)
    axes = feature_maps(model, x, channels=8).axes[1]
    states = model[0].hidden_states(x)[0]  # (L, 2 H)
    (image,) = axes.images
    np.testing.assert_array_equal(np.asarray(image.get_array()), states.T[:8])
    assert axes.texts[1].get_text().startswith(f"10 {TIMES} 7, up to")


def test_layers_inside_branches() -> None:
    model = smooth()
    rows = [axes.texts[0].get_text() for axes in feature_maps(model, batch(model, 1)).axes]
    inside = ["1.main.0 BatchNorm", "1.main.1 Tanh", "1.main.2 Conv2D", "1 Residual"]
    assert rows[:6] == ["input", "0 Conv2D", *inside]
    assert rows[6:] == ["2.0 Conv2D", "2.1.0 Conv2D", "2.1.1 Tanh", "2 Concat", "3 AvgPool2D", "5 Dense"]
    figure = feature_maps(smooth(), batch(smooth(), 1), at=["1.main.1", "2.1"])
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["input", "1.main.1 Tanh", "2.1 Sequential"]


def test_classes_are_named() -> None:
    axes = feature_maps(grey(), batch(grey(), 1), class_names=["a", "b", "c", "d"]).axes[-1]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c", "d"]


def test_wrong_arguments() -> None:
    model = grey()
    with pytest.raises(ValueError, match=r"feature_maps: expected one example \(1, 10, 12\), got 3"):
        feature_maps(model, batch(model))
    with pytest.raises(ValueError, match=r"feature_maps: expected the key of a layer, one of 0, .*, got '9'"):
        feature_maps(model, batch(model, 1), at=["9"])
    with pytest.raises(ValueError, match="feature_maps: expected channels from 1"):
        feature_maps(model, batch(model, 1), channels=0)
