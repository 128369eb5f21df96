"""The weights of a training, while a callback has put others into the model."""

from collections.abc import Mapping

import numpy as np

from numpycnn.layers.base import Layer


class WeightExchange:
    """Puts other weights into a model, such as the best or the average ones, and keeps those of the training.

    `Trainer.fit` restores them before it continues, and a checkpoint holds them.

    Parameters
    ----------
    model : Layer
    """

    def __init__(self, model: Layer) -> None:
        self.model = model
        self._kept: dict[str, np.ndarray] = {}
        self._others: dict[str, np.ndarray] = {}  # that the model has instead

    def exchange(self, weights: Mapping[str, np.ndarray]) -> None:
        """Load other weights into the model and keep those of the training.

        Parameters
        ----------
        weights : dict of str to ndarray
            As returned by ``model.state()``.

        Raises
        ------
        ValueError, TypeError
            As ``model.load_state``.
        """
        kept = self.kept() or _copied(self.model.state())
        self.model.load_state(weights)
        self._kept, self._others = kept, dict(weights)

    def restore(self) -> None:
        """Load the weights of the training into the model, if it has those of `exchange`."""
        if kept := self.kept():
            self.model.load_state(kept)
        self._kept, self._others = {}, {}

    def kept(self) -> dict[str, np.ndarray]:
        """Return the weights of the training while the model has those of `exchange`, else an empty dict.

        If other weights have been loaded into the model since then, the training continues with them.

        Returns
        -------
        dict of str to ndarray
        """
        state = self.model.state()
        same = state.keys() == self._others.keys()
        same = same and all(np.array_equal(state[name], array) for name, array in self._others.items())
        return self._kept if same else {}

    def resume(self, kept: dict[str, np.ndarray]) -> None:
        """Keep the weights of the training, read from a checkpoint; the model has others already.

        Parameters
        ----------
        kept : dict of str to ndarray
            Empty if the model has the weights of the training.
        """
        self._kept, self._others = kept, _copied(self.model.state()) if kept else {}


def _copied(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in arrays.items()}
