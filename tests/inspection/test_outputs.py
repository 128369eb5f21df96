"""Outputs are converted to probabilities and back, with the activation of the model and no second one."""

from typing import Any

import numpy as np
import pytest

from numpycnn import (
    Add,
    Concat,
    Concatenate,
    Dense,
    Dropout,
    Flatten,
    Input,
    Layer,
    LogSoftmax,
    Model,
    Multiply,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
)
from numpycnn.functional import sigmoid, softmax
from numpycnn.inspection.outputs import final_activation, from_probabilities, to_logits, to_probabilities

SCORES = np.array([[1.0, -2.0, 0.5], [0.0, 30.0, -30.0]])


def ending(*layers: Layer) -> Sequential:
    return Sequential([Dense(3), *layers], input_shape=(3,), dtype=np.float64)


@pytest.mark.parametrize(
    ("layers", "alone", "in_branches"),
    [
        ([], None, None),
        ([ReLU()], None, None),
        ([Softmax()], "1", "1"),
        ([Sequential([LogSoftmax(), Dropout(0.5)]), Flatten()], "1.0", "1.0"),
        ([Sigmoid(), Dense(3)], None, None),
        ([Residual(Softmax())], None, "1.main"),
        ([Concat([Dense(2), Sequential([Sigmoid()])])], None, "1.1.0"),
    ],
)
def test_the_activation_at_the_end(layers: list[Layer], alone: str | None, in_branches: str | None) -> None:
    model = ending(*layers)
    places = {id(layer): place for place, layer in model.walk().items()} | {id(None): None}
    assert places[id(final_activation(model))] == alone
    assert places[id(final_activation(model, branches=True))] == in_branches


@pytest.mark.parametrize(
    ("merge", "alone", "in_branches"),
    [
        (lambda a, b: Dropout(0.5)(a), True, True),
        (lambda a, b: Add()([a, b]), False, True),
        (lambda a, b: Flatten()(Concatenate()([b, a])), False, True),
        (lambda a, b: Multiply()([a, b]), False, False),  # a gate
        (lambda a, b: Dense(2)(a), False, False),
        (lambda a, b: [b, a], False, True),
    ],
)
def test_the_activation_at_the_end_of_a_graph(merge: Any, alone: bool, in_branches: bool) -> None:
    x, softmax_layer = Input((3,)), Softmax()
    y = Dense(3)(x)
    model = Model(x, merge(softmax_layer(y), y), seed=0)
    assert (final_activation(model) is softmax_layer) is alone
    assert (final_activation(model, branches=True) is softmax_layer) is in_branches


def test_the_activation_of_a_dense_layer() -> None:
    model = Sequential([Dense(3, activation="softmax"), Flatten()], input_shape=(2,))
    assert isinstance(final_activation(model), Softmax)
    assert final_activation(Sequential([Dense(3, activation="relu")], input_shape=(2,))) is None


@pytest.mark.parametrize(
    ("layers", "convert"),
    [
        ([], softmax),
        ([Softmax()], lambda y: y),
        ([Softmax(), Dropout(0.5)], lambda y: y),
        ([LogSoftmax()], np.exp),
        ([Sigmoid()], lambda y: y),
    ],
)
def test_probabilities_and_back(layers: list[Layer], convert: Any) -> None:
    model = ending(*layers)
    y = SCORES
    for layer in model.layers[1:]:
        y = layer.forward(y)
    p = to_probabilities(model, y)
    np.testing.assert_allclose(p, convert(y), rtol=1e-12)
    np.testing.assert_allclose(to_probabilities(model, from_probabilities(model, p)), p, rtol=1e-9)
    expected = p / p.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax(to_logits(model, y)), expected, rtol=1e-9)


def test_a_single_output() -> None:
    model, y = Sequential([Dense(1)], input_shape=(2,), dtype=np.float64), np.array([[-3.0], [0.5]])
    p = to_probabilities(model, y)
    np.testing.assert_allclose(p, sigmoid(y), rtol=1e-12)
    np.testing.assert_allclose(from_probabilities(model, p), y, rtol=1e-12)


def test_a_probability_of_0_stays_finite() -> None:
    p = np.array([[0.0, 1.0, 0.0]])
    for model in (ending(), ending(LogSoftmax())):
        assert np.isfinite(from_probabilities(model, p)).all()
    assert np.isfinite(to_logits(ending(Softmax()), p)).all()
