"""Callbacks of a training: early stopping, saving, logging.

The trainer passes itself to every method of a callback, so a callback can read everything and may call
``trainer.stop(reason)``. State that a resumed training needs goes into `state` and `arrays`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn._checks import check_flag, check_int, check_number
from numpycnn.io.serialization import check_ending
from numpycnn.training.history import write_csv
from numpycnn.training.monitoring import check_mode, is_better, known_mode, monitored, restored_best, restored_mode

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer


class Callback:
    """Base class: its methods do nothing.

    A method called during a training gets the `trainer`, may read everything in it, and may call its `stop`.
    """

    #: Callbacks with a higher number are called later. One that saves everything comes last. `on_train_begin` is called
    #: in reverse order, so that each callback can undo its `on_train_end`.
    order = 0

    #: Whether `arrays` are copies of the model's. They are compared with the model when a training is resumed.
    keeps_weights = False

    @property
    def key(self) -> str:
        """The name of this callback in a checkpoint, from which it gets its own state back."""
        return type(self).__name__

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Run before the first batch, also of a resumed training."""

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Run after each step of the optimizer."""

    def on_validation_begin(self, trainer: "Trainer") -> None:
        """Run after the last batch of an epoch, before validation, if there is any."""

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Run after validation, with the epoch's record; values added to it are kept in the history.

        Parameters
        ----------
        trainer : Trainer
        record : dict of str to float
            As in `History`.
        """

    def on_epoch_closed(self, trainer: "Trainer") -> None:
        """Run after the record is entered in the history: the time to save."""

    def on_interrupt(self, trainer: "Trainer") -> None:
        """Run when the user has stopped the training, after the current step."""

    def on_train_end(self, trainer: "Trainer") -> None:
        """Run after the last epoch, or after early stopping."""

    def state(self) -> dict[str, Any]:
        """Return the state to save in a checkpoint, as JSON types."""
        return {}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays to save in a checkpoint."""
        return {}

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the results of `state` and `arrays`.

        Parameters
        ----------
        state : dict
        arrays : dict of str to ndarray
        """


def in_order(callbacks: Sequence[Callback]) -> list[Callback]:
    """Return callbacks in the order of their calls; a TypeError if one is not a callback."""
    if isinstance(callbacks, str) or not isinstance(callbacks, Sequence):
        raise TypeError(f"Trainer: expected callbacks to be a list of callbacks, got {callbacks!r}")
    for callback in callbacks:
        if not isinstance(callback, Callback):
            hint = f"; write {callback.__name__}(...)" if isinstance(callback, type) else ""
            raise TypeError(f"Trainer: expected each of the callbacks to be a Callback, got {callback!r}{hint}")
    return sorted(callbacks, key=lambda callback: callback.order)


class EarlyStopping(Callback):
    """Stop when a quantity has not improved for some epochs, and leave the best weights in the model.

    The trainer keeps the weights of the last epoch. If `fit` is called again, it continues with them.

    Parameters
    ----------
    monitor : str
        A name of the record.
    patience : int
        Epochs without improvement before stopping.
    min_delta : float
        Smallest change that counts as an improvement.
    restore_best : bool
        Whether the model gets the weights of the best epoch when the training ends.
    mode : {"min", "max"}, optional
        Whether a smaller or a larger value is better. Known for the metrics of the trainer.

    Raises
    ------
    TypeError, ValueError
        If `monitor` is not a string, `patience` not a positive int, `min_delta` not a number of at least 0, or
        `restore_best` not a bool.
    """

    keeps_weights = True

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        patience: int = 3,
        min_delta: float = 0.0,
        restore_best: bool = True,
        mode: str | None = None,
    ) -> None:
        self.monitor = monitor
        self.mode = check_mode(mode, monitor, "EarlyStopping")
        self.patience = check_int(patience, "patience", "EarlyStopping")
        self.min_delta = check_number(min_delta, "min_delta", "EarlyStopping", minimum=0)
        self.restore_best = check_flag(restore_best, "restore_best", "EarlyStopping")
        self.best: float | None = None
        self.waited = 0
        self._weights: dict[str, np.ndarray] = {}

    @property
    def key(self) -> str:
        """The class and the monitored quantity."""
        return f"{super().key} {self.monitor}"

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Reset the state of an earlier training, and count anew where the user continues a stopped one.

        Raises
        ------
        ValueError
            If the direction of the monitored quantity is unknown.
        """
        self.mode = known_mode(self.mode, self.monitor, trainer, "EarlyStopping")
        if trainer.progress.at_start:
            self.best, self.waited, self._weights = None, 0, {}
        if self.waited >= self.patience and not trainer.progress.stop_reason:
            self.waited = 0

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Compare with the best epoch so far.

        Raises
        ------
        ValueError
            If `monitor` was not measured.
        """
        value = monitored(record, self.monitor, "EarlyStopping")
        if is_better(value, self.best, self.mode, self.min_delta):
            self.best, self.waited = value, 0
            if self.restore_best:
                self._weights = {name: array.copy() for name, array in trainer.model.state().items()}
        else:
            self.waited += 1
            if self.waited >= self.patience:
                best = "" if self.best is None else f" on {self.best:.4g}"
                trainer.stop(f"{self.monitor} has not improved{best} for {self.waited} epochs")

    def on_train_end(self, trainer: "Trainer") -> None:
        """Load the best weights into the model."""
        if self.restore_best and self._weights:
            trainer.weights.exchange(self._weights)

    def state(self) -> dict[str, Any]:
        """Return the best value, its direction and the epochs since."""
        return {"best": self.best, "waited": self.waited, "mode": self.mode}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the best weights."""
        return self._weights

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the best value and weights, unless they are the best of the other direction.

        Raises
        ------
        TypeError, ValueError
            If the state is invalid.
        """
        best = restored_best(state["best"], "EarlyStopping")
        waited = check_int(state["waited"], "waited", "EarlyStopping", minimum=0)
        mode = restored_mode(state, self.mode, "EarlyStopping")
        self.mode = self.mode or mode
        if mode == self.mode:
            self.best, self.waited, self._weights = best, waited, dict(arrays)


