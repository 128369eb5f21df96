"""Losses for yes or no, each output for itself: binary cross-entropy and the hinge loss."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpycnn import functional as F
from numpycnn._checks import check_flag, check_pair, check_unmasked
from numpycnn._types import Array, Shape
from numpycnn.losses.base import Loss
from numpycnn.losses.classes import check_probabilities

SMALLEST_LOG = -100.0  # limit of the logarithm of a probability, as in PyTorch
SMALLEST_PRODUCT = 1e-12  # limit of the divisor p (1 - p), as in PyTorch


class BinaryCrossEntropy(Loss):
    """Mean binary cross-entropy of logits against targets from 0 to 1 of the same shape.

    For outputs (N, 1) the targets may be (N,). With ``p = sigmoid(y)``, or ``p = y`` for probabilities::

        loss = mean of  -w t log(p) - (1 - t) log(1 - p)

    Parameters
    ----------
    from_logits : bool
        False for outputs that are probabilities, as those of `Sigmoid`. Logarithms below -100 count as -100.
    pos_weight : float or array_like, optional
        The weight ``w`` of a target of 1, at least 0: a number, or one for each label (K,).
    l1, l2 : float
        Penalties on the weights.

    Raises
    ------
    ValueError
        If a setting is out of range.
    TypeError
        If a setting has the wrong type.
    """

    def __init__(
        self, from_logits: bool = True, pos_weight: ArrayLike | None = None, *, l1: float = 0.0, l2: float = 0.0
    ) -> None:
        super().__init__(l1=l1, l2=l2)
        self.from_logits = check_flag(from_logits, "from_logits", "BinaryCrossEntropy")
        self.expects_logits = self.from_logits
        if pos_weight is not None:
            weights = check_unmasked(pos_weight, "pos_weight", "BinaryCrossEntropy")
            F.binary_cross_entropy(np.zeros(weights.shape or (1,)), np.zeros(weights.shape or (1,)), pos_weight=weights)
            pos_weight = weights.tolist()
        self.pos_weight = pos_weight

    def value(self, y: Array, target: ArrayLike) -> float:
        """Return the mean loss of a batch."""
        if self.from_logits:
            return F.binary_cross_entropy(y, target, pos_weight=self.pos_weight)
        p, t, w = self._check_probabilities(y, target)
        with np.errstate(divide="ignore"):
            yes, no = np.maximum(np.log(p), SMALLEST_LOG), np.maximum(np.log1p(-p), SMALLEST_LOG)
        return float(-(w * t * yes + (1 - t) * no).mean())

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        if self.from_logits:
            return F.binary_cross_entropy_backward(y, target, pos_weight=self.pos_weight)
        p, t, w = self._check_probabilities(y, target)
        slope = ((1 - t) * p - w * t * (1 - p)) / np.maximum(p * (1 - p), SMALLEST_PRODUCT)
        return slope * p.dtype.type(1 / p.size)

    def _check_probabilities(self, y: Array, target: ArrayLike) -> tuple[Array, Array, Array]:
        check_probabilities(y, "BinaryCrossEntropy")
        F.binary_cross_entropy(y, target, pos_weight=self.pos_weight)  # checks the targets and the weight
        y, target = check_pair(y, target, "BinaryCrossEntropy")
        return np.clip(y, 0, 1), target, np.asarray(1.0 if self.pos_weight is None else self.pos_weight, y.dtype)

    def draw_output(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return random logits or probabilities."""
        return rng.normal(size=shape) if self.from_logits else rng.uniform(0.1, 0.9, shape)

    def draw_target(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return random targets from 0 to 1."""
        return rng.random(shape)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"from_logits": self.from_logits, "pos_weight": self.pos_weight} | super().config()


class Hinge(Loss):
    """Mean of ``max(0, 1 - t * y)`` with targets ``t`` of -1 or 1 and the shape of ``y``, as in Keras.

    For outputs (N, 1) the targets may be (N,). An output on the right side of 0 and at least 1 from it costs nothing.

    References
    ----------
    C. Cortes and V. Vapnik, "Support-vector networks", Machine Learning 20, 1995.

    Examples
    --------
    >>> import numpy as np
    >>> Hinge().value(np.array([2.0, 0.5]), [1, -1])
    0.75
    """

    def value(self, y: Array, target: ArrayLike) -> float:
        """Return the mean loss of a batch."""
        y, t = self._check(y, target)
        return float(np.maximum(0, 1 - t * y).mean())

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        y, t = self._check(y, target)
        return np.where(t * y < 1, -t, 0) * y.dtype.type(1 / y.size)

    def _check(self, y: Array, target: ArrayLike) -> tuple[Array, Array]:
        y, target = check_pair(y, target, "Hinge")
        wrong = target[np.abs(target) != 1]
        if wrong.size:
            raise ValueError(f"Hinge: expected targets of -1 or 1, got {wrong[0]:g}; write 2 * labels - 1 for 0 and 1")
        return y, target

    def draw_target(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return random targets of -1 and 1."""
        return rng.choice([-1.0, 1.0], shape)
