"""Batch, layer and group normalization: arguments checked, then the backend's operation."""

import numpy as np

from numpycnn._checks import (
    check_array,
    check_axis,
    check_batch_statistics,
    check_flag,
    check_groups,
    check_int,
    check_number,
    format_shape,
)
from numpycnn._settings import operations
from numpycnn._types import Array, Gradients


def _check_channels(x: object, owner: str) -> Array:
    x = check_array(x, "x", owner)
    if x.ndim < 2:
        raise ValueError(f"{owner}: expected x (N, C, ...), got {format_shape(x.shape)}")
    return x


def _check_per_channel(x: Array, owner: str, **arrays: object) -> list[Array | None]:
    """Return arrays of one number for each channel; None stays None."""
    return [
        None if value is None else check_array(value, name, owner, like=x, shape=(x.shape[1],))
        for name, value in arrays.items()
    ]


def batch_norm(
    x: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array | None,
    running_var: Array | None,
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """Normalize each channel, then scale and shift it.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size)
        float32 or float64; dense features (N, C) as well.
    weight, bias : ndarray of shape (C,), or None
        Scale and shift; None means 1 and 0.
    running_mean, running_var : ndarray of shape (C,), or None
        At inference, the statistics to normalize with. In training they are **updated in place** towards those of the
        batch (the variance unbiased), unless they are None.
    training : bool
        Whether to normalize with mean and (biased) variance of the batch.
    momentum : float
        Share of the batch's statistics in the running ones, from 0 to 1.
    eps : float
        Added to the variance, against division by zero.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    ValueError
        If shapes do not match, a setting is out of range, or a batch to train with has fewer than two values
        for each channel.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.

    References
    ----------
    arXiv 1502.03167, algorithms 1 and 2.
    """
    owner = "batch_norm"
    x = _check_channels(x, owner)
    momentum = check_number(momentum, "momentum", owner, minimum=0, maximum=1)
    eps = check_number(eps, "eps", owner, minimum=0)
    running = {"running_mean": running_mean, "running_var": running_var}
    statistics = _check_per_channel(x, owner, **running)
    weight, bias = _check_per_channel(x, owner, weight=weight, bias=bias)
    if not check_flag(training, "training", owner):
        if _any_missing(statistics):
            raise ValueError(f"{owner}: expected running_mean and running_var where training is False, got None")
        return operations().batch_norm(x, weight, bias, *statistics, training=False, eps=eps)
    check_batch_statistics(x, owner)
    for name, value in running.items():
        if value is not None and not isinstance(value, np.ndarray):
            raise TypeError(f"{owner}: expected {name} as an array to update, got {type(value).__name__}")
        if value is not None and not value.flags.writeable:
            raise ValueError(f"{owner}: expected {name} as an array to update, got a read-only one; pass a copy")
    y = operations().batch_norm(x, weight, bias, *statistics, training=True, momentum=momentum, eps=eps)
    for value, updated in zip(running.values(), statistics, strict=True):
        if value is not None and value is not updated:  # the operation was given a contiguous copy
            value[...] = updated
    return y


def batch_norm_backward(
    dy: Array,
    x: Array,
    weight: Array | None,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    *,
    training: bool,
    eps: float = 1e-5,
    statistics: tuple[Array, Array] | None = None,
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `batch_norm`.

    Parameters
    ----------
    dy : ndarray of the shape of `x`
    x, weight, running_mean, running_var, training, eps
        As given to `batch_norm`; the running statistics are used where `training` is False.
    statistics : (mean, variance), optional
        Those of the batch; computed if not given.
    """
    owner = "batch_norm_backward"
    x = _check_channels(x, owner)
    dy = check_array(dy, "dy", owner, like=x, shape=x.shape)
    eps = check_number(eps, "eps", owner, minimum=0)
    (weight,) = _check_per_channel(x, owner, weight=weight)
    running = _check_per_channel(x, owner, running_mean=running_mean, running_var=running_var)
    if check_flag(training, "training", owner):
        check_batch_statistics(x, owner)
        if statistics is not None:
            if not isinstance(statistics, tuple | list) or len(statistics) != 2:
                raise TypeError(f"{owner}: expected statistics to be (mean, variance), got {type(statistics).__name__}")
            mean, var = statistics
            shape = (x.shape[1],)
            mean = check_array(mean, "mean", owner, like=x, shape=shape)
            statistics = mean, check_array(var, "variance", owner, like=x, shape=shape)
    elif _any_missing(running):
        raise ValueError(f"{owner}: expected running_mean and running_var where training is False, got None")
    settings = {"training": bool(training), "eps": eps, "statistics": statistics}
    return operations().batch_norm_backward(dy, x, weight, *running, **settings)


def _any_missing(arrays: list[Array | None]) -> bool:
    return any(array is None for array in arrays)


def _check_layer(
    x: object, weight: object, bias: object, axis: object, owner: str
) -> tuple[Array, Array | None, Array | None, int]:
    x = check_array(x, "x", owner)
    axis = check_axis(axis, x.ndim, owner)
    if 0 in x.shape[axis:]:
        raise ValueError(
            f"{owner}: expected at least one element to normalize over, got {format_shape(x.shape)} with axis {axis}"
        )
    weight, bias = (
        None if value is None else check_array(value, name, owner, like=x, shape=x.shape[axis:])
        for value, name in ((weight, "weight"), (bias, "bias"))
    )
    return x, weight, bias, axis


def layer_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, axis: int = -1, eps: float = 1e-5
) -> Array:
    """Normalize each example over all its axes from `axis` to the last, then scale and shift.

    Parameters
    ----------
    x : ndarray of any shape, float32 or float64
    weight, bias : ndarray of shape ``x.shape[axis:]``, optional
        Scale and shift.
    axis : int
        First of the axes to normalize over.
    eps : float
        Added to the variance.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    ValueError
        If shapes do not match, or `eps` is negative.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.

    References
    ----------
    arXiv 1607.06450.
    """
    x, weight, bias, axis = _check_layer(x, weight, bias, axis, "layer_norm")
    eps = check_number(eps, "eps", "layer_norm", minimum=0)
    return operations().layer_norm(x, weight, bias, axis=axis, eps=eps)


def layer_norm_backward(
    dy: Array, x: Array, weight: Array | None = None, bias: Array | None = None, *, axis: int = -1, eps: float = 1e-5
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `layer_norm`.

    Parameters
    ----------
    dy : ndarray of the shape of `x`
    x, weight, bias, axis, eps
        As given to `layer_norm`.
    """
    owner = "layer_norm_backward"
    x, weight, bias, axis = _check_layer(x, weight, bias, axis, owner)
    dy = check_array(dy, "dy", owner, like=x, shape=x.shape)
    eps = check_number(eps, "eps", owner, minimum=0)
    return operations().layer_norm_backward(dy, x, weight, bias, axis=axis, eps=eps)


def _check_group(
    x: object, num_groups: object, weight: object, bias: object, eps: object, owner: str
) -> tuple[Array, int, Array | None, Array | None, float]:
    x = _check_channels(x, owner)
    num_groups = check_int(num_groups, "num_groups", owner)
    check_groups(x.shape[1:], num_groups, owner)
    weight, bias = _check_per_channel(x, owner, weight=weight, bias=bias)
    return x, num_groups, weight, bias, check_number(eps, "eps", owner, minimum=0)


def group_norm(
    x: Array, num_groups: int, weight: Array | None = None, bias: Array | None = None, *, eps: float = 1e-5
) -> Array:
    """Normalize each group of channels of each example, over all positions, then scale and shift each channel.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size), float32 or float64
    num_groups : int
        Divides ``C``. With ``C`` groups this is instance normalization.
    weight, bias : ndarray of shape (C,), optional
        Scale and shift.
    eps : float
        Added to the variance.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    ValueError
        If shapes do not match, `num_groups` does not divide ``C``, a group has a single value, or `eps` is negative.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.

    References
    ----------
    Y. Wu and K. He, "Group normalization", arXiv 1803.08494; D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance
    normalization", arXiv 1607.08022.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn.functional import group_norm
    >>> group_norm(np.array([[1.0, 3.0, 20.0, 40.0]]), 2).round(3)
    array([[-1.,  1., -1.,  1.]])
    """
    x, num_groups, weight, bias, eps = _check_group(x, num_groups, weight, bias, eps, "group_norm")
    return operations().group_norm(x, num_groups, weight, bias, eps=eps)


def group_norm_backward(
    dy: Array, x: Array, num_groups: int, weight: Array | None = None, bias: Array | None = None, *, eps: float = 1e-5
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `group_norm`.

    Parameters
    ----------
    dy : ndarray of the shape of `x`
    x, num_groups, weight, bias, eps
        As given to `group_norm`.
    """
    owner = "group_norm_backward"
    x, num_groups, weight, bias, eps = _check_group(x, num_groups, weight, bias, eps, owner)
    dy = check_array(dy, "dy", owner, like=x, shape=x.shape)
    return operations().group_norm_backward(dy, x, num_groups, weight, bias, eps=eps)
