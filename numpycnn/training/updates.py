"""How far each step of a training moves the weights, relative to their size."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn.training.callbacks import Callback

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer


class UpdateRatios(Callback):
    """Keep ``|w after - w before| / |w before|`` of each weight and each step, with the Euclidean norm.

    A ratio of about 1e-3 is typical; with much larger ratios the training is unstable, with much smaller ones slow.
    Biases, scales and shifts are left out: they start at zero, or have another scale.

    Attributes
    ----------
    ratios : dict of list of float
        By the name of the parameter; `numpycnn.visualize.update_ratios` draws them.

    References
    ----------
    A. Karpathy, "CS231n: convolutional neural networks for visual recognition", notes on learning.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn import SGD, CrossEntropy, Dense, Sequential, Trainer
    >>> updates = UpdateRatios()
    >>> model = Sequential([Dense(2)], input_shape=(3,))
    >>> trainer = Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1), callbacks=[updates])
    >>> _ = trainer.fit((np.ones((40, 3), np.float32), np.zeros(40, int)), epochs=1, batch_size=8, progress=False)
    >>> {name: len(ratios) for name, ratios in updates.ratios.items()}
    {'0.weight': 5}
    """

    def __init__(self) -> None:
        self.ratios: dict[str, list[float]] = {}
        self._before: dict[str, np.ndarray] = {}

    def on_train_begin(self, trainer: "Trainer") -> None:
        """Copy the weights before the first step."""
        if trainer.progress.at_start:
            self.ratios = {}
        self._before = {name: value.copy() for name, value in _weights(trainer).items()}

    def on_batch_end(self, trainer: "Trainer") -> None:
        """Compare the weights with those before the step."""
        for name, value in _weights(trainer).items():
            before = self._before[name]
            size, moved = float(np.linalg.norm(before)), float(np.linalg.norm(value - before))
            self.ratios.setdefault(name, []).append(moved / size if size else float("inf") if moved else 0.0)
            before[...] = value

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the ratios so far."""
        return {name: np.array(ratios) for name, ratios in self.ratios.items()}

    def load_state(self, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the ratios so far.

        Raises
        ------
        ValueError
            If they are not in lines.
        """
        for name, array in arrays.items():
            if array.ndim != 1:
                raise ValueError(f"UpdateRatios: expected the ratios of {name} as a line, got {array.ndim} axes")
        self.ratios = {name: array.tolist() for name, array in arrays.items()}


def _weights(trainer: "Trainer") -> dict[str, np.ndarray]:
    return {name: p.value for name, p in trainer.model.parameters().items() if p.value.ndim > 1}
