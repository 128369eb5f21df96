"""Offset tables for the loops: the memory positions of the windows of a convolution or a pooling."""

from collections.abc import Iterable
from functools import cached_property, lru_cache
from itertools import product
from math import prod

import numpy as np

from numpycnn._types import Array, Pads, Size
from numpycnn._windows import Windows, count_windows
from numpycnn.kernels.im2col import Geometry, Outputs
from numpycnn.kernels.pooling import InnerWindows
from numpycnn.plain.windows import padding_pairs


def _sums(axes: Iterable[Array]) -> Array:
    """Return the sums of one entry for each axis, for all choices of entries, the last axis running fastest."""
    total = np.zeros(1, np.int64)
    for entries in axes:
        total = (total[:, None] + entries).ravel()
    return total


def _geometry(
    size: tuple[int, ...],
    stride: tuple[int, ...],
    front: tuple[int, ...],
    output: tuple[int, ...],
    reach: list[tuple[Array, ...]],
) -> Geometry:
    """Lay out a padded channel whose last axis is split by its stride.

    `reach` has, for each phase, the positions of its taps on each axis. On the last axis, tap ``r`` of window ``j``
    sees element ``s j + r``, which is element ``j + r // s`` of part ``r mod s``.
    """
    starts = [s * np.arange(o, dtype=np.int64) for s, o in zip(stride, output, strict=True)]
    used = [np.unique(np.concatenate(taps)) for taps in zip(*reach, strict=True)]
    lengths = []
    for i, s, f, r, o in zip(size, stride, front, used, starts, strict=True):
        seen = int(r[-1] + o[-1]) + 1
        if s == 1:  # adjacent rows share their padding: fewer windows begin in it
            seen = max(len(o), min(seen, f + i), seen - f)
        lengths.append(seen)
    s, part = stride[-1], -(-lengths[-1] // stride[-1])
    lengths[-1] = part * s
    pitch = [prod(lengths[axis + 1 :]) for axis in range(len(lengths))]  # from one element to the next
    split = [(*r[:-1], r[-1] % s * part + r[-1] // s) for r in reach]
    taps = [_sums([t * p for t, p in zip(r, pitch, strict=True)]) for r in split]

    rows, unseen, columns = [], [], []
    for i, f, r, o in zip(size[:-1], front, used, starts, strict=False):
        rows.append(f + np.arange(i, dtype=np.int64))
        unseen.append(~np.isin(rows[-1], r + o[:, None]))
    for phase in np.unique(used[-1] % s):
        first = int(phase - front[-1]) % s
        offset = (first + front[-1]) // s
        columns.append((first, phase * part + offset, max(0, min(-(-(size[-1] - first) // s), part - offset))))
    return Geometry(
        taps=np.concatenate(taps),
        origins=_sums([o * p for o, p in zip(starts[:-1], pitch, strict=False)]),
        width=output[-1],
        rows=np.where(_sums(unseen) > 0, -1, _sums([r * p for r, p in zip(rows, pitch, strict=False)])),
        columns=np.array(columns, np.int64),
        stride=s,
        plane=prod(lengths),
    )


class Layout(Windows):
    """Windows with the tables that the loops need, each worked out on first use."""

    @cached_property
    def geometry(self) -> Geometry:
        """The windows in a padded channel: what the convolution kernels work with."""
        reach = [d * np.arange(k, dtype=np.int64) for d, k in zip(self.dilation, self.kernel, strict=True)]
        front = tuple(before for before, _ in self.padding)
        return _geometry(self.size, self.stride, front, self.output, [tuple(reach)])

    @cached_property
    def outputs(self) -> Outputs:
        """Where a convolution writes its outputs: one after the other."""
        width = self.output[-1]
        rows = width * np.arange(prod(self.output[:-1]), dtype=np.int64)
        return Outputs(np.array([0, prod(self.kernel)]), rows[None], np.full((1, len(rows)), width), 1)

    @cached_property
    def adjoint(self) -> tuple[Geometry, Outputs, Array]:
        """The input gradient as a convolution of ``dy`` with stride 1, and the order in which it uses the taps.

        On an axis with stride ``s``, element ``i`` of the padded input is seen by tap ``k`` of window ``(i - d k) / s``
        if that is an integer. So all elements ``i = a (mod s)`` are seen by the same taps, ``d k = a (mod s)``, and
        from one to the next of them the windows move on by one: each of these phases is a convolution of its own.
        """
        axes = []
        for i, k, s, (before, _), d in zip(
            self.size, self.kernel, self.stride, self.padding, self.dilation, strict=True
        ):
            axis = []
            at = d * np.arange(k, dtype=np.int64)
            for a in np.unique(at % s):
                first = int(a - before) % s  # element of the input
                taps = np.flatnonzero(at % s == a)[::-1]
                if first < i:
                    axis.append((taps, (first + before - d * taps) // s, np.arange(first, i, s)))
            axes.append(axis)
        front = tuple(max(0, *(-int(seen.min()) for _, seen, _ in axis)) if axis else 0 for axis in axes)
        output = tuple(max((len(elements) for *_, elements in axis), default=1) for axis in axes)
        of_kernel = [prod(self.kernel[axis + 1 :]) for axis in range(len(self.size))]
        of_input = [prod(self.size[axis + 1 :]) for axis in range(len(self.size))]
        reach, order, rows, counts = [], [], [], []
        for choice in product(*axes):
            used, seen, elements = zip(*choice, strict=True)
            reach.append(tuple(positions + f for positions, f in zip(seen, front, strict=True)))
            order.append(_sums([t * p for t, p in zip(used, of_kernel, strict=True)]))
            # Phases may differ by one element: the shorter ones drop a window.
            filled = [np.resize(e, o) for e, o in zip(elements, output, strict=True)]
            inside = [np.arange(o) < len(e) for e, o in zip(elements[:-1], output, strict=False)]
            rows.append(_sums([e * p for e, p in zip(filled[:-1], of_input, strict=False)]) + elements[-1][0])
            kept = _sums([~i for i in inside]) == 0
            counts.append(np.where(kept, len(elements[-1]), 0))
        if not order:  # no tap sees the input
            return self.geometry, self.outputs, np.zeros(0, np.int64)
        bounds = np.cumsum([0, *map(len, order)])
        outputs = Outputs(bounds, np.stack(rows), np.stack(counts), self.stride[-1])
        ones = (1,) * len(self.size)
        return _geometry(self.output, ones, front, output, reach), outputs, np.concatenate(order)

    @cached_property
    def inner(self) -> InnerWindows:
        """The windows in the flattened input itself, if all of them are `inside`."""
        pitch = [prod(self.size[axis + 1 :]) for axis in range(len(self.size))]  # from one element to the next
        taps = [d * p * np.arange(k) for d, p, k in zip(self.dilation, pitch, self.kernel, strict=True)]
        origins = [s * p * np.arange(o) for s, p, o in zip(self.stride, pitch, self.output, strict=True)][:-1]
        return InnerWindows(_sums(taps), _sums(origins), self.stride[-1], self.output[-1])

    @cached_property
    def covers(self) -> bool:
        """Whether every element of the input is in a phase of `adjoint`, that is, has taps that may see it."""
        return all(
            len(np.unique(d * np.arange(k) % s)) == s
            for k, s, d in zip(self.kernel, self.stride, self.dilation, strict=True)
        )

    @cached_property
    def table(self) -> Array:
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


@lru_cache(maxsize=256)
def layout(
    size: tuple[int, ...],
    kernel_size: Size,
    stride: Size,
    padding: Pads,
    dilation: Size,
    output: tuple[int, ...] | None = None,
    ceil_mode: bool = False,
) -> Layout:
    """Return the layout of windows; `output` is given where fewer windows are used than fit."""
    rank = len(size)
    kernel, strides, dilations = (
        tuple(np.broadcast_to(setting, rank).tolist()) for setting in (kernel_size, stride, dilation)
    )
    pairs = tuple(map(tuple, padding_pairs(padding, rank).tolist()))
    if output is None:
        output = count_windows(size, kernel, strides, pairs, dilations, "layout", ceil_mode=ceil_mode)
    return Layout(size, kernel, strides, pairs, dilations, output)
