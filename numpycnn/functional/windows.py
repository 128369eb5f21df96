"""Convolution arithmetic: where a window stands as it slides over an input, in any number of dimensions.

For one axis, with input size ``i``, kernel ``k``, stride ``s``, padding ``p`` before and ``q`` after, and dilation
``d``, the window is ``d (k - 1) + 1`` long and there is room for

    o = floor((i + p + q - d (k - 1) - 1) / s) + 1

of them. Everything else on this page is bookkeeping around that line.

Source: V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning", arXiv 1603.07285.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np

from numpycnn.functional.checks import LARGEST, per_axis, spell, whole_number
from numpycnn.kernels.convolution import FlatWindows

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
LETTERS = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Windows:
    """A window of `kernel` taps sliding over an input of `size`. One entry for each spatial axis in every field."""

    size: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Pairs
    dilation: tuple[int, ...]
    output: tuple[int, ...]

    @cached_property
    def padded(self) -> tuple[int, ...]:
        """Size of the input with its padding."""
        return tuple(i + before + after for i, (before, after) in zip(self.size, self.padding, strict=True))

    @cached_property
    def inside(self) -> bool:
        """Whether no tap of any window is outside of the input."""
        return (
            all(
                not before and s * (o - 1) + d * (k - 1) < i
                for i, k, s, (before, _), d, o in zip(
                    self.size, self.kernel, self.stride, self.padding, self.dilation, self.output, strict=True
                )
            )
            and self.padded == self.size
        )

    @cached_property
    def flat(self) -> FlatWindows:
        """The windows in the padded input laid out as one line: what the convolution kernels work with."""
        pitch = [prod(self.padded[axis + 1 :]) for axis in range(len(self.size))]  # from one element to the next

        def offsets(counts: Sequence[int], steps: Sequence[int]) -> np.ndarray:
            total = np.zeros(1, np.int64)
            for count, step in zip(counts, steps, strict=True):
                total = (total[:, None] + step * np.arange(count, dtype=np.int64)).ravel()
            return total

        begin = sum(before * p for (before, _), p in zip(self.padding, pitch, strict=True))
        return FlatWindows(
            taps=offsets(self.kernel, [d * p for d, p in zip(self.dilation, pitch, strict=True)]),
            origins=offsets(self.output[:-1], [s * p for s, p in zip(self.stride[:-1], pitch[:-1], strict=True)]),
            step=self.stride[-1],
            width=self.output[-1],
            inset=begin + offsets(self.size[:-1], pitch[:-1]),
            plane=prod(self.padded),
        )

    @cached_property
    def table(self) -> np.ndarray:
        """Which input element each tap of each window sees, (P, taps), or -1: what the pooling kernels work with."""
        index, inside = np.zeros((1, 1), np.int64), np.ones((1, 1), bool)
        for i, k, s, (before, _), d, o in zip(
            self.size, self.kernel, self.stride, self.padding, self.dilation, self.output, strict=True
        ):
            at = s * np.arange(o)[:, None] + d * np.arange(k) - before  # (o, k) position on this axis
            joined = index[:, None, :, None] * i + at[None, :, None, :]
            within = inside[:, None, :, None] & ((at >= 0) & (at < i))[None, :, None, :]
            shape = (len(index) * o, index.shape[1] * k)
            index, inside = joined.reshape(shape), within.reshape(shape)
        return np.where(inside, index, -1)

    def reversed(self) -> "Windows | None":
        """Return how the windows of stride 1 look from the output back to the input, or None if nothing is seen so.

        Each input element is seen by the windows that begin up to ``d (k - 1)`` before it: a window of the same kernel
        over the output, padded by what is left of that after the padding here, and to the size of the input.
        """
        pairs = tuple(
            (d * (k - 1) - before, i - o + before)
            for i, o, k, d, (before, _) in zip(
                self.size, self.output, self.kernel, self.dilation, self.padding, strict=True
            )
        )
        if any(side < 0 for pair in pairs for side in pair):
            return None
        return _slide(self.output, self.kernel, self.stride, pairs, self.dilation, self.size)

    def divisor(self, count_include_pad: bool) -> np.ndarray:
        """How many elements each window averages over, (*output), with or without the padding that it covers.

        What hangs over beyond the padding, as with ``ceil_mode``, is never counted.
        """
        counts = np.ones((), np.int64)
        for i, k, s, (before, after), d, o in zip(
            self.size, self.kernel, self.stride, self.padding, self.dilation, self.output, strict=True
        ):
            at = s * np.arange(o)[:, None] + d * np.arange(k) - before  # (o, k) position on this axis
            seen = (at >= -before) & (at < i + after) if count_include_pad else (at >= 0) & (at < i)
            counts = counts[..., None] * seen.sum(axis=1)
        return counts


def padding_pairs(
    padding: Any,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    operation: str,
) -> Pairs:
    """Return any way of writing `padding` as one ``(before, after)`` pair for each axis.

    ``"valid"`` pads nothing, ``"full"`` lets the window touch the input with a single tap, ``"same"`` makes
    ``ceil(input / stride)`` outputs; where that needs an odd number of zeros, the odd one comes after the input.
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
        raise ValueError(f"{operation}: expected padding 'valid', 'same' or 'full', got {padding!r}")
    if isinstance(padding, tuple | list) and any(isinstance(side, tuple | list) for side in padding):
        if len(padding) != rank or any(not isinstance(s, tuple | list) or len(s) != 2 for s in padding):
            raise ValueError(
                f"{operation}: expected padding as {rank} (before, after) pairs, one for each axis, got {padding!r}"
            )
        return tuple(
            (
                whole_number(before, "padding", operation, minimum=0),
                whole_number(after, "padding", operation, minimum=0),
            )
            for before, after in padding
        )
    return tuple((p, p) for p in per_axis(padding, rank, "padding", operation, minimum=0))


