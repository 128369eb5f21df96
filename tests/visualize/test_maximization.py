"""Gradient ascent follows the numerical gradient and raises the activation."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from numpycnn import Dense, Embedding, Flatten, Sequential
from numpycnn.inspection.traces import follow
from numpycnn.visualize import activation_maximization, maximize
from tests.helpers import assert_close, numerical_gradient
from tests.visualize.networks import CLASSIFIERS, batch, coloured, grey, smooth

PLAIN = {"decay": 0.0, "jitter": 0, "blur": 0.0}


def test_one_step_follows_the_numerical_gradient() -> None:
    model = smooth()
    start, _ = maximize(model, [1, 3], at="1.main.1", steps=0, seed=4)
    moved, _ = maximize(model, [1, 3], at="1.main.1", steps=1, step=0.25, seed=4, **PLAIN)  # type: ignore[arg-type]

    def activation(x: np.ndarray, channel: int) -> float:
        return float(follow(model, x[np.newaxis])["1.main.1"].y[0, channel].mean())

    for i, channel in enumerate([1, 3]):
        slope = numerical_gradient(partial(activation, channel=channel), start[i])
        assert_close(moved[i] - start[i], 0.25 * slope / np.abs(slope).mean(), 1e-6)


def test_decay_scales_all_values() -> None:
    model = grey()
    plain, _ = maximize(model, [1], steps=1, **PLAIN)  # type: ignore[arg-type]
    decayed, _ = maximize(model, [1], steps=1, **{**PLAIN, "decay": 0.25})  # type: ignore[arg-type]
    np.testing.assert_allclose(decayed, 0.75 * plain, rtol=1e-5)


def test_every_fourth_step_blurs() -> None:
    model = grey()
    sharp, _ = maximize(model, [1], steps=4, **PLAIN)  # type: ignore[arg-type]
    blurred, _ = maximize(model, [1], steps=4, **{**PLAIN, "blur": 1.0})  # type: ignore[arg-type]
    np.testing.assert_allclose(blurred[0, 0], gaussian_filter(sharp[0, 0], 1.0, mode="nearest"), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("settings", [PLAIN, {}], ids=["plain", "default"])
def test_the_activation_rises(settings: dict[str, float]) -> None:
    model = grey()
    _, before = maximize(model, steps=0)
    x, after = maximize(model, steps=60, **settings)  # type: ignore[arg-type]
    assert x.shape == (4, 1, 10, 12)
    assert np.all(after > before + 0.5)
    np.testing.assert_allclose(after, np.diag(model.predict(x)), rtol=1e-5)
    others = model.predict(batch(model, 50)).max(axis=0)
    assert np.all(after > others)


def test_activations_are_means_over_the_map() -> None:
    model = grey()
    x, activations = maximize(model, [2, 0], at="2", steps=5)
    y = follow(model, x)["2"].y
    np.testing.assert_allclose(activations, [y[0, 2].mean(), y[1, 0].mean()], rtol=1e-5)


def test_the_score_is_maximized_and_not_the_probability() -> None:
    model = coloured()
    x, activations = maximize(model, [0, 2], steps=30)
    scores = follow(model, x)["5"].y
    np.testing.assert_allclose(activations, [scores[0, 0], scores[1, 2]], rtol=1e-5)
    assert np.all(activations > [scores[1, 0], scores[0, 2]])


def test_the_same_seed_gives_the_same_input() -> None:
    model = grey()
    first, second, other = (maximize(model, [1], steps=4, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("build", CLASSIFIERS)
def test_the_figure_shows_what_was_found(build: Callable[[], Sequential], tmp_path: Path) -> None:
    model = build()
    figure = activation_maximization(model, [1, 0], steps=3, class_names=list("abcd"), path=tmp_path / "a.png")
    x, activations = maximize(model, [1, 0], steps=3)
    assert [axes.get_title() for axes in figure.axes] == ["b", "a"]
    assert [axes.get_xlabel() for axes in figure.axes] == [f"score {activation:.3g}" for activation in activations]
    for axes, example in zip(figure.axes, x, strict=True):
        if example.ndim == 1:
            np.testing.assert_array_equal([bar.get_height() for bar in axes.patches], example)  # type: ignore[attr-defined]
        elif example.ndim == 2:
            np.testing.assert_array_equal([line.get_ydata() for line in axes.lines], example)
        elif len(example) == 1:
            plane = example[0, 3] if example.ndim == 4 else example[0]
            np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), plane)
        else:
            assert np.asarray(axes.images[0].get_array()).shape[:2] == example.shape[1:]
    with Image.open(tmp_path / "a.png") as file:
        assert file.format == "PNG"


def test_channels_are_named() -> None:
    figure = activation_maximization(grey(), at="2", steps=1)
    assert figure.get_suptitle() == "inputs that maximize channels of 2 Conv2D"
    assert [axes.get_title().split(",")[0] for axes in figure.axes[:6]] == [f"channel {i}" for i in range(6)]


def test_wrong_arguments() -> None:
    model = grey()
    with pytest.raises(ValueError, match=r"maximize \(units\): expected labels from 0 to 3, got 4 at position 1"):
        maximize(model, [0, 4])
    with pytest.raises(ValueError, match=r"maximize: expected the key of a layer, .*, got 'x'"):
        maximize(model, at="x")
    with pytest.raises(ValueError, match=r"maximize: expected decay from 0 to 1, .*, got 2, 0\.1, 0\.5"):
        maximize(model, decay=2)
    with pytest.raises(ValueError, match="maximize: expected steps from 0"):
        maximize(model, steps=-1)
    tokens = Sequential([Embedding(5, 3), Flatten(), Dense(2)], input_shape=(4,))
    with pytest.raises(TypeError, match=r"Embedding \(layer 0\): expected integers, got float32"):
        maximize(tokens)
    with pytest.raises(RuntimeError, match="maximize: the model is not built yet; give it an input_shape"):
        maximize(Sequential([Dense(2)]))
