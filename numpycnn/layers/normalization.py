"""Layers that normalize their inputs to mean 0 and variance 1; the derivation is in `numpycnn.plain.normalization`."""

from typing import Any

import numpy as np

from numpycnn._checks import (
    check_axis,
    check_batch_statistics,
    check_flag,
    check_groups,
    check_int,
    check_number,
    format_shape,
)
from numpycnn._settings import operations
from numpycnn._types import Shape
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.checking import BuildSetting
from numpycnn.layers.initializers import ones


class BatchNorm(Layer):
    """Normalize each channel (axis 1) over the batch and all positions, for inputs of any rank.

    Training uses the mean and variance of the batch, and updates the running ones, which inference uses. A frozen layer
    (``trainable = False``) uses the running ones in training as well, and leaves them as they are.

    Parameters
    ----------
    momentum : float
        Weight of the batch in the running statistics, from 0 to 1.
    eps : float
        Added to the variance.
    name : str, optional

    Attributes
    ----------
    weight, bias : Parameter of shape (C,)
        Scale, initially 1, and shift, initially 0.
    running_mean, running_var : ndarray of shape (C,)
        Buffers: saved, not trained. The variance is the unbiased one.

    Raises
    ------
    TypeError, ValueError
        If `momentum` is not a number from 0 to 1, or `eps` not a number of at least 0; in training, if a batch has less
        than two values for each channel.

    References
    ----------
    S. Ioffe and C. Szegedy, "Batch normalization", arXiv 1502.03167.
    """

    def __init__(self, *, momentum: float = 0.1, eps: float = 1e-5, name: str | None = None) -> None:
        super().__init__(name=name)
        self.momentum = check_number(momentum, "momentum", "BatchNorm", minimum=0, maximum=1)
        self.eps = check_number(eps, "eps", "BatchNorm", minimum=0)
        self.weight: Parameter = None  # type: ignore[assignment]  # until the layer is built
        self.bias: Parameter = None  # type: ignore[assignment]

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
        training = training and self.trainable
        if training:
            check_batch_statistics(x, "batch_norm")
        running = self.running_mean, self.running_var
        settings = {"training": training, "momentum": self.momentum, "eps": self.eps}
        y, statistics = operations().batch_norm(
            x, self.weight.value, self.bias.value, *running, **settings, return_statistics=True
        )
        return y, (x, training, statistics)

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, training, statistics = cache
        settings = {"training": training, "eps": self.eps, "statistics": statistics}
        dx, self.weight.grad[...], self.bias.grad[...] = operations().batch_norm_backward(
            dy, x, self.weight.value, *statistics, **settings
        )
        return dx


class LayerNorm(Layer):
    """Normalize each example over the axes from `axis` to the last, see `numpycnn.functional.layer_norm`.

    Parameters
    ----------
    axis : int
        First of the axes to normalize over, in the batched array: -1 is the last one, 1 is all but the batch.
    eps : float
        Added to the variance.
    name : str, optional

    Attributes
    ----------
    weight, bias : Parameter of the shape that is normalized over

    Raises
    ------
    TypeError, ValueError
        If `axis` is not an int, or `eps` not a number of at least 0; at build, if `axis` is out of range, or the batch
        axis.

    References
    ----------
    arXiv 1607.06450.
    """

    axis = BuildSetting()

    def __init__(self, *, axis: int = -1, eps: float = 1e-5, name: str | None = None) -> None:
        super().__init__(name=name)
        self.axis = check_int(axis, "axis", "LayerNorm", minimum=None)
        self.eps = check_number(eps, "eps", "LayerNorm", minimum=0)
        self.weight: Parameter = None  # type: ignore[assignment]  # until the layer is built
        self.bias: Parameter = None  # type: ignore[assignment]

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        first = check_axis(self.axis, len(input_shape) + 1, "LayerNorm")
        if first == 0:
            raise ValueError(
                f"expected an axis after the batch's, got {self.axis} for inputs {format_shape(input_shape)}"
            )
        shape = input_shape[first - 1 :]
        self.weight = Parameter(ones(rng, shape, self.dtype), penalised=False)
        self.bias = Parameter(np.zeros(shape, self.dtype), penalised=False)
        self._expected = ("N", *(f"S{axis}" for axis in range(1, first)), *shape)
        return input_shape

    def mixes_all(self) -> bool:
        """Return True: the last axis, which is always normalized over, may be spatial."""
        return True

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().layer_norm(x, self.weight.value, self.bias.value, axis=self.axis, eps=self.eps), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        dx, self.weight.grad[...], self.bias.grad[...] = operations().layer_norm_backward(
            dy, x, self.weight.value, self.bias.value, axis=self.axis, eps=self.eps
        )
        return dx


