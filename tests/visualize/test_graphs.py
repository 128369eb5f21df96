"""Figures of graphs: the same values as for the containers, and as for the selected input and output alone."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from matplotlib.figure import Figure

from numpycnn import (
    Add,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    Input,
    MaxPool2D,
    Model,
    ReLU,
    Sequential,
    Softmax,
)
from numpycnn import visualize as v
from numpycnn.functional import softmax
from numpycnn.layers.network import Network
from numpycnn.losses import CrossEntropy, MeanSquaredError
from numpycnn.visualize.weights import filter_layer
from tests.graphs import GRAPHS, captioned, draw, heads, nested, twins
from tests.helpers import as_graph
from tests.visualize.networks import CLASSIFIERS, batch, coloured, grey, smooth


def figures(model: Network, x: Any, inputs: Any, outputs: Any) -> dict[str, Callable[[], Figure]]:
    """Return the figures of a network; `inputs` and `outputs` select one of several."""
    both = inputs | outputs

    def one() -> Any:
        return tuple(batch[:1] for batch in x) if isinstance(x, tuple) else x[:1]

    return {
        "activation_maximization": lambda: v.activation_maximization(model, steps=1, **both),
        "feature_maps": lambda: v.feature_maps(model, one()),
        "filter_detect_condense": lambda: v.filter_detect_condense(model, one()),
        "grad_cam": lambda: v.grad_cam(model, x, **both),
        "occlusion_map": lambda: v.occlusion_map(model, x, size=3, stride=3, **both),
        "receptive_fields": lambda: v.receptive_fields(model, one(), **inputs),
        "saliency_map": lambda: v.saliency_map(model, x, **both),
        "translation_curves": lambda: v.translation_curves({"a": model}, x, 0, **both),
        "layer_costs": lambda: v.layer_costs(model),
        "filters": lambda: v.filters(model, at=filter_layer(model)),
        "activation_histograms": lambda: v.activation_histograms(model, x),
    }


@pytest.mark.parametrize("build", [*GRAPHS, lambda: as_graph(grey())])
@pytest.mark.parametrize("name", figures(grey(), None, {}, {}))
def test_a_figure_of_a_selected_input_and_output(name: str, build: Callable[..., Model]) -> None:
    model = build()
    x = draw(model)
    asked = {"twins": {"input": "right"}, "captioned": {"input": "picture"}}.get(build.__name__, {})
    outputs = {"output": "colour"} if build is heads else {}
    figure = figures(model, x, asked, outputs)[name]()
    figure.draw_without_rendering()
    assert figure.axes


def explain(x: Any, model: Any, kind: str, **asked: Any) -> np.ndarray:
    """Return the arrays behind a figure of one example."""
    if kind == "saliency":
        return v.measure_saliency(model, x, [0], smooth=2, **asked)
    if kind == "grad_cam":
        return v.compute_grad_cam(model, x, [0], **asked)
    if kind == "occlusion":
        return v.occlude(model, x, [0], size=3, stride=2, **asked)
    if kind == "shifts":
        return v.measure_shifts(model, x, [0], [-2, 0, 1], **asked)
    return v.maximize(model, [0], steps=3, x=x, **asked)[0]


KINDS = ("saliency", "grad_cam", "occlusion", "shifts", "maximize")


@pytest.mark.parametrize("kind", KINDS)
def test_an_input_is_explained_as_by_a_network_of_this_input_alone(kind: str) -> None:
    model = twins(np.float64)
    x, (encoder, _, alike) = draw(model, 1), cast("Any", model.layers)
    for number, name in enumerate(("left", "right")):
        copy: Any = twins(np.float64).layers[0]
        alone = Sequential([*copy.layers, Dense(1)], input_shape=(1, 10, 9), dtype=np.float64)
        weight = alike.weight.value * encoder.forward(x[1 - number])  # the product with the other's features
        arrays = [*encoder.state().values(), weight, alike.bias.value]
        alone.load_state(dict(zip(alone.state(), arrays, strict=True)))
        found = explain(x, model, kind, input=name)
        np.testing.assert_allclose(found, explain(x[number], alone, kind), rtol=1e-9, atol=1e-12)
        assert np.ptp(found) > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [0, 1])
def test_an_output_is_explained_as_by_a_network_of_this_output_alone(kind: str, number: int) -> None:
    model = heads(np.float64)
    x = draw(model, 1)
    image = Input((3, 9, 8))
    keys = ("stem", "deep", "2", "shape", "4", "mix", "colour")
    stem, deep, pool, shape, other_pool, mix, colour = (model.children()[key] for key in keys)
    h = stem(image)
    end = shape(pool(deep(h))) if number == 0 else colour(mix(other_pool(h)))
    alone = Model(image, end, dtype=np.float64)
    found = explain(x, model, kind, output=model.output_names()[number])
    np.testing.assert_array_equal(found, explain(x, alone, kind))
    assert np.ptp(found) > 0


def test_the_selected_input_and_output_are_named() -> None:
    model, x = heads(), draw(heads(), 1)
    figure = v.saliency_map(model, x, 1, output="colour", class_names=["red", "blue"])
    share = 100 * v.class_probabilities(model, x, output="colour")[0, 1]
    assert figure.axes[0].get_title() == f"colour\nblue, {share:.1f} %"
    figure = v.occlusion_map(twins(), draw(twins(), 1), input="right")
    assert figure.axes[0].get_title().startswith("right\nclass 0, ")
    assert v.saliency_map(grey(), batch(grey(), 1), 1).axes[0].get_title().startswith("class 1, ")


def test_receptive_fields_of_the_second_use_are_in_the_second_input() -> None:
    model = twins()
    assert v.find_field(model, "encoder.3#2", (0, 0)) == v.find_field(model, "encoder.3", (0, 0)) == ((0, 6), (0, 6))
    x = draw(model)
    influence = v.measure_field(model, x, "encoder.3#2", (0, 0))
    assert np.argwhere(influence).max() == 5
    with pytest.raises(ValueError, match=r"input of images \(C, ...\) that encoder.3 depends on, 'left', got 'right'"):
        v.find_field(model, "encoder.3", input="right")
    with pytest.raises(ValueError, match="find_field: the model has several inputs; give one, input='left' or 'right'"):
        v.find_field(model, "alike")
    with pytest.raises(ValueError, match="find_field: expected a layer with one output, got body Model 'body'"):
        v.find_field(nested(), "body")
    tokens = captioned()
    with pytest.raises(
        ValueError, match=r"an input of images \(C, ...\) that read depends on, got none among 'picture' or"
    ):
        v.find_field(tokens, "read")


def test_maps_of_each_use_and_names_of_each_output() -> None:
    model = twins()
    figure = v.feature_maps(model, tuple(batch[0] for batch in draw(model)))
    labels = [text.get_text() for axes in figure.axes for text in axes.texts]
    places = [labels.index(name) for name in ("left", "right", "encoder.0 Conv2D", "encoder.0#2 Conv2D")]
    assert places == sorted(places)
    figure = v.feature_maps(heads(), draw(heads(), 1), class_names={"colour": ["red", "blue"]})
    ticks = [[label.get_text() for label in axes.get_xticklabels()] for axes in figure.axes]
    assert ticks.count(["red", "blue"]) == 1
    with pytest.raises(ValueError, match="expected class_names as a dict by output, 'shape' and 'colour'"):
        v.feature_maps(heads(), draw(heads(), 1), class_names=["red", "blue"])


def test_filters_on_one_of_several_inputs() -> None:
    image, meta = Input((3, 4, 5)), Input((2, 3))
    seen, read = Conv2D(2, 3, name="seen")(image), Dense(4, name="read")(Flatten()(meta))
    model = Model([image, meta], Dense(2, name="out")(Concatenate()([Flatten()(seen), read])))
    assert v.read_filters(model, "read").shape == (4, 2, 3)
    assert v.read_filters(model, "out").ndim == 2
    (axes,) = v.filters(model).axes
    assert axes.images[0].get_array().shape[-1] == 3  # in colours


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


def test_histograms_of_several_inputs_and_outputs() -> None:
    model = captioned()
    x = draw(model, 2)
    assert set(v.collect_activations(model, x)) == {"look", "1", "2", "table", "read", "5", "6", "scores"}
    assert v.collect_gradients(model, x, np.array([0, 2]))["6"].shape == (2 * 7,)
    v.gradient_histograms(model, x, np.array([0, 2])).draw_without_rendering()
    with pytest.raises(TypeError, match="collect_activations: expected a tuple of 2 arrays, one for each input"):
        v.collect_activations(model, x[0])
    assert "body" not in v.collect_activations(nested(), draw(nested()))  # a pair of arrays
    model = heads(np.float64)
    x, labels, shares = draw(model, 2), np.array([0, 2]), np.array([[1.0, 0.0], [0.5, 0.5]])
    found = v.collect_gradients(model, x, (labels, shares), loss=[CrossEntropy(), MeanSquaredError()])
    shape, colour = model.forward(x)
    np.testing.assert_allclose(found["shape"], ((softmax(shape) - np.eye(3)[labels]) / 2).ravel(), rtol=1e-12)
    np.testing.assert_allclose(found["colour"], (2 * (colour - shares) / shares.size).ravel(), rtol=1e-12)


def test_the_last_use_of_a_shared_layer_is_the_output(rng: np.random.Generator) -> None:
    x = Input((3,))
    shared = Dense(3, name="shared")
    model = Model(x, shared(ReLU()(shared(x))), dtype=np.float64)
    example, weight, bias = rng.normal(size=(1, 3)), shared.weight.value, rng.normal(size=3)
    shared.bias.value[...] = bias
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
