"""Pooling: the largest element of each window, the sum over each window, and the gradients of both.

Pooling treats every channel by itself, so the input is a stack of flat planes (B, S), and a table has the elements of
each window: ``table[p, k]`` for tap ``k`` of window ``p``, or -1 for padding. It serves any rank, stride, padding and
dilation. Windows without padding need no table: `max_pool_inside` does a vector of them at a time, 20 times as fast on
2x2 windows of 28x28 planes.
"""

from typing import NamedTuple

import numpy as np

from numpycnn.kernels.engine.jit import jit
from numpycnn.kernels.engine.vectors import REGISTER, indices, larger, load_strided, store


class InnerWindows(NamedTuple):
    """Windows without padding: tap k of window j of row r is element ``origins[r] + j * step + taps[k]`` of a plane."""

    taps: np.ndarray  # (KK,) offset of each tap from the window's first element
    origins: np.ndarray  # (OR,) first element of the first window in each output row
    step: int  # from one window to the next in the same row
    width: int  # windows in a row


@jit
def max_pool(chunk, start, stop, x, table, y, winners):
    """y[b, p] = the largest x[b, q] in window p, winners[b, p] = its q, or -inf and -1 for a window of padding alone.

    x (B, S), table (P, KK), y and winners (B, P). NaN counts as the largest; of equal elements the first wins.
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


@jit
def max_pool_inside(chunk, start, stop, x, windows, y, winners):
    """Do the same for windows without padding, a vector of adjacent windows at a time.

    A vector may write beyond the end of its row; the next row overwrites those elements. At the end of the array, and
    for strides above 2, windows are done one by one.
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
                    best = load_strided(flat, b * size + origin, step)
                    index = indices(best, origin, step)
                    for k in range(1, len(taps)):
                        q = origin + taps[k]
                        value = load_strided(flat, b * size + q, step)
                        best, index = larger(best, index, value, indices(value, q, step))
                    store(largest, at, best)
                    store(winner, at, index)
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
    """dx[b, q] = sum of dy[b, p] over the windows p with winner q."""
    for b in range(start, stop):
        for q in range(dx.shape[1]):
            dx[b, q] = 0
        for p in range(dy.shape[1]):
            if winners[b, p] >= 0:
                dx[b, winners[b, p]] += dy[b, p]


@jit
def window_sum(chunk, start, stop, x, table, y):
    """y[b, p] = sum of x[b, q] over window p. x (B, S), table (P, KK), y (B, P)."""
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
    """dx[b, q] = sum of dy[b, p] over the windows p that cover q."""
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
