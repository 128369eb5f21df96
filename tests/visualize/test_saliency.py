"""Saliency against central differences of the score, and the figure against the saliency."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn import Embedding, Flatten, Sequential
from numpycnn.visualize import measure_saliency, saliency_map
from tests.helpers import assert_close, numerical_gradient
from tests.visualize.networks import CLASSIFIERS, batch, coloured, grey, smooth


def test_saliency_is_the_gradient_of_the_score() -> None:
    model = smooth()
    x = batch(model)
    targets = np.array([2, 0, 1])
    found = measure_saliency(model, x, targets)
    assert found.shape == (3, 6, 8)
    for example, target, values in zip(x, targets, found, strict=True):
        slope = numerical_gradient(lambda moved, t=target: float(model.forward(moved[np.newaxis])[0, t]), example)
        assert_close(values, np.abs(slope).max(axis=0), 1e-7)


def test_the_score_is_the_input_of_the_softmax() -> None:
    model = coloured()
    x = batch(model)
    without = Sequential(model.layers[:-1], input_shape=(3, 9, 8), seed=0)
    np.testing.assert_allclose(measure_saliency(model, x, 1), measure_saliency(without, x, 1), rtol=1e-5)


def test_the_predicted_class_is_the_default() -> None:
    model = grey()
    x = batch(model)
    np.testing.assert_array_equal(
        measure_saliency(model, x), measure_saliency(model, x, model.predict(x).argmax(axis=1))
    )


def test_smoothing_averages_noisy_copies() -> None:
    model = smooth()
    x = batch(model, 2)
    found = measure_saliency(model, x, 1, smooth=3, noise=0.2, seed=5)
    rng = np.random.default_rng(5)
    expected = np.zeros_like(x)
    for _ in range(3):
        noise = rng.normal(size=x.shape)
        for i in range(2):
            moved = x[i] + 0.2 * (x[i].max() - x[i].min()) * noise[i]
            expected[i] += numerical_gradient(lambda z: float(model.forward(z[np.newaxis])[0, 1]), moved) / 3
    assert_close(found, np.abs(expected).max(axis=1), 1e-7)


@pytest.mark.parametrize("build", CLASSIFIERS)
def test_the_figure_shows_the_saliency(build: Callable[[], Sequential], tmp_path: Path) -> None:
    model = build()
    x = batch(model, 2)
    names = ["cat", "dog", "ox", "yak"][: model.output_shape[0]]  # type: ignore[index]
    figure = saliency_map(model, x, 1, class_names=names, path=tmp_path / "a.png")
    values = measure_saliency(model, x, 1)
    drawn = [axes for axes in figure.axes if axes.get_title() == "|gradient of its score|"]
    assert len(drawn) == 2
    for axes, expected in zip(drawn, values, strict=True):
        if expected.ndim == 1:
            shown = np.array([bar.get_height() for bar in axes.patches])  # type: ignore[attr-defined]
        else:
            shown = np.asarray(axes.images[0].get_array())
            assert axes.images[0].get_clim() == (0, expected.max())
        np.testing.assert_array_equal(shown, expected[len(expected) // 2] if expected.ndim == 3 else expected)
    heads = [axes.get_title() for axes in figure.axes if axes.get_title().startswith("dog, ")]
    assert len(heads) == 2
    with Image.open(tmp_path / "a.png") as file:
        assert file.format == "PNG"


def test_the_title_has_the_probability() -> None:
    model = coloured()
    x = batch(model, 1)
    share = float(model.predict(x)[0, 2])
    assert saliency_map(model, x[0], 2).axes[0].get_title() == f"class 2, {100 * share:.1f} %"


def test_wrong_arguments() -> None:
    model = grey()
    x = batch(model)
    with pytest.raises(ValueError, match=r"measure_saliency: expected labels from 0 to 3, got 4 at position 0"):
        measure_saliency(model, x, 4)
    with pytest.raises(ValueError, match="measure_saliency: expected one target for each of 3 examples, got 2"):
        measure_saliency(model, x, [0, 1])
    with pytest.raises(ValueError, match=r"measure_saliency: expected x \(N, 1, 10, 12\), got \(3, 10, 12\)"):
        measure_saliency(model, x[:, 0])
    with pytest.raises(ValueError, match=r"measure_saliency: expected at least one example, got an empty batch"):
        measure_saliency(model, x[:0])
    with pytest.raises(ValueError, match="measure_saliency: expected smooth from 0"):
        measure_saliency(model, x, smooth=-1)
    tokens = Sequential([Embedding(5, 3), Flatten()], input_shape=(4,))
    with pytest.raises(TypeError, match="measure_saliency: expected floats, which have a gradient, got int64"):
        measure_saliency(tokens, np.zeros((2, 4), np.int64))