def check_padding(padding: Any, rank: int, operation: str) -> Any:
    """Return `padding` as it was given, if it is one of the ways to write it."""
    ones = (1,) * rank
    padding_pairs(padding, ones, ones, ones, ones, operation)
    return padding


def count_windows(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    operation: str,
    *,
    ceil_mode: bool = False,
) -> tuple[int, ...]:
    """Return how many windows fit on each axis; a window that does not fit at all is a ``ValueError``.

    With `ceil_mode`, a last window may hang over the end as long as it begins in the input or in the padding before it.
    """
    output = []
    axes = zip(AXES[len(size)], size, kernel, stride, padding, dilation, strict=True)
    for name, i, k, s, (before, after), d in axes:
        reach = d * (k - 1) + 1
        room = i + before + after - reach
        if room < 0:
            window = f"kernel {k}" if d == 1 else f"kernel {k} with dilation {d} is {reach} long and"
            raise ValueError(
                f"{operation}: {window} does not fit into {name} {i} + padding {before} + {after} "
                f"= {i + before + after}"
            )
        o = room // s + 1
        if ceil_mode and room % s and o * s < i + before:
            o += 1
        output.append(o)
    return tuple(output)


def slide(
    size: tuple[int, ...],
    kernel_size: Any,
    *,
    stride: Any,
    padding: Any,
    dilation: Any,
    operation: str,
    ceil_mode: bool = False,
) -> Windows:
    """Check the settings of a sliding window and work out where it stands; equal settings give the same object."""
    rank = len(size)
    if 0 in size:
        raise ValueError(f"{operation}: expected spatial axes of at least 1, got {spell(size)}")
    kernel = per_axis(kernel_size, rank, "kernel_size", operation)
    strides = per_axis(stride, rank, "stride", operation)
    dilations = per_axis(dilation, rank, "dilation", operation)
    pairs = padding_pairs(padding, size, kernel, strides, dilations, operation)
    output = count_windows(size, kernel, strides, pairs, dilations, operation, ceil_mode=ceil_mode)
    padded = [i + before + after for i, (before, after) in zip(size, pairs, strict=True)]
    if prod(padded) > LARGEST or prod(kernel) > LARGEST:
        raise ValueError(
            f"{operation}: expected at most {LARGEST} elements in one padded channel, got {spell(padded)}"
            f" with kernel {spell(kernel)}"
        )
    return _slide(tuple(size), kernel, strides, pairs, dilations, output)


@lru_cache(maxsize=256)
def _slide(*fields: Any) -> Windows:
    return Windows(*fields)


def transposed_size(
    size: Sequence[int],
    kernel_size: Any,
    *,
    stride: Any,
    padding: Any,
    output_padding: Any,
    dilation: Any,
    operation: str,
) -> Windows:
    """Return the windows of the convolution that the transposed convolution undoes the shape of.

    Its input is the transposed convolution's output, and the other way round.
    """
    rank = len(size)
    if 0 in size:
        raise ValueError(f"{operation}: expected spatial axes of at least 1, got {spell(size)}")
    kernel = per_axis(kernel_size, rank, "kernel_size", operation)
    strides = per_axis(stride, rank, "stride", operation)
    dilations = per_axis(dilation, rank, "dilation", operation)
    extra = per_axis(output_padding, rank, "output_padding", operation, minimum=0)
    for e, s, d in zip(extra, strides, dilations, strict=True):
        if e >= max(s, d):
            raise ValueError(
                f"{operation}: expected output_padding smaller than stride or dilation, got {e} with stride {s} "
                f"and dilation {d}"
            )
    same = isinstance(padding, str) and padding == "same"  # of the convolution from size * stride to size
    wide = [i * s for i, s in zip(size, strides, strict=True)] if same else size
    pairs = padding_pairs(padding, wide, kernel, strides, dilations, operation)
    output = []
    axes = zip(AXES[rank], size, kernel, strides, pairs, extra, dilations, strict=True)
    for name, i, k, s, (before, after), e, d in axes:
        o = s * i + e if same else s * (i - 1) + d * (k - 1) + 1 + e - before - after
        if o < 1:
            raise ValueError(
                f"{operation}: no {name} is left: "
                f"{s} * ({i} - 1) + {d} * ({k} - 1) + 1 + {e} - {before} - {after} = {o}"
            )
        output.append(o)
    padded = [o + before + after for o, (before, after) in zip(output, pairs, strict=True)]
    if prod(padded) > LARGEST or prod(kernel) > LARGEST:
        raise ValueError(
            f"{operation}: expected at most {LARGEST} elements in one padded channel, got {spell(padded)}"
            f" with kernel {spell(kernel)}"
        )
    return _slide(tuple(output), kernel, strides, pairs, dilations, tuple(size))
