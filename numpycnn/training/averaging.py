"""A moving average of the weights over the last steps, which is usually more accurate than the last weights."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn._checks import check_int, check_number
from numpycnn.training.callbacks import Callback

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer


class WeightAverage(Callback):
    """Keep an exponential moving average (EMA) of the weights; validate with it, and leave it in the model at the end.

    After update ``t`` (counted from 1), with the weights ``w`` and their average ``a``::

        a = d * a + (1 - d) * w        d = min(decay, (1 + t) / (10 + t))

    The second term makes the average forget the random initial weights quickly. The running means and variances of
    batch normalization are averaged like the weights. The optimizer steps the weights themselves, so averaging does not
    change the training; it reduces the noise of the result, as a lower learning rate would.

    At the end of an epoch, callbacks such as ``ModelCheckpoint(best=...)`` and `EarlyStopping` find the average in the
    model, while a checkpoint to resume from holds both. If `fit` is called again, it continues with the weights.

    Parameters
    ----------
    decay : float
        At least 0 and below 1: the average is over about the last ``1 / (1 - decay)`` updates.
    every : int
        Steps between updates; a few save time if a step is short.

    Raises
    ------
    TypeError, ValueError
        If `decay` is not a number of at least 0 and below 1, or `every` is not a positive int.

    References
    ----------
    B. Polyak and A. Juditsky, "Acceleration of stochastic approximation by averaging", 1992. The exponential form with
    this `d` is that of TensorFlow's ``ExponentialMovingAverage``.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn import SGD, CrossEntropy, Dense, Sequential, Trainer
    >>> model = Sequential([Dense(2)], input_shape=(3,))
    >>> average = WeightAverage(decay=0.99)
    >>> trainer = Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1), callbacks=[average])
    >>> _ = trainer.fit((np.ones((40, 3), np.float32), np.zeros(40, int)), epochs=1, batch_size=8, progress=False)
    >>> bool((model.state()["0.weight"] == average.averages["0.weight"]).all())
    True
    """

    order = -100  # first, so that others find the average in the model, and a checkpoint the weights
    keeps_weights = True

    def __init__(self, decay: float = 0.999, *, every: int = 1) -> None:
        self.decay = check_number(decay, "decay", "WeightAverage", minimum=0, below=1)
        self.every = check_int(every, "every", "WeightAverage")
        self.averages: dict[str, np.ndarray] = {}
        self.updates = 0

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Start from the current weights, or continue.

        Raises
        ------
        ValueError
            If it has the averages of another model.
        """
        if trainer.progress.at_start:
            self.averages, self.updates = {}, 0
        state = trainer.model.state()
        if not self.averages:
            self.averages = {name: array.copy() for name, array in state.items()}
        shapes = [{name: array.shape for name, array in arrays.items()} for arrays in (state, self.averages)]
        if shapes[0] != shapes[1]:
            raise ValueError("WeightAverage: expected the averages of this model's weights, got those of another model")

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Update the averages after each `every` steps."""
        if trainer.optimizer.step_count % self.every:
            return
        self.updates += 1
        share = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, array in trainer.model.state().items():
            average = self.averages[name]
            average += (array - average) * average.dtype.type(share)

    def on_validation_begin(self, trainer: "Trainer") -> None:
        """Load the averages into the model."""
        trainer.weights.exchange(self.averages)

    def on_epoch_closed(self, trainer: "Trainer") -> None:
        """Restore the model's own weights."""
        trainer.weights.restore()

    def on_train_end(self, trainer: "Trainer") -> None:
        """Leave the averages in the model."""
        self.on_validation_begin(trainer)

    def state(self) -> dict[str, Any]:
        """Return the number of updates."""
        return {"updates": self.updates}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the averages."""
        return self.averages

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the averages.

        Raises
        ------
        TypeError, ValueError
            If the number of updates is invalid.
        """
        self.updates = check_int(state["updates"], "updates", "WeightAverage", minimum=0)
        self.averages = dict(arrays)
