"""Batch normalization in as few passes over memory as its formulas allow.

The forward pass in training takes one pass for the mean, one for the variance (subtracting the mean first is more
accurate than the one-pass formula), and one to normalize; the backward pass one for the two sums and one for ``dx``.
NumPy takes a pass and a new array for each step of the formulas. One thread does all of a channel, so the result does
not depend on the number of threads. ``x`` is (N, C, S).

The formulas are derived in `numpycnn.plain.normalization`.
"""

from numpycnn.kernels.engine.jit import jit


@jit
def channel_moments(chunk, start, stop, x, mean, variance):
    """Mean and biased variance of each channel. Sums over planes are accumulated in float64."""
    images, _, size = x.shape
    for c in range(start, stop):
        total = 0.0
        for n in range(images):
            plane, part = x[n, c], x.dtype.type(0)
            for i in range(size):
                part += plane[i]
            total += part
        center = x.dtype.type(total / (images * size))
        total = 0.0
        for n in range(images):
            plane, part = x[n, c], x.dtype.type(0)
            for i in range(size):
                part += (plane[i] - center) * (plane[i] - center)
            total += part
        mean[c] = center
        variance[c] = total / (images * size)


@jit
def scale_and_shift(chunk, start, stop, x, scale, shift, y):
    """y[:, c] = x[:, c] * scale[c] + shift[c]."""
    for n in range(x.shape[0]):
        for c in range(start, stop):
            source, target, a, b = x[n, c], y[n, c], scale[c], shift[c]
            for i in range(len(source)):
                target[i] = source[i] * a + b


@jit
def channel_sums(chunk, start, stop, dy, x, mean, scale, total, product):
    """total[c] = sum of dy[:, c], product[c] = sum of dy[:, c] * xhat[:, c] with xhat = (x - mean) * scale."""
    images, _, size = x.shape
    for c in range(start, stop):
        first, second = 0.0, 0.0
        center = mean[c]
        for n in range(images):
            gradient, plane = dy[n, c], x[n, c]
            s, p = x.dtype.type(0), x.dtype.type(0)
            for i in range(size):
                s += gradient[i]
                p += gradient[i] * (plane[i] - center)
            first += s
            second += p
        total[c] = first
        product[c] = second * scale[c]


@jit
def combine(chunk, start, stop, dy, x, a, b, c, dx):
    """dx[:, k] = dy[:, k] * a[k] + x[:, k] * b[k] + c[k]."""
    for n in range(x.shape[0]):
        for k in range(start, stop):
            gradient, source, target = dy[n, k], x[n, k], dx[n, k]
            f, g, h = a[k], b[k], c[k]
            for i in range(len(source)):
                target[i] = gradient[i] * f + source[i] * g + h
