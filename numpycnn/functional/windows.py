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
from numpycnn.kernels.pooling import InnerWindows

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
LETTERS = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
Pairs = tuple[tuple[int, int], ...]


def _sums(axes: Sequence[np.ndarray]) -> np.ndarray:
    """Return the sums of one entry for each axis, for all choices of entries, the last axis running fastest."""
    total = np.zeros(1, np.int64)
    for entries in axes:
        total = (total[:, None] + entries).ravel()
    return total


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
        """The windows in the padded input, dealt out into phases: what the convolution kernels work with.

        On an axis with stride ``s`` and dilation ``d``, tap ``k`` of window ``j`` sees element ``s j + d k`` of the
        padded input: in phase ``d k mod s`` it is the element ``j + floor(d k / s)``.
        """
        reach = [d * np.arange(k, dtype=np.int64) for d, k in zip(self.dilation, self.kernel, strict=True)]
        phases = [np.unique(r % s) for r, s in zip(reach, self.stride, strict=True)]  # that are seen, on each axis
        lengths = [o + int(r[-1]) // s for o, r, s in zip(self.output, reach, self.stride, strict=True)]
        pitch = [prod(lengths[axis + 1 :]) for axis in range(len(lengths))]  # from one element to the next
        across = [prod(map(len, phases[axis + 1 :])) for axis in range(len(lengths))]  # from one phase to the next

        found = [np.searchsorted(p, r % s) * a for p, r, s, a in zip(phases, reach, self.stride, across, strict=True)]
        shifts = [r // s * p for r, s, p in zip(reach, self.stride, pitch, strict=True)]
        taps = np.stack([_sums(found), _sums(shifts)], axis=1)

        row_phases, row_positions, row_seen = [], [], []
        axes = zip(self.size[:-1], self.stride, self.padding, phases, lengths, pitch, across, strict=False)
        for i, s, (before, _), seen, length, p, a in axes:
            place = before + np.arange(i, dtype=np.int64)
            row_phases.append(np.searchsorted(seen, place % s) * a)
            row_positions.append(place // s * p)
            row_seen.append(np.isin(place % s, seen) & (place // s < length))
        unseen = _sums([~seen for seen in row_seen]).astype(bool)
        rows = np.stack([np.where(unseen, -1, _sums(row_phases)), _sums(row_positions)], axis=1)

        columns = []
        i, s, before = self.size[-1], self.stride[-1], self.padding[-1][0]
        for number, phase in enumerate(phases[-1]):
            first = int(phase - before) % s  # the first element of a row that is in this phase
            begin = (first + before) // s
            columns.append((number, first, begin, max(0, min(-(-(i - first) // s), lengths[-1] - begin))))

        inside = rows[~unseen, 1]
        order = np.argsort(taps[:, 0], kind="stable")
        count = prod(map(len, phases))
        return FlatWindows(
            taps=taps,
            order=order,
            bounds=np.searchsorted(taps[order, 0], np.arange(count + 1)),
            rows=rows,
            columns=np.array(columns, np.int64),
            stride=s,
            origins=_sums([p * np.arange(o, dtype=np.int64) for o, p in zip(self.output[:-1], pitch, strict=False)]),
            width=self.output[-1],
            phases=count,
            plane=prod(lengths),
            first=int(inside.min()) if len(inside) else 0,
            last=int(inside.max()) + lengths[-1] if len(inside) else 0,
        )

    @cached_property
    def inner(self) -> InnerWindows:
        """The windows in the flattened input itself, if all of them are `inside`."""
        pitch = [prod(self.size[axis + 1 :]) for axis in range(len(self.size))]  # from one element to the next
        taps = [d * p * np.arange(k) for d, p, k in zip(self.dilation, pitch, self.kernel, strict=True)]
        origins = [s * p * np.arange(o) for s, p, o in zip(self.stride, pitch, self.output, strict=True)][:-1]
        return InnerWindows(_sums(taps), _sums(origins), self.stride[-1], self.output[-1])

    @cached_property
    def covers(self) -> bool:
        """Whether every element of the input is seen by some tap."""
        return self.flat.rows[:, 0].min() >= 0 and self.flat.columns[:, 3].sum() == self.size[-1]

    @cached_property
    def table(self) -> np.ndarray:
        """Which input element each tap of each window sees, (P, taps), or -1: what the pooling kernels work with."""
        index, inside = np.zeros((1, 1), np.int64), np.ones((1, 1), bool)
        for i, k, s, (before, _), d, o in zip(
            self.size, self.kernel, self.stride, self.padding, self.dilation, self.output, strict=True
        ):
            reachable = min(k, (i + before - 1) // d + 1)  # with ceil_mode, a window may be far longer than that
            at = s * np.arange(o)[:, None] + d * np.arange(reachable) - before  # position on this axis
            joined = index[:, None, :, None] * i + at[None, :, None, :]
            within = inside[:, None, :, None] & ((at >= 0) & (at < i))[None, :, None, :]
            shape = (len(index) * o, index.shape[1] * reachable)
            index, inside = joined.reshape(shape), within.reshape(shape)
        return np.where(inside, index, -1)

    def divisor(self, count_include_pad: bool) -> np.ndarray:
        """How many elements each window averages over, (*output), with or without the padding that it covers.

        What hangs over beyond the padding, as with ``ceil_mode``, is never counted.
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
    It may be the only one.
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
                f"{operation}: {window} does not fit into {name} {i} + padding {before} + {after} "
                f"= {i + before + after}"
            )
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
    settings = (kernel_size, stride, padding, dilation)
    # What is known to be right need not be checked in each step; (1.0, 1), though, would be taken for (1, 1).
    simple = all(type(setting) in (int, str) for setting in settings)
    check = _check_and_slide if simple else _check_and_slide.__wrapped__
    return check(tuple(size), *settings, operation, ceil_mode)


@lru_cache(maxsize=1024, typed=True)
def _check_and_slide(
    size: tuple[int, ...],
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    operation: str,
    ceil_mode: bool,
) -> Windows:
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
