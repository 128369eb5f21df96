"""Loss functions: arguments checked, then the backend's operation; `numpycnn.plain.losses` derives the gradients."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from numpycnn._checks import (
    check_array,
    check_int,
    check_labels,
    check_number,
    check_shape,
    check_unmasked,
    format_shape,
)
from numpycnn._settings import operations
from numpycnn._types import Array

SHARE_TOLERANCE = 1e-4  # by which the shares of an example may miss a sum of 1: rounding


def one_hot(labels: ArrayLike, num_classes: int, *, dtype: DTypeLike = np.float32) -> Array:
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
    >>> from numpycnn.functional import one_hot
    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    num_classes = check_int(num_classes, "num_classes", "one_hot")
    return operations().one_hot(check_labels(labels, num_classes, "one_hot"), num_classes, dtype=dtype)


def cross_entropy(logits: Array, labels: ArrayLike, *, label_smoothing: float = 0.0) -> float:
    """Return the mean cross-entropy between the labels and the softmax of the logits.

    Parameters
    ----------
    logits : ndarray of shape (N, K)
        float32 or float64; any finite values give a finite loss.
    labels : array of int of shape (N,), or of float of shape (N, K)
        From 0 to ``K - 1``; or the share of each class, from 0 to 1 and adding up to 1 in each row.
    label_smoothing : float
        Share of the target that is spread evenly over all classes, from 0 to 1.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    ValueError
        If the shapes do not match, a label is out of range, shares do not add up to 1, or the batch is empty.
    TypeError
        If the logits are not float32 or float64, or the labels are neither integers nor shares.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.3.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import cross_entropy
    >>> logits = np.array([[2.0, 0.0, 0.0]])
    >>> round(cross_entropy(logits, [0]), 4), round(cross_entropy(logits, [[0.5, 0.5, 0.0]]), 4)
    (0.2395, 1.2395)
    """
    logits, labels, smoothing = _check_classes(logits, labels, label_smoothing, "cross_entropy")
    return operations().cross_entropy(logits, labels, label_smoothing=smoothing)


def cross_entropy_backward(logits: Array, labels: ArrayLike, *, label_smoothing: float = 0.0, dy: float = 1.0) -> Array:
    """Return the gradient of `cross_entropy`, ``dy * (softmax(logits) - targets) / N``.

    Parameters
    ----------
    logits, labels, label_smoothing
        As given to `cross_entropy`.
    dy : float
        Gradient with respect to the loss; 1 if the loss is what is minimized.
    """
    logits, labels, smoothing = _check_classes(logits, labels, label_smoothing, "cross_entropy_backward")
    dy = check_number(dy, "dy", "cross_entropy_backward", finite=False)
    return operations().cross_entropy_backward(logits, labels, label_smoothing=smoothing, dy=dy)


def _check_classes(logits: object, labels: object, smoothing: object, owner: str) -> tuple[Array, Array, float]:
    logits = check_array(logits, "logits", owner, shape=("N", "K"))
    labels = check_unmasked(labels, "labels", owner)
    shares = labels.dtype.kind == "f" and labels.ndim == 2
    if labels.ndim and len(labels) != len(logits):
        raise ValueError(f"{owner}: expected {len(logits)} labels, one for each row of logits, got {len(labels)}")
    if not shares:
        labels = check_labels(labels, logits.shape[1], owner)
    if not len(logits):
        raise ValueError(f"{owner}: expected a batch that is not empty, got logits {format_shape(logits.shape)}")
    smoothing = check_number(smoothing, "label_smoothing", owner, minimum=0, maximum=1)
    return logits, _check_shares(labels, logits, owner) if shares else labels, smoothing


def _check_shares(shares: Array, logits: Array, owner: str) -> Array:
    """Return a share of each class for each row, checked to be a distribution, in the dtype of the logits."""
    check_shape(shares, logits.shape, "labels (as a share of each class)", owner)
    sums = shares.sum(axis=1, dtype=np.float64)
    bad = ~(shares >= 0).all(axis=1) | ~(np.abs(sums - 1) <= SHARE_TOLERANCE)  # (N,)
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"{owner}: expected labels as integers (N,), or as shares from 0 to 1 that add up to 1 in each row, "
            f"got a smallest share of {shares[row].min():g} and a sum of {sums[row]:g} in row {row}"
        )
    return np.require(shares, logits.dtype, ["C", "A"])


def _check_pair(y: object, target: object, owner: str) -> tuple[Array, Array]:
    y = check_array(y, "y", owner)
    target = check_unmasked(target, "target", owner)
    if target.dtype.kind not in "biuf":
        raise TypeError(f"{owner}: expected target to hold numbers, got {target.dtype}")
    check_shape(target, y.shape, "target", owner)
    if not y.size:
        raise ValueError(f"{owner}: expected a batch that is not empty, got {format_shape(y.shape)}")
    return y, target.astype(y.dtype)


def binary_cross_entropy(logits: Array, target: ArrayLike) -> float:
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
        If the shapes differ, a target is not from 0 to 1, or the arrays are empty.
    TypeError
        If the logits are not float32 or float64, or the targets are not numbers.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.2.
    """
    logits, target = _check_pair(logits, target, "binary_cross_entropy")
    if not ((target >= 0) & (target <= 1)).all():
        raise ValueError(
            f"binary_cross_entropy: expected targets from 0 to 1, got {target.min():g} to {target.max():g}"
        )
    return operations().binary_cross_entropy(logits, target)


def binary_cross_entropy_backward(logits: Array, target: ArrayLike, *, dy: float = 1.0) -> Array:
    """Return the gradient of `binary_cross_entropy`, ``dy * (sigmoid(logits) - target) / size``.

    Parameters
    ----------
    logits, target
        As given to `binary_cross_entropy`.
    dy : float
        As for `cross_entropy_backward`.
    """
    logits, target = _check_pair(logits, target, "binary_cross_entropy_backward")
    dy = check_number(dy, "dy", "binary_cross_entropy_backward", finite=False)
    return operations().binary_cross_entropy_backward(logits, target, dy=dy)


def mean_squared_error(y: Array, target: ArrayLike) -> float:
    """Return the mean of ``(y - target)^2`` over all elements.

    Parameters
    ----------
    y, target : ndarray of the same shape, float32 or float64

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes differ, or the arrays are empty.
    TypeError
        If `y` is not float32 or float64, or `target` does not hold numbers.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 5.1.4.
    """
    return operations().mean_squared_error(*_check_pair(y, target, "mean_squared_error"))


def mean_squared_error_backward(y: Array, target: ArrayLike, *, dy: float = 1.0) -> Array:
    """Return the gradient of `mean_squared_error`, ``dy * 2 (y - target) / size``.

    Parameters
    ----------
    y, target
        As given to `mean_squared_error`.
    dy : float
        As for `cross_entropy_backward`.
    """
    y, target = _check_pair(y, target, "mean_squared_error_backward")
    dy = check_number(dy, "dy", "mean_squared_error_backward", finite=False)
    return operations().mean_squared_error_backward(y, target, dy=dy)
