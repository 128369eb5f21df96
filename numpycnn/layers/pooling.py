"""Pooling layers: reduce each window of each channel to one value."""

from typing import Any, ClassVar, Self

import numpy as np

from numpycnn._checks import check_flag, check_number, check_per_axis, format_shape, per_axis
from numpycnn._settings import operations
from numpycnn._types import Padding, Shape, Size
from numpycnn._windows import LETTERS, Windows, check_padding, pool_windows
from numpycnn.layers.base import Layer
from numpycnn.layers.checking import BuildSetting, check_positional


class Pool(Layer):
    """Base class of the pooling layers with a sliding window."""

    rank: ClassVar[int]  # number of spatial axes
    dilation: Any = 1

    kernel_size = BuildSetting()
    stride = BuildSetting()
    padding = BuildSetting()
    ceil_mode = BuildSetting()

    def __new__(cls, *arguments: Any, **settings: Any) -> Self:
        """Explain a call with the arguments of PyTorch."""
        check_positional(cls, arguments, "all settings are given by name, as in stride=2")
        return super().__new__(cls)

    def __init__(
        self,
        kernel_size: Size,
        *,
        stride: Size | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        self.kernel_size = check_per_axis(kernel_size, self.rank, "kernel_size", kind)
        self.stride = None if stride is None else check_per_axis(stride, self.rank, "stride", kind)
        self.padding = check_padding(padding, self.rank, kind)
        self.ceil_mode = check_flag(ceil_mode, "ceil_mode", kind)

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) != self.rank + 1:
            raise ValueError(
                f"expected inputs {format_shape(('C', *LETTERS[self.rank]))}, got {format_shape(input_shape)}"
            )
        self._expected = ("N", input_shape[0], *LETTERS[self.rank])
        self._windows = self._slide(input_shape[1:])
        return (input_shape[0], *self._windows.output)

    def _slide(self, size: Shape) -> Windows:
        """Return the windows over an input of this size."""
        settings = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        return pool_windows(size, self.kernel_size, **settings, ceil_mode=self.ceil_mode, owner=type(self).__name__)

    def _settings(self, x: np.ndarray) -> dict[str, Any]:
        """Return the settings of the operation, resolved at build, or recomputed for another input size."""
        windows = self._windows if x.shape[1:] == self.input_shape else self._slide(x.shape[2:])
        settings = {"kernel_size": windows.kernel, "stride": windows.stride, "padding": windows.padding}
        return settings | {"ceil_mode": self.ceil_mode}

    def window(self) -> tuple[Shape, Shape, Shape]:
        """Return kernel size, stride and dilation for each axis."""
        stride = self.kernel_size if self.stride is None else self.stride
        settings = (self.kernel_size, stride, self.dilation)
        kernel, strides, dilation = (per_axis(setting, self.rank, "setting", self.label) for setting in settings)
        return kernel, strides, dilation


class MaxPool(Pool):
    """Largest element of each window: ``MaxPool1D``, ``MaxPool2D``, ``MaxPool3D``.

    Maps inputs (N, C, *size) to (N, C, *output), where ``*size`` is ``L``, ``H, W`` or ``D, H, W``; see
    `numpycnn.functional.max_pool2d`.

    Parameters
    ----------
    kernel_size : int or tuple of int
        One for all axes, or one for each.
    stride : int or tuple of int, optional
        The kernel size by default.
    padding : int, tuple of int, tuple of (before, after) pairs, or {"valid", "same"}
        Smaller than the window.
    dilation : int or tuple of int
    ceil_mode : bool
        Whether to keep a last, incomplete window.
    name : str, optional

    Raises
    ------
    ValueError
        If a setting is out of range, or unknown.
    TypeError
        If a setting has the wrong type.

    References
    ----------
    M. Ranzato et al., "Unsupervised learning of invariant feature hierarchies with applications to object
    recognition", 2007.
    """

    dilation = BuildSetting()

    def __init__(
        self,
        kernel_size: Size,
        *,
        stride: Size | None = None,
        padding: Padding = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, name=name)
        self.dilation = check_per_axis(dilation, self.rank, "dilation", type(self).__name__)

    def _settings(self, x: np.ndarray) -> dict[str, Any]:
        return super()._settings(x) | {"dilation": self._windows.dilation}

    def _forward(self, x: np.ndarray, *, training: bool, differentiable: bool) -> tuple[np.ndarray, Any]:
        if not differentiable:
            return operations().max_pool(x, **self._settings(x)), None
        y, indices = operations().max_pool(x, **self._settings(x), return_indices=True)
        return y, (x, indices)

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, indices = cache
        return operations().max_pool_backward(dy, x, **self._settings(x), indices=indices)


