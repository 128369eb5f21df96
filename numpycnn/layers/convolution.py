"""Convolution layers, and transposed ones, for sequences, pictures and volumes."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from numpycnn.functional.checks import as_given, check_flag, per_axis, spell, whole_number
from numpycnn.functional.conv_transpose import convolve_transposed, convolve_transposed_backward
from numpycnn.functional.convolution import convolve, convolve_backward, convolve_backward_parameters
from numpycnn.functional.windows import LETTERS, Windows, check_padding, slide, transposed_size
from numpycnn.initializers import check_initializer, draw
from numpycnn.layers.base import Layer, Parameter, Shape


class Convolution(Layer):
    """What all six have in common: their settings, their weights, and the checks."""

    rank: ClassVar[int]  # number of spatial axes

    def __init__(
        self,
        out_channels: int,
        kernel_size: int | Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        padding: Any = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        in_channels: int | None = None,
        initializer: str = "he_normal",
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        kind = type(self).__name__
        self.out_channels = whole_number(out_channels, "out_channels", kind)
        self.kernel_size = as_given(kernel_size, self.rank, "kernel_size", kind)
        self.stride = as_given(stride, self.rank, "stride", kind)
        self.dilation = as_given(dilation, self.rank, "dilation", kind)
        self.padding = check_padding(padding, self.rank, kind)
        self.groups = whole_number(groups, "groups", kind)
        self.in_channels = None if in_channels is None else whole_number(in_channels, "in_channels", kind)
        self.initializer = check_initializer(initializer, kind)
        self.use_bias = check_flag(bias, "bias", kind)
        self.weight: Any = None
        self.bias: Any = None

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().config() | {"bias": self.use_bias}

    @property
    def _kernel(self) -> Shape:
        return per_axis(self.kernel_size, self.rank, "kernel_size", self.label)

    def _weight_shape(self, channels: int) -> Shape:
        raise NotImplementedError

    def _windows(self, size: Shape) -> Windows:
        raise NotImplementedError

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) != self.rank + 1:
            raise ValueError(f"expected inputs {spell(('C', *LETTERS[self.rank]))}, got {spell(input_shape)}")
        channels = input_shape[0]
        if self.in_channels not in (None, channels):
            raise ValueError(
                f"expected {self.in_channels} channels (in_channels), got {channels} in {spell(input_shape)}"
            )
        for count, what in ((channels, "input"), (self.out_channels, "output")):
            if count % self.groups:
                raise ValueError(f"expected groups to divide the {count} {what} channels, got {self.groups}")
        shape = self._weight_shape(channels)
        taps = int(np.prod(self._kernel))
        fan_in, fan_out = taps * channels // self.groups, taps * self.out_channels // self.groups
        output = self._output_size(input_shape[1:])
        self.weight = Parameter(draw(self.initializer, rng, shape, fan_in=fan_in, fan_out=fan_out, dtype=self.dtype))
        if self.use_bias:
            self.bias = Parameter(np.zeros(self.out_channels, self.dtype))
        self._expected = ("N", channels, *LETTERS[self.rank])
        return (self.out_channels, *output)

    def _output_size(self, size: Shape) -> Shape:
        return self._windows(size).output

    def _settings(self) -> dict[str, Any]:
        return {
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "groups": self.groups,
            "rank": self.rank,
        }

    def _set_gradients(self, dweight: np.ndarray, dbias: np.ndarray) -> None:
        self.weight.grad[...] = dweight
        if self.use_bias:
            self.bias.grad[...] = dbias

    def multiply_adds(self) -> int:
        """Return how many multiplications with a weight one example costs."""
        if self.input_shape is None:
            return 0
        windows = self._windows(self.input_shape[1:])
        return int(self.weight.value.size) * int(np.prod(windows.output))


class Conv(Convolution):
    """The three convolutions: how weights and windows are laid out, forward and backward."""

    def _weight_shape(self, channels: int) -> Shape:
        return (self.out_channels, channels // self.groups, *self._kernel)

    def _windows(self, size: Shape) -> Windows:
        return slide(
            size,
            self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            operation=type(self).__name__,
        )

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        bias = self.bias.value if self.use_bias else None
        return convolve(x, self.weight.value, bias, **self._settings()), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        dx, dweight, dbias = convolve_backward(dy, x, self.weight.value, **self._settings())
        self._set_gradients(dweight, dbias)
        return dx

    def _backward_parameters(self, dy: np.ndarray, x: np.ndarray) -> None:
        dweight, dbias = convolve_backward_parameters(dy, x, self.weight.value, **self._settings())
        self._set_gradients(dweight, dbias)

    def window(self) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """Return kernel size, stride and dilation for each axis."""
        settings = (self.kernel_size, self.stride, self.dilation)
        kernel, stride, dilation = (per_axis(setting, self.rank, "setting", self.label) for setting in settings)
        return kernel, stride, dilation


class Conv1D(Conv):
    """Convolution of sequences (N, C, L); see `Conv2D`."""

    rank = 1


class Conv2D(Conv):
    """Convolution of pictures (N, C, H, W) with learned kernels, see `numpycnn.functional.conv2d`.

    Parameters
    ----------
    out_channels : int
        Kernels, and with them output channels, ``F``.
    kernel_size : int or tuple of int
    stride : int or tuple of int
    padding : int, tuple of int, tuple of (before, after) pairs, or {"valid", "same", "full"}
    dilation : int or tuple of int
    groups : int
        Blocks of channels that are convolved independently.
    bias : bool
        Whether a number is added to each output channel.
    in_channels : int, optional
        ``C``; found out when the layer is built, and checked then if given.
    initializer : {"he_normal", "he_uniform", "glorot_normal", "glorot_uniform"}
        How the initial weights are drawn.
    name : str, optional

    Attributes
    ----------
    weight : Parameter of shape (F, C/groups, KH, KW)
    bias : Parameter of shape (F,), or None

    Raises
    ------
    ValueError
        If a setting is out of range, or unknown.
    TypeError
        If one is not of its kind.
    """

    rank = 2


class Conv3D(Conv):
    """Convolution of volumes (N, C, D, H, W); see `Conv2D`."""

    rank = 3


class ConvTranspose(Convolution):
    """The three transposed convolutions, as `Conv`."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: int | Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        padding: Any = 0,
        output_padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        bias: bool = True,
        in_channels: int | None = None,
        initializer: str = "he_normal",
        name: str | None = None,
    ) -> None:
        super().__init__(
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            in_channels=in_channels,
            initializer=initializer,
            name=name,
        )
        self.output_padding = as_given(output_padding, self.rank, "output_padding", type(self).__name__, minimum=0)

    def _weight_shape(self, channels: int) -> Shape:
        return (channels, self.out_channels // self.groups, *self._kernel)

    def _windows(self, size: Shape) -> Windows:
        return transposed_size(
            size,
            self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation,
            operation=type(self).__name__,
        )

    def _output_size(self, size: Shape) -> Shape:
        return self._windows(size).size

    def _settings(self) -> dict[str, Any]:
        return super()._settings() | {"output_padding": self.output_padding}

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        bias = self.bias.value if self.use_bias else None
        return convolve_transposed(x, self.weight.value, bias, **self._settings()), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        dx, dweight, dbias = convolve_transposed_backward(dy, x, self.weight.value, **self._settings())
        self._set_gradients(dweight, dbias)
        return dx

    def window(self) -> tuple[Sequence[int], Sequence[Any], Sequence[int]]:
        """Return how many inputs an output sees at most, and the fraction of an input from one output to the next."""
        settings = (self.kernel_size, self.stride, self.dilation)
        kernel, stride, dilation = (per_axis(setting, self.rank, "setting", self.label) for setting in settings)
        seen = tuple(-(-(d * (k - 1) + 1) // s) for k, s, d in zip(kernel, stride, dilation, strict=True))
        return seen, tuple(Fraction(1, s) for s in stride), (1,) * self.rank


class ConvTranspose1D(ConvTranspose):
    """Transposed convolution of sequences (N, C, L); see `ConvTranspose2D`."""

    rank = 1


class ConvTranspose2D(ConvTranspose):
    """Transposed convolution of pictures (N, C, H, W), see `numpycnn.functional.conv_transpose2d`.

    Parameters
    ----------
    output_padding : int or tuple of int
        Rows and columns added after the output; smaller than the stride or the dilation.
    out_channels, kernel_size, stride, padding, dilation, groups, bias, in_channels, initializer, name
        As for `Conv2D`; stride, padding and dilation are those of the convolution whose shapes are undone.

    Attributes
    ----------
    weight : Parameter of shape (C, F/groups, KH, KW)
    bias : Parameter of shape (F,), or None

    Raises
    ------
    ValueError
        If a setting is out of range, or unknown.
    TypeError
        If one is not of its kind.
    """

    rank = 2


class ConvTranspose3D(ConvTranspose):
    """Transposed convolution of volumes (N, C, D, H, W); see `ConvTranspose2D`."""

    rank = 3
