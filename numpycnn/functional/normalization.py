"""Batch and layer normalisation: numbers brought to mean 0 and variance 1, then scaled and shifted by what is learned.

Over a set of ``m`` numbers with mean ``mu`` and (biased) variance ``var``, both functions of all the inputs,

    xhat = (x - mu) / sqrt(var + eps)        y = weight * xhat + bias

The backward has to go through ``mu`` and ``var`` as well. With ``g = dy * weight`` and the means taken over the same
set,

    dx = (g - mean(g) - xhat * mean(g * xhat)) / sqrt(var + eps)

the two subtracted terms being what the mean and the variance take back: adding a constant to all inputs, or scaling
them all, changes nothing in ``y``, so ``dx`` has no part in those two directions. Further ``dweight = sum(dy * xhat)``
and ``dbias = sum(dy)``.

Batch normalisation takes the set over the batch and all positions, one for each channel (axis 1); at inference fixed
running values stand in for ``mu`` and ``var``, and ``dx = g / sqrt(var + eps)``. Layer normalisation takes it over the
last axes of each example.

Sources: S. Ioffe and C. Szegedy, "Batch normalization", arXiv 1502.03167; J. Ba, J. Kiros, G. Hinton, "Layer
normalization", arXiv 1607.06450.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import check_flag, expect_shape, float_array, for_kernel, normal_axis, spell
from numpycnn.kernels import memory, threads
from numpycnn.kernels import normalization as kernels

Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


def check_eps(eps: Any, operation: str) -> float:
    """Return what is added to a variance as a float from 0 on."""
    if isinstance(eps, bool) or not isinstance(eps, int | float | np.number):
        raise TypeError(f"{operation}: expected eps to be a number, got {type(eps).__name__} {eps!r}")
    if not 0 <= eps < np.inf:
        raise ValueError(f"{operation}: expected eps from 0 on, got {eps}")
    return float(eps)


def check_momentum(momentum: Any, operation: str) -> float:
    """Return the share of a new value in a running one as a float from 0 to 1."""
    if isinstance(momentum, bool) or not isinstance(momentum, int | float | np.number):
        raise TypeError(f"{operation}: expected momentum to be a number, got {type(momentum).__name__} {momentum!r}")
    if not 0 <= momentum <= 1:
        raise ValueError(f"{operation}: expected momentum from 0 to 1, got {momentum}")
    return float(momentum)


def _channel_input(x: Any, operation: str) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return `x` and the axes that one channel extends over."""
    x = float_array(x, "x", operation)
    if x.ndim < 2:
        raise ValueError(f"{operation}: expected x (N, C, ...), got {spell(x.shape)}")
    return x, (0, *range(2, x.ndim))


def _planes(x: np.ndarray) -> np.ndarray:
    """Lay out (N, C, *size) as the kernels work on it, (N, C, S)."""
    return for_kernel(x).reshape(len(x), x.shape[1], int(np.prod(x.shape[2:])))


def _per_channel(value: Any, name: str, x: np.ndarray, operation: str) -> np.ndarray:
    """Return one number for each channel, (C,)."""
    value = float_array(value, name, operation, like=x)
    expect_shape(value, (x.shape[1],), name, operation)
    return for_kernel(value)


def _inverse_deviation(variance: Any, eps: Any, x: np.ndarray, operation: str) -> np.ndarray:
    """Return ``1 / sqrt(variance + eps)``, (C,)."""
    eps = x.dtype.type(check_eps(eps, operation))
    return 1 / np.sqrt(_per_channel(variance, "running_var", x, operation) + eps)