class MaxPool1D(MaxPool):
    rank = 1


class MaxPool2D(MaxPool):
    rank = 2


class MaxPool3D(MaxPool):
    rank = 3


class AvgPool(Pool):
    """Mean of each window: ``AvgPool1D``, ``AvgPool2D``, ``AvgPool3D``.

    Maps inputs (N, C, *size) to (N, C, *output), where ``*size`` is ``L``, ``H, W`` or ``D, H, W``; see
    `numpycnn.functional.avg_pool2d`.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, name
        As for `MaxPool2D`.
    count_include_pad : bool
        Whether the zeros of the padding count in the mean.

    Raises
    ------
    ValueError, TypeError
        As for `MaxPool2D`.

    References
    ----------
    Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998.
    """

    def __init__(
        self,
        kernel_size: Size,
        *,
        stride: Size | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, name=name)
        self.count_include_pad = check_flag(count_include_pad, "count_include_pad", type(self).__name__)

    def _settings(self, x: np.ndarray) -> dict[str, Any]:
        return super()._settings(x) | {"count_include_pad": self.count_include_pad}

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().avg_pool(x, **self._settings(x)), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().avg_pool_backward(dy, x, **self._settings(x))


class AvgPool1D(AvgPool):
    rank = 1


class AvgPool2D(AvgPool):
    rank = 2


class AvgPool3D(AvgPool):
    rank = 3


class LpPool(Pool):
    """Lp norm of each window: ``LpPool1D``, ``LpPool2D``, ``LpPool3D``.

    Maps inputs (N, C, *size) to (N, C, *output), where ``*size`` is ``L``, ``H, W`` or ``D, H, W``; see
    `numpycnn.functional.lp_pool2d`.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, name
        As for `MaxPool2D`.
    p : float
        Order of the norm, at least 1.

    Raises
    ------
    ValueError, TypeError
        As for `MaxPool2D`.

    References
    ----------
    P. Sermanet, S. Chintala, Y. LeCun, "Convolutional neural networks applied to house numbers digit
    classification", 2012.
    """

    def __init__(
        self,
        kernel_size: Size,
        *,
        p: float = 2,
        stride: Size | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, name=name)
        self.p = check_number(p, "p", type(self).__name__, minimum=1)

    def _settings(self, x: np.ndarray) -> dict[str, Any]:
        return super()._settings(x) | {"p": self.p}

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().lp_pool(x, **self._settings(x)), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().lp_pool_backward(dy, x, **self._settings(x))


class LpPool1D(LpPool):
    rank = 1


class LpPool2D(LpPool):
    rank = 2


class LpPool3D(LpPool):
    rank = 3


class GlobalPool(Layer):
    """Base class of the global pooling layers, with one value for each channel."""

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) < 2:
            raise ValueError(
                f"expected inputs (C, ...) with at least one spatial axis, got {format_shape(input_shape)}"
            )
        self._expected = ("N", input_shape[0], *LETTERS.get(len(input_shape) - 1, input_shape[1:]))
        return input_shape[:1]


class GlobalAvgPool(GlobalPool):
    """Mean of each channel, (N, C) from (N, C, *size), see `numpycnn.functional.global_avg_pool`.

    References
    ----------
    M. Lin, Q. Chen, S. Yan, "Network in network", arXiv 1312.4400.
    """

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().global_avg_pool(x), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().global_avg_pool_backward(dy, x)


class GlobalMaxPool(GlobalPool):
    """Largest element of each channel, (N, C) from (N, C, *size), see `numpycnn.functional.global_max_pool`.

    References
    ----------
    M. Oquab et al., "Is object localization for free?", 2015.
    """

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().global_max_pool(x), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return operations().global_max_pool_backward(dy, x)
