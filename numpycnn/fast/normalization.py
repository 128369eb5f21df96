"""Batch and group normalization on compiled loops; `numpycnn.plain.normalization` has formulas and derivation.

With the gradient's sums per channel, ``dbias = sum(dy)`` and ``dweight = sum(dy * xhat)``, the formula for ``dx`` is a
linear combination of ``dy``, ``x`` and 1 with three factors for each channel: one pass over memory. In a group
normalization the factors are those of each channel of each example, so the same loops run over N*C channels of one
example.
"""

from math import prod
from typing import Any

import numpy as np

from numpycnn._types import Array, Gradients
from numpycnn.kernels import normalization as kernels
from numpycnn.kernels.engine import memory, threads

__all__ = ["batch_norm", "batch_norm_backward", "group_norm", "group_norm_backward"]


def _statistics(x: Array) -> tuple[Array, Array]:
    """Return mean and biased variance of each channel of (N, C, S), (C,) each."""
    mean, var = np.empty(x.shape[1], x.dtype), np.empty(x.shape[1], x.dtype)
    threads.run(kernels.channel_moments, threads.split(x.shape[1]), x, mean, var)
    return mean, var


def batch_norm(
    x: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Any,
    running_var: Any,
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
    return_statistics: bool = False,
) -> Any:
    """Normalize each channel of (N, C, *size); in training, move the running statistics towards those of the batch.

    With `return_statistics`, the mean and variance that were used are returned as well, for `batch_norm_backward`.
    """
    real, planes = x.dtype.type, x.reshape(*x.shape[:2], prod(x.shape[2:]))  # (N, C, S)
    if training:
        mean, var = _statistics(planes)
        count = x.size // x.shape[1]
        for running, value in ((running_mean, mean), (running_var, var * real(count / max(count - 1, 1)))):
            if running is not None:
                running += real(momentum) * (value - running)
    else:
        mean, var = running_mean, running_var
    scale = 1 / np.sqrt(var + real(eps))
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    y = memory.empty(x.shape, x.dtype)
    threads.run(kernels.scale_and_shift, threads.split(x.shape[1]), planes, scale, shift, y.reshape(planes.shape))
    return (y, (mean, var)) if return_statistics else y


def batch_norm_backward(
    dy: Array,
    x: Array,
    weight: Array | None,
    running_mean: Any = None,
    running_var: Any = None,
    *,
    training: bool,
    eps: float = 1e-5,
    statistics: tuple[Array, Array] | None = None,
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)``; `statistics` are mean and variance of the batch, if at hand."""
    planes = x.reshape(*x.shape[:2], prod(x.shape[2:]))  # (N, C, S)
    gradients = dy.reshape(planes.shape)
    if not training:
        mean, var = running_mean, running_var
    else:
        mean, var = _statistics(planes) if statistics is None else statistics
    scale = 1 / np.sqrt(var + x.dtype.type(eps))
    dbias, dweight = np.empty_like(mean), np.empty_like(mean)
    chunks = threads.split(x.shape[1])
    threads.run(kernels.channel_sums, chunks, gradients, planes, mean, scale, dbias, dweight)
    of_dy = scale if weight is None else scale * weight
    if training:
        count = max(x.size // x.shape[1], 1)
        of_x = -of_dy * scale * dweight / count
        of_one = -of_dy * dbias / count - of_x * mean
    else:
        of_x = of_one = np.zeros_like(of_dy)
    dx = memory.empty(x.shape, x.dtype)
    threads.run(kernels.combine, chunks, gradients, planes, of_dy, of_x, of_one, dx.reshape(planes.shape))
    return dx, dweight, dbias


def group_norm(
    x: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float = 1e-5,
) -> Array:
    """Normalize each group of channels of each example of (N, C, *size)."""
    n, c = x.shape[:2]
    planes = x.reshape(1, n * c, prod(x.shape[2:]))
    mean, scale = _group_statistics(planes, c // num_groups, eps)
    scale = scale if weight is None else scale * np.tile(weight, n)
    shift = -mean * scale if bias is None else np.tile(bias, n) - mean * scale
    y = memory.empty(x.shape, x.dtype)
    threads.run(kernels.scale_and_shift, threads.split(n * c), planes, scale, shift, y.reshape(planes.shape))
    return y


def group_norm_backward(
    dy: Array,
    x: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float = 1e-5,
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)``."""
    n, c = x.shape[:2]
    planes = x.reshape(1, n * c, prod(x.shape[2:]))
    gradients, chunks = dy.reshape(planes.shape), threads.split(n * c)
    mean, scale = _group_statistics(planes, c // num_groups, eps)
    dbias, dweight = np.empty_like(mean), np.empty_like(mean)  # of each channel of each example
    threads.run(kernels.channel_sums, chunks, gradients, planes, mean, scale, dbias, dweight)
    weights = np.ones_like(mean) if weight is None else np.tile(weight, n)
    count = x.dtype.type(planes.shape[2] * (c // num_groups))
    of_dy = scale * weights
    of_x = -scale * scale * _sum_groups(weights * dweight, c // num_groups) / count
    of_one = -scale * _sum_groups(weights * dbias, c // num_groups) / count - of_x * mean
    dx = memory.empty(x.shape, x.dtype)
    threads.run(kernels.combine, chunks, gradients, planes, of_dy, of_x, of_one, dx.reshape(planes.shape))
    return dx, dweight.reshape(n, c).sum(axis=0), dbias.reshape(n, c).sum(axis=0)


def _group_statistics(planes: Array, per_group: int, eps: float) -> tuple[Array, Array]:
    """Return mean and ``1 / sqrt(var + eps)`` of its group for each channel of each example, (N*C,) each.

    The variance of a group is the mean of the variances of its channels and of the variance of their means.
    """
    mean, var = _statistics(planes)
    center = _sum_groups(mean, per_group) / per_group
    var = _sum_groups(var + (mean - center) ** 2, per_group) / per_group
    return center, 1 / np.sqrt(var + planes.dtype.type(eps))


def _sum_groups(values: Array, per_group: int) -> Array:
    """Return for each channel the sum of the values, (N*C,), over its group."""
    return np.repeat(values.reshape(-1, per_group).sum(axis=1), per_group)
