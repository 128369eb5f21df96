"""`gradcheck` finds right gradients right and wrong ones wrong, and says so with its exit status."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import Dense, Flatten, Sequential, Tanh
from numpycnn.models import MODELS

Run = Callable[..., Any]


class WrongTanh(Tanh):
    """A tanh whose gradient is one percent too large."""

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return 1.01 * super()._backward(dy, cache)


class RestlessTanh(Tanh):
    """A layer with a different output each time, so that no derivative can be measured."""

    calls = 0

    def _forward(self, x: np.ndarray, *, training: bool, differentiable: bool) -> tuple[np.ndarray, Any]:
        y, cache = super()._forward(x, training=training, differentiable=differentiable)
        RestlessTanh.calls += 1
        return y + np.random.default_rng(RestlessTanh.calls).normal(size=y.shape), cache


def tiny(activation: type[Tanh]) -> Callable[..., Sequential]:
    def build(input_shape: tuple[int, ...], classes: int, *, seed: int = 0) -> Sequential:
        return Sequential([Flatten(), Dense(4), activation(), Dense(classes)], input_shape=input_shape, seed=seed)

    return build


def test_right_gradients(run: Run) -> None:
    outcome = run("gradcheck", "lenet", "--samples", "5")
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[3].startswith("Conv2D")
    assert lines[-2].startswith("all 11 gradients agree with central differences (float64")


def test_a_trained_model(run: Run, trained: Path) -> None:
    assert run("gradcheck", trained, "--samples", "3", "--seed", "1", "--threads", "1").status == 0


def test_a_wrong_gradient(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "wrong", tiny(WrongTanh))
    outcome = run("gradcheck", "wrong", "--input-shape", "1,3,4")
    assert outcome.status == 1
    assert outcome.err == ""
    assert "WRONG" in outcome.out
    assert "Dense (layer 1): the gradient of weight is wrong at index" in outcome.out


def test_no_gradient_can_be_measured(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "restless", tiny(RestlessTanh))
    outcome = run("gradcheck", "restless", "--input-shape", "1,3,4", "--samples", "2")
    assert outcome.status == 1
    assert outcome.err.startswith("numpycnn: error: Sequential")
    assert "no derivative could be measured" in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_missing_model(run: Run, refused: Run) -> None:
    refused(run("gradcheck", "nothing"), "nothing: expected a .safetensors file, the folder of a training, or one of")
