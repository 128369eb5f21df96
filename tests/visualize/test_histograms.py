"""Activations are layer outputs, gradients are those of the loss, and the ridges count them."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn import CrossEntropy, Dense, MeanSquaredError, Sequential, Sigmoid
from numpycnn.visualize import (
    activation_histograms,
    collect_activations,
    collect_gradients,
    follow,
    gradient_histograms,
)
from tests.helpers import assert_close, numerical_gradient
from tests.visualize.networks import CLASSIFIERS, batch, grey, smooth


def test_activations_are_outputs() -> None:
    model = grey()
    x = batch(model)
    collected, passages = collect_activations(model, x), follow(model, x)
    assert list(collected) == ["0", "1", "2", "3", "4", "6"]  # without Flatten
    for key, values in collected.items():
        np.testing.assert_array_equal(values, passages[key].y.ravel())
    assert list(collect_activations(smooth(), batch(smooth()), at=["1.main.2", "5"])) == ["1.main.2", "5"]
    inside = ["1.main.0", "1.main.1", "1.main.2", "1", "2.0", "2.1.0", "2.1.1", "2"]
    assert list(collect_activations(smooth(), batch(smooth()))) == ["0", *inside, "3", "5"]
    assert list(collect_gradients(smooth(), batch(smooth()), [0, 1, 2])) == ["0", *inside, "3", "5"]


def test_gradients_are_those_of_the_loss() -> None:
    model = smooth()
    x, labels = batch(model), np.array([2, 0, 1])
    collected = collect_gradients(model, x, labels, training=False)
    after = follow(model, x)["2"].y

    def loss(y: np.ndarray) -> float:
        for layer in model.layers[3:]:
            y = layer.forward(y)
        shares = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
        return float(-np.log(shares[np.arange(3), labels]).mean())

    assert_close(collected["2"], numerical_gradient(loss, after).ravel(), 1e-7)
    training = collect_gradients(model, x, labels)  # batch norm with the statistics of the batch
    assert not np.allclose(training["0"], collected["0"])


def test_another_loss() -> None:
    model = grey()
    x, target = batch(model), np.ones((3, 4), np.float32)
    loss = MeanSquaredError()
    loss.forward(model.forward(x), target)
    expected = loss.backward().ravel()
    np.testing.assert_allclose(collect_gradients(model, x, target, loss=MeanSquaredError())["6"], expected, rtol=1e-6)


@pytest.mark.parametrize("build", CLASSIFIERS)
def test_ridges_count_the_values(build: Callable[[], Sequential], tmp_path: Path) -> None:
    model = build()
    x, labels = batch(model, 4), np.array([0, 1, 1, 0])
    forward = activation_histograms(model, x, bins=20, path=tmp_path / "a.png")
    backward = gradient_histograms(model, x, labels, bins=20, path=tmp_path / "b.png")
    for figure, collected, decades in (
        (forward, collect_activations(model, x), False),
        (backward, collect_gradients(model, x, labels), True),
    ):
        (axes,) = figure.axes
        ridges = {line.get_label(): line for line in axes.lines if line.get_label() in collected}
        assert list(ridges) == list(collected)
        assert [text.get_text().split()[0] for text in axes.get_yticklabels()] == list(collected)
        low, high = axes.get_xlim()
        for number, (key, values) in enumerate(collected.items()):
            shown = values[values != 0]
            shown = np.log10(np.abs(shown.astype(np.float64))) if decades else shown
            counts = np.array([((shown >= a) & (shown < b)).sum() for a, b in bins_of(low, high, 20)])
            heights = np.asarray(ridges[key].get_ydata()) - (len(collected) - 1 - number)
            np.testing.assert_allclose(
                heights, 0.9 * counts / max(1, counts.max()), atol=0.9 / max(1, counts.max()) + 1e-9
            )
            said = axes.texts[number].get_text()
            zeros = (values == 0).mean()
            assert (f", {100 * zeros:.0f} % zero" in said) == (zeros >= 0.005)
            if not decades:
                assert said.startswith(f"std {values.std():.2g}")
            elif shown.size:
                assert said.startswith(f"median {np.median(np.abs(values[values != 0])):.1e}")
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["weights", "pooling", "others"]
    for name in "ab":
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.format == "PNG"


def bins_of(low: float, high: float, count: int) -> list[tuple[float, float]]:
    width = (high - low) / count
    return [(low + i * width, low + (i + 1) * width) for i in range(count)]


def test_vanishing_gradients_are_visible() -> None:
    layers = [layer for _ in range(6) for layer in (Dense(20), Sigmoid())]
    model = Sequential([*layers, Dense(3)], input_shape=(9,), seed=0)
    collected = collect_gradients(model, batch(model, 8), np.zeros(8, int))
    medians = [np.median(np.abs(collected[str(i)])) for i in range(0, 12, 2)]
    assert all(first < 0.7 * second for first, second in pairwise(medians))


def test_all_zeros() -> None:
    model = grey()
    model[6].weight.value[...] = 0
    (axes,) = gradient_histograms(model, batch(model), [0, 1, 2]).axes
    assert [text.get_text() for text in axes.texts][:5] == ["none, 100 % zero"] * 5


def test_wrong_arguments() -> None:
    model = grey()
    x = batch(model)
    with pytest.raises(ValueError, match="collect_activations: expected the key of a layer"):
        collect_activations(model, x, at=["8"])
    with pytest.raises(ValueError, match="expected labels from 0 to 3, got 4"):
        collect_gradients(model, x, [0, 4, 1], loss=CrossEntropy())
    with pytest.raises(ValueError, match="activation_histograms: expected bins from 1"):
        activation_histograms(model, x, bins=0)
    with pytest.raises(ValueError, match=r"collect_gradients: expected x \(N, 1, 10, 12\)"):
        gradient_histograms(model, x[:, :, :5], [0, 1, 2])
