"""Losses: one number for how wrong the outputs are, and its gradient, from which all learning starts.

Cross-entropy takes logits, that is numbers before the softmax, because the two together are simpler and safer than one
after the other. With ``p = softmax(z)`` and the target distribution ``t`` (1 for the label, 0 elsewhere; smoothed with
``e``: ``(1 - e)`` for the label plus ``e / K`` for each class),

    loss = - mean over n of  sum over k of  t[n, k] * log p[n, k]        dz = (p - t) / N

since the derivative of ``log p[k]`` with respect to ``z[j]`` is ``[k = j] - p[j]`` and the targets add up to 1. That is
all that is asked of them, so an example may as well belong to several classes in shares, as after `MixUp`. Binary
cross-entropy is the same with a sigmoid: ``dz = (sigmoid(z) - t) / size``.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2; label smoothing: C. Szegedy et al.,
"Rethinking the inception architecture for computer vision", arXiv 1512.00567, section 7.
"""

from typing import Any

import numpy as np

from numpycnn.functional.activations import sigmoid
from numpycnn.functional.checks import check_number, class_labels, expect_shape, float_array, spell, whole_number
from numpycnn.functional.softmax import log_softmax, softmax

MOST_OFF = 1e-4  # how far the shares of an example may add up to something else than 1: rounding, and no more


def one_hot(labels: Any, num_classes: int, *, dtype: Any = np.float32) -> np.ndarray:
    """Return one row for each label: 1 in the label's column and 0 elsewhere.

    Parameters
    ----------
    labels : array of int of shape (N,)
    num_classes : int
    dtype : dtype

    Returns
    -------
    ndarray of shape (N, num_classes)

    Raises
    ------
    ValueError
        If a label is not from 0 to ``num_classes - 1``.
    TypeError
        If the labels are not integers.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 15.4.

    Examples
    --------
    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    num_classes = whole_number(num_classes, "num_classes", "one_hot")
    labels = class_labels(labels, num_classes, "one_hot")
    rows = np.zeros((len(labels), num_classes), dtype)
    rows[np.arange(len(labels)), labels] = 1
    return rows


def _shares(labels: np.ndarray, logits: np.ndarray, operation: str) -> np.ndarray:
    """Return a share of each class for each row, checked to be a distribution, in the type of the logits."""
    expect_shape(labels, logits.shape, "labels (as a share of each class)", operation)
    bad = ~(labels >= 0).all(axis=1) | ~(np.abs(labels.sum(axis=1, dtype=np.float64) - 1) <= MOST_OFF)  # (N,)
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"{operation}: expected labels as integers (N,), or as shares from 0 to 1 that add up to 1 in each row, "
            f"got shares from {labels[row].min():g} on that add up to {labels[row].sum():g} in row {row}"
        )
    return np.require(labels, logits.dtype, ["C", "A"])


def _targets(logits: Any, labels: Any, label_smoothing: Any, operation: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits, and the distribution that they should give, (N, K) both."""
    logits = float_array(logits, "logits", operation)
    expect_shape(logits, ("N", "K"), "logits", operation)
    labels = np.asarray(labels)
    shared = labels.dtype.kind == "f" and labels.ndim == 2
    if not shared:
        labels = class_labels(labels, logits.shape[1], operation)
    if len(labels) != len(logits):
        raise ValueError(f"{operation}: expected {len(logits)} labels, one for each row of logits, got {len(labels)}")
    if not len(logits):
        raise ValueError(f"{operation}: expected a batch that is not empty, got logits {spell(logits.shape)}")
    if isinstance(label_smoothing, bool) or not isinstance(label_smoothing, int | float | np.number):
        raise TypeError(f"{operation}: expected label_smoothing to be a number, got {type(label_smoothing).__name__}")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{operation}: expected label_smoothing from 0 to 1, got {label_smoothing}")
    targets = _shares(labels, logits, operation) if shared else one_hot(labels, logits.shape[1], dtype=logits.dtype)
    if label_smoothing:
        targets = targets * logits.dtype.type(1 - label_smoothing) + logits.dtype.type(
            label_smoothing / logits.shape[1]
        )
    return logits, targets


