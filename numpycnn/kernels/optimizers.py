"""The optimizers' updates in one pass over the parameter, its gradient and the optimizer's state.

NumPy takes a pass and a new array for each step of the formulas, which are in `numpycnn.plain.optimizers`. All arrays
are flat.
"""

import numpy as np

from numpycnn.kernels.engine.jit import jit


@jit
def sgd(chunk, start, stop, value, grad, lr, weight_decay):
    """Update ``value`` by gradient descent."""
    w, d = value[start:stop], grad[start:stop]
    for i in range(len(w)):
        w[i] -= lr * (d[i] + weight_decay * w[i])


@jit
def momentum(chunk, start, stop, value, grad, velocity, lr, weight_decay, momentum, nesterov):
    """Update ``value`` and ``velocity`` by gradient descent with momentum."""
    w, d, v = value[start:stop], grad[start:stop], velocity[start:stop]
    for i in range(len(w)):
        g = d[i] + weight_decay * w[i]
        speed = momentum * v[i] + g
        v[i] = speed
        w[i] -= lr * (g + momentum * speed if nesterov else speed)


@jit
def adam(chunk, start, stop, value, grad, mean, square, lr, weight_decay, b1, b2, eps, unbias):
    """Update ``value`` and the running means ``mean`` and ``square``.

    The bias corrections of step ``t`` are in ``lr``, divided by ``1 - b1^t``, and ``unbias = 1 / sqrt(1 - b2^t)``.
    """
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
    """Update ``value`` and the running mean ``square``."""
    one = value.dtype.type(1)
    w, d, s = value[start:stop], grad[start:stop], square[start:stop]
    for i in range(len(w)):
        g = d[i] + weight_decay * w[i]
        second = s[i] + (one - alpha) * (g * g - s[i])
        s[i] = second
        w[i] -= lr * g / (np.sqrt(second) + eps)
