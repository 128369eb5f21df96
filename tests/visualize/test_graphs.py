"""Figures of graphs: the same values as for the containers, and one clear error for several inputs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from numpycnn import (
    Add,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    GlobalAvgPool,
    Input,
    MaxPool2D,
    Model,
    ReLU,
    Sequential,
    Softmax,
)
from numpycnn import visualize as v
from numpycnn.layers.network import Network
from numpycnn.visualize.classes import score_layer
from tests.helpers import as_graph
from tests.visualize.networks import CLASSIFIERS, batch, coloured, grey, smooth


def several() -> Model:
    image, meta = Input((1, 10, 9), name="image"), Input((4,), name="meta")
    h = GlobalAvgPool()(ReLU()(Conv2D(5, 3)(image)))
    return Model([image, meta], Dense(3)(Concatenate()([h, meta])))


def figures(model: Network, x: Any) -> dict[str, Callable[[], Figure]]:
    """The figures of a network that takes one input."""
    return {
        "activation_maximization": lambda: v.activation_maximization(model, steps=1),
        "feature_maps": lambda: v.feature_maps(model, x[:1]),
        "filter_detect_condense": lambda: v.filter_detect_condense(model, x[:1]),
        "grad_cam": lambda: v.grad_cam(model, x),
        "occlusion_map": lambda: v.occlusion_map(model, x, size=3, stride=3),
        "receptive_fields": lambda: v.receptive_fields(model, x[:1]),
        "saliency_map": lambda: v.saliency_map(model, x),
        "translation_curves": lambda: v.translation_curves({"a": model}, x, 0),
        "find_field": lambda: v.find_field(model, "0"),
        "maximize": lambda: v.maximize(model, steps=1),
        "measure_field": lambda: v.measure_field(model, x, "0"),
    }


@pytest.mark.parametrize("name", figures(as_graph(grey()), None))
def test_a_figure_takes_a_graph(name: str) -> None:
    model = as_graph(grey())
    found: Any = figures(model, batch(model))[name]()
    if isinstance(found, Figure):
        found.draw_without_rendering()
        assert len(found.axes) > 1


@pytest.mark.parametrize("name", figures(several(), ()))
def test_a_figure_of_one_input_says_so(name: str) -> None:
    model = several()
    x = tuple(np.zeros((2, *shape), np.float32) for shape in model.input_shape or ())
    with pytest.raises(ValueError, match="expected a model that takes one input, got one that takes 2"):
        figures(model, x)[name]()


@pytest.mark.parametrize("build", CLASSIFIERS)
def test_values_are_those_of_the_same_network_as_a_sequence(build: Callable[[], Sequential]) -> None:
    chain = build()
    graph, x = as_graph(chain), batch(chain)
    np.testing.assert_array_equal(v.class_probabilities(graph, x), v.class_probabilities(chain, x))
    np.testing.assert_array_equal(v.measure_saliency(graph, x), v.measure_saliency(chain, x))
    if len(chain.input_shape or ()) > 2:
        np.testing.assert_array_equal(v.occlude(graph, x, size=3), v.occlude(chain, x, size=3))
    if build in (grey, coloured, smooth):
        np.testing.assert_array_equal(v.compute_grad_cam(graph, x), v.compute_grad_cam(chain, x))
    parameters = zip(graph.parameters().values(), chain.parameters().values(), strict=True)
    assert all((parameter.grad == other.grad).all() for parameter, other in parameters)


def test_stages_follow_the_first_layer_that_takes_an_output_alone() -> None:
    x = Input((1, 9, 8))
    first = Conv2D(3, 3, padding=1, name="first")(x)
    skip = Add()([ReLU(name="relu")(first), first])
    pooled = MaxPool2D(2, name="pool")(Conv2D(4, 3, activation="relu", name="second")(skip))
    model = Model(x, Dense(2)(Flatten()(pooled)), seed=1)
    example = batch(model, 1)
    stages = v.find_stages(model, example)
    assert (stages.filter, stages.detect, stages.condense) == (
        "second Conv2D 'second'",
        "second.activation ReLU",
        "pool MaxPool2D 'pool'",
    )
    np.testing.assert_array_equal(np.maximum(stages.filtered, 0), stages.detected)
    assert stages.filtered.min() < 0
    stages = v.find_stages(model, example, at="first")
    assert (stages.detect, stages.condense) == ("relu ReLU 'relu'", "")


def test_histograms_of_several_inputs_and_outputs(rng: np.random.Generator) -> None:
    model = several()
    x = rng.normal(size=(2, 1, 10, 9)).astype(np.float32), rng.normal(size=(2, 4)).astype(np.float32)
    assert set(v.collect_activations(model, x)) == {"0", "1", "2", "3", "4"}
    assert v.collect_gradients(model, x, np.array([0, 2]))["3"].shape == (2 * 9,)
    v.gradient_histograms(model, x, np.array([0, 2])).draw_without_rendering()
    with pytest.raises(TypeError, match="collect_activations: expected a tuple of 2 arrays, one for each input"):
        v.collect_activations(model, x[0])
    y, z = Input((4,)), Input((4,))
    both = Model(y, [Dense(3, name="a")(y), Dense(3, name="b")(y)])
    assert set(v.collect_activations(Model(z, Add()(both(z))), x[1])) == {"0.a", "0.b", "1"}  # without the pair itself
    with pytest.raises(ValueError, match="expected a model with one output, got one with 2"):
        v.collect_gradients(both, x[1], np.array([0, 1]))
    with pytest.raises(ValueError, match=r"expected a model with one output per class, \(K,\), got \(3,\) and \(3,\)"):
        v.class_probabilities(both, x[1])


def test_the_last_use_of_a_shared_layer_is_the_output(rng: np.random.Generator) -> None:
    x = Input((3,))
    shared = Dense(3, name="shared")
    model = Model(x, shared(ReLU()(shared(x))), dtype=np.float64)
    example, weight, bias = rng.normal(size=(1, 3)), shared.weight.value, rng.normal(size=3)
    shared.bias.value[...] = bias
    assert score_layer(model) == "shared#2"
    positive = example @ weight.T + bias > 0
    expected = np.abs(weight[1] * positive @ weight)
    np.testing.assert_allclose(v.measure_saliency(model, example, [1]), expected, rtol=1e-12)
    dx, passages = v.follow_back(model, example, lambda y: np.eye(3)[:1])
    assert list(passages) == ["shared", "shared#2", "1"]
    np.testing.assert_allclose(dx, (weight[0] * positive) @ weight, rtol=1e-12)


@pytest.mark.parametrize("make", [lambda: Dense(3, activation="softmax"), lambda: Sequential([Dense(3), Softmax()])])
def test_probabilities_are_not_normalized_twice(make: Any, rng: np.random.Generator) -> None:
    model = Sequential([make()], input_shape=(4,), seed=0)
    x = rng.normal(size=(2, 4)).astype(np.float32)
    np.testing.assert_array_equal(v.class_probabilities(model, x), model.forward(x))
