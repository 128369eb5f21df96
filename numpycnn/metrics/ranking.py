"""The area under the ROC curve, from ranks.

The curve shows the share of positives above a threshold over that of negatives, for all thresholds. The area under it
is the probability that a positive has a larger score than a negative, with ties counted half. Among ``P`` positives and
``M`` negatives with the ranks ``r`` (from 1, equal scores share their mean rank), it is

    (sum of r over the positives - P (P + 1) / 2) / (P M)

Source: T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006, section 7.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from numpycnn._types import Array
from numpycnn.functional import softmax
from numpycnn.metrics.classes import LabelMetric

TOLERANCE = 1e-4  # by which probabilities of an example may miss a sum of 1


class ROCAUC(LabelMetric):
    """Area under the ROC curve; of several classes or labels, the mean of the areas of each against the rest.

    Of more than two classes, the scores are probabilities: those of `softmax`, unless the outputs are probabilities
    already, from 0 to 1 and with a sum of 1. A class without an example, or without one of the others, has no area and
    is left out of the mean; if there is no area at all, the result is NaN.

    It keeps all scores of an epoch.

    Parameters
    ----------
    multilabel : bool, optional
        Whether targets of the outputs' shape are several labels, or one-hot; without it, the first batch decides.
    ignore_index : int, optional
        A label that does not count.
    name : str, optional
        The name in records.

    Raises
    ------
    TypeError
        If a setting has the wrong type.

    References
    ----------
    T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006, section 7.

    Examples
    --------
    >>> metric = ROCAUC()
    >>> metric.update([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> metric.result()
    0.75
    """

    cheap = False
    default_name = "roc_auc"

    def __init__(
        self, *, multilabel: bool | None = None, ignore_index: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(multilabel=multilabel, ignore_index=ignore_index, name=name)
        self._batches: list[tuple[Array, Array]] = []  # scores and labels, (M, K) each; K is 1 for yes or no

    def _update(self, y: Array, target: Array) -> None:
        found = self._labels(y, target)
        if found is None:
            scores, labels = self._lines(y), self._lines(target) > 0.5
        else:
            rows, classes = found
            if rows.shape[1] == 2:
                scores, labels = (rows[:, 1:].astype(np.float64) - rows[:, :1]), classes[:, None] == 1
            else:
                scores, labels = _probabilities(rows), classes[:, None] == np.arange(rows.shape[1])
        self._add("examples", len(scores))
        self._batches.append((scores, labels))

    def result(self) -> float:
        """Return the area, from 0 to 1, or NaN if there is none."""
        self._check_updated()
        scores, labels = self._joined()
        areas = np.array([_area(scores[:, k], labels[:, k]) for k in range(scores.shape[1])])
        defined = areas[~np.isnan(areas)]
        return float(defined.mean()) if defined.size else float("nan")

    def _joined(self) -> tuple[Array, Array]:
        scores, labels = (np.concatenate(parts) for parts in zip(*self._batches, strict=True))
        return scores, labels

    def reset(self) -> None:
        """Forget all batches."""
        super().reset()
        self._batches = []

    def state(self) -> dict[str, Array]:
        """Return the scores and labels so far, for a checkpoint."""
        kept = dict(zip(("scores", "labels"), self._joined(), strict=True)) if self._batches else {}
        return super().state() | kept

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Continue from a `state`."""
        super().load_state({name: array for name, array in state.items() if name not in ("scores", "labels")})
        self._batches = [(np.array(state["scores"]), np.array(state["labels"]))] if "scores" in state else []

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"multilabel": self.multilabel, "ignore_index": self.ignore_index, "name": self._name}


def _probabilities(y: Array) -> Array:
    """Return outputs (M, K) as probabilities."""
    if (y >= 0).all() and (np.abs(y.sum(axis=1) - 1) <= TOLERANCE).all():
        return y
    return softmax(y.astype(np.float64))


def _area(scores: Array, labels: Array) -> float:
    positives = int(labels.sum())
    if not 0 < positives < len(labels):
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place.reshape(-1)]
    above = ranks[labels].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(labels) - positives)))
