"""Loss functions: arguments checked, then the backend's operation; `numpycnn.plain.losses` derives the gradients."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from numpycnn._checks import (
    as_contiguous,
    check_array,
    check_int,
    check_labels,
    check_number,
    check_one_output,
    check_pair,
    check_unmasked,
    check_weights,
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


def cross_entropy(
    logits: Array,
    labels: ArrayLike,
    *,
    label_smoothing: float = 0.0,
    class_weight: ArrayLike | None = None,
    ignore_index: int | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean cross-entropy between the labels and the softmax of the logits.

    With a weight ``c`` for each class and ``s`` for each example, it is the weighted mean: the sum over the examples
    of ``s[n] * c[label[n]]`` times their loss, divided by the sum of ``s[n] * c[label[n]]``. If the labels are shares,
    ``c`` weights their terms, and the sum is divided by that of ``s`` alone, as in PyTorch.

    Parameters
    ----------
    logits : ndarray of shape (N, K), or (N, K, ...) with a label at each position, such as a pixel
        float32 or float64; any finite values give a finite loss.
    labels : array of int of shape (N,) or (N, ...), or of the shape of the logits
        From 0 to ``K - 1``; or one-hot; or the share of each class, from 0 to 1 and adding up to 1 over the classes.
    label_smoothing : float
        Share of the target that is spread evenly over all classes, from 0 to 1.
    class_weight : array_like of shape (K,), optional
        Weight of each class, at least 0.
    ignore_index : int, optional
        A label that does not count; it may be out of range. If all labels are ignored, the loss is 0.
    sample_weight : array_like of shape (N,), optional
        Weight of each example, at least 0.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    ValueError
        If the shapes do not match, a label is out of range, shares do not add up to 1, a weight is negative, or the
        batch is empty.
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
    owner = "cross_entropy"
    logits, labels = _check_classes(logits, labels, "logits", owner, ignore_index)
    settings = _check_settings(logits, label_smoothing, class_weight, ignore_index, sample_weight, owner)
    return operations().cross_entropy(logits, labels, **settings)


def cross_entropy_backward(
    logits: Array,
    labels: ArrayLike,
    *,
    label_smoothing: float = 0.0,
    class_weight: ArrayLike | None = None,
    ignore_index: int | None = None,
    sample_weight: ArrayLike | None = None,
    dy: float = 1.0,
) -> Array:
    """Return the gradient of `cross_entropy`, ``dy * (softmax(logits) - targets) / N`` where nothing has a weight.

    Parameters
    ----------
    logits, labels, label_smoothing, class_weight, ignore_index, sample_weight
        As given to `cross_entropy`.
    dy : float
        Gradient with respect to the loss; 1 if the loss is what is minimized.
    """
    owner = "cross_entropy_backward"
    logits, labels = _check_classes(logits, labels, "logits", owner, ignore_index)
    settings = _check_settings(logits, label_smoothing, class_weight, ignore_index, sample_weight, owner)
    dy = check_number(dy, "dy", owner, finite=False)
    return operations().cross_entropy_backward(logits, labels, **settings, dy=dy)


def negative_log_likelihood(
    log_p: Array,
    labels: ArrayLike,
    *,
    label_smoothing: float = 0.0,
    class_weight: ArrayLike | None = None,
    ignore_index: int | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean of ``-log_p[n, label[n]]``: `cross_entropy` of log-probabilities, such as those of `log_softmax`.

    Parameters
    ----------
    log_p : ndarray of shape (N, K) or (N, K, ...)
        Logarithms of probabilities, float32 or float64.
    labels, label_smoothing, class_weight, ignore_index, sample_weight
        As for `cross_entropy`.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 5.5.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import negative_log_likelihood
    >>> round(negative_log_likelihood(np.log([[0.25, 0.75]]), [1]), 4)
    0.2877
    """
    owner = "negative_log_likelihood"
    log_p, labels = _check_classes(log_p, labels, "log_p", owner, ignore_index)
    settings = _check_settings(log_p, label_smoothing, class_weight, ignore_index, sample_weight, owner)
    return operations().negative_log_likelihood(log_p, labels, **settings)


