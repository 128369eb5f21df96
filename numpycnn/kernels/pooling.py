"""The loops of pooling: the largest element of each window, the sum over each window, and the way back of both.

A pooling window treats every channel by itself, so the input is a heap of flat planes (B, S), and one table says which
elements of a plane each window sees: ``table[p, k]`` for tap ``k`` of window ``p``, or -1 where the tap hangs over the
edge. The table holds everything there is to know of dimensions, stride, padding and dilation.
"""

from typing import NamedTuple

import numpy as np

from numpycnn.kernels.jit import jit
from numpycnn.kernels.vectors import REGISTER, larger, load_every, places, store


class InnerWindows(NamedTuple):
    """Windows that lie inside of a flat plane: tap k of window j of row r sees ``origins[r] + j * step + taps[k]``."""

    taps: np.ndarray  # (KK,) from a window's first element to the one under each tap
    origins: np.ndarray  # (OR,) first element of the first window in each output row
    step: int  # from one window to the next in the same row
    width: int  # windows in a row


# ------------------------------------------------------------------------- the plain version, to read and to check


def max_pool_reference(chunk, start, stop, x, table, y, winners):
    seen = np.where(table >= 0, x[start:stop, table], -np.inf)  # (B, P, KK)
    # A tap outside of the input never wins, not even against -inf; NaN wins over everything, the last one over the
    # others.
    rank = np.where(np.isnan(seen), np.inf, seen)
    best = rank.max(axis=2, keepdims=True)
    tied = (rank == best) & (table >= 0) & (np.isnan(seen) | ~np.isnan(seen).any(axis=2, keepdims=True))
    last = tied.shape[2] - 1 - tied[:, :, ::-1].argmax(axis=2)
    tap = np.where(np.isnan(seen).any(axis=2), last, tied.argmax(axis=2))  # (B, P)
    y[start:stop] = np.take_along_axis(seen, tap[:, :, None], axis=2)[:, :, 0]
    winners[start:stop] = np.where(tied.any(axis=2), table[np.arange(len(table)), tap], -1)


def max_pool_backward_reference(chunk, start, stop, dy, winners, dx):
    dx[start:stop] = 0
    plane, window = np.nonzero(winners[start:stop] >= 0)
    np.add.at(dx, (plane + start, winners[plane + start, window]), dy[plane + start, window])


def window_sum_reference(chunk, start, stop, x, table, y):
    y[start:stop] = np.where(table >= 0, x[start:stop, table], 0).sum(axis=2)


def window_sum_backward_reference(chunk, start, stop, dy, table, dx):
    dx[start:stop] = 0
    window, tap = np.nonzero(table >= 0)
    np.add.at(dx[start:stop], (slice(None), table[window, tap]), dy[start:stop, window])


# ----------------------------------------------------------------------------------------------------- the fast version


@jit
def max_pool(chunk, start, stop, x, table, y, winners):
    """y[b, p] = the largest x[b, q] that window p sees, winners[b, p] = its q, or -inf and -1 where it sees nothing.

    x (B, S), table (P, KK), y and winners (B, P). NaN counts as the largest of all.
    """
    windows, taps = table.shape
    for b in range(start, stop):
        for p in range(windows):
            best, winner = -np.inf, -1
            for k in range(taps):
                q = table[p, k]
                if q >= 0:
                    value = x[b, q]
                    if winner < 0 or value > best or value != value:
                        best, winner = value, q
            y[b, p] = best
            winners[b, p] = winner


def max_pool_inside_reference(chunk, start, stop, x, windows, y, winners):
    first = windows.origins[:, None] + windows.step * np.arange(windows.width)  # (OR, OW)
    max_pool_reference(chunk, start, stop, x, first.reshape(-1, 1) + windows.taps, y, winners)


@jit
def max_pool_inside(chunk, start, stop, x, windows, y, winners):
    """Do the same for windows that lie inside of the plane, so that no tap has to be asked whether it does.

    A vector of neighbouring windows at a time, 20 times as fast as with the table on 2x2 windows of 28x28 planes. What
    a vector writes beyond the end of a row is written once more, and right, with the next row; where there is no next
    one, the windows are done one by one.
    """
    taps, width, step, size = windows.taps, windows.width, windows.step, x.shape[1]
    lanes, flat = REGISTER // x.itemsize, x.reshape(-1)
    largest, winner = y[start:stop].reshape(-1), winners[start:stop].reshape(-1)
    for b in range(start, stop):
        for r in range(len(windows.origins)):
            row = ((b - start) * len(windows.origins) + r) * width
            for begin in range(0, width, lanes):
                origin, at = windows.origins[r] + begin * step, row + begin
                if step <= 2 and at + lanes <= len(largest) and b * size + origin + taps[-1] + 2 * lanes <= len(flat):
                    best = load_every(flat, b * size + origin, step)
                    place = places(best, origin, step)
                    for k in range(1, len(taps)):
                        seen = origin + taps[k]
                        value = load_every(flat, b * size + seen, step)
                        best, place = larger(best, place, value, places(value, seen, step))
                    store(largest, at, best)
                    store(winner, at, place)
                else:
                    for j in range(begin, min(begin + lanes, width)):
                        q = windows.origins[r] + j * step
                        top, holder = x[b, q], q
                        for k in range(1, len(taps)):
                            value = x[b, q + taps[k]]
                            if value > top or value != value:
                                top, holder = value, q + taps[k]
                        largest[row + j], winner[row + j] = top, holder


@jit
def max_pool_backward(chunk, start, stop, dy, winners, dx):
    """dx[b, q] = sum of the dy[b, p] whose window p was won by q."""
    for b in range(start, stop):
        for q in range(dx.shape[1]):
            dx[b, q] = 0
        for p in range(dy.shape[1]):
            if winners[b, p] >= 0:
                dx[b, winners[b, p]] += dy[b, p]


@jit
def window_sum(chunk, start, stop, x, table, y):
    """y[b, p] = sum of the x[b, q] that window p sees. x (B, S), table (P, KK), y (B, P)."""
    windows, taps = table.shape
    for b in range(start, stop):
        for p in range(windows):
            total = x.dtype.type(0)
            for k in range(taps):
                q = table[p, k]
                if q >= 0:
                    total += x[b, q]
            y[b, p] = total


@jit
def window_sum_backward(chunk, start, stop, dy, table, dx):
    """dx[b, q] = sum of the dy[b, p] of all windows p that see q."""
    windows, taps = table.shape
    for b in range(start, stop):
        for q in range(dx.shape[1]):
            dx[b, q] = 0
        for p in range(windows):
            gradient = dy[b, p]
            for k in range(taps):
                q = table[p, k]
                if q >= 0:
                    dx[b, q] += gradient
