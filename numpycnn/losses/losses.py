"""Losses as objects: they remember the last forward pass for the backward one.

Their formulas are in `numpycnn.plain.losses`.

Penalties on the weights are part of the loss that is minimized,

    loss + l1 * sum of |w| + l2 / 2 * sum of w^2

so the optimizer sees ``l1 * sign(w) + l2 * w`` added to each weight's gradient. Only weights are penalized: biases,
scales and shifts cannot overfit by being large.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpycnn import functional as F
from numpycnn._checks import check_number
from numpycnn._types import Array
from numpycnn.layers.base import Parameter


class Loss:
    """Base class of the losses.

    Parameters
    ----------
    l1, l2 : float
        Weight of the penalties on the sum of ``|w|`` and on half the sum of ``w^2``.

    Attributes
    ----------
    expects_logits : bool
        Whether the loss contains a softmax or sigmoid. A `Trainer` then refuses a model that ends with one. False in
        this class; a loss of your own sets it to True.

    Raises
    ------
    TypeError, ValueError
        If a penalty is not a number of at least 0.
    """

    expects_logits = False

    _cache: tuple[Array, ArrayLike] | None = None

    def __init__(self, *, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = check_number(l1, "l1", type(self).__name__, minimum=0)
        self.l2 = check_number(l2, "l2", type(self).__name__, minimum=0)

    def value(self, y: Array, target: ArrayLike) -> float:
        """Return the mean loss of a batch, without the penalties, and store nothing.

        Parameters
        ----------
        y : ndarray of shape (N, ...)
            The model's outputs.
        target : array_like
            The expected outputs.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If the batch is empty, or `y` and `target` do not fit each other.
        TypeError
            If either is of another type.
        """
        raise NotImplementedError

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        raise NotImplementedError

    def forward(self, y: Array, target: ArrayLike) -> float:
        """Return the mean loss of a batch, without the penalties, and keep what `backward` needs.

        Parameters
        ----------
        y, target
            As `value` takes them.

        Returns
        -------
        float

        Raises
        ------
        ValueError, TypeError
            As `value`.
        """
        value = self.value(y, target)
        self._cache = (y, target)
        return value

    def backward(self) -> Array:
        """Return the gradient of the last `forward` with respect to its `y`.

        Returns
        -------
        ndarray of the shape of `y`

        Raises
        ------
        RuntimeError
            If there was no forward pass, or its backward has been done.
        """
        if self._cache is None:
            raise RuntimeError(f"{type(self).__name__}: backward needs a forward pass before it")
        y, target = self._cache
        self._cache = None
        return self._gradient(y, target)

    def penalty(self, parameters: Mapping[str, Parameter]) -> float:
        """Return the penalties on the weights.

        Parameters
        ----------
        parameters : dict of str to Parameter
            As returned by ``model.parameters()``.

        Returns
        -------
        float
            0 where `l1` and `l2` are.
        """
        total = 0.0
        for weight in self._penalised(parameters):
            total += self.l1 * float(np.abs(weight.value).sum()) if self.l1 else 0.0
            total += self.l2 / 2 * float(np.square(weight.value).sum()) if self.l2 else 0.0
        return total

    def add_penalty_gradient(self, parameters: Mapping[str, Parameter]) -> None:
        """Add the gradient of the penalties to the weights' gradients.

        Parameters
        ----------
        parameters : dict of str to Parameter
            As returned by ``model.parameters()``.
        """
        for weight in self._penalised(parameters):
            if self.l1:
                weight.grad += self.l1 * np.sign(weight.value)
            if self.l2:
                weight.grad += self.l2 * weight.value

    def _penalised(self, parameters: Mapping[str, Parameter]) -> list[Parameter]:
        return [p for p in parameters.values() if p.penalised] if self.l1 or self.l2 else []

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l1": self.l1, "l2": self.l2}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.config().items() if v)})"


class CrossEntropy(Loss):
    """Mean cross-entropy of logits (N, K) against integer labels (N,), see `numpycnn.functional.cross_entropy`.

    A label may also be a share of each class: floats (N, K) that add up to 1 in each row.

    Parameters
    ----------
    label_smoothing : float
        Share of the target that is spread evenly over all classes, from 0 to 1.
    l1, l2 : float
        Penalties on the weights.

    Raises
    ------
    ValueError
        If a setting is out of range.
    TypeError
        If a setting is not a number.
    """

    expects_logits = True

    def __init__(self, label_smoothing: float = 0.0, *, l1: float = 0.0, l2: float = 0.0) -> None:
        super().__init__(l1=l1, l2=l2)
        self.label_smoothing = check_number(label_smoothing, "label_smoothing", "CrossEntropy", minimum=0, maximum=1)

    def value(self, y: Array, target: ArrayLike) -> float:
        """Return the mean loss of a batch."""
        return F.cross_entropy(y, target, label_smoothing=self.label_smoothing)

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        return F.cross_entropy_backward(y, target, label_smoothing=self.label_smoothing)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"label_smoothing": self.label_smoothing} | super().config()


class BinaryCrossEntropy(Loss):
    """Mean binary cross-entropy of logits against targets from 0 to 1 of the same shape."""

    expects_logits = True

    def value(self, y: Array, target: ArrayLike) -> float:
        """Return the mean loss of a batch."""
        return F.binary_cross_entropy(y, target)

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        return F.binary_cross_entropy_backward(y, target)


class MeanSquaredError(Loss):
    """Mean of ``(y - target)^2`` over all elements."""

    def value(self, y: Array, target: ArrayLike) -> float:
        """Return the mean loss of a batch."""
        return F.mean_squared_error(y, target)

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        return F.mean_squared_error_backward(y, target)
