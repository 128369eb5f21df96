"""One row for each metric, and each kind of outputs and targets; `test_contract` tries them all.

To add a metric, add a row: a test names those that are missing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numpycnn.metrics import (
    F1,
    PSNR,
    ROCAUC,
    Accuracy,
    MeanAbsoluteError,
    MeanIoU,
    Metric,
    Precision,
    Recall,
    RSquared,
    TopKAccuracy,
)

Batch = tuple[np.ndarray, np.ndarray]
Draw = Callable[[np.random.Generator], Batch]
Oracle = Callable[[Any, np.ndarray, np.ndarray], Any]  # of sklearn.metrics, outputs and targets


class Row(NamedTuple):
    make: Callable[[], Metric]
    draw: Draw
    theirs: Oracle


# -------------------------------------------------------------------------------------------- outputs and their targets


def size(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(10, 40)), int(rng.integers(3, 6))


def classes(rng: np.random.Generator) -> Batch:
    n, k = size(rng)
    labels = rng.integers(0, k, n)
    return rng.normal(size=(n, k)) + np.eye(k)[labels], labels


def every_class(rng: np.random.Generator) -> Batch:
    n, k = size(rng)
    labels = rng.permutation(np.arange(n) % k)
    return rng.normal(size=(n, k)) + np.eye(k)[labels], labels


def rare_classes(rng: np.random.Generator) -> Batch:
    """Some classes are neither in the targets nor predicted."""
    labels = rng.integers(0, 2, 12)
    return np.concatenate([rng.normal(size=(12, 3)), np.full((12, 2), -9.0)], axis=1), labels


def one_hot(rng: np.random.Generator) -> Batch:
    y, labels = classes(rng)
    return y, np.eye(y.shape[1], dtype=np.float32 if rng.random() < 0.5 else int)[labels]


def pixels(rng: np.random.Generator) -> Batch:
    n, k = size(rng)
    labels = rng.integers(0, k, (n, 3, 4))
    return rng.normal(size=(n, k, 3, 4)) + np.moveaxis(np.eye(k)[labels], -1, 1), labels


def some_pixels(rng: np.random.Generator) -> Batch:
    y, labels = pixels(rng)
    return y, np.where(rng.random(labels.shape) < 0.3, 255, labels)


def binary(rng: np.random.Generator) -> Batch:
    n = int(rng.integers(10, 40))
    labels = rng.permutation(np.arange(n) % 2)
    return rng.normal(size=n) + labels, labels


def one_logit(rng: np.random.Generator) -> Batch:
    y, labels = binary(rng)
    return y[:, None], labels[:, None].astype(np.float32) if rng.random() < 0.5 else labels


def minus_one(rng: np.random.Generator) -> Batch:
    y, labels = binary(rng)
    return y, 2 * labels - 1


def two_logits(rng: np.random.Generator) -> Batch:
    y, labels = binary(rng)
    other = rng.normal(size=len(y))
    return np.stack([other, other + y], axis=1), labels


def probabilities(rng: np.random.Generator) -> Batch:
    y, labels = binary(rng)
    return 1 / (1 + np.exp(-y)), labels


def mask(rng: np.random.Generator) -> Batch:
    labels = rng.integers(0, 2, (10, 3, 4))
    return (rng.normal(size=labels.shape) + labels)[:, None], labels


def several_labels(rng: np.random.Generator) -> Batch:
    n, k = size(rng)
    labels = rng.integers(0, 2, (n, k))
    labels[0], labels[1] = 1, 0
    return rng.normal(size=(n, k)) + labels, labels


def numbers(rng: np.random.Generator) -> Batch:
    target = rng.normal(size=size(rng)) * rng.choice([0.1, 10]) + rng.choice([0, 100])
    return target + rng.normal(size=target.shape), target


def a_line_of_numbers(rng: np.random.Generator) -> Batch:
    y, target = numbers(rng)
    return y[:, :1], target[:, 0]


def pictures(rng: np.random.Generator) -> Batch:
    target = rng.random((12, 1, 5, 6))
    return target + 0.1 * rng.normal(size=target.shape), target


# ------------------------------------------------------------------------------------------------- what they should be


def decided(y: np.ndarray, target: np.ndarray, threshold: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions as scikit-learn takes them: (M,) integers, or (M, K) of 0 and 1 for several labels."""
    if y.ndim == 1 or y.shape[1] == 1:
        return (target.ravel() > 0).astype(int), (y.ravel() > threshold).astype(int)
    if target.shape == y.shape and (target.sum(axis=1) != 1).any():
        return target, (y > threshold).astype(int)
    labels = target.argmax(axis=1) if target.shape == y.shape else target
    kept = labels != 255
    return labels[kept], y.argmax(axis=1)[kept]


