"""Loss functions: one number for how wrong the outputs are, and its gradient, where every backward pass begins.

Cross-entropy takes logits, the numbers before the softmax, because both together are simpler and numerically safer than
one after the other. With ``p = softmax(z)`` and the target distribution ``t`` (1 for the label, 0 elsewhere; with label
smoothing ``e``, ``(1 - e)`` for the label plus ``e / K`` for each class),

    loss = - mean over n of  sum over k of  t[n, k] * log p[n, k]        dz = (p - t) / N

since the derivative of ``log p[k]`` with respect to ``z[j]`` is ``[k = j] - p[j]`` and the targets add up to 1. Nothing
else is asked of them, so an example may belong to several classes in shares, as after mixup. With log-probabilities in
place of logits, the same sum is the negative log-likelihood, with the gradient ``-t / N``.

A picture ``(N, K, H, W)`` has a label for each pixel, and each pixel counts as an example. With a weight ``c[k]`` for
each class and ``s[n]`` for each example, the targets become ``s[n] c[k] t[n, k]``, and the mean is a weighted one: its
sum is divided by the sum of ``s[n] c[label[n]]``; where the labels are shares, by that of ``s[n]``. An ignored label
has the weight 0. The weighted targets add up to a number other than 1, so ``dz = p * sum(t) - t``, divided as the loss
is.

Binary cross-entropy is the same with a sigmoid in place of the softmax: ``dz = (sigmoid(z) - t) / size``. Written as
``max(z, 0) - z t + log(1 + exp(-|z|))`` it never overflows. A weight ``w`` of the positive targets multiplies
``-t log(p)``, and so adds ``(w - 1) t`` times ``-log(p)`` to the loss and ``(w - 1) t (p - 1)`` to the gradient.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", sections 5.1.4 and 6.2; label smoothing: C. Szegedy et
al., "Rethinking the inception architecture for computer vision", arXiv 1512.00567, section 7.
"""

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Array
from numpycnn.plain.activations import log_softmax, sigmoid, softmax


def one_hot(labels: Array, num_classes: int, *, dtype: DTypeLike = np.float32) -> Array:
    """Return one row for each label: 1 in the label's column and 0 elsewhere."""
    return (np.asarray(labels)[:, None] == np.arange(num_classes)).astype(dtype)


def _weighted_targets(
    labels: Array,
    y: Array,
    label_smoothing: float,
    class_weight: Array | None,
    ignore_index: int | None,
    sample_weight: Array | None,
) -> tuple[Array, float]:
    """Return the targets of outputs (N, K, ...), times their weights, and the sum of the weights."""
    (n, num_classes, *size), shares = y.shape, labels.ndim == y.ndim
    dtype = np.result_type(y, np.float32)
    axes = (1,) * len(size)
    targets = labels if shares else labels[:, None] == np.arange(num_classes).reshape(-1, *axes)
    targets = ((1 - label_smoothing) * targets + label_smoothing / num_classes).astype(dtype)
    weights = np.ones((n, *size), dtype)
    if sample_weight is not None:
        weights *= sample_weight.reshape(-1, *axes)
    if ignore_index is not None and not shares:
        weights[labels == ignore_index] = 0
    targets *= weights[:, None]
    if class_weight is not None:
        targets *= class_weight.reshape(-1, *axes)
        if not shares:
            weights *= class_weight.take(labels, mode="clip")  # an ignored label is out of range, with a weight of 0
    return targets, float(weights.sum()) or 1.0  # 1: the loss is 0 where every label is ignored


def negative_log_likelihood(
    log_p: Array,
    labels: Array,
    *,
    label_smoothing: float = 0.0,
    class_weight: Array | None = None,
    ignore_index: int | None = None,
    sample_weight: Array | None = None,
) -> float:
    """Return the mean negative log-probability (N, K, ...) of the labels, in nats."""
    targets, total = _weighted_targets(labels, log_p, label_smoothing, class_weight, ignore_index, sample_weight)
    log_p = np.where(targets > 0, log_p, 0)  # 0 times -infinity would be NaN
    return float(-(targets * log_p).sum(axis=1).sum() / total)


def negative_log_likelihood_backward(
    log_p: Array,
    labels: Array,
    *,
    label_smoothing: float = 0.0,
    class_weight: Array | None = None,
    ignore_index: int | None = None,
    sample_weight: Array | None = None,
    dy: float = 1.0,
) -> Array:
    """Return ``dlog_p = -dy * targets / N``."""
    targets, total = _weighted_targets(labels, log_p, label_smoothing, class_weight, ignore_index, sample_weight)
    return targets * (-dy / total)


def cross_entropy(
    logits: Array,
    labels: Array,
    *,
    label_smoothing: float = 0.0,
    class_weight: Array | None = None,
    ignore_index: int | None = None,
    sample_weight: Array | None = None,
) -> float:
    """Return the mean cross-entropy of logits (N, K, ...) and labels, in nats."""
    return negative_log_likelihood(
        log_softmax(logits, axis=1),
        labels,
        label_smoothing=label_smoothing,
        class_weight=class_weight,
        ignore_index=ignore_index,
        sample_weight=sample_weight,
    )


def cross_entropy_backward(
    logits: Array,
    labels: Array,
    *,
    label_smoothing: float = 0.0,
    class_weight: Array | None = None,
    ignore_index: int | None = None,
    sample_weight: Array | None = None,
    dy: float = 1.0,
) -> Array:
    """Return ``dlogits = dy * (softmax(logits) - targets) / N``; weighted targets do not add up to 1."""
    targets, total = _weighted_targets(labels, logits, label_smoothing, class_weight, ignore_index, sample_weight)
    sums = targets.sum(axis=1, keepdims=True)
    return (softmax(logits, axis=1) * sums - targets) * (dy / total)


def binary_cross_entropy(logits: Array, target: Array, *, pos_weight: Array | None = None) -> float:
    """Return the mean of ``-w t log(p) - (1 - t) log(1 - p)`` with ``p = sigmoid(logits)``, in nats."""
    rest = np.log1p(np.exp(-np.abs(logits)))
    loss = np.maximum(logits, 0) - logits * target + rest
    if pos_weight is not None:
        loss = loss + (pos_weight - 1) * target * (np.maximum(-logits, 0) + rest)
    return float(loss.mean())


def binary_cross_entropy_backward(
    logits: Array, target: Array, *, pos_weight: Array | None = None, dy: float = 1.0
) -> Array:
    """Return ``dlogits = dy * (p - t + (w - 1) t (p - 1)) / size`` with ``p = sigmoid(logits)``."""
    p = sigmoid(logits)
    slope = p - target
    if pos_weight is not None:
        slope = slope + (pos_weight - 1) * target * (p - 1)
    return slope * (dy / logits.size)


def mean_squared_error(y: Array, target: Array) -> float:
    """Return the mean of ``(y - target)^2``."""
    return float(((y - target) ** 2).mean())


def mean_squared_error_backward(y: Array, target: Array, *, dy: float = 1.0) -> Array:
    """Return ``dy * 2 (y - target) / size``."""
    return (y - target) * (2 * dy / y.size)
