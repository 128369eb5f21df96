"""Adagrad and Adadelta against PyTorch's, over drawn settings, and against what their sources say of them."""

import math
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import Adadelta, Adagrad, Parameter
from tests.drawn import generators
from tests.optim.pytorch import compare


def draw_common(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "lr": float(10 ** rng.uniform(-3, 0)),
        "eps": float(10 ** rng.uniform(-10, -2)),
        "weight_decay": float(rng.choice([0, 0.01, 0.1])),
    }


@pytest.mark.parametrize("backend", ["plain", "fast"])
def test_adagrad_equals_pytorch(backend: str, torch: Any) -> None:
    with numpycnn.backend(backend):
        compare(Adagrad(), lambda tensors: torch.optim.Adagrad(tensors))
        for rng in generators(70, count=50):
            settings = draw_common(rng)
            compare(Adagrad(**settings), lambda tensors, given=settings: torch.optim.Adagrad(tensors, **given))


@pytest.mark.parametrize("backend", ["plain", "fast"])
def test_adadelta_equals_pytorch(backend: str, torch: Any) -> None:
    with numpycnn.backend(backend):
        compare(Adadelta(), lambda tensors: torch.optim.Adadelta(tensors))
        for rng in generators(71, count=50):
            settings = draw_common(rng) | {"rho": float(rng.uniform(0, 0.999))}
            compare(Adadelta(**settings), lambda tensors, given=settings: torch.optim.Adadelta(tensors, **given))


def test_steps_of_adagrad_shorten_with_the_root_of_their_number() -> None:
    w, optimizer = Parameter(np.zeros(1)), Adagrad(0.1, eps=0)
    w.grad[...] = 3
    for t in range(1, 6):
        before = w.value.copy()
        optimizer.step({"w": w})
        np.testing.assert_allclose(before - w.value, 0.1 / math.sqrt(t))


def test_the_scale_of_the_gradient_does_not_matter_to_adadelta() -> None:
    places = []
    for scale in (1.0, 1e4):
        w, optimizer = Parameter(np.ones(1)), Adadelta(eps=1e-12)
        for _ in range(5):
            w.grad[...] = scale * w.value
            optimizer.step({"w": w})
        places.append(w.value[0])
    assert places[0] < 1
    assert places[0] == pytest.approx(places[1], abs=1e-9)


@pytest.mark.parametrize("backend", ["plain", "fast"])
def test_huge_gradients_move_nothing_further_than_small_ones(backend: str) -> None:
    """The square overflows in float32: the step is 0 instead of NaN, as in PyTorch."""
    for optimizer in (Adagrad(), Adadelta()):
        w = Parameter(np.ones(3, np.float32))
        w.grad[...] = 1e20
        with numpycnn.backend(backend), np.errstate(over="ignore"):
            optimizer.step({"w": w})
        assert np.isfinite(w.value).all()
