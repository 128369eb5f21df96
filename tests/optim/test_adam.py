"""Adam, AdamW and RMSProp against PyTorch's and against their formulas."""

import math
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import Adam, AdamW, Optimizer, Parameter, RMSProp
from tests.optim.pytorch import compare

SETTINGS: list[dict[str, Any]] = [
    {},
    {"lr": 0.1},
    {"lr": 0.01, "betas": (0.5, 0.9)},
    {"lr": 0.01, "eps": 1e-3},
    {"lr": 0.02, "weight_decay": 0.1},
    {"lr": 0.02, "betas": (0.0, 0.9), "weight_decay": 0.01},
]


KINDS: dict[str, type[Optimizer]] = {"Adam": Adam, "AdamW": AdamW, "RMSprop": RMSProp}


def compare_huge(kind: str, settings: dict[str, Any], dtype: type, size: float, backend: str, torch: Any) -> None:
    """Take five steps on constant gradients of alternating sign from weight to weight."""
    grad = np.resize([size, -size], 20).astype(dtype)
    ours = {"w": Parameter(np.full(20, 0.5, dtype))}
    theirs = torch.full((20,), 0.5, dtype=getattr(torch, np.dtype(dtype).name), requires_grad=True)
    mine, other = KINDS[kind](1e-2, **settings), getattr(torch.optim, kind)([theirs], 1e-2, **settings)
    for _ in range(5):
        ours["w"].grad[...], theirs.grad = grad, torch.tensor(grad)
        with numpycnn.backend(backend), np.errstate(over="ignore"):
            mine.step(ours)
        other.step()
    np.testing.assert_allclose(ours["w"].value, theirs.detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize("settings", SETTINGS)
def test_adam_equals_pytorch(settings: dict[str, Any], torch: Any) -> None:
    compare(Adam(**settings), lambda tensors: torch.optim.Adam(tensors, **settings))


@pytest.mark.parametrize("settings", SETTINGS)
def test_adamw_equals_pytorch(settings: dict[str, Any], torch: Any) -> None:
    compare(AdamW(**settings), lambda tensors: torch.optim.AdamW(tensors, **settings))


@pytest.mark.parametrize("settings", [{}, {"lr": 0.1, "alpha": 0.9}, {"eps": 1e-3}, {"lr": 0.02, "weight_decay": 0.1}])
def test_rmsprop_equals_pytorch(settings: dict[str, Any], torch: Any) -> None:
    compare(RMSProp(**settings), lambda tensors: torch.optim.RMSprop(tensors, **settings))


@pytest.mark.parametrize("backend", ["plain", "fast"])
@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e20), (np.float32, 3e38), (np.float64, 1e200)])
@pytest.mark.parametrize("settings", [{}, {"weight_decay": 0.1}])
@pytest.mark.parametrize("kind", ["Adam", "AdamW", "RMSprop"])
def test_huge_gradients_as_in_pytorch(
    kind: str, settings: dict[str, Any], dtype: type, size: float, backend: str, torch: Any
) -> None:
    """The square of the gradient overflows where PyTorch's does, and is infinite there instead of NaN."""
    compare_huge(kind, settings, dtype, size, backend, torch)


@pytest.mark.parametrize("backend", ["plain", "fast"])
@pytest.mark.parametrize("betas", [(0.9, 0.99999999), (0.99999999, 0.999), (0.9999999, 0.9999999)])
@pytest.mark.parametrize("size", [1.0, 1e20])
def test_betas_near_1_as_in_pytorch(betas: tuple[float, float], size: float, backend: str, torch: Any) -> None:
    compare_huge("Adam", {"betas": betas}, np.float32, size, backend, torch)


@pytest.mark.parametrize("backend", ["plain", "fast"])
@pytest.mark.parametrize(("dtype", "size"), [(np.float32, 1e20), (np.float64, 1e155)])
@pytest.mark.parametrize("optimizer", [Adam(0.01), AdamW(0.01, weight_decay=0), Adam(0.01, betas=(0.9, 0.99999999))])
def test_a_huge_gradient_moves_by_the_learning_rate(
    optimizer: Optimizer, dtype: type, size: float, backend: str
) -> None:
    w = {"w": Parameter(np.full(20, 0.5, dtype))}
    w["w"].grad[...] = size
    optimizer = type(optimizer)(**optimizer.config())
    with numpycnn.backend(backend):
        for _ in range(5):
            optimizer.step(w)
    np.testing.assert_allclose(w["w"].value, 0.45, rtol=1e-5)


@pytest.mark.parametrize("backend", ["plain", "fast"])
def test_betas_of_0_forget_a_large_gradient(backend: str) -> None:
    """``m + (g - m)`` would round a gradient of 1 to 0 after one of 1e10."""
    w, optimizer = {"w": Parameter(np.zeros(1, np.float32))}, Adam(0.1, betas=(0.0, 0.0))
    with numpycnn.backend(backend):
        for grad in (1e10, 1.0):
            w["w"].grad[...] = grad
            optimizer.step(w)
    np.testing.assert_allclose(w["w"].value, [-0.2], rtol=1e-6)


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
