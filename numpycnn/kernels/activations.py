"""ReLU and dropout in one pass over memory each way.

Both are bound by memory bandwidth: NumPy takes a pass, and a new array, for each step of an expression, on one thread.
All arrays are flat.
"""

from numpycnn.kernels.engine.jit import jit


@jit
def mix(key, counter):
    """Return 32 pseudo-random bits for each counter, by the finalizer of MurmurHash3.

    A counter-based generator gives the same mask for every split of the work among threads.
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
    """Dx = 0 where x <= 0, else dy, also where x is NaN."""
    zero = dy.dtype.type(0)
    gradient, source, target = dy[start:stop], x[start:stop], dx[start:stop]
    for i in range(len(source)):
        g = gradient[i]  # loaded unconditionally, which lets the compiler select without a branch
        target[i] = zero if source[i] <= zero else g


@jit
def dropout(chunk, start, stop, x, key, threshold, scale, y, kept):
    """y[i] = x[i] * scale where the random number of position i is at least ``threshold``, else 0."""
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
