"""Losses for numbers: squared, absolute and Huber's error, means over all elements.

For outputs (N, 1) the targets may be (N,).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpycnn import functional as F
from numpycnn._checks import check_number, check_pair
from numpycnn._types import Array
from numpycnn.losses.base import Loss


class MeanSquaredError(Loss):
    """Mean of ``(y - target)^2`` over all elements."""

    def value(self, y: Array, target: ArrayLike) -> float:
        """Return the mean loss of a batch."""
        return F.mean_squared_error(y, target)

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        return F.mean_squared_error_backward(y, target)


class MeanAbsoluteError(Loss):
    """Mean of ``|y - target|`` over all elements; its gradient has the same size for a small error and a large one.

    Examples
    --------
    >>> import numpy as np
    >>> MeanAbsoluteError().value(np.array([1.0, 2.0]), [3.0, 3.0])
    1.5
    """

    def value(self, y: Array, target: ArrayLike) -> float:
        """Return the mean loss of a batch."""
        y, target = check_pair(y, target, "MeanAbsoluteError")
        return float(np.abs(y - target).mean())

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        y, target = check_pair(y, target, "MeanAbsoluteError")
        return np.sign(y - target) * y.dtype.type(1 / y.size)


class Huber(Loss):
    """Squared error near the target, absolute error far from it.

    With ``d = y - target``, the mean of::

        d^2 / 2                        where |d| <= delta
        delta * (|d| - delta / 2)      elsewhere

    Parameters
    ----------
    delta : float
        Error above which the loss is linear, greater than 0.
    l1, l2 : float
        Penalties on the weights.

    Raises
    ------
    ValueError, TypeError
        If `delta` is not a positive number, or a penalty is not a number of at least 0.

    References
    ----------
    P. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35, 1964.

    Examples
    --------
    >>> import numpy as np
    >>> Huber(delta=1.0).value(np.array([1.0, 3.0]), [0.0, 0.0])
    1.5
    """

    def __init__(self, delta: float = 1.0, *, l1: float = 0.0, l2: float = 0.0) -> None:
        super().__init__(l1=l1, l2=l2)
        self.delta = check_number(delta, "delta", "Huber", minimum=0)
        if not self.delta:
            raise ValueError("Huber: expected delta above 0, got 0")

    def value(self, y: Array, target: ArrayLike) -> float:
        """Return the mean loss of a batch."""
        y, target = check_pair(y, target, "Huber")
        far = np.abs(y - target)
        near = np.minimum(far, self.delta)  # far - near is 0 within delta
        return float((near**2 / 2 + self.delta * (far - near)).mean())

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        y, target = check_pair(y, target, "Huber")
        return np.clip(y - target, -self.delta, self.delta) * y.dtype.type(1 / y.size)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"delta": self.delta} | super().config()
