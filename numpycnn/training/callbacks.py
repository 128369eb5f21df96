"""What can be hooked into a training: stopping early, saving, logging.

The trainer calls the methods of every callback with itself as the argument, so a callback can look at everything and
may call ``trainer.stop(reason)``. What a callback must remember when a training is resumed goes into `state` and
`arrays`.
"""

from collections.abc import Mapping
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn.functional.checks import check_flag, whole_number
from numpycnn.optim.base import number
from numpycnn.training.history import write_csv

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer


class Callback:
    """Base class: does nothing at any time.

    What is called during a training gets the `trainer`, and may look at everything in it and call its `stop`.
    """

    #: Callbacks with a higher number are called later. One that saves everything comes last.
    order = 0

    @property
    def key(self) -> str:
        """What tells this callback from others in a checkpoint, so that each gets its own memory back."""
        return type(self).__name__

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Be called before the first batch, also of a resumed training."""

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Be called after each step of the optimizer."""

    def on_validation_begin(self, trainer: "Trainer") -> None:
        """Be called after the last batch of an epoch, before validation, if there is any."""

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Be called after validation, with what was measured; numbers added to the record are kept in the history.

        Parameters
        ----------
        trainer : Trainer
        record : dict of str to float
            As `History` has it.
        """

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
        """Take over what `state` and `arrays` returned before.

        Parameters
        ----------
        state : dict
        arrays : dict of str to ndarray
        """


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

    Raises
    ------
    TypeError, ValueError
        If `patience` is no int from 1 on, `min_delta` no number from 0 on, or `restore_best` neither True nor False.
    """

    def __init__(
        self, monitor: str = "val_loss", *, patience: int = 3, min_delta: float = 0.0, restore_best: bool = True
    ) -> None:
        self.monitor = monitor
        self.patience = whole_number(patience, "patience", "EarlyStopping")
        self.min_delta = number(min_delta, "min_delta", "EarlyStopping")
        self.restore_best = check_flag(restore_best, "restore_best", "EarlyStopping")
        self.best: float | None = None
        self.waited = 0
        self._weights: dict[str, np.ndarray] = {}

    @property
    def key(self) -> str:
        """The kind of callback and what it watches."""
        return f"{super().key} {self.monitor}"

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Forget an earlier training, if this callback was used before."""
        if trainer.progress.at_start:
            self.best, self.waited, self._weights = None, 0, {}

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Compare with the best epoch so far.

        Raises
        ------
        ValueError
            If `monitor` was not measured.
        """
        value = monitored(record, self.monitor, "EarlyStopping")
        if is_better(value, self.best, self.monitor, self.min_delta):
            self.best, self.waited = value, 0
            if self.restore_best:
                self._weights = {name: array.copy() for name, array in trainer.model.state().items()}
        else:
            self.waited += 1
            if self.waited >= self.patience:
                best = "" if self.best is None else f" on {self.best:.4g}"
                trainer.stop(f"{self.monitor} has not improved{best} for {self.waited} epochs")

    def on_train_end(self, trainer: "Trainer") -> None:
        """Give the model the best weights."""
        if self.restore_best and self._weights:
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
        Written anew each time, all or nothing; its folder is there already.
    every_batches : int, optional
        Save within an epoch as well, after so many batches.
    best : str, optional
        A name of the record: save only the model, and only when this has improved.

    Raises
    ------
    ValueError
        If both `every_batches` and `best` are given, or `every_batches` is smaller than 1.
    TypeError
        If `every_batches` is not an int.
    """

    order = 100

    def __init__(self, path: str | Path, *, every_batches: int | None = None, best: str | None = None) -> None:
        self.path = Path(path)
        self.every_batches = (
            None if every_batches is None else whole_number(every_batches, "every_batches", "ModelCheckpoint")
        )
        if every_batches is not None and best is not None:
            raise ValueError(
                "ModelCheckpoint: expected every_batches or best, got both; what is best is known after an epoch"
            )
        self.best = best
        self.best_value: float | None = None

    @property
    def key(self) -> str:
        """The kind of callback and what it watches."""
        return super().key if self.best is None else f"{super().key} {self.best}"

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Find out before the training whether its file could be written.

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If there is no such folder, or the path is one.
        """
        check_target(self.path, "ModelCheckpoint")
        if trainer.progress.at_start:
            self.best_value = None

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Save if it is time to."""
        if self.every_batches and trainer.progress.batch % self.every_batches == 0:
            trainer.save(self.path)

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Save the model if it is the best one so far.

        Raises
        ------
        ValueError
            If `best` was not measured.
        """
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

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Find out before the training whether the file could be written.

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If there is no such folder, or the path is one.
        """
        check_target(self.path, "CSVLogger")

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

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Find out before the training whether the file could be written.

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If there is no such folder, or the path is one.
        """
        check_target(self.path, "LearningRateLogger")
        if trainer.progress.at_start:
            self.rates = []

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Take down the rate of the step that was just taken."""
        self.rates.append((trainer.optimizer.step_count, trainer.progress.lr))

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Write the file."""
        write_csv(self.path, ("step", "lr"), ({"step": step, "lr": rate} for step, rate in self.rates))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the rates so far, (steps, 2)."""
        return {"rates": np.array(self.rates, np.float64).reshape(-1, 2)}

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Take over the rates."""
        self.rates = [(int(step), float(rate)) for step, rate in arrays["rates"]]


def check_target(path: Path, owner: str) -> None:
    """Check that a file could be written there.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    IsADirectoryError
        If it is a folder itself.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{owner}: expected a file to write to, got the folder {path}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{owner}: expected a folder {path.parent} to write {path.name} to, there is none")


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
    """Return whether `value` improves on `best`; accuracies are to grow, anything else to shrink.

    NaN never does, so that a best value is always a number.
    """
    if best is None:
        return not isnan(value)
    return value > best + min_delta if name.endswith("accuracy") else value < best - min_delta