def negative_log_likelihood_backward(
    log_p: Array,
    labels: ArrayLike,
    *,
    label_smoothing: float = 0.0,
    class_weight: ArrayLike | None = None,
    ignore_index: int | None = None,
    sample_weight: ArrayLike | None = None,
    dy: float = 1.0,
) -> Array:
    """Return the gradient of `negative_log_likelihood`, ``-dy * targets / N`` where nothing has a weight.

    Parameters
    ----------
    log_p, labels, label_smoothing, class_weight, ignore_index, sample_weight
        As given to `negative_log_likelihood`.
    dy : float
        As for `cross_entropy_backward`.
    """
    owner = "negative_log_likelihood_backward"
    log_p, labels = _check_classes(log_p, labels, "log_p", owner, ignore_index)
    settings = _check_settings(log_p, label_smoothing, class_weight, ignore_index, sample_weight, owner)
    dy = check_number(dy, "dy", owner, finite=False)
    return operations().negative_log_likelihood_backward(log_p, labels, **settings, dy=dy)


def _check_classes(y: Any, labels: ArrayLike, name: str, owner: str, ignore_index: int | None) -> tuple[Array, Array]:
    """Return outputs (N, K, ...) and their labels: integers (N, ...), or shares of the shape of the outputs."""
    check_one_output(y, owner)
    y, labels = check_array(y, name, owner), check_unmasked(labels, "labels", owner)
    if y.ndim < 2:
        raise ValueError(f"{owner}: expected {name} (N, K), or (N, K, H, W) for pixels, got {format_shape(y.shape)}")
    n, num_classes, *size = y.shape
    if labels.ndim and len(labels) != n:
        raise ValueError(f"{owner}: expected {n} labels, one for each row of {name}, got {len(labels)}")
    if labels.shape not in {(n, *size), y.shape}:
        raise ValueError(
            f"{owner}: expected labels {format_shape((n, *size))}, or one-hot {format_shape(y.shape)}, "
            f"got {format_shape(labels.shape)}"
        )
    if not y.size:
        raise ValueError(f"{owner}: expected a batch that is not empty, got {name} {format_shape(y.shape)}")
    if labels.ndim == y.ndim:
        if ignore_index is not None:
            raise ValueError(f"{owner}: expected labels as integers {format_shape((n, *size))} with an ignore_index")
        return y, _check_shares(labels, y, owner)
    if ignore_index is not None and labels.dtype.kind in "iu":
        ignored = labels == check_int(ignore_index, "ignore_index", owner, minimum=None)
        check_labels(np.where(ignored, 0, labels).reshape(-1), num_classes, owner)
        return y, as_contiguous(labels.astype(np.int64))
    return y, check_labels(labels.reshape(-1), num_classes, owner).reshape(labels.shape)


def _check_settings(
    y: Array, label_smoothing: Any, class_weight: Any, ignore_index: Any, sample_weight: Any, owner: str
) -> dict[str, Any]:
    weights = {"class_weight": (class_weight, y.shape[1]), "sample_weight": (sample_weight, len(y))}
    return {
        "label_smoothing": check_number(label_smoothing, "label_smoothing", owner, minimum=0, maximum=1),
        "ignore_index": ignore_index,
    } | {
        name: None if value is None else check_weights(value, (size,), name, owner).astype(y.dtype)
        for name, (value, size) in weights.items()
    }


