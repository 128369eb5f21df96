"""Layers that bring their inputs to mean 0 and variance 1; the derivation is in `numpycnn.functional.normalization`."""

from typing import Any

import numpy as np

from numpycnn import functional as F
from numpycnn.functional.checks import check_int, normal_axis, spell
from numpycnn.functional.normalization import batch_statistics, check_eps, check_momentum, unbiased, update_running
from numpycnn.initializers import ones
from numpycnn.layers.base import Layer, Parameter, Shape


class BatchNorm(Layer):
    """Normalise each channel (axis 1) over the batch and all positions, for inputs of any rank.

    In training with mean and variance of the batch; otherwise with the running ones, which training gathers.

    Parameters
    ----------
    momentum : float
        Share of a batch's value in the running one, from 0 to 1.
    eps : float
        Added to the variance.
    name : str, optional

    Attributes
    ----------
    weight, bias : Parameter of shape (C,)
        Scale, 1 at first, and shift, 0 at first.
    running_mean, running_var : ndarray of shape (C,)
        Buffers: saved, not trained. The variance is the unbiased one.

    Raises
    ------
    TypeError, ValueError
        If `momentum` is no number from 0 to 1, or `eps` none from 0 on.

    References
    ----------
    S. Ioffe and C. Szegedy, "Batch normalization", arXiv 1502.03167.
    """

    def __init__(self, *, momentum: float = 0.1, eps: float = 1e-5, name: str | None = None) -> None:
        super().__init__(name=name)
        self.momentum = check_momentum(momentum, "BatchNorm")
        self.eps = check_eps(eps, "BatchNorm")
        self.weight: Any = None
        self.bias: Any = None

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if not input_shape:
            raise ValueError("expected inputs (C,) or (C, ...), got ()")
        channels = input_shape[0]
        self.weight = Parameter(ones(rng, (channels,), self.dtype))
        self.bias = Parameter(np.zeros(channels, self.dtype))
        self.running_mean = np.zeros(channels, self.dtype)
        self.running_var = ones(rng, (channels,), self.dtype)
        self._expected = ("N", channels, *(f"S{axis}" for axis in range(1, len(input_shape))))
        return input_shape

    def _forward(self, x: np.ndarray, *, training: bool, differentiable: bool) -> tuple[np.ndarray, Any]:
        mean, variance = self.running_mean, self.running_var
        if training:
            mean, variance = batch_statistics(x)
            update_running(self.running_mean, mean, self.momentum)
            update_running(self.running_var, unbiased(variance, x), self.momentum)
        y = F.batch_norm(x, self.weight.value, self.bias.value, mean, variance, training=False, eps=self.eps)
        return y, (x, training, mean, variance)

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, training, mean, variance = cache
        dx, self.weight.grad[...], self.bias.grad[...] = F.batch_norm_backward(
            dy,
            x,
            self.weight.value,
            mean,
            variance,
            training=training,
            eps=self.eps,
            statistics=(mean, variance),
        )
        return dx


class LayerNorm(Layer):
    """Normalise each example over its axes from `axis` on, see `numpycnn.functional.layer_norm`.

    Parameters
    ----------
    axis : int
        First of the axes to normalise over, in the batched array: -1 is the last one, 1 is all but the batch.
    eps : float
        Added to the variance.
    name : str, optional

    Attributes
    ----------
    weight, bias : Parameter of the shape that is normalised over

    Raises
    ------
    TypeError, ValueError
        If `axis` is not an int, or `eps` no number from 0 on; when it is built, if there is no such axis, or it is that
        of the batch.
    """

    def __init__(self, *, axis: int = -1, eps: float = 1e-5, name: str | None = None) -> None:
        super().__init__(name=name)
        self.axis = check_int(axis, "axis", "LayerNorm")
        self.eps = check_eps(eps, "LayerNorm")
        self.weight: Any = None
        self.bias: Any = None

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        first = normal_axis(self.axis, len(input_shape) + 1, "LayerNorm")
        if first == 0:
            raise ValueError(f"expected an axis after the batch's, got {self.axis} for inputs {spell(input_shape)}")
        shape = input_shape[first - 1 :]
        self.weight = Parameter(ones(rng, shape, self.dtype), penalised=False)
        self.bias = Parameter(np.zeros(shape, self.dtype), penalised=False)
        self._expected = ("N", *(f"S{axis}" for axis in range(1, first)), *shape)
        return input_shape

    def mixes_all(self) -> bool:
        """Return True: the last axis, over which it always normalises, is one of positions."""
        return True

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.layer_norm(x, self.weight.value, self.bias.value, axis=self.axis, eps=self.eps), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        dx, self.weight.grad[...], self.bias.grad[...] = F.layer_norm_backward(
            dy, x, self.weight.value, self.bias.value, axis=self.axis, eps=self.eps
        )
        return dx