class _PerExample(Layer):
    """Base class of the layers that normalize groups of channels of each example."""

    affine: bool
    eps: float
    weight: Parameter | None
    bias: Parameter | None

    def __init__(self, *, eps: float, name: str | None) -> None:
        super().__init__(name=name)
        self.eps = check_number(eps, "eps", type(self).__name__, minimum=0)
        self.weight = self.bias = None  # until the layer is built

    def _groups(self, channels: int) -> int:
        raise NotImplementedError

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if not input_shape:
            raise ValueError("expected inputs (C,) or (C, ...), got ()")
        channels = input_shape[0]
        check_groups(input_shape, self._groups(channels), type(self).__name__)
        if self.affine:
            self.weight = Parameter(ones(rng, (channels,), self.dtype))
            self.bias = Parameter(np.zeros(channels, self.dtype))
        self._expected = ("N", channels, *(f"S{axis}" for axis in range(1, len(input_shape))))
        return input_shape

    def mixes_all(self) -> bool:
        """Return True: each output depends on all positions of its group."""
        return True

    def _values(self) -> tuple[np.ndarray | None, np.ndarray | None]:
        if self.weight is None or self.bias is None:
            return None, None
        return self.weight.value, self.bias.value

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        groups = self._groups(x.shape[1])
        check_groups(x.shape[1:], groups, type(self).__name__)
        return operations().group_norm(x, groups, *self._values(), eps=self.eps), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        dx, dweight, dbias = operations().group_norm_backward(
            dy, x, self._groups(x.shape[1]), *self._values(), eps=self.eps
        )
        if self.weight is not None and self.bias is not None:
            self.weight.grad[...], self.bias.grad[...] = dweight, dbias
        return dx


class GroupNorm(_PerExample):
    """Normalize groups of channels of each example over all positions, see `numpycnn.functional.group_norm`.

    It does not depend on the other examples of the batch, so it works for batches of any size.

    Parameters
    ----------
    num_groups : int
        Divides the number of channels.
    eps : float
        Added to the variance.
    name : str, optional

    Attributes
    ----------
    weight, bias : Parameter of shape (C,)
        Scale, initially 1, and shift, initially 0.

    Raises
    ------
    TypeError, ValueError
        If `num_groups` is not an int of at least 1, or `eps` not a number of at least 0; at build, if `num_groups` does
        not divide the channels, or a group has a single value.

    References
    ----------
    Y. Wu and K. He, "Group normalization", arXiv 1803.08494.
    """

    affine = True

    num_groups = BuildSetting()

    def __init__(self, num_groups: int, *, eps: float = 1e-5, name: str | None = None) -> None:
        super().__init__(eps=eps, name=name)
        self.num_groups = check_int(num_groups, "num_groups", "GroupNorm")

    def _groups(self, channels: int) -> int:
        return self.num_groups


class InstanceNorm(_PerExample):
    """Normalize each channel of each example over all positions: `GroupNorm` with one channel in each group.

    Parameters
    ----------
    affine : bool
        Whether to scale and shift each channel with learned numbers.
    eps : float
        Added to the variance.
    name : str, optional

    Attributes
    ----------
    weight, bias : Parameter of shape (C,), or None
        Scale, initially 1, and shift, initially 0.

    Raises
    ------
    TypeError, ValueError
        If `affine` is not a bool, or `eps` not a number of at least 0; at build, if a channel has a single value.

    References
    ----------
    D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance normalization", arXiv 1607.08022.
    """

    affine = BuildSetting()

    def __init__(self, *, affine: bool = False, eps: float = 1e-5, name: str | None = None) -> None:
        super().__init__(eps=eps, name=name)
        self.affine = check_flag(affine, "affine", "InstanceNorm")

    def _groups(self, channels: int) -> int:
        return channels