def batch_statistics(x: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and biased variance of each channel, (C,) each, over the batch and all positions.

    Raises
    ------
    ValueError
        If there is nothing to average over.
    """
    x, _ = _channel_input(x, "batch_norm")
    if x.size == 0:
        raise ValueError(f"batch_norm: expected a batch that is not empty in training, got {spell(x.shape)}")
    mean, variance = np.empty(x.shape[1], x.dtype), np.empty(x.shape[1], x.dtype)
    threads.run(kernels.channel_moments, threads.split(x.shape[1]), _planes(x), mean, variance)
    return mean, variance


def update_running(running: np.ndarray, value: np.ndarray, momentum: float) -> None:
    """Move a running value towards the one of this batch, ``running = (1 - momentum) running + momentum value``."""
    running += running.dtype.type(momentum) * (value - running)


def unbiased(variance: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Turn the variance of the batch into an estimate of that of all data, ``variance * m / (m - 1)``."""
    m = x.size // x.shape[1]
    return variance * variance.dtype.type(m / max(m - 1, 1))


def batch_norm(
    x: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> np.ndarray:
    """Normalise each channel, then scale and shift it.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size)
        float32 or float64; dense features (N, C) as well.
    weight, bias : ndarray of shape (C,), or None
        Scale and shift; None stands for 1 and 0.
    running_mean, running_var : ndarray of shape (C,), or None
        At inference, the values to normalise with. In training they are **updated in place** towards those of the batch
        (the variance unbiased), unless they are None.
    training : bool
        Whether to normalise with mean and (biased) variance of the batch.
    momentum : float
        Share of the new value in the running one.
    eps : float
        Added to the variance, against division by zero.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    ValueError
        If shapes do not belong together, or a batch to learn from is empty.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.

    References
    ----------
    arXiv 1502.03167, algorithms 1 and 2.
    """
    x, _ = _channel_input(x, "batch_norm")
    if check_flag(training, "training", "batch_norm"):
        momentum = check_momentum(momentum, "batch_norm")
        for running, name in ((running_mean, "running_mean"), (running_var, "running_var")):
            if running is not None and not isinstance(running, np.ndarray):
                raise TypeError(f"batch_norm: expected {name} as an array to update, got {type(running).__name__}")
            if running is not None:
                _per_channel(running, name, x, "batch_norm")
        mean, variance = batch_statistics(x)
    else:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: expected running_mean and running_var where training is False, got None")
        mean, variance = running_mean, running_var
    scale = _inverse_deviation(variance, eps, x, "batch_norm")
    if weight is not None:
        scale = scale * _per_channel(weight, "weight", x, "batch_norm")
    shift = -_per_channel(mean, "running_mean", x, "batch_norm") * scale
    if bias is not None:
        shift = shift + _per_channel(bias, "bias", x, "batch_norm")
    y = memory.empty(x.shape, x.dtype)
    threads.run(kernels.scale_and_shift, threads.split(x.shape[1]), _planes(x), scale, shift, _planes(y))
    if training:  # last, so that a refused call has changed nothing
        for running, value in ((running_mean, mean), (running_var, unbiased(variance, x))):
            if running is not None:
                update_running(running, value, momentum)
    return y


def batch_norm_backward(
    dy: Any,
    x: Any,
    weight: Any,
    running_mean: Any = None,
    running_var: Any = None,
    *,
    training: bool,
    eps: float = 1e-5,
    statistics: tuple[np.ndarray, np.ndarray] | None = None,
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `batch_norm`.

    Parameters
    ----------
    dy : ndarray of the shape of `x`
    x, weight, running_mean, running_var, training, eps
        As given to `batch_norm`; the running values are used where `training` is False.
    statistics : (mean, variance), optional
        Those of the batch, if at hand.

    Returns
    -------
    dx : ndarray of the shape of `x`
    dweight, dbias : ndarray of shape (C,)

    Raises
    ------
    ValueError
        If shapes do not belong together, or running values are missing where `training` is False.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.
    """
    operation = "batch_norm_backward"
    x, _ = _channel_input(x, operation)
    dy = float_array(dy, "dy", operation, like=x)
    expect_shape(dy, x.shape, "dy", operation)
    if check_flag(training, "training", operation):
        mean, variance = batch_statistics(x) if statistics is None else statistics
    else:
        if running_mean is None or running_var is None:
            raise ValueError(f"{operation}: expected running_mean and running_var where training is False, got None")
        mean, variance = running_mean, running_var
    mean = _per_channel(mean, "running_mean", x, operation)
    scale = _inverse_deviation(variance, eps, x, operation)
    dbias, dweight = np.empty_like(mean), np.empty_like(mean)
    chunks = threads.split(x.shape[1])
    threads.run(kernels.channel_sums, chunks, _planes(dy), _planes(x), mean, scale, dbias, dweight)
    factor = scale if weight is None else scale * _per_channel(weight, "weight", x, operation)
    if training:  # dx as derived above, sorted by dy, x and the rest
        m = max(x.size // x.shape[1], 1)
        slope = -factor * scale * dweight / m
        rest = -factor * dbias / m - slope * mean
    else:
        slope = rest = np.zeros_like(factor)
    dx = memory.empty(x.shape, x.dtype)
    threads.run(kernels.combine, chunks, _planes(dy), _planes(x), factor, slope, rest, _planes(dx))
    return dx, dweight, dbias


def _layer_operands(x: Any, weight: Any, bias: Any, axis: Any, operation: str) -> tuple[np.ndarray, tuple[int, ...]]:
    x = float_array(x, "x", operation)
    axis = normal_axis(axis, x.ndim, operation)
    for value, name in ((weight, "weight"), (bias, "bias")):
        if value is not None:
            expect_shape(float_array(value, name, operation, like=x), x.shape[axis:], name, operation)
    if 0 in x.shape[axis:]:
        raise ValueError(f"{operation}: expected something to normalise over, got {spell(x.shape)} from axis {axis} on")
    return x, tuple(range(axis, x.ndim))


def _standardize(x: np.ndarray, axes: tuple[int, ...], eps: float) -> tuple[np.ndarray, np.ndarray]:
    centred = x - x.mean(axis=axes, keepdims=True)
    scale = 1 / np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + x.dtype.type(eps))
    return centred * scale, scale


def layer_norm(x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5) -> np.ndarray:
    """Normalise each example over all its axes from `axis` on, then scale and shift.

    Parameters
    ----------
    x : ndarray of any shape
        float32 or float64.
    weight, bias : ndarray of shape ``x.shape[axis:]``, optional
        Scale and shift.
    axis : int
        First of the axes to normalise over.
    eps : float
        Added to the variance.

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    ValueError
        If shapes do not belong together.
    TypeError
        If an array is not float32 or float64, or the arrays differ in type.

    References
    ----------
    arXiv 1607.06450.
    """
    x, axes = _layer_operands(x, weight, bias, axis, "layer_norm")
    y, _ = _standardize(x, axes, check_eps(eps, "layer_norm"))
    if weight is not None:
        y = y * weight
    if bias is not None:
        y = y + bias
    return y


def layer_norm_backward(
    dy: Any, x: Any, weight: Any = None, bias: Any = None, *, axis: int = -1, eps: float = 1e-5
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)`` of `layer_norm`.

    Returns
    -------
    dx : ndarray of the shape of `x`
    dweight, dbias : ndarray of the shape of ``x.shape[axis:]``, or None
    """
    operation = "layer_norm_backward"
    x, axes = _layer_operands(x, weight, bias, axis, operation)
    dy = float_array(dy, "dy", operation, like=x)
    expect_shape(dy, x.shape, "dy", operation)
    xhat, scale = _standardize(x, axes, check_eps(eps, operation))
    g = dy if weight is None else dy * weight
    mean_g = g.mean(axis=axes, keepdims=True)
    mean_gx = (g * xhat).mean(axis=axes, keepdims=True)
    examples = tuple(range(axes[0]))
    return (g - mean_g - xhat * mean_gx) * scale, (dy * xhat).sum(axis=examples), dy.sum(axis=examples)
