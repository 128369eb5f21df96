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
    for i in range(start, stop):
        value[i] -= lr * (grad[i] + weight_decay * value[i])


@jit
def momentum(chunk, start, stop, value, grad, velocity, lr, weight_decay, momentum, nesterov):
    for i in range(start, stop):
        g = grad[i] + weight_decay * value[i]
        v = momentum * velocity[i] + g
        velocity[i] = v
        value[i] -= lr * (g + momentum * v if nesterov else v)


@jit
def adam(chunk, start, stop, value, grad, mean, square, lr, weight_decay, b1, b2, eps, unbias):
    """``lr`` is divided by ``1 - b1^t`` already, and ``unbias`` is ``1 / sqrt(1 - b2^t)``."""
    one = value.dtype.type(1)
    for i in range(start, stop):
        g = grad[i] + weight_decay * value[i]
        m = mean[i] + (one - b1) * (g - mean[i])
        v = square[i] + (one - b2) * (g * g - square[i])
        mean[i], square[i] = m, v
        value[i] -= lr * m / (np.sqrt(v) * unbias + eps)


@jit
def rmsprop(chunk, start, stop, value, grad, square, lr, weight_decay, alpha, eps):
    one = value.dtype.type(1)
    for i in range(start, stop):
        g = grad[i] + weight_decay * value[i]
        v = square[i] + (one - alpha) * (g * g - square[i])
        square[i] = v
        value[i] -= lr * g / (np.sqrt(v) + eps)