def by_labels(name: str, threshold: float = 0.0, **settings: Any) -> Oracle:
    def compute(metrics: Any, y: np.ndarray, target: np.ndarray) -> Any:
        labels, predicted = decided(y, target, threshold)
        extra = dict(settings)
        if "average" in settings:
            extra["zero_division"] = 0
        if settings.get("average", "") is None and labels.ndim == 1:
            extra["labels"] = np.arange(2 if y.ndim == 1 else max(2, y.shape[1]))
        return getattr(metrics, name)(labels, predicted, **extra)

    return compute


def top_k(k: int) -> Oracle:
    def compute(metrics: Any, y: np.ndarray, target: np.ndarray) -> Any:
        labels = target if target.ndim < y.ndim else target.argmax(axis=1)
        rows = np.moveaxis(y, 1, -1).reshape(-1, y.shape[1])
        return metrics.top_k_accuracy_score(labels.ravel(), rows, k=k, labels=np.arange(y.shape[1]))

    return compute


def area(metrics: Any, y: np.ndarray, target: np.ndarray) -> Any:
    labels, _ = decided(y, target)
    if labels.ndim == 2:
        return metrics.roc_auc_score(labels, y, average="macro")
    if y.ndim == 1 or y.shape[1] == 1:
        return metrics.roc_auc_score(labels, y.ravel())
    if y.shape[1] == 2:
        return metrics.roc_auc_score(labels, y[:, 1] - y[:, 0])
    rows = np.moveaxis(y, 1, -1).reshape(-1, y.shape[1])
    rows = np.exp(rows) / np.exp(rows).sum(axis=1, keepdims=True)
    return metrics.roc_auc_score(labels, rows, average="macro", multi_class="ovr")


def flat(name: str) -> Oracle:
    return lambda metrics, y, target: getattr(metrics, name)(target.reshape(len(y), -1), y.reshape(len(y), -1))


def decibels(metrics: Any, y: np.ndarray, target: np.ndarray) -> Any:
    return 10 * np.log10(4.0 / metrics.mean_squared_error(target.ravel(), y.ravel()))


KINDS: dict[str, Draw] = {
    "classes": classes,
    "rare classes": rare_classes,
    "one-hot": one_hot,
    "pixels": pixels,
    "binary": binary,
    "one logit": one_logit,
    "labels of -1 and 1": minus_one,
    "two logits": two_logits,
    "mask": mask,
    "several labels": several_labels,
}
COUNTING: dict[str, tuple[Any, str]] = {
    "precision": (Precision, "precision_score"),
    "recall": (Recall, "recall_score"),
    "F1": (F1, "f1_score"),
    "IoU": (MeanIoU, "jaccard_score"),
}


def averaged(kind: Any, average: str | None) -> Callable[[], Metric]:
    return lambda: kind(average)


ROWS: dict[str, Row] = {
    **{f"accuracy of {kind}": Row(Accuracy, draw, by_labels("accuracy_score")) for kind, draw in KINDS.items()},
    "accuracy of probabilities": Row(
        lambda: Accuracy(threshold=0.5), probabilities, by_labels("accuracy_score", threshold=0.5)
    ),
    "accuracy of some pixels": Row(lambda: Accuracy(ignore_index=255), some_pixels, by_labels("accuracy_score")),
    **{
        f"{average} {name} of {kind}": Row(averaged(metric, average), draw, by_labels(theirs, average=average))
        for name, (metric, theirs) in COUNTING.items()
        for average in ("macro", "micro", None)
        for kind, draw in KINDS.items()
    },
    **{
        f"binary {name}": Row(averaged(metric, "binary"), two_logits, by_labels(theirs, average="binary"))
        for name, (metric, theirs) in COUNTING.items()
    },
    "IoU of some pixels": Row(
        lambda: MeanIoU(ignore_index=255), some_pixels, by_labels("jaccard_score", average="macro")
    ),
    "top 2": Row(lambda: TopKAccuracy(2), classes, top_k(2)),
    "top 2 of one-hot": Row(lambda: TopKAccuracy(2), one_hot, top_k(2)),
    "top 2 of pixels": Row(lambda: TopKAccuracy(2), pixels, top_k(2)),
    **{
        f"area of {kind}": Row(ROCAUC, draw, area)
        for kind, draw in KINDS.items()
        if kind not in {"classes", "rare classes", "one-hot"}
    },
    "area of every class": Row(ROCAUC, every_class, area),
    "area of probabilities": Row(ROCAUC, probabilities, area),
    "absolute error": Row(MeanAbsoluteError, numbers, flat("mean_absolute_error")),
    "absolute error of a line": Row(MeanAbsoluteError, a_line_of_numbers, flat("mean_absolute_error")),
    "absolute error of pictures": Row(MeanAbsoluteError, pictures, flat("mean_absolute_error")),
    "R squared": Row(RSquared, numbers, flat("r2_score")),
    "R squared of a line": Row(RSquared, a_line_of_numbers, flat("r2_score")),
    "decibels": Row(lambda: PSNR(2.0), pictures, decibels),
}
