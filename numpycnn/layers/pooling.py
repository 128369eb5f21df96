"""Pooling layers: each window of each channel condensed to one number; the formulas are in `numpycnn.functional`."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from numpycnn import functional as F
from numpycnn.functional.avg_pool import avg_pool, avg_pool_backward
from numpycnn.functional.checks import as_given, check_flag, per_axis, spell
from numpycnn.functional.lp_pool import check_p, lp_pool, lp_pool_backward
from numpycnn.functional.max_pool import max_pool, max_pool_backward
from numpycnn.functional.pooling import pool_windows
from numpycnn.functional.windows import LETTERS, check_padding
from numpycnn.layers.base import Layer, Shape


class Pool(Layer):
    """What all sliding pools have in common."""

    rank: ClassVar[int]  # number of spatial axes
    dilation: Any = 1

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        *,
        stride: int | Sequence[int] | None = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        self.kernel_size = as_given(kernel_size, self.rank, "kernel_size", kind)
        self.stride = None if stride is None else as_given(stride, self.rank, "stride", kind)
        self.padding = check_padding(padding, self.rank, kind)
        self.ceil_mode = check_flag(ceil_mode, "ceil_mode", kind)

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) != self.rank + 1:
            raise ValueError(f"expected inputs {spell(('C', *LETTERS[self.rank]))}, got {spell(input_shape)}")
        self._expected = ("N", input_shape[0], *LETTERS[self.rank])
        windows = pool_windows(
            type(self).__name__,
            input_shape[1:],
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
        )
        return (input_shape[0], *windows.output)

    def _settings(self) -> dict[str, Any]:
        return {"stride": self.stride, "padding": self.padding, "ceil_mode": self.ceil_mode, "rank": self.rank}

    def window(self) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """Return kernel size, stride and dilation for each axis."""
        stride = self.kernel_size if self.stride is None else self.stride
        settings = (self.kernel_size, stride, self.dilation)
        kernel, stride, dilation = (per_axis(setting, self.rank, "setting", self.label) for setting in settings)
        return kernel, stride, dilation


class MaxPool(Pool):
    """The three max pools."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        *,
        stride: int | Sequence[int] | None = None,
        padding: Any = 0,
        dilation: int | Sequence[int] = 1,
        ceil_mode: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, name=name)
        self.dilation = as_given(dilation, self.rank, "dilation", type(self).__name__)

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        y, winners = max_pool(x, self.kernel_size, dilation=self.dilation, **self._settings())
        return y, (winners, x.shape[2:])

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        winners, size = cache
        return max_pool_backward(dy, winners, size)


class MaxPool1D(MaxPool):
    """Largest element of each window of a sequence (N, C, L); see `MaxPool2D`."""

    rank = 1


class MaxPool2D(MaxPool):
    """Largest element of each window of a picture (N, C, H, W), see `numpycnn.functional.max_pool2d`.

    Parameters
    ----------
    kernel_size : int or tuple of int
    stride : int or tuple of int, optional
        The kernel size if not given.
    padding : int, tuple of int, tuple of (before, after) pairs, or {"valid", "same"}
        Smaller than the window.
    dilation : int or tuple of int
    ceil_mode : bool
        Keep a last, incomplete window.
    name : str, optional

    Raises
    ------
    ValueError
        If a setting is out of range, or unknown.
    TypeError
        If one is not of its kind.
    """

    rank = 2


class MaxPool3D(MaxPool):
    """Largest element of each window of a volume (N, C, D, H, W); see `MaxPool2D`."""

    rank = 3


class AvgPool(Pool):
    """The three average pools."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        *,
        stride: int | Sequence[int] | None = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, name=name)
        self.count_include_pad = check_flag(count_include_pad, "count_include_pad", type(self).__name__)

    def _settings(self) -> dict[str, Any]:
        return super()._settings() | {"count_include_pad": self.count_include_pad}

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return avg_pool(x, self.kernel_size, **self._settings()), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return avg_pool_backward(dy, x, self.kernel_size, **self._settings())


class AvgPool1D(AvgPool):
    """Average of each window of a sequence (N, C, L); see `AvgPool2D`."""

    rank = 1


class AvgPool2D(AvgPool):
    """Average of each window of a picture (N, C, H, W), see `numpycnn.functional.avg_pool2d`.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, name
        As for `MaxPool2D`.
    count_include_pad : bool
        Whether the zeros of the padding count in the average.

    Raises
    ------
    ValueError
        If a setting is out of range, or unknown.
    TypeError
        If one is not of its kind.
    """

    rank = 2


class AvgPool3D(AvgPool):
    """Average of each window of a volume (N, C, D, H, W); see `AvgPool2D`."""

    rank = 3


class LpPool(Pool):
    """The three Lp pools."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        *,
        p: float = 2,
        stride: int | Sequence[int] | None = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(kernel_size, stride=stride, padding=padding, ceil_mode=ceil_mode, name=name)
        self.p = check_p(p, type(self).__name__)

    def _settings(self) -> dict[str, Any]:
        return super()._settings() | {"p": self.p}

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return lp_pool(x, self.kernel_size, **self._settings()), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return lp_pool_backward(dy, x, self.kernel_size, **self._settings())


class LpPool1D(LpPool):
    """Lp norm of each window of a sequence (N, C, L); see `LpPool2D`."""

    rank = 1


class LpPool2D(LpPool):
    """Lp norm of each window of a picture (N, C, H, W), see `numpycnn.functional.lp_pool2d`.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, name
        As for `MaxPool2D`.
    p : float
        Of the norm, at least 1.

    Raises
    ------
    ValueError
        If a setting is out of range, or unknown.
    TypeError
        If one is not of its kind.
    """

    rank = 2


class LpPool3D(LpPool):
    """Lp norm of each window of a volume (N, C, D, H, W); see `LpPool2D`."""

    rank = 3


class GlobalPool(Layer):
    """What both global pools have in common: a number for each channel."""

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) < 2:
            raise ValueError(f"expected inputs (C, ...) with at least one spatial axis, got {spell(input_shape)}")
        self._expected = ("N", input_shape[0], *LETTERS.get(len(input_shape) - 1, input_shape[1:]))
        return input_shape[:1]


class GlobalAvgPool(GlobalPool):
    """Mean of each channel, (N, C) from (N, C, *size), see `numpycnn.functional.global_avg_pool`."""

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.global_avg_pool(x), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return F.global_avg_pool_backward(dy, x)


class GlobalMaxPool(GlobalPool):
    """Largest element of each channel, (N, C) from (N, C, *size), see `numpycnn.functional.global_max_pool`."""

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.global_max_pool(x), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return F.global_max_pool_backward(dy, x)
