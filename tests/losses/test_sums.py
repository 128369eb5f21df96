"""The sum of the losses of several outputs."""

import numpy as np
import pytest

from numpycnn import CrossEntropy, Dense, MeanSquaredError, Sequential
from numpycnn.losses import SumOfLosses
from tests.helpers import assert_same_bits


def test_values_gradients_and_penalties_are_added(rng: np.random.Generator) -> None:
    parts = [CrossEntropy(l1=0.5), MeanSquaredError(l2=0.25)]
    both = SumOfLosses(parts, weights=[1.0, 0.5])
    y = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(4, 1))
    target = np.array([0, 1, 2, 0]), rng.normal(size=4)
    for weights in (None, [1, 2, 0, 1]):
        expected = [loss.forward(*pair, weights) for loss, *pair in zip(parts, y, target, strict=True)]
        assert both.forward(y, target, weights) == expected[0] + 0.5 * expected[1]
        first, second = both.backward()
        assert_same_bits(first, parts[0].backward())
        assert_same_bits(second, 0.5 * parts[1].backward())
    model = Sequential([Dense(2)], input_shape=(3,))
    parameters = model.parameters()
    assert both.penalty(parameters) == parts[0].penalty(parameters) + parts[1].penalty(parameters)
    both.add_penalty_gradient(parameters)
    w = model[0].weight
    np.testing.assert_allclose(w.grad, 0.5 * np.sign(w.value) + 0.25 * w.value, rtol=1e-6)


def test_bad_calls() -> None:
    both = SumOfLosses([MeanSquaredError(), MeanSquaredError()])
    with pytest.raises(ValueError, match="expected a tuple of 2 outputs, got ndarray"):
        both.value(np.zeros(2), (np.zeros(2), np.zeros(2)))
    with pytest.raises(ValueError, match="expected a tuple of 2 targets, got 1 items"):
        both.value((np.zeros(2), np.zeros(2)), (np.zeros(2),))
    with pytest.raises(ValueError, match="expected 1 weights, one for each loss, got 2"):
        SumOfLosses([MeanSquaredError()], weights=[1, 2])
