"""Adam, AdamW and RMSProp against PyTorch's and against their formulas."""

import math
from typing import Any

import numpy as np
import pytest

from numpycnn import Adam, AdamW, Parameter, RMSProp
from tests.optim.pytorch import compare

SETTINGS: list[dict[str, Any]] = [
    {},
    {"lr": 0.1},
    {"lr": 0.01, "betas": (0.5, 0.9)},
    {"lr": 0.01, "eps": 1e-3},
    {"lr": 0.02, "weight_decay": 0.1},
    {"lr": 0.02, "betas": (0.0, 0.9), "weight_decay": 0.01},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_adam_equals_pytorch(settings: dict[str, Any], torch: Any) -> None:
    compare(Adam(**settings), lambda tensors: torch.optim.Adam(tensors, **settings))


@pytest.mark.parametrize("settings", SETTINGS)
def test_adamw_equals_pytorch(settings: dict[str, Any], torch: Any) -> None:
    compare(AdamW(**settings), lambda tensors: torch.optim.AdamW(tensors, **settings))


@pytest.mark.parametrize("settings", [{}, {"lr": 0.1, "alpha": 0.9}, {"eps": 1e-3}, {"lr": 0.02, "weight_decay": 0.1}])
def test_rmsprop_equals_pytorch(settings: dict[str, Any], torch: Any) -> None:
    compare(RMSProp(**settings), lambda tensors: torch.optim.RMSprop(tensors, **settings))


def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient() -> None:
    for size in (1e-3, 1.0, 1e3):
        w = Parameter(np.array([5.0, 5.0]))
        w.grad[...] = [size, -size]
        Adam(0.1, eps=0).step({"w": w})
        np.testing.assert_allclose(w.value, [4.9, 5.1], rtol=1e-12)


def test_adamw_shrinks_the_weights_beside_the_gradient() -> None:
    w = Parameter(np.array([2.0]))
    AdamW(0.1, weight_decay=0.5).step({"w": w})
    np.testing.assert_allclose(w.value, [2 * (1 - 0.1 * 0.5)])


def test_the_formula_of_rmsprop() -> None:
    w, optimizer = Parameter(np.array([1.0])), RMSProp(0.1, alpha=0.9, eps=0.01)
    w.grad[...] = 2
    optimizer.step({"w": w})
    v = 0.1 * 4
    first = 1 - 0.1 * 2 / (math.sqrt(v) + 0.01)
    np.testing.assert_allclose(w.value, [first])
    optimizer.step({"w": w})
    np.testing.assert_allclose(w.value, [first - 0.1 * 2 / (math.sqrt(0.9 * v + 0.4) + 0.01)])


def test_zero_gradients_move_nothing() -> None:
    for optimizer in (Adam(), RMSProp(), AdamW(weight_decay=0)):
        w = Parameter(np.array([1.0, -2.0]))
        optimizer.step({"w": w})
        np.testing.assert_array_equal(w.value, [1, -2])
