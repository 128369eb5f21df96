"""Loss functions: one number for how wrong the outputs are, and its gradient, where every backward pass begins.

Cross-entropy takes logits, the numbers before the softmax, because both together are simpler and numerically safer than
one after the other. With ``p = softmax(z)`` and the target distribution ``t`` (1 for the label, 0 elsewhere; with label
smoothing ``e``, ``(1 - e)`` for the label plus ``e / K`` for each class),

    loss = - mean over n of  sum over k of  t[n, k] * log p[n, k]        dz = (p - t) / N

since the derivative of ``log p[k]`` with respect to ``z[j]`` is ``[k = j] - p[j]`` and the targets add up to 1. Nothing
else is asked of them, so an example may belong to several classes in shares, as after mixup.

Binary cross-entropy is the same with a sigmoid in place of the softmax: ``dz = (sigmoid(z) - t) / size``. Written as
``max(z, 0) - z t + log(1 + exp(-|z|))`` it never overflows.

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


def _targets(labels: Array, logits: Array, label_smoothing: float) -> Array:
    """Return the target distributions, (N, K), of integer labels (N,) or of shares (N, K)."""
    num_classes = logits.shape[1]
    targets = labels if labels.ndim == 2 else one_hot(labels, num_classes, dtype=logits.dtype)
    return (1 - label_smoothing) * targets + label_smoothing / num_classes


def cross_entropy(logits: Array, labels: Array, *, label_smoothing: float = 0.0) -> float:
    """Return the mean cross-entropy of logits (N, K) and labels, in nats."""
    targets = _targets(labels, logits, label_smoothing)
    log_p = np.where(targets > 0, log_softmax(logits), 0)  # 0 times -infinity would be NaN
    return float(-(targets * log_p).sum(axis=1).mean())


def cross_entropy_backward(logits: Array, labels: Array, *, label_smoothing: float = 0.0, dy: float = 1.0) -> Array:
    """Return ``dlogits = dy * (softmax(logits) - targets) / N``."""
    return (softmax(logits) - _targets(labels, logits, label_smoothing)) * (dy / len(logits))


def binary_cross_entropy(logits: Array, target: Array) -> float:
    """Return the mean of ``-t log(p) - (1 - t) log(1 - p)`` with ``p = sigmoid(logits)``, in nats."""
    return float((np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))).mean())


def binary_cross_entropy_backward(logits: Array, target: Array, *, dy: float = 1.0) -> Array:
    """Return ``dlogits = dy * (sigmoid(logits) - target) / size``."""
    return (sigmoid(logits) - target) * (dy / logits.size)


def mean_squared_error(y: Array, target: Array) -> float:
    """Return the mean of ``(y - target)^2``."""
    return float(((y - target) ** 2).mean())


def mean_squared_error_backward(y: Array, target: Array, *, dy: float = 1.0) -> Array:
    """Return ``dy * 2 (y - target) / size``."""
    return (y - target) * (2 * dy / y.size)
