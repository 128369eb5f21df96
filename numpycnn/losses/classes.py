"""Losses for classes: cross-entropy of logits or probabilities, negative log-likelihood, Kullback-Leibler divergence.

The first two are operations, see `numpycnn.plain.losses` for their formulas.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpycnn import functional as F
from numpycnn._checks import check_flag, check_int, check_number, check_one_output, check_pair, check_weights
from numpycnn._types import Array, Shape
from numpycnn.losses.base import Loss

ROUNDING = 1e-4  # by which a probability may be below 0 or above 1


class _OfClasses(Loss):
    """Base class of the losses whose targets are labels, with weights of classes and ignored labels."""

    def __init__(
        self,
        class_weight: ArrayLike | None = None,
        ignore_index: int | None = None,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> None:
        owner = type(self).__name__
        super().__init__(l1=l1, l2=l2)
        self.class_weight = (
            None if class_weight is None else check_weights(class_weight, ("K",), "class_weight", owner).tolist()
        )
        self.ignore_index = (
            None if ignore_index is None else check_int(ignore_index, "ignore_index", owner, minimum=None)
        )

    def _settings(self) -> dict[str, Any]:
        return {"class_weight": self.class_weight, "ignore_index": self.ignore_index}

    def _value(self, y: Array, target: ArrayLike, **weights: Any) -> float:
        raise NotImplementedError

    def _slope(self, y: Array, target: ArrayLike, **weights: Any) -> Array:
        raise NotImplementedError

    def value(self, y: Array, target: ArrayLike) -> float:
        """Return the mean loss of a batch."""
        return self._value(y, target)

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        return self._slope(y, target)

    def _weighted_value(self, y: Array, target: ArrayLike, weights: Array) -> float:
        return self._value(y, target, sample_weight=weights)  # the weights of classes are part of the mean

    def _weighted_gradient(self, y: Array, target: ArrayLike, weights: Array) -> Array:
        return self._slope(y, target, sample_weight=weights)

    def total_weight(self, y: Any, target: Any, sample_weight: Any = None) -> float:
        """Return the sum over examples, or pixels, of ``s[n] * c[label[n]]``, without those that are ignored.

        If the targets are shares, it is the sum of ``s[n]``, see `numpycnn.functional.cross_entropy`.
        """
        labels, given = np.asarray(target), self._check_sample_weight(y, sample_weight)
        axes = (1,) * (y.ndim - 2)
        weights = np.ones((len(y), *y.shape[2:]))
        if given is not None:
            weights *= given.reshape(-1, *axes)
        if labels.ndim < y.ndim and labels.dtype.kind in "iu":
            if self.class_weight is not None:
                weights *= np.take(self.class_weight, labels, mode="clip")
            if self.ignore_index is not None:
                weights[labels == self.ignore_index] = 0
        return float(weights.sum())

    def draw_target(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return random labels, none of them ignored."""
        kept = [label for label in range(shape[1]) if label != self.ignore_index]
        return rng.choice(kept, (shape[0], *shape[2:]))

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return self._settings() | super().config()


class CrossEntropy(_OfClasses):
    """Mean cross-entropy of logits (N, K) against labels, see `numpycnn.functional.cross_entropy`.

    Labels are integers (N,), one-hot (N, K), or the share of each class: floats (N, K) that add up to 1 in each row.
    For logits (N, K, H, W) there is a label for each pixel, (N, H, W).

    Parameters
    ----------
    label_smoothing : float
        Share of the target that is spread evenly over all classes, from 0 to 1.
    class_weight : array_like of shape (K,), optional
        Weight of each class, at least 0; the loss is then a weighted mean.
    ignore_index : int, optional
        A label that does not count, such as that of pixels without one. If all are ignored, the loss is 0.
    from_logits : bool
        False for outputs that are probabilities, as those of `Softmax`. Their logarithm loses accuracy near 0, so
        logits are the better choice.
    l1, l2 : float
        Penalties on the weights.

    Raises
    ------
    ValueError
        If a setting is out of range.
    TypeError
        If a setting has the wrong type.

    Examples
    --------
    >>> import numpy as np
    >>> loss = CrossEntropy(class_weight=[1.0, 3.0])
    >>> round(loss.forward(np.zeros((2, 2)), [0, 1]), 4)
    0.6931
    >>> loss.backward()
    array([[-0.125,  0.125],
           [ 0.375, -0.375]])
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        class_weight: ArrayLike | None = None,
        ignore_index: int | None = None,
        *,
        from_logits: bool = True,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> None:
        super().__init__(class_weight, ignore_index, l1=l1, l2=l2)
        self.label_smoothing = check_number(label_smoothing, "label_smoothing", "CrossEntropy", minimum=0, maximum=1)
        self.from_logits = check_flag(from_logits, "from_logits", "CrossEntropy")
        self.expects_logits = self.from_logits

    def _value(self, y: Array, target: ArrayLike, **weights: Any) -> float:
        settings = self._settings() | weights
        if self.from_logits:
            return F.cross_entropy(y, target, **settings)
        return F.negative_log_likelihood(np.log(check_probabilities(y, "CrossEntropy")), target, **settings)

    def _slope(self, y: Array, target: ArrayLike, **weights: Any) -> Array:
        settings = self._settings() | weights
        if self.from_logits:
            return F.cross_entropy_backward(y, target, **settings)
        p = check_probabilities(y, "CrossEntropy")
        return F.negative_log_likelihood_backward(np.log(p), target, **settings) / p

    def _settings(self) -> dict[str, Any]:
        return {
            "label_smoothing": self.label_smoothing,
            "class_weight": self.class_weight,
            "ignore_index": self.ignore_index,
        }

    def draw_output(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return random logits or probabilities."""
        y = rng.normal(size=shape)
        return y if self.from_logits else F.softmax(y, axis=1)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().config() | {"from_logits": self.from_logits}


