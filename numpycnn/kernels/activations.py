"""The two loops that every hidden layer ends in, ReLU and dropout, in one pass over memory each way.

They do next to no arithmetic, so what they cost is memory traffic: NumPy needs a pass, and a new array, for each step
of an expression, and uses one thread. ``x`` and the others are flat.
"""

import numpy as np

from numpycnn.kernels.jit import jit


def relu_reference(chunk, start, stop, x, y):
    y[start:stop] = np.where(x[start:stop] < 0, 0, x[start:stop])


def relu_backward_reference(chunk, start, stop, dy, x, dx):
    dx[start:stop] = np.where(x[start:stop] <= 0, 0, dy[start:stop])


def dropout_reference(chunk, start, stop, x, key, threshold, scale, y, kept):
    kept[start:stop] = [mix(key, i) >= threshold for i in range(start, stop)]
    y[start:stop] = np.where(kept[start:stop], x[start:stop] * scale, 0)


def dropout_backward_reference(chunk, start, stop, dy, kept, scale, dx):
    dx[start:stop] = np.where(kept[start:stop], dy[start:stop] * scale, 0)


@jit
def mix(key, counter):
    """Return 32 bits that look random, a different number for each counter: the finaliser of MurmurHash3.

    As each number depends on its position alone, any split of the work among threads gives the same mask.
    """
    bits = ((counter * 0x9E3779B9) & 0xFFFFFFFF) ^ key
    bits = ((bits ^ (bits >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    bits = ((bits ^ (bits >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return bits ^ (bits >> 16)


@jit
def relu(chunk, start, stop, x, y):
    """Y = max(x, 0); NaN stays NaN."""
    zero = x.dtype.type(0)
    source, target = x[start:stop], y[start:stop]
    for i in range(len(source)):
        target[i] = zero if source[i] < zero else source[i]


@jit
def relu_backward(chunk, start, stop, dy, x, dx):
    """Dx = 0 where x <= 0, else dy: at NaN as well."""
    zero = dy.dtype.type(0)
    gradient, source, target = dy[start:stop], x[start:stop], dx[start:stop]
    for i in range(len(source)):
        g = gradient[i]  # loaded in any case, which is what lets the compiler choose without a branch
        target[i] = zero if source[i] <= zero else g


@jit
def dropout(chunk, start, stop, x, key, threshold, scale, y, kept):
    """Keep x[i] * scale where the random number of position i is at least ``threshold``, else put 0."""
    zero = x.dtype.type(0)
    source, target, mask = x[start:stop], y[start:stop], kept[start:stop]
    for i in range(len(source)):
        keep, value = mix(key, start + i) >= threshold, source[i] * scale
        mask[i] = keep
        target[i] = value if keep else zero


@jit
def dropout_backward(chunk, start, stop, dy, kept, scale, dx):
    """Dx = dy * scale where x was kept, else 0."""
    zero = dy.dtype.type(0)
    gradient, mask, target = dy[start:stop], kept[start:stop], dx[start:stop]
    for i in range(len(gradient)):
        value = gradient[i] * scale
        target[i] = value if mask[i] else zero
