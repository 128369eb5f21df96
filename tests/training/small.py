"""A short training with every kind of state that must survive an interruption."""

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpycnn import (
    SGD,
    Adam,
    BatchNorm,
    Conv2D,
    CrossEntropy,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    OneCycleSchedule,
    ReLU,
    Sequential,
    Trainer,
)
from numpycnn.data.augment import Augment, Flip, Noise, PadCrop
from numpycnn.training import Callback, CSVLogger, EarlyStopping, LearningRateLogger, ModelCheckpoint

EXAMPLES, BATCH_SIZE, EPOCHS = 44, 8, 8
BATCHES = 6  # of an epoch; the last one has 4 examples
VARIANTS = ("adam", "sgd")  # the first one stops early
TIMES = ("seconds", "images_per_second")


def pictures(examples: int = EXAMPLES, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noise, a little brighter where the label is 1; not square."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, examples)
    x = rng.normal(size=(examples, 1, 6, 5)) + 0.5 * labels[:, None, None, None]
    return x.astype(np.float32), labels


def points(examples: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points in a plane, labeled by their side of a line."""
    x = np.random.default_rng(seed).normal(size=(examples, 2)).astype(np.float32)
    return x, (x[:, 0] > x[:, 1]).astype(np.int64)


def network(seed: int = 0) -> Sequential:
    layers = [Conv2D(3, 3, bias=False), BatchNorm(), ReLU(), MaxPool2D(2, stride=1), Dropout(0.3), Flatten()]
    return Sequential([*layers, Dense(6), ReLU(), Dropout(0.2), Dense(2)], input_shape=(1, 6, 5), seed=seed)


def dense(*, seed: int = 0, features: int = 2) -> Sequential:
    return Sequential([Dense(2)], input_shape=(features,), seed=seed)


def network_for_points() -> Sequential:
    """Deep enough to diverge."""
    return Sequential([Dense(20), ReLU(), Dense(20), ReLU(), Dense(2)], input_shape=(2,), seed=0)


def plain(callbacks: Sequence[Callback] = (), *, model: Sequential | None = None, lr: float = 0.1) -> Trainer:
    """A minimal trainer for `points`."""
    model = dense() if model is None else model
    return Trainer(model, loss=CrossEntropy(), optimizer=SGD(lr, momentum=0.9), callbacks=callbacks)


def callbacks_for(folder: Path, variant: str) -> list[Callback]:
    return [
        EarlyStopping(patience=2 if variant == "adam" else 100, min_delta=0.1),
        LearningRateLogger(folder / "rates.csv"),
        CSVLogger(folder / "history.csv"),
        ModelCheckpoint(folder / "best.safetensors", best="val_accuracy"),
        ModelCheckpoint(folder / "checkpoint.safetensors", every_batches=2),
    ]


def new_trainer(folder: Path, variant: str, *, seed: int = 0, more: Sequence[Callback] = ()) -> Trainer:
    schedule = OneCycleSchedule(0.05, steps=BATCHES * EPOCHS)
    optimizer = Adam(schedule) if variant == "adam" else SGD(schedule, momentum=0.9, nesterov=True)
    return Trainer(
        network(seed),
        loss=CrossEntropy(label_smoothing=0.1, l2=1e-3),
        optimizer=optimizer,
        callbacks=[*callbacks_for(folder, variant), *more],
        seed=seed,
    )


def go_on(folder: Path, variant: str, *, file: Path | None = None, more: Sequence[Callback] = ()) -> Trainer:
    """A new trainer if there is no checkpoint, else one resumed from it."""
    file = folder / "checkpoint.safetensors" if file is None else file
    if not file.exists():
        return new_trainer(folder, variant, more=more)
    return Trainer.resume(file, callbacks=[*callbacks_for(folder, variant), *more])


AUGMENT = Augment([PadCrop(1), Flip(), Noise(0.1)])  # augmentation must survive an interruption, too


def fit(trainer: Trainer, *, data: Any = None, **settings: Any) -> Trainer:
    settings = {"validation": pictures(20, seed=1), "augment": AUGMENT, "progress": False} | settings
    with warnings.catch_warnings():  # also resumed where only the last callbacks were left
        warnings.filterwarnings("ignore", "fit: nothing left to train")
        trainer.fit(pictures() if data is None else data, epochs=EPOCHS, batch_size=BATCH_SIZE, **settings)
    return trainer


def bits(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape} ".encode() + array.tobytes())
    return digest.hexdigest()


def without_times(records: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in record.items() if name not in TIMES} for record in records]


def fingerprint(trainer: Trainer) -> dict[str, Any]:
    """The whole state of a training except for its times, as JSON types."""
    progress = trainer.progress.to_json()
    progress.pop("seconds")
    generators = trainer.model.random_generators()
    facts = {
        "model": bits(trainer.model.state()),
        "optimizer": bits(trainer.optimizer.state()),
        "steps": trainer.optimizer.step_count,
        "progress": progress,
        "random": {name: generator.bit_generator.state for name, generator in generators.items()},
        "history": without_times(trainer.history.records),
        "callbacks": [[c.key, c.state(), bits(c.arrays())] for c in trainer.callbacks if c.state() or c.arrays()],
    }
    return json.loads(json.dumps(facts))


class Recorder(Callback):
    """Records the calls, in order."""

    def __init__(self, name: str = "", order: int = 0, calls: list[str] | None = None) -> None:
        self.name, self.order = name, order
        self.calls: list[str] = [] if calls is None else calls

    def _note(self, moment: str) -> None:
        self.calls.append(f"{self.name} {moment}".strip())

    def on_train_begin(self, trainer: Trainer) -> None:
        self._note("train begin")

    def on_batch_end(self, trainer: Trainer) -> None:
        self._note(f"batch {trainer.progress.batch}")

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        self._note(f"epoch end {record['epoch']}, history {len(trainer.history)}")

    def on_epoch_closed(self, trainer: Trainer) -> None:
        self._note(f"epoch closed, history {len(trainer.history)}")

    def on_interrupt(self, trainer: Trainer) -> None:
        self._note("interrupt")

    def on_train_end(self, trainer: Trainer) -> None:
        self._note("train end")


class At(Callback):
    """Does something after a step, counted over the whole training from 1."""

    order = 50

    def __init__(self, step: int, action: Any) -> None:
        self.step, self.action = step, action

    def on_batch_end(self, trainer: Trainer) -> None:
        if trainer.optimizer.step_count == self.step:
            self.action(trainer)
