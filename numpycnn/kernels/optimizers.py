"""The steps of the optimizers, each as one pass over the parameter and what is kept for it. All arrays are flat."""

import numpy as np

from numpycnn.kernels.jit import jit


def sgd_reference(chunk, start, stop, value, grad, lr, weight_decay):
    s = slice(start, stop)
    value[s] -= lr * (grad[s] + weight_decay * value[s])


def momentum_reference(chunk, start, stop, value, grad, velocity, lr, weight_decay, momentum, nesterov):
    s = slice(start, stop)
    g = grad[s] + weight_decay * value[s]
    velocity[s] = momentum * velocity[s] + g
    value[s] -= lr * (g + momentum * velocity[s] if nesterov else velocity[s])


def adam_reference(chunk, start, stop, value, grad, mean, square, lr, weight_decay, b1, b2, eps, unbias):
    s = slice(start, stop)
    g = grad[s] + weight_decay * value[s]
    mean[s] += (1 - b1) * (g - mean[s])
    square[s] += (1 - b2) * (g * g - square[s])
    value[s] -= lr * mean[s] / (np.sqrt(square[s]) * unbias + eps)


def rmsprop_reference(chunk, start, stop, value, grad, square, lr, weight_decay, alpha, eps):
    s = slice(start, stop)
    g = grad[s] + weight_decay * value[s]
    square[s] += (1 - alpha) * (g * g - square[s])
    value[s] -= lr * g / (np.sqrt(square[s]) + eps)


@jit
def sgd(chunk, start, stop, value, grad, lr, weight_decay):
    w, d = value[start:stop], grad[start:stop]
    for i in range(len(w)):
        w[i] -= lr * (d[i] + weight_decay * w[i])


@jit
def momentum(chunk, start, stop, value, grad, velocity, lr, weight_decay, momentum, nesterov):
    w, d, v = value[start:stop], grad[start:stop], velocity[start:stop]
    for i in range(len(w)):
        g = d[i] + weight_decay * w[i]
        speed = momentum * v[i] + g
        v[i] = speed
        w[i] -= lr * (g + momentum * speed if nesterov else speed)


@jit
def adam(chunk, start, stop, value, grad, mean, square, lr, weight_decay, b1, b2, eps, unbias):
    """``lr`` is divided by ``1 - b1^t`` already, and ``unbias`` is ``1 / sqrt(1 - b2^t)``."""
    one = value.dtype.type(1)
    w, d, m, s = value[start:stop], grad[start:stop], mean[start:stop], square[start:stop]
    for i in range(len(w)):
        g = d[i] + weight_decay * w[i]
        first = m[i] + (one - b1) * (g - m[i])
        second = s[i] + (one - b2) * (g * g - s[i])
        m[i], s[i] = first, second
        w[i] -= lr * first / (np.sqrt(second) * unbias + eps)


@jit
def rmsprop(chunk, start, stop, value, grad, square, lr, weight_decay, alpha, eps):
    one = value.dtype.type(1)
    w, d, s = value[start:stop], grad[start:stop], square[start:stop]
    for i in range(len(w)):
        g = d[i] + weight_decay * w[i]
        second = s[i] + (one - alpha) * (g * g - s[i])
        s[i] = second
        w[i] -= lr * g / (np.sqrt(second) + eps)
