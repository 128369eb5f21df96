"""The rate falls when a quantity stops improving, as PyTorch's does, also in a resumed training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import SGD, CosineSchedule, CrossEntropy, Optimizer, Trainer
from numpycnn.training import Callback, ReduceOnPlateau
from tests.drawn import generators
from tests.training import small


class Measured(Callback):
    """Adds given values to the record."""

    order = -1

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        record["quality"] = self.values[int(record["epoch"]) - 1]


def trainer(callbacks: list[Callback], optimizer: Optimizer | None = None) -> Trainer:
    optimizer = SGD(1.0) if optimizer is None else optimizer
    return Trainer(small.dense(), loss=CrossEntropy(), optimizer=optimizer, callbacks=callbacks)


def rates(plateau: ReduceOnPlateau, values: list[float]) -> list[float]:
    history = trainer([Measured(values), plateau]).fit(
        small.points(4), epochs=len(values), batch_size=4, progress=False
    )
    return history["lr"]


def test_the_rates_equal_those_of_pytorch(torch: Any) -> None:
    """PyTorch waits one epoch more, and has a smallest change of the rate of its own."""
    for rng in generators(90, count=50):
        values = rng.choice([1.0, 2, 3, 4, float("nan")], size=12).tolist()
        mode, patience = str(rng.choice(["min", "max"])), int(rng.integers(1, 4))
        delta, smallest = float(rng.choice([0.0, 1.5])), float(rng.choice([0.0, 0.1]))
        settings = {"factor": float(rng.choice([0.5, 0.1])), "patience": patience, "mode": mode}
        plateau = ReduceOnPlateau("quality", min_delta=delta, min_lr=smallest, **settings)
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        settings |= {"patience": patience - 1, "threshold": delta, "threshold_mode": "abs"}
        other = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, min_lr=smallest, eps=0, **settings)
        expected = []
        for value in values:
            expected.append(optimizer.param_groups[0]["lr"])
            other.step(value)
        assert rates(plateau, values) == pytest.approx(expected, rel=1e-12)


def test_groups_and_their_limit() -> None:
    groups = {"0.weight": {"lr": 0.5}, "0.": {"weight_decay": 0.1}, "0.bias": {"lr": 0.01}}
    one = trainer(
        [Measured([1.0, 2.0]), ReduceOnPlateau("quality", patience=1, min_lr=0.1, mode="min")],
        SGD(4.0, param_groups=groups),
    )
    one.fit(small.points(4), epochs=2, progress=False)
    optimizer = one.optimizer
    assert optimizer.lr == pytest.approx(0.4)
    assert optimizer.param_groups == {"0.weight": {"lr": 0.1}, "0.": {"weight_decay": 0.1}, "0.bias": {"lr": 0.01}}


def test_a_resumed_training_has_the_same_rates(tmp_path: Path) -> None:
    values = [1.0, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5]

    def callbacks() -> list[Callback]:
        return [Measured(values), ReduceOnPlateau("quality", patience=2, factor=0.5, mode="min")]

    def fit(one: Trainer, epochs: int = 8) -> Trainer:
        one.fit(small.points(), epochs=epochs, batch_size=50, progress=False)
        return one

    expected = small.fingerprint(fit(trainer(callbacks())))
    assert [record["lr"] for record in expected["history"]] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    for epochs in range(1, 8):
        fit(trainer(callbacks()), epochs).save(tmp_path / "file")
        assert small.fingerprint(fit(Trainer.resume(tmp_path / "file", callbacks=callbacks()))) == expected


def test_the_best_of_the_other_direction_is_forgotten() -> None:
    one, other = ReduceOnPlateau("quality", mode="min"), ReduceOnPlateau("quality", mode="max")
    one.best, one.waited = 0.1, 3
    other.load_state(one.state(), {})
    assert (other.best, other.waited) == (None, 0)


def test_a_new_training_starts_anew() -> None:
    plateau = ReduceOnPlateau("quality", patience=2, mode="min")
    assert rates(plateau, [1.0, 2, 3, 4]) == rates(plateau, [1.0, 2, 3, 4]) == [1, 1, 1, pytest.approx(0.1)]


@pytest.mark.parametrize(
    "optimizer", [SGD(CosineSchedule(0.1, 10)), SGD(0.1, param_groups={"0.": {"lr": CosineSchedule(0.1, 10)}})]
)
def test_a_schedule_is_refused(optimizer: Optimizer) -> None:
    one = trainer([ReduceOnPlateau("loss")], optimizer)
    with pytest.raises(ValueError, match=r"ReduceOnPlateau: expected a number as learning rate, got CosineSchedule\("):
        one.fit(small.points(4), epochs=1, progress=False)


def test_misuse() -> None:
    with pytest.raises(ValueError, match="ReduceOnPlateau: expected mode='min' or mode='max' for 'quality'"):
        trainer([ReduceOnPlateau("quality")]).fit(small.points(4), epochs=1, progress=False)
    with pytest.raises(ValueError, match="ReduceOnPlateau: expected factor to be at least 0 and below 1, got 1"):
        ReduceOnPlateau(factor=1)
    with pytest.raises(ValueError, match="ReduceOnPlateau: expected patience from 1"):
        ReduceOnPlateau(patience=0)
    with pytest.raises(ValueError, match=r"ReduceOnPlateau: expected one of .*, got 'val_loss'; names that begin with"):
        trainer([ReduceOnPlateau()]).fit(small.points(4), epochs=1, progress=False)
    assert ReduceOnPlateau("val_accuracy").mode == "max"
    assert np.isclose(ReduceOnPlateau().factor, 0.1)
