"""The triplet loss: an embedding in which examples of a class are near each other, and those of others far away."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpycnn._checks import check_array, check_number, check_one_output
from numpycnn._types import Array, Shape
from numpycnn.losses.base import Loss

EPS = 1e-6  # added to each coordinate of a difference, as in PyTorch: a distance of 0 has no derivative


class Triplet(Loss):
    """Mean of ``max(0, |a - p| - |a - n| + margin)`` over outputs (N, 3, D): anchor, positive and negative.

    The anchor ``a`` and the positive ``p`` are embeddings of one class, the negative ``n`` of another; the distance is
    the Euclidean one. The target is not used, so any array of N elements will do.

    Parameters
    ----------
    margin : float
        By which the negative has to be farther away than the positive, at least 0.
    l1, l2 : float
        Penalties on the weights.

    Raises
    ------
    ValueError, TypeError
        If a setting is not a number of at least 0.

    References
    ----------
    F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet: a unified embedding for face recognition and clustering", arXiv
    1503.03832, section 3.1; the small number added to the coordinates is PyTorch's.

    Examples
    --------
    >>> import numpy as np
    >>> anchor, positive, negative = [0.0, 0.0], [1.0, 0.0], [0.0, 1.5]
    >>> round(Triplet(margin=1.0).value(np.array([[anchor, positive, negative]])), 4)
    0.5
    """

    def __init__(self, margin: float = 1.0, *, l1: float = 0.0, l2: float = 0.0) -> None:
        super().__init__(l1=l1, l2=l2)
        self.margin = check_number(margin, "margin", "Triplet", minimum=0)

    def value(self, y: Any, target: Any = None) -> float:
        """Return the mean loss of a batch."""
        _, near, far = self._distances(y)
        return float(np.maximum(0, near - far + self.margin).mean())

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        units, near, far = self._distances(y)
        active = (near - far + self.margin > 0) / y.dtype.type(len(y))  # (N,)
        to_positive, to_negative = units * active[:, None]
        return np.stack([to_positive - to_negative, -to_positive, to_negative], axis=1).astype(y.dtype)

    def _distances(self, y: Any) -> tuple[Array, Array, Array]:
        """Return the directions from positive and negative to the anchor, (2, N, D), and both distances, (N,)."""
        check_one_output(y, "Triplet")
        y = check_array(y, "y", "Triplet", shape=("N", 3, "D"))
        if not y.size:
            raise ValueError("Triplet: expected a batch that is not empty")
        differences = y[:, :1] - y[:, 1:] + y.dtype.type(EPS)  # (N, 2, D)
        distances = np.sqrt((differences**2).sum(axis=2))  # (N, 2)
        return (differences / distances[..., None]).swapaxes(0, 1), distances[:, 0], distances[:, 1]

    def _weighted_value(self, y: Array, target: ArrayLike, weights: Array) -> float:
        return super()._weighted_value(y, weights, weights)  # in place of a target, which may be None

    def draw_target(self, shape: Shape, rng: np.random.Generator) -> None:
        """Return None: there is no target."""

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"margin": self.margin} | super().config()
