"""Convolution layers and their transposes, for sequences, images and volumes."""

from fractions import Fraction
from math import prod
from typing import Any, ClassVar

import numpy as np

from numpycnn._checks import check_int, check_per_axis, format_shape, per_axis
from numpycnn._settings import operations
from numpycnn._types import Padding, Shape, Size
from numpycnn._windows import LETTERS, Windows, check_padding, slide, transposed_size
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.checking import BuildSetting
from numpycnn.layers.initializers import Initializer, draw
from numpycnn.layers.weighted import Weighted


class Conv(Weighted):
    """Convolution of sequences, images or volumes with learned kernels: ``Conv1D``, ``Conv2D``, ``Conv3D``.

    Maps inputs (N, C, *size) to (N, F, *output), where ``*size`` is ``L``, ``H, W`` or ``D, H, W``; see
    `numpycnn.functional.conv2d`.

    Parameters
    ----------
    out_channels : int
        Number of kernels and output channels, ``F``.
    kernel_size : int or tuple of int
        One for all axes, or one for each.
    stride : int or tuple of int
    padding : int, tuple of int, tuple of (before, after) pairs, or {"valid", "same", "full"}
    dilation : int or tuple of int
    groups : int
        Number of blocks of channels, convolved independently.
    bias : bool
        Whether to add a learned value to each output channel.
    in_channels : int, optional
        ``C``; by default inferred at build.
    activation : str or Layer, optional
        Applied to the result: ``"relu"`` or ``LeakyReLU(0.2)``, for example.
    initializer : str or function
        Initial weights: ``"he_normal"``, ``"he_uniform"``, ``"glorot_normal"``, ``"glorot_uniform"``, ``"normal"``,
        ``"truncated_normal"``, ``"orthogonal"``, ``"zeros"``, or a function of a generator and a shape, as
        ``lambda rng, shape: rng.normal(0, 0.1, shape)``, which files do not keep.
    name : str, optional

    Attributes
    ----------
    weight : Parameter of shape (F, C/groups, *kernel)
    bias : Parameter of shape (F,), or None

    Raises
    ------
    ValueError
        If a setting is out of range, or unknown.
    TypeError
        If a setting has the wrong type.

    References
    ----------
    arXiv 1603.07285, chapter 2.
    """

    rank: ClassVar[int]  # number of spatial axes

    out_channels = BuildSetting()
    kernel_size = BuildSetting()
    stride = BuildSetting()
    dilation = BuildSetting()
    padding = BuildSetting()
    groups = BuildSetting()
    in_channels = BuildSetting()

    def __init__(
        self,
        out_channels: int,
        kernel_size: Size,
        *,
        stride: Size = 1,
        padding: Padding = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        in_channels: int | None = None,
        activation: str | Layer | None = None,
        initializer: Initializer = "he_normal",
        name: str | None = None,
    ) -> None:
        super().__init__(bias=bias, initializer=initializer, activation=activation, name=name)
        kind = type(self).__name__
        self.out_channels = check_int(out_channels, "out_channels", kind)
        self.kernel_size = check_per_axis(kernel_size, self.rank, "kernel_size", kind)
        self.stride = check_per_axis(stride, self.rank, "stride", kind)
        self.dilation = check_per_axis(dilation, self.rank, "dilation", kind)
        self.padding = check_padding(padding, self.rank, kind)
        self.groups = check_int(groups, "groups", kind)
        self.in_channels = None if in_channels is None else check_int(in_channels, "in_channels", kind)

    # ------------------------------------------------------------------------------------------------------- building

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) != self.rank + 1:
            raise ValueError(
                f"expected inputs {format_shape(('C', *LETTERS[self.rank]))}, got {format_shape(input_shape)}"
            )
        channels = input_shape[0]
        if self.in_channels not in (None, channels):
            raise ValueError(
                f"expected {self.in_channels} channels (in_channels), got {channels} in {format_shape(input_shape)}"
            )
        for count, kind in ((channels, "input"), (self.out_channels, "output")):
            if count % self.groups:
                raise ValueError(f"expected groups to divide the {count} {kind} channels, got {self.groups}")
        self._windows = self._slide(input_shape[1:])
        shape = self._weight_shape(channels)
        fan_in, fan_out = self._fan_in(channels), prod(self._windows.kernel) * self.out_channels // self.groups
        self.weight = Parameter(draw(self.initializer, rng, shape, fan_in=fan_in, fan_out=fan_out, dtype=self.dtype))
        if self.use_bias:
            self.bias = Parameter(np.zeros(self.out_channels, self.dtype))
        self._expected = ("N", channels, *LETTERS[self.rank])
        return self._build_activation((self.out_channels, *self._output_size(self._windows)), rng)

    def _weight_shape(self, channels: int) -> Shape:
        kernel = per_axis(self.kernel_size, self.rank, "kernel_size", self.label)
        return (self.out_channels, channels // self.groups, *kernel)

    def _fan_in(self, channels: int) -> float:
        """Return the number of products in one output."""
        return prod(self._windows.kernel) * channels // self.groups

    def _slide(self, size: Shape) -> Windows:
        """Return the windows over an input of this size."""
        settings = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        return slide(size, self.kernel_size, **settings, owner=type(self).__name__)

    def _output_size(self, windows: Windows) -> Shape:
        return windows.output

    def _settings(self, x: np.ndarray) -> dict[str, Any]:
        """Return the settings of the operation, resolved at build, or recomputed for another input size."""
        if x.shape[1:] == self.input_shape:
            return {**self._windows.settings, "groups": self.groups}
        return {**self._slide(x.shape[2:]).settings, "groups": self.groups}

    # ------------------------------------------------------------------------------------------- forward and backward

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        bias = None if self.bias is None else self.bias.value
        y = operations().conv(x, self.weight.value, bias, **self._settings(x))
        return y if self.activation is None else self.activation.forward(y, **mode), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        if self.activation is not None:
            dy = self.activation.backward(dy)
        dx, dweight, dbias = operations().conv_backward(dy, x, self.weight.value, **self._settings(x))
        self._set_gradients(dweight, dbias)
        return dx

    def _backward_parameters(self, dy: np.ndarray, x: np.ndarray) -> None:
        if self.activation is not None:
            dy = self.activation.backward(dy)
        kernel = self.weight.value.shape[2:]
        self._set_gradients(*operations().conv_weight_gradient(dy, x, kernel, **self._settings(x)))

    # ----------------------------------------------------------------------------------------------------- inspection

    def multiply_adds(self) -> int:
        """Return the number of multiplications with a weight for one example."""
        if self.input_shape is None:
            return 0
        return int(self.weight.value.size) * prod(self._windows.output)

    def window(self) -> tuple[Shape, Any, Shape]:
        """Return kernel size, stride and dilation for each axis."""
        settings = (self.kernel_size, self.stride, self.dilation)
        kernel, stride, dilation = (per_axis(setting, self.rank, "setting", self.label) for setting in settings)
        return kernel, stride, dilation


class Conv1D(Conv):
    rank = 1


class Conv2D(Conv):
    rank = 2


class Conv3D(Conv):
    rank = 3


class ConvTranspose(Conv):
    """Transposed convolution of sequences, images or volumes: ``ConvTranspose1D``, ``ConvTranspose2D``, ...

    Maps inputs (N, C, *size) to (N, F, *output), from the shape of a convolution's output to that of its input; see
    `numpycnn.functional.conv_transpose2d`.

    Parameters
    ----------
    out_channels, kernel_size, groups, bias, in_channels, activation, initializer, name
        As for `Conv2D`.
    stride, padding, dilation
        As for the convolution whose shapes are inverted.
    output_padding : int or tuple of int
        Elements added after the output, fewer than the stride or the dilation.

    Attributes
    ----------
    weight : Parameter of shape (C, F/groups, *kernel)
    bias : Parameter of shape (F,), or None

    Raises
    ------
    ValueError, TypeError
        As for `Conv2D`.

    References
    ----------
    arXiv 1603.07285, chapter 4.
    """

    output_padding = BuildSetting()

    def __init__(
        self,
        out_channels: int,
        kernel_size: Size,
        *,
        stride: Size = 1,
        padding: Padding = 0,
        output_padding: Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        in_channels: int | None = None,
        activation: str | Layer | None = None,
        initializer: Initializer = "he_normal",
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
            activation=activation,
            initializer=initializer,
            name=name,
        )
        kind = type(self).__name__
        self.output_padding = check_per_axis(output_padding, self.rank, "output_padding", kind, minimum=0)

    def _weight_shape(self, channels: int) -> Shape:
        kernel = per_axis(self.kernel_size, self.rank, "kernel_size", self.label)
        return (channels, self.out_channels // self.groups, *kernel)

    def _fan_in(self, channels: int) -> float:
        """Return the mean number of products in one output: with a stride, they are spread over more outputs."""
        return super()._fan_in(channels) / prod(self._windows.stride)

    def _slide(self, size: Shape) -> Windows:
        """Return the windows of the convolution whose shapes are inverted."""
        settings = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        extra = self.output_padding
        return transposed_size(size, self.kernel_size, **settings, output_padding=extra, owner=type(self).__name__)

    def _output_size(self, windows: Windows) -> Shape:
        return windows.size

    def _settings(self, x: np.ndarray) -> dict[str, Any]:
        windows = self._windows if x.shape[1:] == self.input_shape else self._slide(x.shape[2:])
        return {**windows.settings, "output_padding": windows.output_padding, "groups": self.groups}

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        bias = None if self.bias is None else self.bias.value
        y = operations().conv_transpose(x, self.weight.value, bias, **self._settings(x))
        return y if self.activation is None else self.activation.forward(y, **mode), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        if self.activation is not None:
            dy = self.activation.backward(dy)
        dx, dweight, dbias = operations().conv_transpose_backward(dy, x, self.weight.value, **self._settings(x))
        self._set_gradients(dweight, dbias)
        return dx

    def _backward_parameters(self, dy: np.ndarray, x: np.ndarray) -> None:
        self._backward(dy, x)

    def window(self) -> tuple[Shape, Any, Shape]:
        """Return the largest number of inputs of one output, and the stride as a fraction."""
        kernel, stride, dilation = super().window()
        seen = tuple(-(-(d * (k - 1) + 1) // s) for k, s, d in zip(kernel, stride, dilation, strict=True))
        return seen, tuple(Fraction(1, s) for s in stride), (1,) * self.rank


class ConvTranspose1D(ConvTranspose):
    rank = 1


class ConvTranspose2D(ConvTranspose):
    rank = 2


class ConvTranspose3D(ConvTranspose):
    rank = 3
