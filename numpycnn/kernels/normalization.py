"""Batch normalisation in as few passes over memory as its formulas allow.

Going forward in training: one pass for the mean, one for the variance (subtracting the mean first keeps the digits that
the textbook's one-pass formula loses), one to normalise. Going backward: one for the two sums, one for ``dx``. A
channel is one thread's work from beginning to end, so that the result does not depend on the number of threads. ``x``
is (N, C, S).

The formulas are derived in `numpycnn.functional.normalization`.
"""

from numpycnn.kernels.jit import jit


def channel_moments_reference(chunk, start, stop, x, mean, variance):
    mean[start:stop] = x[:, start:stop].mean(axis=(0, 2))
    variance[start:stop] = ((x[:, start:stop] - mean[start:stop, None]) ** 2).mean(axis=(0, 2))


def scale_and_shift_reference(chunk, start, stop, x, scale, shift, y):
    y[:, start:stop] = x[:, start:stop] * scale[start:stop, None] + shift[start:stop, None]


def channel_sums_reference(chunk, start, stop, dy, x, mean, scale, total, product):
    total[start:stop] = dy[:, start:stop].sum(axis=(0, 2))
    xhat = (x[:, start:stop] - mean[start:stop, None]) * scale[start:stop, None]
    product[start:stop] = (dy[:, start:stop] * xhat).sum(axis=(0, 2))


def combine_reference(chunk, start, stop, dy, x, a, b, c, dx):
    dx[:, start:stop] = dy[:, start:stop] * a[start:stop, None] + x[:, start:stop] * b[start:stop, None]
    dx[:, start:stop] += c[start:stop, None]


@jit
def channel_moments(chunk, start, stop, x, mean, variance):
    """Mean and biased variance of each channel. Each plane is summed by itself, and the planes' sums in float64."""
    images, _, size = x.shape
    for c in range(start, stop):
        total = 0.0
        for n in range(images):
            plane, part = x[n, c], x.dtype.type(0)
            for i in range(size):
                part += plane[i]
            total += part
        centre = x.dtype.type(total / (images * size))
        total = 0.0
        for n in range(images):
            plane, part = x[n, c], x.dtype.type(0)
            for i in range(size):
                part += (plane[i] - centre) * (plane[i] - centre)
            total += part
        mean[c] = centre
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
        centre = mean[c]
        for n in range(images):
            gradient, plane = dy[n, c], x[n, c]
            s, p = x.dtype.type(0), x.dtype.type(0)
            for i in range(size):
                s += gradient[i]
                p += gradient[i] * (plane[i] - centre)
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