class FileWriter(Callback):
    """Base class of the callbacks that write a file."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Check before the training that the file can be written.

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If its folder does not exist, or the path is a folder.
        """
        owner, path = type(self).__name__, self.path
        if path.is_dir():
            raise IsADirectoryError(f"{owner}: expected a file to write to, got the folder {path}")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{owner}: expected an existing folder to write {path.name} to, got {path.parent}")


class ModelCheckpoint(FileWriter):
    """Save everything that is needed to resume, or the model of the best epoch.

    Parameters
    ----------
    path : str or Path
        Replaced atomically each time; its folder must exist.
    every_batches : int, optional
        Also save within an epoch, after each `every_batches` batches.
    best : str, optional
        A name of the record: save only the model, and only if this value improves.
    mode : {"min", "max"}, optional
        Whether a smaller or a larger value of `best` is better. Known for the metrics of the trainer.

    Raises
    ------
    ValueError
        If `mode` is given without `best`; if both `every_batches` and `best` are given, `every_batches` is
        smaller than 1, or the path has the ending of another format.
    TypeError
        If `every_batches` is not an int, or `best` is not a string.
    """

    order = 100

    def __init__(
        self, path: str | Path, *, every_batches: int | None = None, best: str | None = None, mode: str | None = None
    ) -> None:
        super().__init__(check_ending(path, "ModelCheckpoint"))
        self.every_batches = (
            None if every_batches is None else check_int(every_batches, "every_batches", "ModelCheckpoint")
        )
        if every_batches is not None and best is not None:
            raise ValueError(
                "ModelCheckpoint: expected every_batches or best, got both; the best model is known only after an epoch"
            )
        if mode is not None and best is None:
            raise ValueError(f"ModelCheckpoint: expected best, the name of a quantity, for mode={mode!r}, got None")
        self.best = best
        self.mode = "min" if best is None else check_mode(mode, best, "ModelCheckpoint")
        self.best_value: float | None = None

    @property
    def key(self) -> str:
        """The class and the monitored quantity."""
        return super().key if self.best is None else f"{super().key} {self.best}"

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Forget the best value of an earlier training.

        Raises
        ------
        ValueError
            If the direction of the monitored quantity is unknown.
        """
        super().on_train_begin(trainer)
        if self.best is not None:
            self.mode = known_mode(self.mode, self.best, trainer, "ModelCheckpoint")
        if trainer.progress.at_start:
            self.best_value = None

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Save after each `every_batches` batches."""
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
        if is_better(value, self.best_value, self.mode, 0.0):
            self.best_value = value
            trainer.model.save(self.path)

    def on_epoch_closed(self, trainer: "Trainer") -> None:
        """Save the training, at the end of an epoch or after an interruption."""
        if self.best is None:
            trainer.save(self.path)

    on_interrupt = on_epoch_closed

    def state(self) -> dict[str, Any]:
        """Return the best value so far and its direction."""
        return {"best_value": self.best_value, "mode": self.mode}

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the best value, unless it is the best of the other direction.

        Raises
        ------
        TypeError, ValueError
            If it is neither None nor a number.
        """
        best = restored_best(state["best_value"], "ModelCheckpoint")
        mode = restored_mode(state, self.mode, "ModelCheckpoint")
        self.mode = self.mode or mode
        self.best_value = best if mode == self.mode else None


class CSVLogger(FileWriter):
    """Write the history to a CSV file after each epoch.

    Parameters
    ----------
    path : str or Path
    """

    order = 90

    def on_epoch_closed(self, trainer: "Trainer") -> None:
        """Write the file."""
        trainer.history.save(self.path)


class LearningRateLogger(FileWriter):
    """Write the learning rate of each step to a CSV file with the columns ``step`` and ``lr``.

    Parameters
    ----------
    path : str or Path
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.rates: list[tuple[int, float]] = []

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Reset the rates of an earlier training."""
        super().on_train_begin(trainer)
        if trainer.progress.at_start:
            self.rates = []

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Record the rate of the last step."""
        self.rates.append((trainer.optimizer.step_count, trainer.progress.lr))

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Write the file."""
        write_csv(self.path, ("step", "lr"), ({"step": step, "lr": rate} for step, rate in self.rates))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the rates so far, (steps, 2)."""
        return {"rates": np.array(self.rates, np.float64).reshape(-1, 2)}

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the rates."""
        self.rates = [(int(step), float(rate)) for step, rate in arrays["rates"]]
