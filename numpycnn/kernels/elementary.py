"""Sigmoid and tanh of whole arrays, from an exponential that the compiler vectorizes.

The exponential of the C library takes one number at a time. This one is its textbook form, in loops without a branch,
which vector instructions make several times as fast:

    exp(z) = 2^k exp(r)        k = z / log(2), rounded        r = z - k log(2), at most 0.35 in size

``exp(r) - 1`` is its power series, to the last bit after 13 terms. Adding ``magic = 1.5 * 2^52`` (``1.5 * 2^23`` in
float32) rounds to an integer, which is then in the lowest bits of the sum; shifted to the place of the exponent, with
its bias added, these bits are ``2^k``. ``r`` is accurate because the product of ``k`` and the first part of ``log(2)``,
which ends in zeros, is exact.

The sigmoid is ``1 / (1 + exp(-x))``, and ``tanh(x) = e / (e + 2)`` with ``e = exp(2 x) - 1 = 2^k (exp(r) - 1) + (2^k -
1)``, in which nothing cancels near 0. Both are accurate to two units in the last place. NaN stays NaN.

Source: W. Cody and W. Waite, "Software manual for the elementary functions", 1980, chapter 6.
"""

from functools import partial
from math import factorial
from typing import Any

import numpy as np

from numpycnn.kernels.engine.jit import IN_ORDER, jit

INTEGERS = {4: np.int32, 8: np.int64}  # by the size of a float


def constants(dtype: Any) -> np.ndarray:
    """Return what the loops need: 1 / log(2), magic, log(2) in two parts, the range of z, and the power series."""
    dtype = np.dtype(dtype)
    single = dtype.itemsize == 4
    first = 0.693359375 if single else float.fromhex("0x1.62e42fee00000p-1")
    second = -2.12194440054690583e-4 if single else float.fromhex("0x1.a39ef35793c76p-33")
    limits = [-40, 87] if single else [-40, 700]
    series = [1 / factorial(n) for n in range(13, 0, -1)]
    return np.array([1 / np.log(2), 1.5 * 2 ** (23 if single else 52), first, second, *limits, *series], dtype)


@partial(jit, fastmath=IN_ORDER)  # otherwise (t + magic) - magic would be t
def split_exponential(x, factor, table, power, bits):
    """Replace ``x`` by ``exp(r) - 1``, and set ``power`` to ``2^k``, for ``z = factor * x``; ``bits`` is its memory."""
    inverse, magic, first, second, low, high = table[0], table[1], table[2], table[3], table[4], table[5]
    a, b, c, d, e, f, g = table[6], table[7], table[8], table[9], table[10], table[11], table[12]
    h, i, j, k, m, o = table[13], table[14], table[15], table[16], table[17], table[18]
    scale = x.dtype.type(factor)
    for n in range(len(x)):
        z = scale * x[n]
        z = high if z > high else z
        z = low if z < low else z
        t = z * inverse + magic
        power[n] = t
        t -= magic
        r = (z - t * first) - t * second
        s = ((((((a * r + b) * r + c) * r + d) * r + e) * r + f) * r + g) * r + h
        x[n] = (((((s * r + i) * r + j) * r + k) * r + m) * r + o) * r
    if bits.itemsize == 4:
        for n in range(len(bits)):
            bits[n] = (bits[n] + 127) << 23
    else:
        for n in range(len(bits)):
            bits[n] = (bits[n] + 1023) << 52


@jit
def sigmoids(x, table, power, bits):
    """Replace each number by its sigmoid; ``power``, and its memory as integers, are scratch as long as ``x``."""
    power, bits, one = power[: len(x)], bits[: len(x)], x.dtype.type(1)
    split_exponential(x, -1, table, power, bits)
    for n in range(len(x)):
        x[n] = one / (one + (power[n] * x[n] + power[n]))


@jit
def tanhs(x, table, power, bits):
    """Replace each number by its hyperbolic tangent."""
    power, bits, one, two = power[: len(x)], bits[: len(x)], x.dtype.type(1), x.dtype.type(2)
    split_exponential(x, 2, table, power, bits)
    for n in range(len(x)):
        e = power[n] * x[n] + (power[n] - one)
        x[n] = e / (e + two)
