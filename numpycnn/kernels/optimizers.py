"""The optimizers' updates in one pass over the parameter, its gradient and the optimizer's state.

NumPy takes a pass and a new array for each step of the formulas, which are in `numpycnn.plain.optimizers`. All arrays
are flat.

In ``gain * g * g`` the gain comes first: ``g * g`` overflows in float32 where ``g`` is above 1.8e19. The gain is
rounded from ``1 - beta``, and not computed from the rounded ``beta``, which is 1 where ``beta`` is above 1 - 3e-8.
"""

from functools import partial

import numpy as np

from numpycnn.kernels.engine.jit import IN_ORDER, jit


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


@partial(jit, fastmath=IN_ORDER)
def adam(chunk, start, stop, value, grad, mean, square, lr, weight_decay, gain1, b2, gain2, eps, unbias):
    """Update ``value`` and the running means ``mean`` and ``square``, to which ``g`` and ``g^2`` add their gains.

    The bias corrections of step ``t`` are in ``lr``, divided by ``1 - b1^t``, and ``unbias = 1 / sqrt(1 - b2^t)``.
    """
    w, d, m, s = value[start:stop], grad[start:stop], mean[start:stop], square[start:stop]
    for i in range(len(w)):
        g = d[i] + weight_decay * w[i]
        first = m[i] + gain1 * (g - m[i])
        second = b2 * s[i] + gain2 * g * g
        m[i], s[i] = first, second
        w[i] -= lr * first / (np.sqrt(second) * unbias + eps)


@partial(jit, fastmath=IN_ORDER)
def rmsprop(chunk, start, stop, value, grad, square, lr, weight_decay, alpha, gain, eps):
    """Update ``value`` and the running mean ``square``, to which ``g^2`` adds its gain."""
    w, d, s = value[start:stop], grad[start:stop], square[start:stop]
    for i in range(len(w)):
        g = d[i] + weight_decay * w[i]
        second = alpha * s[i] + gain * g * g
        s[i] = second
        w[i] -= lr * g / (np.sqrt(second) + eps)
