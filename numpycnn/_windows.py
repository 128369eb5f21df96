"""Convolution arithmetic: the positions of a window that slides over an input, in any number of dimensions.

For one axis, with input size ``i``, kernel ``k``, stride ``s``, padding ``p`` before and ``q`` after, and dilation
``d``, the window is ``d (k - 1) + 1`` long, and the output size is

    o = floor((i + p + q - d (k - 1) - 1) / s) + 1

The rest of this module is bookkeeping around this formula.

Source: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", arXiv 1603.07285.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any, TypeVar

import numpy as np

from numpycnn._checks import MAX_INT, check_flag, format_shape, per_axis
from numpycnn._types import Array, Padding, Pairs

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
LETTERS = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
Number = TypeVar("Number", int, Fraction)


@dataclass(frozen=True)
class Windows:
    """A window of `kernel` taps that slides over an input of `size`. Each field has one entry for each spatial axis."""

    size: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Pairs
    dilation: tuple[int, ...]
    output: tuple[int, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """Stride, padding and dilation as the operations take them."""
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    @property
    def output_padding(self) -> tuple[int, ...]:
        """Elements of the padded input after the last window: the `output_padding` of a transposed convolution."""
        axes = zip(self.padded, self.kernel, self.stride, self.dilation, self.output, strict=True)
        return tuple(i - s * (o - 1) - d * (k - 1) - 1 for i, k, s, d, o in axes)

    @cached_property
    def padded(self) -> tuple[int, ...]:
        """Size of the input with its padding."""
        return tuple(i + before + after for i, (before, after) in zip(self.size, self.padding, strict=True))

    @cached_property
    def inside(self) -> bool:
        """Whether all taps of all windows are inside the input."""
        return self.padded == self.size and min(self.output_padding) >= 0

    def divisor(self, count_include_pad: bool) -> Array:
        """Count the elements that each window averages over, (*output), with or without the padding that it covers.

        Taps beyond the padding, which occur with ``ceil_mode``, are never counted.
        """
        counts = np.ones((), np.int64)
        for i, k, s, (before, after), d, o in zip(
            self.size, self.kernel, self.stride, self.padding, self.dilation, self.output, strict=True
        ):
            reachable = min(k, (i + before + after - 1) // d + 1)
            at = s * np.arange(o)[:, None] + d * np.arange(reachable) - before  # position on this axis
            seen = (at >= -before) & (at < i + after) if count_include_pad else (at >= 0) & (at < i)
            counts = counts[..., None] * seen.sum(axis=1)
        return counts


def padding_pairs(
    padding: object,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    owner: str,
) -> Pairs:
    """Return `padding`, in any of its notations, as one ``(before, after)`` pair for each axis.

    ``"valid"`` pads nothing, ``"full"`` lets the window overlap the input by a single tap, ``"same"`` makes
    ``ceil(input / stride)`` outputs; an odd zero is added after the input.
    """
    rank = len(size)
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * rank
        if padding == "full":
            return tuple((r, r) for r in reach)
        if padding == "same":
            totals = [max(0, (-(-i // s) - 1) * s + r + 1 - i) for i, s, r in zip(size, stride, reach, strict=True)]
            return tuple((total // 2, total - total // 2) for total in totals)
        raise ValueError(f"{owner}: expected padding 'valid', 'same' or 'full', got {padding!r}")
    if isinstance(padding, tuple | list) and any(isinstance(side, tuple | list) for side in padding):
        if len(padding) != rank or any(not isinstance(s, tuple | list) or len(s) != 2 for s in padding):
            raise ValueError(
                f"{owner}: expected padding as {rank} (before, after) pairs, one for each axis, got {padding!r}"
            )
        sides = [per_axis(pair, 2, "padding", owner, minimum=0) for pair in padding]
        return tuple((before, after) for before, after in sides)
    return tuple((p, p) for p in per_axis(padding, rank, "padding", owner, minimum=0))


def check_padding(padding: object, rank: int, owner: str) -> Padding:
    """Return `padding` unchanged if it is in one of its notations."""
    ones = (1,) * rank
    pairs = padding_pairs(padding, ones, ones, ones, ones, owner)
    if isinstance(padding, str):
        return padding
    if not isinstance(padding, tuple | list):
        return pairs[0][0]
    return pairs if any(isinstance(side, tuple | list) for side in padding) else tuple(before for before, _ in pairs)


def widen(field: tuple[Number, Number], kernel: int, stride: Number, dilation: int) -> tuple[Number, Number]:
    """Return how much of an axis one output sees after another sliding window, and how far apart neighbours look.

    The first is ``r + d (k - 1) j``, the second ``j s``.
    """
    size, jump = field
    return size + dilation * (kernel - 1) * jump, jump * stride


def count_windows(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    owner: str,
    *,
    ceil_mode: bool = False,
) -> tuple[int, ...]:
    """Return the number of windows along each axis, at least 1; otherwise raise a ``ValueError``.

    With `ceil_mode`, a last window may extend past the end if it begins in the input or in the padding before it. It
    may be the only one.
    """
    output = []
    axes = zip(AXES[len(size)], size, kernel, stride, padding, dilation, strict=True)
    for name, i, k, s, (before, after), d in axes:
        reach = d * (k - 1) + 1
        room = i + before + after - reach
        o = -(-room // s) + 1 if ceil_mode else room // s + 1
        if ceil_mode and (o - 1) * s >= i + before:
            o -= 1
        if o < 1:
            window = f"kernel {k}" if d == 1 else f"kernel {k} with dilation {d} is {reach} long and"
            raise ValueError(
                f"{owner}: {window} does not fit into {name} {i} + padding {before} + {after} = {i + before + after}"
            )
        output.append(o)
    return tuple(output)


def slide(
    size: tuple[int, ...],
    kernel_size: object,
    *,
    stride: object,
    padding: object,
    dilation: object,
    owner: str,
    ceil_mode: object = False,
) -> Windows:
    """Check the settings of a sliding window, and resolve them to one entry for each axis."""
    kernel, strides, dilations = _check_window(size, kernel_size, stride, dilation, owner)
    pairs = padding_pairs(padding, size, kernel, strides, dilations, owner)
    output = count_windows(
        size, kernel, strides, pairs, dilations, owner, ceil_mode=check_flag(ceil_mode, "ceil_mode", owner)
    )
    return _check_extent(Windows(tuple(size), kernel, strides, pairs, dilations, output), owner)


def _check_window(
    size: Sequence[int], kernel_size: object, stride: object, dilation: object, owner: str
) -> list[tuple[int, ...]]:
    if 0 in size:
        raise ValueError(f"{owner}: expected spatial axes of at least 1, got {format_shape(size)}")
    settings = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation}
    return [per_axis(value, len(size), name, owner) for name, value in settings.items()]


def _check_extent(windows: Windows, owner: str) -> Windows:
    """Refuse a padded channel, or a kernel, with more elements than the index of a loop can count."""
    if prod(windows.padded) > MAX_INT or prod(windows.kernel) > MAX_INT:
        raise ValueError(
            f"{owner}: expected at most {MAX_INT} elements in one padded channel, got {format_shape(windows.padded)}"
            f" with kernel {format_shape(windows.kernel)}"
        )
    return windows


def pool_windows(
    size: tuple[int, ...],
    kernel_size: object,
    *,
    stride: object,
    padding: object,
    dilation: object,
    ceil_mode: object,
    owner: str,
) -> Windows:
    """Resolve the settings of a pooling window; the stride defaults to the kernel size."""
    windows = slide(
        size,
        kernel_size,
        stride=kernel_size if stride is None else stride,
        padding=padding,
        dilation=dilation,
        owner=owner,
        ceil_mode=ceil_mode,
    )
    for name, k, d, pair in zip(AXES[len(size)], windows.kernel, windows.dilation, windows.padding, strict=True):
        if max(pair) > d * (k - 1):
            raise ValueError(
                f"{owner}: expected padding smaller than the window, so that each window overlaps the input; "
                f"got {max(pair)} for {name} with a window of {d * (k - 1) + 1}"
            )
    return windows


def transposed_size(
    size: Sequence[int],
    kernel_size: object,
    *,
    stride: object,
    padding: object,
    output_padding: object,
    dilation: object,
    owner: str,
) -> Windows:
    """Return the windows of the convolution whose shapes a transposed convolution inverts."""
    kernel, strides, dilations = _check_window(size, kernel_size, stride, dilation, owner)
    extra = per_axis(output_padding, len(size), "output_padding", owner, minimum=0)
    for e, s, d in zip(extra, strides, dilations, strict=True):
        if e >= max(s, d):
            raise ValueError(
                f"{owner}: expected output_padding smaller than stride or dilation, got {e} with stride {s} "
                f"and dilation {d}"
            )
    same = isinstance(padding, str) and padding == "same"  # of the convolution from size * stride to size
    wide = [i * s for i, s in zip(size, strides, strict=True)] if same else size
    pairs = padding_pairs(padding, wide, kernel, strides, dilations, owner)
    output = []
    axes = zip(AXES[len(size)], size, kernel, strides, pairs, extra, dilations, strict=True)
    for name, i, k, s, (before, after), e, d in axes:
        o = s * i + e if same else s * (i - 1) + d * (k - 1) + 1 + e - before - after
        if o < 1:
            raise ValueError(
                f"{owner}: no {name} is left: {s} * ({i} - 1) + {d} * ({k} - 1) + 1 + {e} - {before} - {after} = {o}"
            )
        output.append(o)
    return _check_extent(Windows(tuple(output), kernel, strides, pairs, dilations, tuple(size)), owner)
