"""Metrics from three counts of each class: hits, predictions and examples.

    precision = hits / predictions           the share of the predictions of a class that are right
    recall    = hits / examples              the share of a class that is found
    F1        = 2 hits / (predictions + examples)      their harmonic mean
    IoU       = hits / (predictions + examples - hits) intersection over union

A quotient whose denominator is 0 is 0, as in scikit-learn.
"""

from typing import Any

import numpy as np

from numpycnn._checks import check_choice
from numpycnn._types import Array
from numpycnn.metrics.classes import LabelMetric


class CountingMetric(LabelMetric):
    """Base class of `Precision`, `Recall`, `F1` and `MeanIoU`.

    Parameters
    ----------
    average : {"macro", "micro", "binary"} or None
        ``"macro"`` is the mean over the classes that occur in targets or predictions, or over all labels if there are
        several. ``"micro"`` counts all classes together. ``"binary"`` is that of class 1 of two. None gives an array
        with the value of each class, numbered in records: ``f1_0``, ``f1_1``.
    threshold, multilabel, ignore_index, name
        As for `LabelMetric`.

    Raises
    ------
    TypeError
        If a setting has the wrong type.
    ValueError
        If a setting is out of range.
    """

    def __init__(
        self,
        average: str | None = "macro",
        *,
        threshold: float = 0.0,
        multilabel: bool | None = None,
        ignore_index: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(threshold=threshold, multilabel=multilabel, ignore_index=ignore_index, name=name)
        owner, choices = type(self).__name__, ("macro", "micro", "binary")
        self.average = None if average is None else check_choice(average, "average", owner, choices)

    def _score(self, hits: Array, predicted: Array, actual: Array) -> Array:
        raise NotImplementedError

    def _update(self, y: Array, target: Array) -> None:
        found = self._labels(y, target)
        if found is None:
            predicted, right = self._yes(y, target)
            counts = [(predicted & right).sum(axis=0), predicted.sum(axis=0), right.sum(axis=0)]
        else:
            (rows, labels), best = found, found[0].argmax(axis=1)
            counts = [np.bincount(part, minlength=rows.shape[1]) for part in (labels[best == labels], best, labels)]
        for name, count in zip(("hits", "predicted", "actual"), counts, strict=True):
            self._add(name, count)

    def result(self) -> Any:
        """Return the average, or an array with the value of each class.

        Returns
        -------
        float, or ndarray of shape (K,)

        Raises
        ------
        RuntimeError
            If there was no batch.
        ValueError
            If the average is ``"binary"`` and there are not two classes.
        """
        self._check_updated()
        hits, predicted, actual = (self._sums[name] for name in ("hits", "predicted", "actual"))
        if self.average == "micro":
            return float(self._score(hits.sum(), predicted.sum(), actual.sum()))
        scores = self._score(hits, predicted, actual)
        if self.average is None:
            return scores
        if self.average == "binary":
            if len(scores) != 2:
                raise ValueError(f"{type(self).__name__}: expected two classes for 'binary', got {len(scores)}")
            return float(scores[1])
        several = self.multilabel or bool(self._sums.get("multilabel", False))
        averaged = scores if several else scores[predicted + actual > 0]
        return float(averaged.mean()) if averaged.size else float("nan")

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"average": self.average} | super().config()


class Precision(CountingMetric):
    """Share of the predictions of a class that are right, see `CountingMetric` for the settings.

    Examples
    --------
    >>> metric = Precision(average=None)
    >>> metric.update([[2.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0, 1, 0])
    >>> metric.result()
    array([1. , 0.5])
    """

    default_name = "precision"

    def _score(self, hits: Array, predicted: Array, actual: Array) -> Array:
        return _divide(hits, predicted)


class Recall(CountingMetric):
    """Share of a class that is predicted as such, see `CountingMetric` for the settings.

    Examples
    --------
    >>> metric = Recall(average=None)
    >>> metric.update([[2.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0, 1, 0])
    >>> metric.result()
    array([0.5, 1. ])
    """

    default_name = "recall"

    def _score(self, hits: Array, predicted: Array, actual: Array) -> Array:
        return _divide(hits, actual)


class F1(CountingMetric):
    """Harmonic mean of precision and recall, see `CountingMetric` for the settings.

    Examples
    --------
    >>> metric = F1()
    >>> metric.update([[2.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0, 1, 0])
    >>> round(metric.result(), 4)
    0.6667
    """

    default_name = "f1"

    def _score(self, hits: Array, predicted: Array, actual: Array) -> Array:
        return _divide(2 * hits, predicted + actual)


class MeanIoU(CountingMetric):
    """Intersection over union of predicted and actual pixels of a class, see `CountingMetric` for the settings.

    The mean over the classes, unless another average is set; also called the Jaccard index.

    Examples
    --------
    >>> import numpy as np
    >>> metric = MeanIoU()
    >>> logits = np.array([[[[1.0, 1.0]], [[0.0, 2.0]]]])  # one picture, two classes, one row of two pixels
    >>> metric.update(logits, [[[0, 0]]])
    >>> metric.result()
    0.25
    """

    default_name = "mean_iou"

    def _score(self, hits: Array, predicted: Array, actual: Array) -> Array:
        return _divide(hits, predicted + actual - hits)


def _divide(a: Array, b: Array) -> Array:
    """Return ``a / b``, and 0 where `b` is 0."""
    return np.divide(a, b, out=np.zeros(np.shape(b)), where=np.asarray(b) != 0)
