"""The base class of losses, with the weights of examples and the penalties on the weights of a network.

A loss of one's own implements two methods:

    def value(self, y, target):          # return the mean loss of a batch, a float
    def _gradient(self, y, target):      # return the gradient of this number with respect to y

`check_gradients` compares the two, with targets that `draw_target` draws. With weights ``s`` of the examples, the loss
is the weighted mean of the examples' losses,

    sum of s[n] * loss[n]  /  sum of s[n]

as if an example with the weight 2 were in the batch twice. `total_weight` returns the denominator: the mean over
several batches is the mean of theirs, weighted by it. A loss of one's own with other weights, such as those of classes,
implements it as well.

Penalties on the weights are part of the loss that is minimized,

    loss + l1 * sum of |w| + l2 / 2 * sum of w^2

so the optimizer sees ``l1 * sign(w) + l2 * w`` added to each weight's gradient. Only weights are penalized: biases,
scales and shifts cannot overfit by being large. Frozen weights are left out, as in Keras.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpycnn._checks import check_number, check_weights
from numpycnn._types import Array, Shape
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

    _cache: tuple[Any, ...] | None = None

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
        raise NotImplementedError(f"{type(self).__name__} has no value: implement value")

    def _gradient(self, y: Array, target: ArrayLike) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no gradient: implement _gradient")

    def _weighted_value(self, y: Array, target: ArrayLike, weights: Array) -> float:
        """Return the weighted mean of the losses of the examples, each a batch of one."""
        losses = [self.value(_example(y, n), _example(target, n)) for n in range(_count(y))]
        return float(np.dot(weights, losses) / (weights.sum() or 1.0))

    def _weighted_gradient(self, y: Array, target: ArrayLike, weights: Array) -> Any:
        """Return the gradient of the weighted mean: that of the mean, with the row of each example scaled."""
        scale = weights * _count(y) / (weights.sum() or 1.0)
        return _times(self._gradient(y, target), scale)

    def total_weight(self, y: Any, target: Any, sample_weight: Any = None) -> float:
        """Return the sum of the weights of a batch: the number by which `forward` divides the sum of the losses.

        The loss of a dataset is the mean of the losses of its batches, weighted by these sums.

        Parameters
        ----------
        y, target, sample_weight
            As `forward` takes them; of `y`, only the shape is used.

        Returns
        -------
        float
            The sum of `sample_weight`, or the number of examples, unless the loss has other weights.

        Raises
        ------
        ValueError, TypeError
            If a weight is negative or the number of weights is not that of the examples.
        """
        weights = self._check_sample_weight(y, sample_weight)
        return float(_count(y) if weights is None else weights.sum())

    def _total_weights(self, y: Any, target: Any, sample_weight: Any) -> list[float]:
        """Return the total weight of each loss of a sum."""
        return [self.total_weight(y, target, sample_weight)]

    def _sums(self, value: float, y: Any, target: Any, sample_weight: Any) -> list[tuple[float, float]]:
        """Return the weighted sum and the total weight of a batch with this loss, or of each loss of a sum."""
        total = self.total_weight(y, target, sample_weight)
        return [(value * total, total)]

    def _scaled(self, gradient: Any, factors: Sequence[float]) -> Any:
        """Return the gradient with that of each loss of a sum times a factor."""
        return gradient if factors[0] == 1 else _times(gradient, np.array(factors[:1]))

    def draw_output(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return random valid outputs, for checking the gradient.

        Parameters
        ----------
        shape : tuple of int
            With the batch axis.
        rng : Generator

        Returns
        -------
        ndarray of shape `shape`
        """
        return rng.normal(size=shape)

    def draw_target(self, shape: Shape, rng: np.random.Generator) -> Any:
        """Return random valid targets for outputs of a shape, for checking the gradient.

        Parameters
        ----------
        shape : tuple of int
            Of the outputs, with the batch axis.
        rng : Generator

        Returns
        -------
        ndarray
            Numbers of the same shape, unless the loss takes other targets.
        """
        return rng.normal(size=shape)

    def forward(self, y: Any, target: Any = None, sample_weight: Any = None) -> float:
        """Return the mean loss of a batch, without the penalties, and keep what `backward` needs.

        Parameters
        ----------
        y, target
            As `value` takes them.
        sample_weight : array_like of shape (N,), optional
            Weight of each example, at least 0; the loss is then the weighted mean.

        Returns
        -------
        float

        Raises
        ------
        ValueError, TypeError
            As `value`, and if a weight is negative or the number of weights is not that of the examples.
        """
        weights = self._check_sample_weight(y, sample_weight)
        value = self.value(y, target) if weights is None else self._weighted_value(y, target, weights)
        self._cache = (y, target, weights)
        return value

    def _check_sample_weight(self, y: Any, sample_weight: Any) -> Array | None:
        if sample_weight is None:
            return None
        return check_weights(sample_weight, (_count(y),), "sample_weight", type(self).__name__)

    def backward(self) -> Any:
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
        y, target, weights = self._cache
        self._cache = None
        return self._gradient(y, target) if weights is None else self._weighted_gradient(y, target, weights)

    def penalty(self, parameters: Mapping[str, Parameter]) -> float:
        """Return the penalties on the weights that are trained.

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
        """Add the gradient of the penalties to the gradients of the weights that are trained.

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
        return [p for p in parameters.values() if p.penalised and p.trainable] if self.l1 or self.l2 else []

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"l1": self.l1, "l2": self.l2}

    def __repr__(self) -> str:
        default = {name: field.default for name, field in inspect.signature(type(self)).parameters.items()}
        changed = [f"{name}={value!r}" for name, value in self.config().items() if value != default.get(name)]
        return f"{type(self).__name__}({', '.join(changed)})"


def _count(y: Any) -> int:
    """Return the number of examples in the outputs of a batch."""
    return len(y[0] if isinstance(y, tuple) else y)


def _example(arrays: Any, n: int) -> Any:
    """Return example `n` of an array, or of a tuple of them, as a batch of one."""
    if isinstance(arrays, tuple):
        return tuple(_example(array, n) for array in arrays)
    return np.asarray(arrays)[n : n + 1]


def _times(gradient: Any, scale: Array) -> Any:
    """Return a gradient, or a tuple of them, with the row of each example times its number."""
    if isinstance(gradient, tuple):
        return tuple(_times(part, scale) for part in gradient)
    return gradient * scale.astype(gradient.dtype).reshape(-1, *(1,) * (gradient.ndim - 1))
