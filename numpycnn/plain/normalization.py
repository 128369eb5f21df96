"""Batch, layer and group normalization: mean 0 and variance 1, then a learned scale and shift.

Over a set of ``m`` numbers with mean ``mu`` and (biased) variance ``var``, both functions of all the inputs,

    xhat = (x - mu) / sqrt(var + eps)        y = weight * xhat + bias

The gradient passes through ``mu`` and ``var`` as well. With ``g = dy * weight`` and the means taken over the same set,

    dx = (g - mean(g) - xhat * mean(g * xhat)) / sqrt(var + eps)

Adding a constant to all inputs, or scaling them all, leaves ``y`` unchanged, so ``dx`` has no component in those two
directions: that is what the two subtracted terms remove. Further ``dweight = sum(dy * xhat)`` and ``dbias = sum(dy)``.

Batch normalization takes the set over the batch and all positions, one for each channel. At inference, fixed running
values replace ``mu`` and ``var``, and ``dx = g / sqrt(var + eps)``. Layer normalization takes it over the last axes of
each example, group normalization over a group of channels of each example and all positions, with a weight for each
channel. Groups of a single channel are instance normalization.

Source: S. Ioffe and C. Szegedy, "Batch normalization", arXiv 1502.03167; J. Ba, J. Kiros, G. Hinton, "Layer
normalization", arXiv 1607.06450; Y. Wu and K. He, "Group normalization", arXiv 1803.08494; D. Ulyanov, A. Vedaldi, V.
Lempitsky, "Instance normalization", arXiv 1607.08022.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from numpycnn._types import Array, Gradients


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
    axes, channel = (0, *range(2, x.ndim)), (-1, *[1] * (x.ndim - 2))
    if training:
        mean, var = x.mean(axis=axes), x.var(axis=axes)
        count = x.size // x.shape[1]
        for running, value in ((running_mean, mean), (running_var, var * (count / max(count - 1, 1)))):
            if running is not None:
                running += momentum * (value - running)
    else:
        mean, var = running_mean, running_var
    y = (x - mean.reshape(channel)) / np.sqrt(var + eps).reshape(channel)
    y = y if weight is None else y * weight.reshape(channel)
    y = y if bias is None else y + bias.reshape(channel)
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
    axes, channel = (0, *range(2, x.ndim)), (-1, *[1] * (x.ndim - 2))
    if not training:
        mean, var = running_mean, running_var
    else:
        mean, var = (x.mean(axis=axes), x.var(axis=axes)) if statistics is None else statistics
    scale = (1 / np.sqrt(var + eps)).reshape(channel)
    xhat = (x - mean.reshape(channel)) * scale
    g = dy if weight is None else dy * weight.reshape(channel)
    if training:
        g = g - g.mean(axis=axes, keepdims=True) - xhat * (g * xhat).mean(axis=axes, keepdims=True)
    return g * scale, (dy * xhat).sum(axis=axes), dy.sum(axis=axes)


def layer_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, axis: int = -1, eps: float = 1e-5
) -> Array:
    """Normalize each example over its axes from `axis` on."""
    y, _ = _standardize(x, range(axis % x.ndim, x.ndim), eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def layer_norm_backward(
    dy: Array, x: Array, weight: Array | None = None, bias: Array | None = None, *, axis: int = -1, eps: float = 1e-5
) -> Gradients:
    """Return the gradients ``(dx, dweight, dbias)``."""
    axes, examples = range(axis % x.ndim, x.ndim), tuple(range(axis % x.ndim))
    xhat, scale = _standardize(x, axes, eps)
    dx = _standardize_backward(dy if weight is None else dy * weight, xhat, scale, axes)
    return dx, (dy * xhat).sum(axis=examples), dy.sum(axis=examples)


def group_norm(
    x: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float = 1e-5,
) -> Array:
    """Normalize each group of channels of each example of (N, C, *size)."""
    grouped, axes, channel = _group(x, num_groups)
    y = _standardize(grouped, axes, eps)[0].reshape(x.shape)
    y = y if weight is None else y * weight.reshape(channel)
    return y if bias is None else y + bias.reshape(channel)


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
    grouped, axes, channel = _group(x, num_groups)
    xhat, scale = _standardize(grouped, axes, eps)
    g = dy if weight is None else dy * weight.reshape(channel)
    dx = _standardize_backward(g.reshape(grouped.shape), xhat, scale, axes).reshape(x.shape)
    others = (0, *range(2, x.ndim))
    return dx, (dy * xhat.reshape(x.shape)).sum(axis=others), dy.sum(axis=others)


def _group(x: Array, num_groups: int) -> tuple[Array, range, tuple[int, ...]]:
    """Return ``x`` as (N, G, C/G, *size), the axes of a group in it, and the shape of a number for each channel."""
    n, c, *size = x.shape
    return x.reshape(n, num_groups, c // num_groups, *size), range(2, x.ndim + 1), (c, *[1] * len(size))


def _standardize(x: Array, axes: Iterable[int], eps: float) -> tuple[Array, Array]:
    """Return ``xhat`` and ``1 / sqrt(var + eps)`` over some axes."""
    axes = tuple(axes)
    centred = x - x.mean(axis=axes, keepdims=True)
    scale = 1 / np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + eps)
    return centred * scale, scale


def _standardize_backward(g: Array, xhat: Array, scale: Array, axes: Iterable[int]) -> Array:
    """Return ``dx`` from the gradient ``g`` of ``xhat``."""
    axes = tuple(axes)
    return (g - g.mean(axis=axes, keepdims=True) - xhat * (g * xhat).mean(axis=axes, keepdims=True)) * scale
