"""Metrics of classes and labels, and the first of them: accuracy and top-k accuracy.

Outputs and targets may be

    one class of several      y (N, K)        target (N,) integers, or (N, K) one-hot
    the same of each pixel    y (N, K, H, W)  target (N, H, W), or (N, K, H, W) one-hot
    yes or no                 y (N,) or (N, 1), also (N, 1, H, W)      target of 0 and 1, or -1 and 1
    several labels            y (N, K)        target (N, K) of 0 and 1, or -1 and 1; of mixed or smoothed labels, a
                                              share above one half is a 1

The predicted class is the one with the largest output; of yes or no, and of several labels, each output above the
threshold is a yes. Yes or no is a problem of two classes, as with two outputs.
"""

from typing import Any

import numpy as np

from numpycnn._checks import check_flag, check_int, check_number, format_shape
from numpycnn._types import Array
from numpycnn.metrics.base import Metric

ONE_HOT_TOLERANCE = 1e-4  # by which the targets of an example may miss a sum of 1


class LabelMetric(Metric):
    """Base class of the metrics of classes and labels.

    Parameters
    ----------
    threshold : float
        Outputs above it are a yes, where each output is one of its own: 0 for logits, 0.5 for probabilities.
    multilabel : bool, optional
        Whether targets of the outputs' shape are several labels, or one-hot. Without it, the first batch decides: they
        are one-hot if each example has exactly one label.
    ignore_index : int, optional
        A label that does not count, as in `numpycnn.CrossEntropy`.
    name : str, optional
        The name in records.

    Raises
    ------
    TypeError
        If a setting has the wrong type.
    ValueError
        If a setting is out of range.
    """

    def __init__(
        self,
        *,
        threshold: float = 0.0,
        multilabel: bool | None = None,
        ignore_index: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        owner = type(self).__name__
        self.threshold = check_number(threshold, "threshold", owner)
        self.multilabel = None if multilabel is None else check_flag(multilabel, "multilabel", owner)
        self.ignore_index = (
            None if ignore_index is None else check_int(ignore_index, "ignore_index", owner, minimum=None)
        )

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        settings = {"threshold": self.threshold, "multilabel": self.multilabel, "ignore_index": self.ignore_index}
        return settings | super().config()

    def _labels(self, y: Array, target: Array) -> tuple[Array, Array] | None:
        """Return outputs (M, K) and labels (M,), with the pixels in a line; None if there are several labels.

        Yes or no becomes the outputs ``(threshold, y)`` of two classes.
        """
        if y.ndim == 1 or y.shape[1] == 1:
            without_axis = (len(y), *y.shape[2:])
            if target.shape not in {y.shape, without_axis}:
                raise self._misfit(y, target, f"targets {format_shape(without_axis)} of 0 and 1")
            kept = slice(None) if self.ignore_index is None else target.ravel() != self.ignore_index
            scores, labels = y.ravel()[kept], target.ravel()[kept]
            if not np.isin(labels, (-1, 0, 1)).all():
                raise ValueError(f"{type(self).__name__}: expected targets of 0 and 1, or -1 and 1, for one output")
            return np.stack([np.full_like(scores, self.threshold, np.float64), scores], axis=1), (labels > 0).astype(
                int
            )
        if target.shape == y.shape:
            if self._has_several(target):
                return None
            target = target.argmax(axis=1)
        elif target.shape != (len(y), *y.shape[2:]):
            raise self._misfit(y, target, f"labels {format_shape((len(y), *y.shape[2:]))}, or one-hot")
        rows, labels = self._lines(y), target.ravel()
        if labels.dtype.kind not in "iu":
            raise TypeError(f"{type(self).__name__}: expected labels to be integers, got {labels.dtype}")
        if self.ignore_index is not None:
            rows, labels = rows[labels != self.ignore_index], labels[labels != self.ignore_index]
        if labels.size and not (labels.min() >= 0 and labels.max() < rows.shape[1]):
            raise ValueError(
                f"{type(self).__name__}: expected labels from 0 to {rows.shape[1] - 1}, "
                f"got {labels.min() if labels.min() < 0 else labels.max()}"
            )
        return rows, labels.astype(np.int64)

    def _yes(self, y: Array, target: Array) -> tuple[Array, Array]:
        """Return which of several labels are predicted and which are right, (M, K) each."""
        return self._lines(y) > self.threshold, self._lines(target) > 0.5

    def _has_several(self, target: Array) -> bool:
        """Return whether targets of the outputs' shape are several labels; the first batch decides."""
        if self.multilabel is not None:
            return self.multilabel
        several = bool((np.abs(target.sum(axis=1, dtype=np.float64) - 1) > ONE_HOT_TOLERANCE).any())
        decided = self._sums.setdefault("multilabel", np.asarray(several))
        if several and not decided:
            raise ValueError(
                f"{type(self).__name__}: expected one-hot targets as in the batches before, got an example with no or "
                f"several labels; write {type(self).__name__}(multilabel=True)"
            )
        return bool(decided)

    def _lines(self, array: Array) -> Array:
        """Return (N, K, ...) as (M, K)."""
        return np.moveaxis(array, 1, -1).reshape(-1, array.shape[1])

    def _misfit(self, y: Array, target: Array, wanted: str) -> ValueError:
        return ValueError(
            f"{type(self).__name__}: expected {wanted} for outputs {format_shape(y.shape)}, "
            f"got targets {format_shape(target.shape)}"
        )


class Accuracy(LabelMetric):
    """Share of the examples, or pixels, whose class is predicted; of several labels, all must be right.

    The settings are those of `LabelMetric`.

    Examples
    --------
    >>> accuracy = Accuracy()
    >>> accuracy.update([[2.0, 0.0], [0.0, 1.0]], [0, 1])
    >>> accuracy.update([[3.0, 0.0], [0.0, 1.0]], [1, 1])
    >>> accuracy.result()
    0.75
    """

    default_name = "accuracy"

    def _update(self, y: Array, target: Array) -> None:
        found = self._labels(y, target)
        if found is None:
            predicted, right = self._yes(y, target)
            hits = (predicted == right).all(axis=1)
        else:
            hits = found[0].argmax(axis=1) == found[1]
        self._add("hits", hits.sum())
        self._add("examples", hits.size)

    def result(self) -> float:
        """Return the accuracy, from 0 to 1; NaN if every label was ignored."""
        self._check_updated()
        return _ratio(self._sums["hits"], self._sums["examples"])


class TopKAccuracy(LabelMetric):
    """Share of the examples, or pixels, whose class is among the `k` with the largest outputs.

    Of equal outputs, the class with the smaller number counts as the larger one, as in `Accuracy`.

    Parameters
    ----------
    k : int
    ignore_index : int, optional
        A label that does not count.
    name : str, optional
        The name in records; without it, ``top_2_accuracy`` for a `k` of 2.

    Raises
    ------
    TypeError, ValueError
        If `k` is not a positive int.

    Examples
    --------
    >>> metric = TopKAccuracy(2)
    >>> metric.update([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]], [1, 2])
    >>> metric.results()
    {'top_2_accuracy': 0.5}
    """

    def __init__(self, k: int, *, ignore_index: int | None = None, name: str | None = None) -> None:
        super().__init__(multilabel=False, ignore_index=ignore_index, name=name)
        self.k = check_int(k, "k", "TopKAccuracy")
        self.default_name = f"top_{self.k}_accuracy"

    def _update(self, y: Array, target: Array) -> None:
        found = self._labels(y, target)
        assert found is not None  # there are not several labels
        scores, labels = found
        if self.k > scores.shape[1]:
            raise ValueError(f"TopKAccuracy: expected at least {self.k} classes, got {scores.shape[1]}")
        own = np.take_along_axis(scores, labels[:, None], axis=1)
        before = np.arange(scores.shape[1]) < labels[:, None]
        rank = ((scores > own) | ((scores == own) & before)).sum(axis=1)
        self._add("hits", (rank < self.k).sum())
        self._add("examples", labels.size)

    def result(self) -> float:
        """Return the accuracy, from 0 to 1; NaN if every label was ignored."""
        self._check_updated()
        return _ratio(self._sums["hits"], self._sums["examples"])

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"k": self.k, "ignore_index": self.ignore_index, "name": self._name}


def _ratio(a: Any, b: Any) -> float:
    return float(a) / float(b) if b else float("nan")
