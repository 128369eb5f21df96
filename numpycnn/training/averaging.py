"""The mean of the weights along the last steps of a training, which mostly does better than the weights themselves."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn.functional.checks import whole_number
from numpycnn.optim.base import number
from numpycnn.training.callbacks import Callback

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer


class WeightAverage(Callback):
    """Keep an exponential moving average (EMA) of the weights; validate with it, and leave it in the model at the end.

    After the update of number ``t``, from 1 on, with the weights ``w`` and their average ``a``::

        a = d * a + (1 - d) * w        d = min(decay, (1 + t) / (10 + t))

    The second of the two lets the first, random weights be forgotten soon. The running means and variances of batch
    normalisation are averaged like the weights. The steps themselves are taken with the weights as they are, so
    averaging changes nothing about the training; it calms the result, as a lower learning rate would.

    Callbacks that look at an epoch, such as ``ModelCheckpoint(best=...)`` and `EarlyStopping`, find the average in the
    model, while a checkpoint to resume from holds both. If `fit` is called again, also after `Trainer.save` and
    `Trainer.resume`, it goes on with the weights.

    Parameters
    ----------
    decay : float
        From 0 to below 1: the average is over about the last ``1 / (1 - decay)`` updates.
    every : int
        Steps from one update to the next; a few save time where a step is short.

    Raises
    ------
    TypeError, ValueError
        If `decay` is no number from 0 to below 1, or `every` no int from 1 on.

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

    order = -100  # the others find the average in the model, and a checkpoint the weights
    _KEPT = "weights of the training/"  # before the names of these in a file, which is written after the end

    def __init__(self, decay: float = 0.999, *, every: int = 1) -> None:
        self.decay = number(decay, "decay", "WeightAverage", below=1)
        self.every = whole_number(every, "every", "WeightAverage")
        self.averages: dict[str, np.ndarray] = {}
        self.updates = 0
        self._weights: dict[str, np.ndarray] = {}  # those of the training, while the model has the averages

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Begin with the weights as they are, or go on.

        Raises
        ------
        ValueError
            If it has the averages of another model.
        """
        if trainer.progress.at_start:
            self.averages, self.updates, self._weights = {}, 0, {}
        self._give_back(trainer)
        state = trainer.model.state()
        if not self.averages:
            self.averages = {name: array.copy() for name, array in state.items()}
        shapes = [{name: array.shape for name, array in arrays.items()} for arrays in (state, self.averages)]
        if shapes[0] != shapes[1]:
            raise ValueError("WeightAverage: expected the averages of this model's weights, got those of another model")

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Bring the averages up to date, if it is time to."""
        if trainer.optimizer.step_count % self.every:
            return
        self.updates += 1
        share = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, array in trainer.model.state().items():
            average = self.averages[name]
            average += (array - average) * average.dtype.type(share)

    def on_validation_begin(self, trainer: "Trainer") -> None:
        """Give the model the averages."""
        if not self._weights:
            self._weights = {name: array.copy() for name, array in trainer.model.state().items()}
            trainer.model.load_state(self.averages)

    def on_epoch_closed(self, trainer: "Trainer") -> None:
        """Give the model its own weights back."""
        self._give_back(trainer)

    def on_train_end(self, trainer: "Trainer") -> None:
        """Leave the averages in the model."""
        self.on_validation_begin(trainer)

    def _give_back(self, trainer: "Trainer") -> None:
        if self._weights:
            trainer.model.load_state(self._weights)
            self._weights = {}

    def state(self) -> dict[str, Any]:
        """Return how many updates there were."""
        return {"updates": self.updates}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the averages; and the weights of the training, while the model has the averages."""
        return self.averages | {self._KEPT + name: array for name, array in self._weights.items()}

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Take over the averages, and the weights if they are there.

        Raises
        ------
        TypeError, ValueError
            If the number of updates is none.
        """
        self.updates = whole_number(state["updates"], "updates", "WeightAverage", minimum=0)
        kept = self._KEPT
        self.averages = {name: array for name, array in arrays.items() if not name.startswith(kept)}
        self._weights = {name.removeprefix(kept): array for name, array in arrays.items() if name.startswith(kept)}
