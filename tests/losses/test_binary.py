"""Losses for yes or no: shapes, weights, probabilities at the ends, labels of the hinge loss."""

from typing import Any

import numpy as np
import pytest

from numpycnn import BinaryCrossEntropy, Hinge, MeanSquaredError
from tests.helpers import assert_close


@pytest.mark.parametrize(
    "loss", [BinaryCrossEntropy(), BinaryCrossEntropy(False), Hinge(), MeanSquaredError()], ids=repr
)
def test_targets_of_one_output_may_be_a_line(loss: Any) -> None:
    y, target = np.array([[0.25], [0.5], [1.0]]), np.array([1, 1, 1])
    assert loss.forward(y, target) == loss.forward(y, target[:, None])
    assert loss.backward().shape == (3, 1)
    with pytest.raises(ValueError, match=r"expected target \(3, 1\), got \(1, 3\)"):
        loss.forward(y, target[None])


def test_a_weight_counts_the_positive_targets_that_often(rng: np.random.Generator) -> None:
    y, target = rng.normal(size=(6, 2)), np.array([[1, 0], [0, 0], [1, 1], [0, 1], [0, 0], [1, 0]])
    plain, weighted = BinaryCrossEntropy(), BinaryCrossEntropy(pos_weight=[3.0, 1.0])
    extra = plain.value(y[[0, 2, 5], :1], [[1]] * 3) * 3 / y.size
    assert weighted.value(y, target) == pytest.approx(plain.value(y, target) + 2 * extra)


@pytest.mark.parametrize("weight", [None, 3.0, [2.0, 0.5]])
def test_probabilities_cost_what_their_logits_do(weight: Any, rng: np.random.Generator) -> None:
    z, target = rng.normal(size=(5, 2)), rng.random((5, 2))
    p = 1 / (1 + np.exp(-z))
    of_logits, of_probabilities = BinaryCrossEntropy(pos_weight=weight), BinaryCrossEntropy(False, weight)
    assert_close(of_probabilities.forward(p, target), of_logits.forward(z, target))
    assert_close(of_probabilities.backward() * p * (1 - p), of_logits.backward())


def test_probabilities_of_zero_and_one(torch: Any) -> None:
    y, target = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 0.0])
    tensor = torch.tensor(y, requires_grad=True)
    value = torch.nn.functional.binary_cross_entropy(tensor, torch.tensor(target))
    value.backward()
    loss = BinaryCrossEntropy(from_logits=False)
    assert_close(loss.forward(y, target), value.detach())
    assert_close(loss.backward(), tensor.grad, 1e-8)  # PyTorch has the smallest product in float32


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: BinaryCrossEntropy(pos_weight=-1), "expected pos_weight to be finite and at least 0, got -1"),
        (
            lambda: BinaryCrossEntropy(pos_weight=[1, 2]).value(np.zeros((4, 3)), np.zeros((4, 3))),
            r"binary_cross_entropy: expected pos_weight \(3,\), got \(2,\)",
        ),
        (
            lambda: BinaryCrossEntropy(False).value(np.array([2.0]), [1]),
            "BinaryCrossEntropy: expected probabilities from 0 to 1 with from_logits=False, got 2 to 2",
        ),
        (
            lambda: Hinge().value(np.zeros(2), [0, 1]),
            r"Hinge: expected targets of -1 or 1, got 0; write 2 \* labels - 1 for 0 and 1",
        ),
    ],
)
def test_bad_calls(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()
