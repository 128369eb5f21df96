"""Optimizers with drawn settings beside PyTorch's, with parameters that are frozen for a while or added late."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Dense,
    MeanSquaredError,
    Optimizer,
    Parameter,
    RMSProp,
    Sequential,
    Trainer,
)
from tests.drawn import generators
from tests.helpers import assert_close, assert_same_bits

STEPS = 10
Draw = Callable[[np.random.Generator], tuple[dict[str, Any], dict[str, Any]]]  # our settings, and PyTorch's


def share(rng: np.random.Generator, usual: float) -> float:
    """A number from 0 to below 1."""
    return float(rng.choice([0, usual, rng.random()]))


def draw_sgd(rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
    momentum = share(rng, 0.9)
    settings = {"momentum": momentum, "nesterov": bool(momentum and rng.random() < 0.5)}
    return settings, settings


def draw_adam(rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
    settings = {"betas": (share(rng, 0.9), share(rng, 0.999)), "eps": float(10 ** rng.uniform(-12, -2))}
    return settings, settings


def draw_mean(name: str) -> Draw:
    def draw(rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
        settings = {"eps": float(10 ** rng.uniform(-12, -2))} | ({name: share(rng, 0.9)} if name else {})
        return settings, settings

    return draw


KINDS: list[tuple[type[Optimizer], str, Draw]] = [
    (SGD, "SGD", draw_sgd),
    (Adam, "Adam", draw_adam),
    (AdamW, "AdamW", draw_adam),
    (RMSProp, "RMSprop", draw_mean("alpha")),
    (Adagrad, "Adagrad", draw_mean("")),
    (Adadelta, "Adadelta", draw_mean("rho")),
]


@pytest.mark.parametrize(("kind", "theirs", "draw"), KINDS)
def test_steps_are_those_of_pytorch(kind: Any, theirs: str, draw: Draw, torch: Any) -> None:
    for rng in generators(51, count=50):
        (settings, others), common = draw(rng), {"lr": float(10 ** rng.uniform(-4, 0)), "weight_decay": share(rng, 0.1)}
        norm, value = float(rng.choice([0, 0.5, 5])), float(rng.choice([0, 0.3]))
        ours = kind(**settings, **common, clip_norm=norm or None, clip_value=value or None)
        shapes = [tuple(rng.integers(1, 6, rng.integers(1, 5))) for _ in range(4)]
        mine = {str(i): Parameter(rng.normal(size=shape)) for i, shape in enumerate(shapes)}
        tensors = [torch.tensor(p.value.copy(), requires_grad=True) for p in mine.values()]
        optimizer = getattr(torch.optim, theirs)(tensors, **others, **common)
        thawed, frozen, added = rng.integers(0, STEPS, 3)
        for step in range(STEPS):
            mine["1"].trainable, mine["2"].trainable = step >= thawed, step != frozen
            present = mine if step >= added else {name: p for name, p in mine.items() if name != "3"}
            for name, tensor in zip(mine, tensors, strict=True):
                grad = rng.normal(size=tensor.shape) * 10 ** rng.uniform(-3, 2)
                mine[name].grad[...] = grad
                tensor.grad = torch.tensor(grad) if name in present and mine[name].trainable else None
            moved = [tensor for tensor in tensors if tensor.grad is not None]
            if value:
                torch.nn.utils.clip_grad_value_(moved, value)
            if norm:
                torch.nn.utils.clip_grad_norm_(moved, norm)
            ours.step(present)
            optimizer.step()
        for p, tensor in zip(mine.values(), tensors, strict=True):
            assert_close(p.value, tensor.detach(), 1e-10)


@pytest.mark.parametrize("kind", [Adam, SGD])  # with and without state arrays
@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_layer_thawed_during_a_training_resumes_to_the_same_bits(stop: int, kind: Any, tmp_path: Any) -> None:
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)

    def train(trainer: Trainer, until: int) -> Trainer:
        for epochs in range(len(trainer.history) + 1, until + 1):
            trainer.model.layers[0].trainable = epochs > 2
            trainer.fit((x, x[:, :2]), epochs=epochs, batch_size=5, progress=False)
        return trainer

    def new() -> Trainer:
        return Trainer(
            Sequential([Dense(4), Dense(2)], input_shape=(3,), seed=0), loss=MeanSquaredError(), optimizer=kind(0.1)
        )

    whole = train(new(), 4)
    train(new(), stop).save(tmp_path / "file")
    resumed = train(Trainer.resume(tmp_path / "file"), 4)
    others = {"0.weight": 8, "0.bias": 8} | ({} if kind is Adam else {"1.weight": 16, "1.bias": 16})
    assert whole.optimizer.other_steps() == resumed.optimizer.other_steps() == others
    for name, array in whole.model.state().items():
        assert_same_bits(resumed.model.state()[name], array)
