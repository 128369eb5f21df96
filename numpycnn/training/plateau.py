"""Reduce the learning rate when a quantity stops improving."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn._checks import check_int, check_number
from numpycnn.optim import Schedule
from numpycnn.training.callbacks import Callback
from numpycnn.training.monitoring import check_mode, is_better, known_mode, monitored, restored_best, restored_mode

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer


class ReduceOnPlateau(Callback):
    """Multiply the learning rate by a factor when a quantity has not improved for some epochs.

    The rates of the optimizer's groups are multiplied as well. They are part of the optimizer, so a checkpoint holds
    them. A schedule sets the rate of each step itself, and is refused.

    Parameters
    ----------
    monitor : str
        A name of the record.
    factor : float
        At least 0 and below 1.
    patience : int
        Epochs without improvement before the rate is reduced.
    min_delta : float
        Smallest change that counts as an improvement.
    min_lr : float
        A rate is not reduced further than to this one.
    mode : {"min", "max"}, optional
        Whether a smaller or a larger value is better. Known for the metrics of the trainer.

    Raises
    ------
    TypeError, ValueError
        If a setting has the wrong type or is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn import SGD, CrossEntropy, Dense, Sequential, Trainer
    >>> trainer = Trainer(
    ...     Sequential([Dense(2)], input_shape=(3,)),
    ...     loss=CrossEntropy(),
    ...     optimizer=SGD(1.0),
    ...     callbacks=[ReduceOnPlateau("loss", factor=0.5, patience=1, min_delta=100)],
    ... )
    >>> trainer.fit((np.ones((4, 3), np.float32), [0, 1, 0, 1]), epochs=4, progress=False)["lr"]
    [1.0, 1.0, 0.5, 0.25]
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 0.0,
        min_lr: float = 0.0,
        mode: str | None = None,
    ) -> None:
        owner = "ReduceOnPlateau"
        self.monitor = monitor
        self.mode = check_mode(mode, monitor, owner)
        self.factor = check_number(factor, "factor", owner, minimum=0, below=1)
        self.patience = check_int(patience, "patience", owner)
        self.min_delta = check_number(min_delta, "min_delta", owner, minimum=0)
        self.min_lr = check_number(min_lr, "min_lr", owner, minimum=0)
        self.best: float | None = None
        self.waited = 0

    @property
    def key(self) -> str:
        """The class and the monitored quantity."""
        return f"{super().key} {self.monitor}"

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Reset the state of an earlier training.

        Raises
        ------
        ValueError
            If the learning rate of the optimizer, or of a group, is a schedule, or the direction of the monitored
            quantity is unknown.
        """
        self.mode = known_mode(self.mode, self.monitor, trainer, "ReduceOnPlateau")
        if trainer.progress.at_start:
            self.best, self.waited = None, 0
        for settings in (vars(trainer.optimizer), *(trainer.optimizer.param_groups or {}).values()):
            if isinstance(settings.get("lr"), Schedule):
                raise ValueError(f"ReduceOnPlateau: expected a number as learning rate, got {settings['lr']!r}")

    def on_epoch_end(self, trainer: "Trainer", record: dict[str, float]) -> None:
        """Compare with the best epoch so far, and reduce the rate after `patience` others.

        Raises
        ------
        ValueError
            If `monitor` was not measured.
        """
        value = monitored(record, self.monitor, "ReduceOnPlateau")
        if is_better(value, self.best, self.mode, self.min_delta):
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.waited = 0
            for settings in (vars(trainer.optimizer), *(trainer.optimizer.param_groups or {}).values()):
                if "lr" in settings:
                    settings["lr"] = min(settings["lr"], max(settings["lr"] * self.factor, self.min_lr))

    def state(self) -> dict[str, Any]:
        """Return the best value, its direction and the epochs since, or since the last reduction."""
        return {"best": self.best, "waited": self.waited, "mode": self.mode}

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the best value, unless it is the best of the other direction.

        Raises
        ------
        TypeError, ValueError
            If the state is invalid.
        """
        best = restored_best(state["best"], "ReduceOnPlateau")
        waited = check_int(state["waited"], "waited", "ReduceOnPlateau", minimum=0)
        mode = restored_mode(state, self.mode, "ReduceOnPlateau")
        self.mode = self.mode or mode
        if mode == self.mode:
            self.best, self.waited = best, waited
