"""The transforms of Winograd's convolution: the matrices, each product with them written out, and those of the weights.

What they are for is told in `numpycnn.kernels.winograd`.
"""

import numpy as np

from numpycnn.kernels.jit import jit
from numpycnn.kernels.vectors import REGISTER, load, store

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


def transform_weights_reference(chunk, start, stop, weight, swapped, u):
    points = G.astype(weight.dtype) @ weight.reshape(*weight.shape[:2], 3, 3) @ G.T.astype(weight.dtype)
    points = points.swapaxes(0, 1) if swapped else points  # (A, B, 6, 6)
    for a in range(4 * start, min(4 * stop, len(points))):
        u[:, a // 4, : points.shape[1], a % 4] = points[a].reshape(-1, 36).T


def transform_weights_backward_reference(chunk, start, stop, du, dweight):
    filters, channels, _ = dweight[start:stop].shape
    points = du[:, start:stop, :channels].transpose(1, 2, 0).reshape(filters, channels, 6, 6)
    g = G.astype(du.dtype)
    dweight[start:stop] = (g.T @ points @ g).reshape(filters, channels, 9)


@jit
def transform_weights(chunk, start, stop, weight, swapped, u):
    """U = G w G^T, with zeros for what is missing to four filters.

    weight (F, C, 9), u (36, F/4, C, 4), or (36, C/4, F, 4) if ``swapped``, its third axis rounded up to vectors. The
    nine weights of a kernel are brought into the order of ``u`` first; from there on it is vectors.
    """
    size, count = weight.shape[:2][::-1] if swapped else weight.shape[:2]
    step, one, many = REGISTER // u.itemsize, u.dtype.type(1), 4 * u.shape[2]
    taps, half = np.zeros((9, many), u.dtype), np.zeros((18, step), u.dtype)
    for block in range(start, stop):
        lanes = min(4, size - 4 * block)
        if lanes < 4:
            taps[:] = 0
        for b in range(count):
            for lane in range(lanes):
                w = weight[b, 4 * block + lane] if swapped else weight[4 * block + lane, b]
                for t in range(9):
                    taps[t, 4 * b + lane] = w[t]
        for s in range(0, many, step):
            for j in range(3):
                a, b, c, d, e, f = times_g(one, load(taps[j], s), load(taps[3 + j], s), load(taps[6 + j], s))
                store(half[j], 0, a)
                store(half[3 + j], 0, b)
                store(half[6 + j], 0, c)
                store(half[9 + j], 0, d)
                store(half[12 + j], 0, e)
                store(half[15 + j], 0, f)
            for i in range(6):
                k, h = 6 * i, 3 * i
                a, b, c, d, e, f = times_g(one, load(half[h], 0), load(half[h + 1], 0), load(half[h + 2], 0))
                store(u[k, block].reshape(-1), s, a)
                store(u[k + 1, block].reshape(-1), s, b)
                store(u[k + 2, block].reshape(-1), s, c)
                store(u[k + 3, block].reshape(-1), s, d)
                store(u[k + 4, block].reshape(-1), s, e)
                store(u[k + 5, block].reshape(-1), s, f)


@jit
def transform_weights_backward(chunk, start, stop, du, dweight):
    """Dw = G^T du G. du (36, F, C rounded up to vectors), dweight (F, C, 9)."""
    channels, step, one = dweight.shape[1], REGISTER // du.itemsize, du.dtype.type(1)
    half, taps = np.zeros((18, step), du.dtype), np.zeros((9, step), du.dtype)
    for f in range(start, stop):
        for s in range(0, channels, step):
            for j in range(6):
                a, b, c = load(du[j, f], s), load(du[6 + j, f], s), load(du[12 + j, f], s)
                d, e, g = load(du[18 + j, f], s), load(du[24 + j, f], s), load(du[30 + j, f], s)
                a, b, c = times_gt(one, a, b, c, d, e, g)
                store(half[j], 0, a)
                store(half[6 + j], 0, b)
                store(half[12 + j], 0, c)
            for i in range(3):
                h = 6 * i
                a, b, c = load(half[h], 0), load(half[h + 1], 0), load(half[h + 2], 0)
                d, e, g = load(half[h + 3], 0), load(half[h + 4], 0), load(half[h + 5], 0)
                a, b, c = times_gt(one, a, b, c, d, e, g)
                store(taps[3 * i], 0, a)
                store(taps[3 * i + 1], 0, b)
                store(taps[3 * i + 2], 0, c)
            for c in range(min(step, channels - s)):
                target = dweight[f, s + c]
                for t in range(9):
                    target[t] = taps[t, c]
