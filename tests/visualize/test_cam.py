"""Grad-CAM against the paper's formulas with numerical gradients, and against CAM, which it generalizes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from numpycnn import Conv1D, Conv2D, Dense, Embedding, Flatten, GlobalAvgPool, GlobalMaxPool, ReLU, Sequential
from numpycnn.inspection.traces import follow
from numpycnn.visualize import compute_grad_cam, grad_cam
from numpycnn.visualize.cam import _select
from tests.helpers import assert_close, numerical_gradient
from tests.visualize.networks import PICTURES, batch, coloured, dense, features, grey, signal, smooth


def default_layer(model: Sequential) -> str:
    """The layer that Grad-CAM looks at."""
    return _select(model, batch(model, 1), None, None, None, "f")[1]


def test_the_formulas_of_the_paper() -> None:
    model = smooth()
    x = batch(model)
    targets = np.array([2, 0, 1])
    found = compute_grad_cam(model, x, targets)
    assert default_layer(model) == "2"
    maps = follow(model, x)["2"].y  # (N, K, H, W)
    for n in range(3):

        def score(a: np.ndarray, n: int = n) -> float:
            y = a[np.newaxis]
            for layer in model.layers[3:]:
                y = layer.forward(y)
            return float(y[0, targets[n]])

        slopes = numerical_gradient(score, maps[n])  # (K, H, W)
        expected = np.zeros(maps.shape[2:])
        for k in range(maps.shape[1]):
            expected += slopes[k].mean() * maps[n, k]
        assert_close(found[n], np.maximum(expected, 0), 1e-7)


def test_with_global_average_pooling_it_is_cam() -> None:
    """The score is then a mean of the maps, weighted by the dense layer."""
    model = Sequential([Conv2D(4, 3), ReLU(), GlobalAvgPool(), Dense(3)], input_shape=(2, 6, 7), dtype=np.float64)
    x = batch(model, 2)
    maps = follow(model, x)["1"].y
    places = maps[0, 0].size
    for target in range(3):
        weighted = np.einsum("k,nkhw->nhw", model[3].weight.value[target], maps) / places
        assert_close(compute_grad_cam(model, x, target), np.maximum(weighted, 0))


def test_a_layer_inside_a_branch() -> None:
    model = smooth()
    x = batch(model)
    assert compute_grad_cam(model, x, at="1.main.1").shape == (3, 6, 8)
    inner = compute_grad_cam(model, x, 1, at="2.1")
    assert not np.allclose(inner, compute_grad_cam(model, x, 1, at="2"))


def test_default_layer() -> None:
    assert [default_layer(model) for model in (grey(), coloured(), signal())] == ["3", "3", "4"]
    nested = Sequential([Sequential([Conv2D(2, 3), ReLU()]), Flatten(), Dense(2)], input_shape=(1, 5, 5))
    assert default_layer(nested) == "0.1"
    with pytest.raises(ValueError, match="f: expected a model with a layer whose outputs are maps"):
        default_layer(features())


@pytest.mark.parametrize("build", [build for build in PICTURES if build is not dense])
def test_the_figure_shows_the_map(build: Callable[[], Sequential], tmp_path: Path) -> None:
    model = build()
    x = batch(model, 2)
    place = default_layer(model)
    figure = grad_cam(model, x, 1, path=tmp_path / "a.png")
    maps = compute_grad_cam(model, x, 1)
    head = f"evidence at {follow(model, x)[place].title}"
    shown = [axes for axes in figure.axes if axes.get_title() in (head, "no positive evidence here")]
    over = [axes for axes in figure.axes if axes.get_title() == "map over the image"]
    assert len(shown) == 2
    for number, (axes, cam) in enumerate(zip(shown, maps, strict=True)):
        values = cam[len(cam) // 2] if cam.ndim == 3 else cam
        if cam.ndim == 1:
            assert over == []
            np.testing.assert_array_equal([bar.get_height() for bar in axes.patches], values)  # type: ignore[attr-defined]
            assert axes.get_xlim() == (-0.5, x.shape[2] - 0.5)
            continue
        image, glow = axes.images[0], over[number].images[1]
        np.testing.assert_array_equal(np.asarray(image.get_array()), values)
        height, width = x.shape[-2:]
        assert list(image.get_extent()) == list(glow.get_extent()) == [-0.5, width - 0.5, height - 0.5, -0.5]
        strength = values / (values.max() or 1)
        np.testing.assert_allclose(np.asarray(glow.get_array()), strength)
        np.testing.assert_allclose(np.asarray(glow.get_alpha()), 0.8 * strength)
    with Image.open(tmp_path / "a.png") as file:
        assert file.format == "PNG"


def test_no_positive_evidence() -> None:
    model = Sequential([Conv2D(2, 3), ReLU(), GlobalAvgPool(), Dense(2)], input_shape=(1, 6, 7))
    model[3].weight.value[...] = -1
    figure = grad_cam(model, batch(model, 1), 0)
    assert figure.axes[1].get_title() == "no positive evidence here"


def test_an_input_without_channels() -> None:
    """Token indices, embedded and then convolved."""
    layers = [Embedding(7, 6), Conv1D(3, 2), ReLU(), GlobalMaxPool(), Dense(2)]  # (L, D) as channels and positions
    model = Sequential(layers, input_shape=(5,), seed=0)
    tokens = np.array([[1, 5, 2, 0, 6], [3, 3, 1, 4, 2]])
    maps = compute_grad_cam(model, tokens)
    assert maps.shape == (2, 5)
    assert len(grad_cam(model, tokens).axes) == 4


def test_wrong_arguments() -> None:
    model = grey()
    x = batch(model)
    with pytest.raises(
        ValueError, match=r"compute_grad_cam: expected a layer whose outputs are maps \(C, ...\), got 6 Dense"
    ):
        compute_grad_cam(model, x, at="6")
    with pytest.raises(ValueError, match=r"compute_grad_cam: expected the key of a layer, one of 0, 1, .*, got '9'"):
        compute_grad_cam(model, x, at="9")
    with pytest.raises(ValueError, match=r"expected x \(N, 1, 10, 12\), got \(3, 12, 10\)"):
        compute_grad_cam(model, x[:, 0].swapaxes(1, 2))
