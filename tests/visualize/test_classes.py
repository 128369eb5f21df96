"""Scores and probabilities for each final layer of a network."""

import numpy as np
import pytest

from numpycnn import Conv2D, Dense, Flatten, Layer, LogSoftmax, ReLU, Sequential, Sigmoid, Softmax
from numpycnn.functional import softmax
from numpycnn.inspection.graph import graph_of
from numpycnn.visualize.classes import class_name, class_probabilities, names_by_output, pick_at
from tests.graphs import draw, heads, skips


def ending(*layers: Layer) -> Sequential:
    return Sequential([Flatten(), Dense(4), ReLU(), Dense(3), *layers], input_shape=(1, 3, 2), seed=2, dtype=np.float64)


@pytest.fixture
def x(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(5, 1, 3, 2))


def test_probabilities_are_the_softmax_of_the_scores(x: np.ndarray) -> None:
    scores = ending().forward(x)
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    for end in ((), (Softmax(),), (LogSoftmax(),), (Sequential([Softmax()]),)):
        np.testing.assert_allclose(class_probabilities(ending(*end), x), expected, rtol=1e-12)
    np.testing.assert_allclose(class_probabilities(ending(Sigmoid()), x), 1 / (1 + np.exp(-scores)), rtol=1e-12)


def test_a_single_output_is_a_sigmoid(x: np.ndarray) -> None:
    model = Sequential([Flatten(), Dense(1)], input_shape=(1, 3, 2), seed=2, dtype=np.float64)
    np.testing.assert_allclose(class_probabilities(model, x), 1 / (1 + np.exp(-model.forward(x))), rtol=1e-12)


def test_batch_size_does_not_matter(x: np.ndarray) -> None:
    model = ending()
    np.testing.assert_allclose(class_probabilities(model, x, batch_size=2), class_probabilities(model, x), rtol=1e-12)


def test_the_gradient_of_a_sum_of_outputs() -> None:
    np.testing.assert_array_equal(pick_at([0, 1], [2, 0])(np.ones((2, 3))), [[0, 0, 1], [1, 0, 0]])


def test_names() -> None:
    assert class_name(1, None) == "class 1"
    assert class_name(1, ["cat", "dog"]) == "dog"


def test_wrong_arguments(x: np.ndarray) -> None:
    model = Sequential([Conv2D(2, 3, padding=1)], input_shape=(1, 3, 2), dtype=np.float64)
    with pytest.raises(
        ValueError, match=r"class_probabilities: expected a model with one output per class, \(K,\), got \(2, 3, 2\)"
    ):
        class_probabilities(model, x)
    with pytest.raises(ValueError, match=r"class_probabilities: expected x \(N, 1, 3, 2\), got \(5, 1, 3\)"):
        class_probabilities(ending(), x[..., 0])


def test_names_of_the_classes_of_each_output() -> None:
    one, two = graph_of(skips()), graph_of(heads())
    assert names_by_output(two, None, "f") == {}
    assert names_by_output(one, ["a", "b", "c"], "f") == names_by_output(one, {"scores": ["a", "b", "c"]}, "f")
    assert names_by_output(two, {"colour": ["red", "blue"]}, "f") == {1: ["red", "blue"]}
    with pytest.raises(ValueError, match="f: expected class_names as a dict by output, 'shape' and 'colour', got"):
        names_by_output(two, ["red", "blue"], "f")
    with pytest.raises(ValueError, match="f: expected class_names of the outputs 'shape' and 'colour', got 'size'"):
        names_by_output(two, {"size": ["s", "m"]}, "f")


def test_probabilities_of_a_named_output() -> None:
    model = heads()
    x = draw(model)
    shape, colour = model.forward(x)
    np.testing.assert_array_equal(class_probabilities(model, x, output="colour"), colour)
    np.testing.assert_allclose(class_probabilities(model, x, output=0), softmax(shape), rtol=1e-6)
    with pytest.raises(ValueError, match="has several outputs; give one, output='shape' or 'colour'"):
        class_probabilities(model, x)
