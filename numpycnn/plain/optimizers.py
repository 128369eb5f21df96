"""The steps of the optimizers: each changes one parameter, and its optimizer state, in place.

With ``g = grad + weight_decay * w`` in step ``t`` (counted from 1):

    SGD                  w = w - lr * g
    momentum             v = momentum * v + g                    w = w - lr * v
    Nesterov             v = momentum * v + g                    w = w - lr * (g + momentum * v)
    Adam                 m = b1 * m + (1 - b1) * g               m' = m / (1 - b1^t)
                         s = b2 * s + (1 - b2) * g^2             s' = s / (1 - b2^t)
                         w = w - lr * m' / (sqrt(s') + eps)
    RMSProp              s = alpha * s + (1 - alpha) * g^2       w = w - lr * g / (sqrt(s) + eps)
    Adagrad              s = s + g^2                             w = w - lr * g / (sqrt(s) + eps)
    Adadelta             s = rho * s + (1 - rho) * g^2           d = g * sqrt(u + eps) / sqrt(s + eps)
                         u = rho * u + (1 - rho) * d^2           w = w - lr * d

Adam's two divisions correct for ``m`` and ``s`` having begun at 0. ``g`` is multiplied by the small factor first:
``g * g`` overflows in float32 above 1.8e19. The root is taken first for the same reason.

Source: I. Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013; D. Kingma and
J. Ba, "Adam: a method for stochastic optimization", arXiv 1412.6980, algorithm 1; T. Tieleman and G. Hinton, "Neural
networks for machine learning", lecture 6.5, 2012 (RMSProp); J. Duchi et al., "Adaptive subgradient methods for online
learning and stochastic optimization", 2011 (Adagrad); M. Zeiler, "ADADELTA: an adaptive learning rate method", arXiv
1212.5701, algorithm 1.
"""

import numpy as np

from numpycnn._types import Array


def sgd_step(
    value: Array,
    grad: Array,
    velocity: Array | None = None,
    *,
    lr: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
) -> None:
    """Take one step of stochastic gradient descent; with `momentum`, `velocity` is required and is updated."""
    g = grad + weight_decay * value
    if velocity is not None:
        velocity[...] = momentum * velocity + g
        g = g + momentum * velocity if nesterov else velocity
    value -= lr * g


def adam_step(
    value: Array,
    grad: Array,
    mean: Array,
    square: Array,
    *,
    step: int,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> None:
    """Take step `step` (counted from 1) of Adam; `mean` and `square` are the running means of ``g`` and ``g^2``."""
    b1, b2 = betas
    g = grad + weight_decay * value
    mean[...] = b1 * mean + (1 - b1) * g
    square[...] = b2 * square + (1 - b2) * g * g
    value -= lr * (mean / (1 - b1**step)) / (np.sqrt(square) / np.sqrt(1 - b2**step) + eps)


def rmsprop_step(
    value: Array,
    grad: Array,
    square: Array,
    *,
    lr: float,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> None:
    """Take one step of RMSProp; `square` is the running mean of ``g^2``."""
    g = grad + weight_decay * value
    square[...] = alpha * square + (1 - alpha) * g * g
    value -= lr * g / (np.sqrt(square) + eps)


def adagrad_step(
    value: Array, grad: Array, square: Array, *, lr: float, eps: float = 1e-10, weight_decay: float = 0.0
) -> None:
    """Take one step of Adagrad; `square` is the sum of ``g^2``."""
    g = grad + weight_decay * value
    square += g * g
    value -= lr * g / (np.sqrt(square) + eps)


def adadelta_step(
    value: Array,
    grad: Array,
    square: Array,
    delta: Array,
    *,
    lr: float,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
) -> None:
    """Take one step of Adadelta; `square` and `delta` are the running means of ``g^2`` and of ``d^2``."""
    g = grad + weight_decay * value
    square[...] = rho * square + (1 - rho) * g * g
    d = g * (np.sqrt(delta + eps) / np.sqrt(square + eps))
    delta[...] = rho * delta + (1 - rho) * d * d
    value -= lr * d
