"""The three stages are layer outputs, and the figure shows them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn import BatchNorm, Conv2D, Dense, Flatten, MaxPool2D, ReLU, Residual, Sequential
from numpycnn.visualize import filter_detect_condense, find_stages, follow
from tests.visualize.networks import batch, coloured, dense, grey, signal, volume


def normalized() -> Sequential:
    layers = [Conv2D(3, 3), ReLU(), Conv2D(4, 3), BatchNorm(), ReLU(), MaxPool2D(2), Flatten(), Dense(2)]
    return Sequential(layers, input_shape=(1, 11, 10), seed=0)


def test_the_stages_are_outputs_of_layers() -> None:
    model = normalized()
    x = batch(model, 1)
    stages, passages = find_stages(model, x), follow(model, x)
    assert (stages.filter, stages.detect, stages.condense) == ("2 Conv2D, 3 BatchNorm", "4 ReLU", "5 MaxPool2D")
    np.testing.assert_array_equal(stages.x, passages["2"].x[0])
    np.testing.assert_array_equal(stages.kernels, model[2].weight.value)
    np.testing.assert_array_equal(stages.filtered, passages["3"].y[0])
    np.testing.assert_array_equal(stages.detected, passages["4"].y[0])
    assert stages.condensed is not None
    np.testing.assert_array_equal(stages.condensed, passages["5"].y[0])


def test_a_convolution_without_pooling() -> None:
    model = normalized()
    stages = find_stages(model, batch(model, 1)[0], at="0")
    assert (stages.filter, stages.detect, stages.condense) == ("0 Conv2D", "1 ReLU", "")
    assert stages.condensed is None
    assert find_stages(coloured(), batch(coloured(), 1)).filter == "0 Conv2D"
    assert len(filter_detect_condense(model, batch(model, 1), at="0", channels=1).axes) == 4


@pytest.mark.parametrize("build", [grey, normalized, signal, volume, coloured])
def test_the_figure_shows_the_stages(build: Callable[[], Sequential], tmp_path: Path) -> None:
    model = build()
    x = batch(model, 1)
    stages = find_stages(model, x)
    figure = filter_detect_condense(model, x, channels=2, path=tmp_path / "a.png")
    strength = [np.std(values) for values in stages.detected]
    strongest = sorted(range(len(strength)), key=lambda i: -strength[i])[:2]
    kernels = [axes.get_title() for axes in figure.axes if axes.get_title().startswith("kernel")]
    assert sorted(kernels) == sorted(f"kernel {i}" for i in strongest)
    for verb, layer, values in (
        ("filter", stages.filter, stages.filtered),
        ("detect", stages.detect, stages.detected),
        ("condense", stages.condense, stages.condensed),
    ):
        drawn = [axes for axes in figure.axes if axes.get_title() == f"{verb}\n"]
        assert len(drawn) == (0 if values is None else 2)
        for axes, channel in zip(drawn, strongest, strict=False):
            assert values is not None
            assert [text.get_text() for text in axes.texts] == [layer]
            expected = values[channel]
            if expected.ndim == 1:
                np.testing.assert_array_equal(axes.lines[0].get_ydata(), expected)
                continue
            shown = expected[len(expected) // 2] if expected.ndim == 3 else expected
            np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), shown)
            assert axes.get_xlabel().endswith(f", {expected.min():.2g} to {expected.max():.2g}")
    with Image.open(tmp_path / "a.png") as file:
        assert file.format == "PNG"


def test_wrong_arguments() -> None:
    model = grey()
    x = batch(model)
    with pytest.raises(ValueError, match=r"find_stages: expected one example \(1, 10, 12\), got 3"):
        find_stages(model, x)
    with pytest.raises(ValueError, match="expected a convolution followed by an activation, one of 0, 2, got '1'"):
        find_stages(model, x[0], at="1")
    with pytest.raises(ValueError, match="expected the key of a layer"):
        find_stages(model, x[0], at="77")
    for other in (dense(), Sequential([Conv2D(2, 1), Residual(ReLU())], input_shape=(1, 3, 3))):
        with pytest.raises(ValueError, match="expected a model with a convolution followed by an activation, got none"):
            find_stages(other, batch(other, 1))
    with pytest.raises(ValueError, match="filter_detect_condense: expected channels from 1"):
        filter_detect_condense(model, x[0], channels=0)


def test_stages_inside_a_branch() -> None:
    main = Sequential([Conv2D(1, 3, padding=1), BatchNorm(), ReLU(), Conv2D(1, 1)])
    model = Sequential([Residual(main), Flatten(), Dense(2)], input_shape=(1, 6, 5), seed=0)
    x = batch(model, 1)
    stages, passages = find_stages(model, x), follow(model, x)
    assert (stages.filter, stages.detect) == ("0.main.0 Conv2D, 0.main.1 BatchNorm", "0.main.2 ReLU")
    np.testing.assert_array_equal(stages.detected, passages["0.main.2"].y[0])
    with pytest.raises(ValueError, match=r"one of 0\.main\.0, got '0'"):
        find_stages(model, x, at="0")
    filter_detect_condense(model, x).draw_without_rendering()


def test_a_model_without_stages() -> None:
    model = Sequential([Conv2D(1, 3), Flatten(), Dense(2)], input_shape=(1, 6, 5))
    with pytest.raises(ValueError, match="followed by an activation, but the model has none, got '0'"):
        find_stages(model, batch(model, 1), at="0")
