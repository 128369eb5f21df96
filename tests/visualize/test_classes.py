"""Scores and probabilities for each final layer of a network."""

import numpy as np
import pytest

from numpycnn import Conv2D, Dense, Flatten, Layer, LogSoftmax, ReLU, Sequential, Sigmoid, Softmax
from numpycnn.visualize.classes import (
    check_classifier,
    class_name,
    class_probabilities,
    pick_at,
    score_layer,
    targets_of,
)


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


def test_score_layer() -> None:
    assert score_layer(ending()) == "3"
    assert [score_layer(ending(end)) for end in (Softmax(), LogSoftmax(), Sigmoid())] == ["3"] * 3
    assert score_layer(ending(Sequential([Dense(2), Softmax()]))) == "4.0"
    assert score_layer(Sequential([Softmax()], input_shape=(3,))) == "0"


def test_targets_and_their_gradient(x: np.ndarray) -> None:
    model = ending()
    np.testing.assert_array_equal(targets_of(model, x, None, "f"), model.forward(x).argmax(axis=1))
    np.testing.assert_array_equal(targets_of(model, x, 2, "f"), np.full(5, 2))
    np.testing.assert_array_equal(targets_of(model, x, [0, 1, 2, 1, 0], "f"), [0, 1, 2, 1, 0])
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
    with pytest.raises(ValueError, match=r"f: expected a model with one output per class, .*, got nothing"):
        check_classifier(Sequential([Dense(2)]), "f")
    with pytest.raises(ValueError, match=r"class_probabilities: expected x \(N, 1, 3, 2\), got \(5, 1, 3\)"):
        class_probabilities(ending(), x[..., 0])
    with pytest.raises(ValueError, match="f: expected labels from 0 to 2, got 3 at position 0"):
        targets_of(ending(), x, 3, "f")
    with pytest.raises(TypeError, match="f: expected labels to be integers, got <U3"):
        targets_of(ending(), x, "cat", "f")
    with pytest.raises(ValueError, match="f: expected one target for each of 5 examples, got 2"):
        targets_of(ending(), x, [0, 1], "f")
