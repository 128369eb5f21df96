"""What can be hooked into a training: stopping early, saving, logging.

The trainer calls the methods of every callback with itself as the argument, so a callback can look at everything and
may call ``trainer.stop(reason)``. What a callback must remember when a training is resumed goes into `state` and
`arrays`.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn.functional.checks import whole_number

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer


class Callback:
    """Base class: does nothing at any time."""

    #: Callbacks with a higher number are called later. One that saves everything comes last.
    order = 0

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Be called before the first batch, also of a resumed training."""

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Be called after each step of the optimizer."""

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Be called after validation, with what was measured; numbers added to the record are kept in the history."""

    def on_epoch_closed(self, trainer: "Trainer") -> None:
        """Be called when the record has been entered in the history: the moment to save things."""

    def on_interrupt(self, trainer: "Trainer") -> None:
        """Be called when the user has stopped the training, after the step that was under way."""

    def on_train_end(self, trainer: "Trainer") -> None:
        """Be called after the last epoch, or when the training was stopped early."""

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint should remember, as JSON can hold it."""
        return {}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a checkpoint should remember."""
        return {}

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Take over what `state` and `arrays` returned before."""


class EarlyStopping(Callback):
    """Stop when a quantity has not improved for some epochs, and go back to the best weights.

    Parameters
    ----------
    monitor : str
        A name of the record; what ends in ``accuracy`` is to grow, anything else to shrink.
    patience : int
        Epochs without improvement before stopping.
    min_delta : float
        What counts as an improvement.
    restore_best : bool
        Whether the model gets the weights of the best epoch when the training ends.
    """

    def __init__(
        self, monitor: str = "val_loss", *, patience: int = 3, min_delta: float = 0.0, restore_best: bool = True
    ) -> None:
        self.monitor = monitor
        self.patience = whole_number(patience, "patience", "EarlyStopping")
        self.min_delta = float(min_delta)
        self.restore_best = restore_best
        self.best: float | None = None
        self.waited = 0
        self._weights: dict[str, np.ndarray] = {}

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Compare with the best epoch so far."""
        value = monitored(record, self.monitor, "EarlyStopping")
        if is_better(value, self.best, self.monitor, self.min_delta):
            self.best, self.waited = value, 0
            if self.restore_best:
                self._weights = {name: array.copy() for name, array in trainer.model.state().items()}
        else:
            self.waited += 1
            if self.waited >= self.patience:
                trainer.stop(f"{self.monitor} has not improved on {self.best:.4g} for {self.waited} epochs")

    def on_train_end(self, trainer: "Trainer") -> None:
        """Give the model the best weights."""
        if self._weights:
            trainer.model.load_state(self._weights)

    def state(self) -> dict[str, Any]:
        """Return the best value and how long ago it was."""
        return {"best": self.best, "waited": self.waited}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the best weights."""
        return self._weights

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Take over the best value and weights."""
        self.best, self.waited, self._weights = state["best"], state["waited"], dict(arrays)


class ModelCheckpoint(Callback):
    """Save everything that is needed to resume, or the model of the best epoch.

    Parameters
    ----------
    path : str or Path
        Written anew each time, all or nothing.
    every_batches : int, optional
        Save within an epoch as well, after so many batches.
    best : str, optional
        A name of the record: save only the model, and only when this has improved.
    """

    order = 100

    def __init__(self, path: str | Path, *, every_batches: int | None = None, best: str | None = None) -> None:
        self.path = Path(path)
        self.every_batches = (
            None if every_batches is None else whole_number(every_batches, "every_batches", "ModelCheckpoint")
        )
        self.best = best
        self.best_value: float | None = None

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Save if it is time to."""
        if self.every_batches and not self.best and trainer.progress.batch % self.every_batches == 0:
            trainer.save(self.path)

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Save the model if it is the best one so far."""
        if self.best is None:
            return
        value = monitored(record, self.best, "ModelCheckpoint")
        if is_better(value, self.best_value, self.best, 0.0):
            self.best_value = value
            trainer.model.save(self.path)

    def on_epoch_closed(self, trainer: "Trainer") -> None:
        """Save the training after an epoch has been entered in the history."""
        if self.best is None:
            trainer.save(self.path)

    def on_interrupt(self, trainer: "Trainer") -> None:
        """Save where the user stopped."""
        if self.best is None:
            trainer.save(self.path)

    def state(self) -> dict[str, Any]:
        """Return the best value so far."""
        return {"best_value": self.best_value}

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Take over the best value."""
        self.best_value = state["best_value"]


class CSVLogger(Callback):
    """Keep the history as a CSV file, brought up to date after each epoch.

    Parameters
    ----------
    path : str or Path
    """

    order = 90

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_epoch_closed(self, trainer: "Trainer") -> None:
        """Write the file."""
        trainer.history.save(self.path)


class LearningRateLogger(Callback):
    """Write the learning rate of each step to a CSV file with the columns ``step`` and ``lr``.

    Parameters
    ----------
    path : str or Path
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.rates: list[tuple[int, float]] = []

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Take down the rate of the step that was just taken."""
        self.rates.append((trainer.optimizer.step_count, trainer.last_lr))

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Write the file."""
        with open(self.path, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("step", "lr"), *self.rates])

    def state(self) -> dict[str, Any]:
        """Return the rates so far."""
        return {"rates": [list(pair) for pair in self.rates]}

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Take over the rates."""
        self.rates = [(int(step), float(rate)) for step, rate in state["rates"]]


def monitored(record: Mapping[str, float], name: str, owner: str) -> float:
    """Return a quantity of a record.

    Raises
    ------
    ValueError
        If it was not measured.
    """
    if name not in record:
        raise ValueError(
            f"{owner}: expected one of {', '.join(record)} to monitor, got {name!r}; "
            "what begins with val_ needs fit(..., validation=...)"
        )
    return record[name]


def is_better(value: float, best: float | None, name: str, min_delta: float) -> bool:
    """Return whether `value` improves on `best`; accuracies are to grow, anything else to shrink."""
    if best is None:
        return True
    return value > best + min_delta if name.endswith("accuracy") else value < best - min_delta