def _check_shares(shares: Array, y: Array, owner: str) -> Array:
    """Return a share of each class at each position, checked to be a distribution, in the dtype of the outputs."""
    if shares.dtype.kind not in "biuf":
        raise TypeError(f"{owner}: expected labels to be integers or shares, got {shares.dtype}")
    rows = np.moveaxis(shares, 1, -1).reshape(-1, y.shape[1])
    sums = rows.sum(axis=1, dtype=np.float64)
    bad = ~(rows >= 0).all(axis=1) | ~(np.abs(sums - 1) <= SHARE_TOLERANCE)
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"{owner}: expected labels as integers (N,), or as shares from 0 to 1 that add up to 1 in each row, "
            f"got a smallest share of {rows[row].min():g} and a sum of {sums[row]:g} in row {row}"
        )
    return np.require(shares, y.dtype, ["C", "A"])


def binary_cross_entropy(logits: Array, target: ArrayLike, *, pos_weight: ArrayLike | None = None) -> float:
    """Return the mean of ``-w t log(p) - (1 - t) log(1 - p)`` with ``p = sigmoid(logits)``, in nats.

    Parameters
    ----------
    logits : ndarray of any shape
        float32 or float64; any finite values give a finite loss.
    target : ndarray of the same shape, or (N,) for logits (N, 1)
        From 0 to 1.
    pos_weight : array_like, optional
        The weight ``w``, at least 0, of a target of 1: a number, or an array that broadcasts to the logits, such as
        one number for each label ``(K,)``. 1 if not given.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes differ, a target is not from 0 to 1, a weight is negative, or the arrays are empty.
    TypeError
        If the logits are not float32 or float64, or the targets are not numbers.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.2.2.2.
    """
    logits, target, weight = _check_binary(logits, target, pos_weight, "binary_cross_entropy")
    return operations().binary_cross_entropy(logits, target, pos_weight=weight)


def binary_cross_entropy_backward(
    logits: Array, target: ArrayLike, *, pos_weight: ArrayLike | None = None, dy: float = 1.0
) -> Array:
    """Return the gradient of `binary_cross_entropy`, ``dy * (sigmoid(logits) - target) / size`` without a weight.

    Parameters
    ----------
    logits, target, pos_weight
        As given to `binary_cross_entropy`.
    dy : float
        As for `cross_entropy_backward`.
    """
    logits, target, weight = _check_binary(logits, target, pos_weight, "binary_cross_entropy_backward")
    dy = check_number(dy, "dy", "binary_cross_entropy_backward", finite=False)
    return operations().binary_cross_entropy_backward(logits, target, pos_weight=weight, dy=dy)


def _check_binary(logits: Array, target: ArrayLike, pos_weight: Any, owner: str) -> tuple[Array, Array, Array | None]:
    logits, target = check_pair(logits, target, owner)
    if not ((target >= 0) & (target <= 1)).all():
        raise ValueError(f"{owner}: expected targets from 0 to 1, got {target.min():g} to {target.max():g}")
    if pos_weight is None:
        return logits, target, None
    weight = check_unmasked(pos_weight, "pos_weight", owner)
    axes = logits.shape[logits.ndim - weight.ndim :] if weight.ndim <= logits.ndim else logits.shape
    expected = [n if m != 1 else 1 for n, m in zip(axes, weight.shape, strict=False)]
    return logits, target, check_weights(weight, expected, "pos_weight", owner).astype(logits.dtype)


def mean_squared_error(y: Array, target: ArrayLike) -> float:
    """Return the mean of ``(y - target)^2`` over all elements.

    Parameters
    ----------
    y, target : ndarray of the same shape, float32 or float64
        For outputs ``(N, 1)`` the targets may be ``(N,)``.

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
    return operations().mean_squared_error(*check_pair(y, target, "mean_squared_error"))


def mean_squared_error_backward(y: Array, target: ArrayLike, *, dy: float = 1.0) -> Array:
    """Return the gradient of `mean_squared_error`, ``dy * 2 (y - target) / size``.

    Parameters
    ----------
    y, target
        As given to `mean_squared_error`.
    dy : float
        As for `cross_entropy_backward`.
    """
    y, target = check_pair(y, target, "mean_squared_error_backward")
    dy = check_number(dy, "dy", "mean_squared_error_backward", finite=False)
    return operations().mean_squared_error_backward(y, target, dy=dy)
