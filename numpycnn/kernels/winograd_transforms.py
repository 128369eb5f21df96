"""The transforms of Winograd's convolution: the matrices, each product with them written out, and those of the weights.

And how the numbers at the 36 points lie in memory. What all that is for is told in `numpycnn.kernels.winograd`.
"""

from typing import Any

import numpy as np

from numpycnn.kernels import memory
from numpycnn.kernels.blocks import blocks_of
from numpycnn.kernels.jit import jit
from numpycnn.kernels.vectors import FOUR, REGISTER, load, store

#: Where the polynomials are multiplied; the sixth point is infinity. Any five numbers would do. The usual 0, 1, -1, 2
#: and -2 make the simplest matrices, these make errors four times smaller (2.5e-6 of the largest output in float32,
#: with 256 channels).
POINTS = (0, 5 / 8, -5 / 8, 3 / 2, -3 / 2)


def transforms(points: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return AT (4, 6), G (6, 3) and BT (6, 6), by Toom and Cook's construction.

    `G` evaluates the weights' polynomial at each point, divided by the product of the distances to the other points;
    `AT` takes the powers of the points; and a row of `BT` has the coefficients of the polynomial that is 0 at all other
    points.
    """
    at, g, bt = np.zeros((4, 6)), np.zeros((6, 3)), np.zeros((6, 6))
    for j, point in enumerate(points):
        others = [other for other in points if other != point]
        at[:, j] = [point**i for i in range(4)]
        g[j] = [point**i / np.prod([point - other for other in others]) for i in range(3)]
        bt[j, :5] = np.poly(others)[::-1]
    at[3, 5], g[5, 2], bt[5] = 1, 1, np.poly(points)[::-1]  # at infinity only the highest power counts
    return at, g, bt


AT, G, BT = transforms(POINTS)


# ----------------------------------------------------------------------------------------------- six lines at a time


@jit
def store6(array, begin, pitch, a, b, c, d, e, f):
    """Write six vectors to lines ``pitch`` apart."""
    store(array, begin, a)
    store(array, begin + pitch, b)
    store(array, begin + 2 * pitch, c)
    store(array, begin + 3 * pitch, d)
    store(array, begin + 4 * pitch, e)
    store(array, begin + 5 * pitch, f)


@jit
def load6(array, begin, pitch):
    """Return six vectors from lines ``pitch`` apart."""
    a, b, c = load(array, begin), load(array, begin + pitch), load(array, begin + 2 * pitch)
    return a, b, c, load(array, begin + 3 * pitch), load(array, begin + 4 * pitch), load(array, begin + 5 * pitch)


# ------------------------------------------------------------------------------------------------ what is too large


def all_moderate_reference(numbers):
    return bool(np.square(numbers).sum() < np.inf)


@jit
def all_moderate(numbers):
    """Say whether there is no NaN or infinity in a line, and the sum of the squares is none either.

    The transforms would spread such a number over other windows, so the kernels that transform look for one on the way,
    and clear their ``moderate[chunk]`` if they meet it: then the convolution is done once more, the plain way.
    """
    power = numbers.dtype.type(0)
    for i in range(len(numbers)):
        power += numbers[i] * numbers[i]
    return power < np.inf


# ------------------------------------------------------------------------------------- one dimension, written out
# The matrices above are mostly zeros, and the points come in pairs p and -p, whose rows differ in signs only.

P, Q = POINTS[1], POINTS[3]
P2, Q2, P3, Q3 = P * P, Q * Q, P * P * P, Q * Q * Q
PRODUCT, SUM = P2 * Q2, P2 + Q2
SCALE_0, SCALE_P, SCALE_Q = 1 / PRODUCT, 1 / (2 * P2 * (P2 - Q2)), 1 / (2 * Q2 * (Q2 - P2))


@jit
def times_bt(one, d0, d1, d2, d3, d4, d5):
    """Return BT d. ``one`` is 1 in the type that the constants are to have."""
    p, q, p2, q2, product, total = one * P, one * Q, one * P2, one * Q2, one * PRODUCT, one * SUM
    even, odd, even2, odd2 = d4 - q2 * d2, d3 - q2 * d1, d4 - p2 * d2, d3 - p2 * d1
    first, last = product * d0 - total * d2 + d4, product * d1 - total * d3 + d5
    return first, even + p * odd, even - p * odd, even2 + q * odd2, even2 - q * odd2, last


@jit
def times_b(one, v0, v1, v2, v3, v4, v5):
    """Return B v."""
    p, q, p2, q2, product, total = one * P, one * Q, one * P2, one * Q2, one * PRODUCT, one * SUM
    plus, minus, plus2, minus2 = v1 + v2, p * (v1 - v2), v3 + v4, q * (v3 - v4)
    d1 = product * v5 - q2 * minus - p2 * minus2
    d2 = -total * v0 - q2 * plus - p2 * plus2
    return product * v0, d1, d2, minus + minus2 - total * v5, v0 + plus + plus2, v5


@jit
def times_at(one, m0, m1, m2, m3, m4, m5):
    """Return AT m."""
    p, q, p2, q2, p3, q3 = one * P, one * Q, one * P2, one * Q2, one * P3, one * Q3
    plus, minus, plus2, minus2 = m1 + m2, m1 - m2, m3 + m4, m3 - m4
    return m0 + plus + plus2, p * minus + q * minus2, p2 * plus + q2 * plus2, p3 * minus + q3 * minus2 + m5


@jit
def times_a(one, t0, t1, t2, t3):
    """Return A t."""
    p, q, p2, q2, p3, q3 = one * P, one * Q, one * P2, one * Q2, one * P3, one * Q3
    even, odd, even2, odd2 = t0 + p2 * t2, p * t1 + p3 * t3, t0 + q2 * t2, q * t1 + q3 * t3
    return t0, even + odd, even - odd, even2 + odd2, even2 - odd2, t3


@jit
def times_g(one, w0, w1, w2):
    """Return G w."""
    p, p2, q, q2, r = (
        one * (P * SCALE_P),
        one * (P2 * SCALE_P),
        one * (Q * SCALE_Q),
        one * (Q2 * SCALE_Q),
        one * SCALE_0,
    )
    even, odd = one * SCALE_P * w0 + p2 * w2, p * w1
    even2, odd2 = one * SCALE_Q * w0 + q2 * w2, q * w1
    return r * w0, even + odd, even - odd, even2 + odd2, even2 - odd2, w2


@jit
def times_gt(one, v0, v1, v2, v3, v4, v5):
    """Return G^T v."""
    p, q = one * SCALE_P, one * SCALE_Q
    plus, minus, plus2, minus2 = p * (v1 + v2), p * (v1 - v2), q * (v3 + v4), q * (v3 - v4)
    return (
        one * SCALE_0 * v0 + plus + plus2,
        one * P * minus + one * Q * minus2,
        one * P2 * plus + one * Q2 * plus2 + v5,
    )


# ------------------------------------------------------------------------------------------------------------ weights
# The 36 numbers of each kernel stand in 36 lines, of which each is a matrix with rows of some pitch: ``u`` has the
# filters of a channel side by side, (C, F), or if ``swapped`` the channels of a filter, (F, C); ``du`` the latter.


def whole_tiles(count: int, itemsize: int) -> int:
    """Return a number of columns, rounded up to the half tiles that `weighted_sums` works on."""
    half = FOUR // 2 // itemsize
    return -(-count // half) * half


def odd_lines(numbers: int, itemsize: int) -> int:
    """Return at least so many numbers, an odd number of cache lines."""
    line = memory.ALIGNMENT // itemsize
    return (-(-numbers // line) | 1) * line


def row_pitch(count: int, itemsize: int) -> int:
    """Return how far apart the rows of a matrix with so many columns are, in numbers.

    A row has room for whole tiles, and is an odd number of cache lines long: if a power of two lay between rows, all
    numbers of a column would go to the same places of the cache, and drive each other out.
    """
    return odd_lines(whole_tiles(count, itemsize), itemsize)


def empty_at_points(rows: int, columns: int, dtype: Any, times: int = 1) -> np.ndarray:
    """Return memory for the 36 matrices, (times, 36, ...), again an odd number of cache lines from one to the next.

    There are as many rows as whole tiles have. What a tile reaches behind the last vector of a row is zero: numbers so
    small that a processor treats them apart, which may lie there by chance, would make the products twenty times as
    slow.
    """
    size, height = np.dtype(dtype).itemsize, -(-rows // 4) * 4
    pitch, written = row_pitch(columns, size), blocks_of(columns, size) * REGISTER // size
    numbers = memory.empty((times, 36, odd_lines(height * pitch, size)), dtype)
    inside = numbers[..., : height * pitch].reshape(times, 36, height, pitch)
    inside[..., written : whole_tiles(columns, size)] = 0
    return numbers


def matrices(numbers: np.ndarray, rows: int, pitch: int) -> np.ndarray:
    """Return the 36 matrices with rows of a pitch, (36, rows, pitch), a view."""
    return numbers[:, : rows * pitch].reshape(36, rows, pitch)


def transform_weights_reference(chunk, start, stop, weight, swapped, pitch, u, moderate):
    kernels = weight.reshape(*weight.shape[:2], 3, 3)
    points = G.astype(weight.dtype) @ kernels @ G.T.astype(weight.dtype)  # (F, C, 6, 6)
    points = points if swapped else points.swapaxes(0, 1)
    rows, columns = points.shape[:2]
    matrices(u, rows, pitch)[:, start:stop, :columns] = points.reshape(rows, columns, 36)[start:stop].transpose(2, 0, 1)
    moderate[chunk] &= all_moderate_reference(weight[start:stop] if swapped else weight[:, start:stop])


def transform_weights_backward_reference(chunk, start, stop, du, pitch, dweight):
    points = matrices(du.sum(axis=0), len(dweight), pitch)[:, start:stop, : dweight.shape[1]]
    points = points.transpose(1, 2, 0)  # (F, C, 36)
    g = G.astype(du.dtype)
    gradients = g.T @ points.reshape(*points.shape[:2], 6, 6) @ g
    dweight[start:stop] = gradients.reshape(*points.shape[:2], 9)


@jit
def transform_weights(chunk, start, stop, weight, swapped, pitch, u, moderate):
    """U = G w G^T for the rows start to stop of the 36 matrices.

    weight (F, C, 9), u (36, at least rows * pitch). What ``moderate`` is for is told at `all_moderate`.
    """
    columns, step, one = weight.shape[1] if swapped else weight.shape[0], REGISTER // u.itemsize, u.dtype.type(1)
    taps, half = np.zeros(9 * step, u.dtype), np.zeros(18 * step, u.dtype)
    flat, point, fine = u.reshape(-1), u.shape[1], True
    for row in range(start, stop):
        for s in range(0, columns, step):
            for lane in range(step):
                if s + lane < columns:
                    kernel = weight[row, s + lane] if swapped else weight[s + lane, row]
                    for t in range(9):
                        taps[t * step + lane] = kernel[t]
                else:
                    for t in range(9):
                        taps[t * step + lane] = 0
            fine &= all_moderate(taps)
            for j in range(3):
                at = j * step
                a, b, c, d, e, f = times_g(one, load(taps, at), load(taps, at + 3 * step), load(taps, at + 6 * step))
                store6(half, at, 3 * step, a, b, c, d, e, f)
            for j in range(6):
                at = 3 * j * step
                a, b, c, d, e, f = times_g(one, load(half, at), load(half, at + step), load(half, at + 2 * step))
                store6(flat, 6 * j * point + row * pitch + s, point, a, b, c, d, e, f)
    moderate[chunk] &= fine


@jit
def transform_weights_backward(chunk, start, stop, du, pitch, dweight):
    """Dw = G^T du G for the filters start to stop.

    du (parts to be added, 36, at least F * pitch), dweight (F, C, 9).
    """
    channels, step, one = dweight.shape[1], REGISTER // du.itemsize, du.dtype.type(1)
    half, taps = np.zeros(18 * step, du.dtype), np.zeros(9 * step, du.dtype)
    flat, point = du.reshape(-1), du.shape[2]
    for f in range(start, stop):
        for s in range(0, channels, step):
            for j in range(6):
                at = j * point + f * pitch + s
                a, b, c, d, e, g = load6(flat, at, 6 * point)
                for part in range(1, len(du)):
                    a1, b1, c1, d1, e1, g1 = load6(flat, at + 36 * part * point, 6 * point)
                    a, b, c, d, e, g = a + a1, b + b1, c + c1, d + d1, e + e1, g + g1
                a, b, c = times_gt(one, a, b, c, d, e, g)
                store(half, j * step, a)
                store(half, (6 + j) * step, b)
                store(half, (12 + j) * step, c)
            for i in range(3):
                a, b, c, d, e, g = load6(half, 6 * i * step, step)
                a, b, c = times_gt(one, a, b, c, d, e, g)
                store(taps, 3 * i * step, a)
                store(taps, (3 * i + 1) * step, b)
                store(taps, (3 * i + 2) * step, c)
            for c in range(min(step, channels - s)):
                target = dweight[f, s + c]
                for t in range(9):
                    target[t] = taps[t * step + c]
