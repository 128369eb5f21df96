"""The optimizers' updates in one pass over the parameter, its gradient and the optimizer's state.

NumPy takes a pass and a new array for each step of the formulas, which are in `numpycnn.plain.optimizers`. All arrays
are flat.

In ``gain * g * g`` the gain comes first: ``g * g`` overflows in float32 above 1.8e19. ``1 - beta`` is computed in
double precision and then rounded: in float32, a beta above 1 - 3e-8 is rounded to 1.
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
def adam(chunk, start, stop, value, grad, mean, square, lr, weight_decay, b1, gain1, b2, gain2, eps, unbias):
    """Update ``value`` and the running means ``mean`` and ``square``.

    `gain1` is ``1 - b1``, `gain2` is ``1 - b2``, the weights of the new values in the running means. The bias
    corrections of step ``t`` are in ``lr``, divided by ``1 - b1^t``, and ``unbias = 1 / sqrt(1 - b2^t)``.
    """
    w, d, m, s = value[start:stop], grad[start:stop], mean[start:stop], square[start:stop]
    for i in range(len(w)):
        g = d[i] + weight_decay * w[i]
        first = b1 * m[i] + gain1 * g
        second = b2 * s[i] + gain2 * g * g
        m[i], s[i] = first, second
        w[i] -= lr * first / (np.sqrt(second) * unbias + eps)


@partial(jit, fastmath=IN_ORDER)
def rmsprop(chunk, start, stop, value, grad, square, lr, weight_decay, alpha, gain, eps):
    """Update ``value`` and the running mean ``square``; `gain` is ``1 - alpha``."""
    w, d, s = value[start:stop], grad[start:stop], square[start:stop]
    for i in range(len(w)):
        g = d[i] + weight_decay * w[i]
        second = alpha * s[i] + gain * g * g
        s[i] = second
        w[i] -= lr * g / (np.sqrt(second) + eps)


@partial(jit, fastmath=IN_ORDER)
def adagrad(chunk, start, stop, value, grad, square, lr, weight_decay, eps):
    """Update ``value`` and the sum ``square``."""
    w, d, s = value[start:stop], grad[start:stop], square[start:stop]
    for i in range(len(w)):
        g = d[i] + weight_decay * w[i]
        second = s[i] + g * g
        s[i] = second
        w[i] -= lr * g / (np.sqrt(second) + eps)


@partial(jit, fastmath=IN_ORDER)
def adadelta(chunk, start, stop, value, grad, square, delta, lr, weight_decay, rho, gain, eps):
    """Update ``value`` and the running means ``square`` and ``delta``; `gain` is ``1 - rho``.

    One root of the quotient: LLVM approximates the quotient of two roots, and gives NaN where ``square`` is infinite.
    """
    w, d, s, u = value[start:stop], grad[start:stop], square[start:stop], delta[start:stop]
    for i in range(len(w)):
        g = d[i] + weight_decay * w[i]
        second = rho * s[i] + gain * g * g
        step = g * np.sqrt((u[i] + eps) / (second + eps))
        s[i] = second
        u[i] = rho * u[i] + gain * step * step
        w[i] -= lr * step
