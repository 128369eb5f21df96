"""The transforms of Winograd's convolution: the matrices, the product with each, and the transform of the weights.

The algorithm is explained in `numpycnn.kernels.winograd`.
"""

import numpy as np

from numpycnn.kernels.engine.jit import jit
from numpycnn.kernels.engine.vectors import FOUR, REGISTER, load, store

#: The interpolation points; the sixth is infinity. Any five distinct numbers are correct. The usual 0, 1, -1, 2 and -2
#: give the simplest matrices, these give errors four times smaller (2.5e-6 of the largest output in float32, with 256
#: channels).
POINTS = (0, 5 / 8, -5 / 8, 3 / 2, -3 / 2)


def transforms(points: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return AT (4, 6), G (6, 3) and BT (6, 6) of the Toom-Cook construction.

    `G` evaluates the polynomial of the weights at each point, divided by the product of the distances to the other
    points; `AT` has the powers of the points; a row of `BT` has the coefficients of the polynomial with the other
    points as roots.
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


# ------------------------------------------------------------------------------------------------ six vectors at a time


@jit
def store6(array, begin, pitch, a, b, c, d, e, f):
    """Store six vectors, ``pitch`` elements apart."""
    store(array, begin, a)
    store(array, begin + pitch, b)
    store(array, begin + 2 * pitch, c)
    store(array, begin + 3 * pitch, d)
    store(array, begin + 4 * pitch, e)
    store(array, begin + 5 * pitch, f)


@jit
def load6(array, begin, pitch):
    """Load six vectors, ``pitch`` elements apart."""
    a, b, c = load(array, begin), load(array, begin + pitch), load(array, begin + 2 * pitch)
    return a, b, c, load(array, begin + 3 * pitch), load(array, begin + 4 * pitch), load(array, begin + 5 * pitch)


# ------------------------------------------------------------------------------------------------------ range of values


@jit
def all_moderate(numbers: np.ndarray) -> bool:
    """Return whether the sum of the squares is finite: no NaN, no infinity, nothing near overflow.

    The transforms would spread such a number over all outputs of its tile. Kernels that transform data therefore check
    it, and clear their ``moderate[chunk]``: the convolution is then computed by another algorithm.
    """
    power = numbers.dtype.type(0)
    for i in range(len(numbers)):
        power += numbers[i] * numbers[i]
    return power < np.inf


# ------------------------------------------------------------------------------ products with the matrices, unrolled
# The matrices are mostly zeros, and the points come in pairs p and -p, whose rows differ in signs only.

P, Q = POINTS[1], POINTS[3]
P2, Q2, P3, Q3 = P * P, Q * Q, P * P * P, Q * Q * Q
PRODUCT, SUM = P2 * Q2, P2 + Q2
SCALE_0, SCALE_P, SCALE_Q = 1 / PRODUCT, 1 / (2 * P2 * (P2 - Q2)), 1 / (2 * Q2 * (Q2 - P2))


@jit
def times_bt(one, d0, d1, d2, d3, d4, d5):
    """Return BT d. ``one`` is 1 in the type of the constants."""
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
    p, p2, r = one * (P * SCALE_P), one * (P2 * SCALE_P), one * SCALE_0
    q, q2 = one * (Q * SCALE_Q), one * (Q2 * SCALE_Q)
    even, odd = one * SCALE_P * w0 + p2 * w2, p * w1
    even2, odd2 = one * SCALE_Q * w0 + q2 * w2, q * w1
    return r * w0, even + odd, even - odd, even2 + odd2, even2 - odd2, w2


@jit
def times_gt(one, v0, v1, v2, v3, v4, v5):
    """Return G^T v."""
    p, q = one * SCALE_P, one * SCALE_Q
    plus, minus, plus2, minus2 = p * (v1 + v2), p * (v1 - v2), q * (v3 + v4), q * (v3 - v4)
    first, last = one * SCALE_0 * v0 + plus + plus2, one * P2 * plus + one * Q2 * plus2 + v5
    return first, one * P * minus + one * Q * minus2, last


# ---------------------------------------------------------------------------------------------------- the 36 matrices
# One row of memory for each point, with a matrix of rows ``pitch`` elements apart: ``u`` is (channels, filters), or
# (filters, channels) if ``swapped``; ``du`` is (filters, channels).

LINE = 64  # bytes of a cache line


def padded_columns(count: int, itemsize: int) -> int:
    """Return the number of columns, rounded up to the half tiles of `weighted_sums`."""
    half = FOUR // 2 // itemsize
    return -(-count // half) * half


def odd_lines(elements: int, itemsize: int) -> int:
    """Round a number of elements up to an odd number of cache lines."""
    line = LINE // itemsize
    return (-(-elements // line) | 1) * line


def row_pitch(columns: int, itemsize: int) -> int:
    """Return the distance between the rows of a matrix, in elements.

    A row has room for whole half tiles, and an odd number of cache lines: with a power of two, the elements of a column
    would all map to the same sets of the cache and evict each other.
    """
    return odd_lines(padded_columns(columns, itemsize), itemsize)


def matrices_shape(rows: int, columns: int, itemsize: int) -> tuple[int, int]:
    """Return the shape of the memory of the 36 matrices, their rows padded to a multiple of 4."""
    return 36, odd_lines(-(-rows // 4) * 4 * row_pitch(columns, itemsize), itemsize)


@jit
def transform_weights(chunk, start, stop, weight, swapped, pitch, u, moderate):
    """U = G w G^T for the rows start to stop of the 36 matrices, zero-padded to whole half tiles.

    weight (F, C, 9), u (36, at least rows * pitch). Clears ``moderate[chunk]`` if `all_moderate` is false.
    """
    columns, step, one = weight.shape[1] if swapped else weight.shape[0], REGISTER // u.itemsize, u.dtype.type(1)
    taps, half = np.zeros(9 * step, u.dtype), np.zeros(18 * step, u.dtype)
    flat, point, ok, half_tile = u.reshape(-1), u.shape[1], True, FOUR // 2 // u.itemsize
    for row in range(start, stop):
        for s in range(0, -(-columns // half_tile) * half_tile, step):
            for lane in range(step):
                if s + lane < columns:
                    kernel = weight[row, s + lane] if swapped else weight[s + lane, row]
                    for t in range(9):
                        taps[t * step + lane] = kernel[t]
                else:
                    for t in range(9):
                        taps[t * step + lane] = 0
            ok &= all_moderate(taps)
            for j in range(3):
                at = j * step
                a, b, c, d, e, f = times_g(one, load(taps, at), load(taps, at + 3 * step), load(taps, at + 6 * step))
                store6(half, at, 3 * step, a, b, c, d, e, f)
            for j in range(6):
                at = 3 * j * step
                a, b, c, d, e, f = times_g(one, load(half, at), load(half, at + step), load(half, at + 2 * step))
                store6(flat, 6 * j * point + row * pitch + s, point, a, b, c, d, e, f)
    moderate[chunk] &= ok


@jit
def transform_weights_backward(chunk, start, stop, du, pitch, dweight):
    """Dw = G^T du G for the filters start to stop.

    du (partial sums, 36, at least F * pitch), dweight (F, C, 9).
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