def cross_entropy(logits: Any, labels: Any, *, label_smoothing: float = 0.0) -> float:
    """Return the mean cross-entropy between the labels and the softmax of the logits.

    Parameters
    ----------
    logits : ndarray of shape (N, K)
        float32 or float64; any finite values give a finite loss.
    labels : array of int of shape (N,), or of float of shape (N, K)
        From 0 to ``K - 1``; or the share of each class, from 0 to 1 and adding up to 1 in each row.
    label_smoothing : float
        Share of the target that is spread evenly over all classes.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    ValueError
        If the shapes do not belong together, a label is out of range, shares do not add up to 1, or the batch is empty.
    TypeError
        If the logits are not float32 or float64, or the labels are neither integers nor shares.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.3.

    Examples
    --------
    >>> logits = np.array([[2.0, 0.0, 0.0]])
    >>> round(cross_entropy(logits, [0]), 4), round(cross_entropy(logits, [[0.5, 0.5, 0.0]]), 4)
    (0.2395, 1.2395)
    """
    logits, targets = _targets(logits, labels, label_smoothing, "cross_entropy")
    terms = np.multiply(
        targets, log_softmax(logits), out=np.zeros_like(targets), where=targets != 0
    )  # 0 * inf is 0 here
    return float(-terms.sum() / len(logits))


def cross_entropy_backward(logits: Any, labels: Any, *, label_smoothing: float = 0.0, dy: float = 1.0) -> np.ndarray:
    """Return ``dlogits = dy * (softmax(logits) - targets) / N``, (N, K).

    Parameters
    ----------
    dy : float
        Gradient of what comes after with respect to the loss, 1 if the loss is the end.

    Returns
    -------
    ndarray of the shape of the first argument
        Gradient with respect to it.
    """
    logits, targets = _targets(logits, labels, label_smoothing, "cross_entropy_backward")
    dy = check_number(dy, "dy", "cross_entropy_backward", finite=False)
    return (softmax(logits) - targets) * logits.dtype.type(dy / len(logits))


def _pair(y: Any, target: Any, operation: str) -> tuple[np.ndarray, np.ndarray]:
    y = float_array(y, "y", operation)
    target = np.asarray(target)
    if target.dtype.kind not in "biuf":
        raise TypeError(f"{operation}: expected target to hold numbers, got {target.dtype}")
    target = target.astype(y.dtype)
    expect_shape(target, y.shape, "target", operation)
    if not y.size:
        raise ValueError(f"{operation}: expected a batch that is not empty, got {spell(y.shape)}")
    return y, target


def binary_cross_entropy(logits: Any, target: Any) -> float:
    """Return the mean of ``-t log(p) - (1 - t) log(1 - p)`` with ``p = sigmoid(logits)``, in nats.

    Parameters
    ----------
    logits : ndarray of any shape
        float32 or float64; any finite values give a finite loss.
    target : ndarray of the same shape
        From 0 to 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes differ, a target is not from 0 to 1, or there is no element.
    TypeError
        If the logits are not float32 or float64, or the targets no numbers.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.2.

    Notes
    -----
    Computed as ``max(z, 0) - z t + log(1 + exp(-|z|))``, which is the same and never overflows.
    """
    logits, target = _pair(logits, target, "binary_cross_entropy")
    if ((target < 0) | (target > 1)).any():
        raise ValueError(
            f"binary_cross_entropy: expected targets from 0 to 1, got {target.min():g} to {target.max():g}"
        )
    return float((np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))).mean())


def binary_cross_entropy_backward(logits: Any, target: Any, *, dy: float = 1.0) -> np.ndarray:
    """Return ``dlogits = dy * (sigmoid(logits) - target) / size``."""
    logits, target = _pair(logits, target, "binary_cross_entropy_backward")
    dy = check_number(dy, "dy", "binary_cross_entropy_backward", finite=False)
    return np.asarray((sigmoid(logits) - target) * logits.dtype.type(dy / logits.size))


def mean_squared_error(y: Any, target: Any) -> float:
    """Return the mean of ``(y - target)^2`` over all elements; `y` and `target` have the same shape.

    Parameters
    ----------
    y, target : ndarray of the same shape
        float32 or float64.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes differ, or there is no element.
    TypeError
        If an array is not float32 or float64, or the two differ in type.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 5.1.4.
    """
    y, target = _pair(y, target, "mean_squared_error")
    return float(((y - target) ** 2).mean())


def mean_squared_error_backward(y: Any, target: Any, *, dy: float = 1.0) -> np.ndarray:
    """Return ``dy * 2 (y - target) / size``."""
    y, target = _pair(y, target, "mean_squared_error_backward")
    dy = check_number(dy, "dy", "mean_squared_error_backward", finite=False)
    return np.asarray((y - target) * y.dtype.type(2 * dy / y.size))