class NegativeLogLikelihood(_OfClasses):
    """Mean of ``-log_p[n, label[n]]`` of log-probabilities (N, K), as those of `LogSoftmax`.

    The labels are those of `CrossEntropy`. `CrossEntropy` of logits is this loss of their log-softmax.

    Parameters
    ----------
    class_weight : array_like of shape (K,), optional
        Weight of each class, at least 0; the loss is then a weighted mean.
    ignore_index : int, optional
        A label that does not count. If all are ignored, the loss is 0.
    l1, l2 : float
        Penalties on the weights.

    Raises
    ------
    ValueError
        If a setting is out of range.
    TypeError
        If a setting has the wrong type.
    """

    def _value(self, y: Array, target: ArrayLike, **weights: Any) -> float:
        return F.negative_log_likelihood(y, target, **self._settings() | weights)

    def _slope(self, y: Array, target: ArrayLike, **weights: Any) -> Array:
        return F.negative_log_likelihood_backward(y, target, **self._settings() | weights)

    def draw_output(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return random log-probabilities."""
        return F.log_softmax(rng.normal(size=shape), axis=1)


class KLDivergence(Loss):
    """Kullback-Leibler divergence of the target ``t`` from log-probabilities ``y``, of the same shape (N, K, ...).

    ::

        loss = 1 / N * sum over all elements of  t * (log(t) - y)        dy = -t / N

    An element with the target 0 counts 0. This is ``KLDivLoss(reduction="batchmean")`` in PyTorch.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 3.13.

    Examples
    --------
    >>> import numpy as np
    >>> half = np.array([[0.5, 0.5]])
    >>> KLDivergence().value(np.log(half), half)
    0.0
    """

    def value(self, y: Array, target: ArrayLike) -> float:
        """Return the mean divergence of a batch."""
        y, t = self._check(y, target)
        y, logs = np.where(t > 0, y, 0), np.log(np.where(t > 0, t, 1))  # 0 times infinity would be NaN
        return float((t * (logs - y)).sum() / len(y))

    def _gradient(self, y: Array, target: ArrayLike) -> Array:
        y, t = self._check(y, target)
        return t * y.dtype.type(-1 / len(y))

    def _check(self, y: Array, target: ArrayLike) -> tuple[Array, Array]:
        y, target = check_pair(y, target, "KLDivergence")
        if not (target >= 0).all():
            raise ValueError(f"KLDivergence: expected probabilities as targets, got a smallest one of {target.min():g}")
        return y, target

    def draw_output(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return random log-probabilities."""
        return F.log_softmax(rng.normal(size=shape), axis=1)

    def draw_target(self, shape: Shape, rng: np.random.Generator) -> Array:
        """Return random probabilities."""
        return F.softmax(rng.normal(size=shape), axis=1)


def check_probabilities(y: Any, owner: str) -> Array:
    """Return outputs from 0 to 1, with the smallest positive number in place of 0, so that they have a logarithm."""
    check_one_output(y, owner)
    y = np.asarray(y)
    if y.dtype.kind == "f" and ((y < -ROUNDING) | (y > 1 + ROUNDING)).any():
        raise ValueError(
            f"{owner}: expected probabilities from 0 to 1 with from_logits=False, got {y.min():g} to {y.max():g}; "
            "leave from_logits out for logits"
        )
    return np.maximum(y, np.finfo(y.dtype).tiny) if y.dtype.kind == "f" else y
