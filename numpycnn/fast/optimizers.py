"""The optimizers' updates in one pass over memory; `numpycnn.plain.optimizers` has the formulas.

Parameters and optimizer state are contiguous, so the loops take flat views of them.
"""

from numpycnn._types import Array
from numpycnn.kernels import optimizers as kernels
from numpycnn.kernels.engine import threads

__all__ = ["adadelta_step", "adagrad_step", "adam_step", "rmsprop_step", "sgd_step"]


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
    real = value.dtype.type
    if velocity is None:
        threads.run_elements(kernels.sgd, value.size, value.reshape(-1), grad.reshape(-1), real(lr), real(weight_decay))
    else:
        arrays = value.reshape(-1), grad.reshape(-1), velocity.reshape(-1)
        threads.run_elements(
            kernels.momentum, value.size, *arrays, real(lr), real(weight_decay), real(momentum), nesterov
        )


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
    real, (b1, b2) = value.dtype.type, betas
    arrays = value.reshape(-1), grad.reshape(-1), mean.reshape(-1), square.reshape(-1)
    corrected = lr / (1 - b1**step), weight_decay, b1, 1 - b1, b2, 1 - b2, eps, (1 - b2**step) ** -0.5
    threads.run_elements(kernels.adam, value.size, *arrays, *map(real, corrected))


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
    real = value.dtype.type
    arrays = value.reshape(-1), grad.reshape(-1), square.reshape(-1)
    settings = map(real, (lr, weight_decay, alpha, 1 - alpha, eps))
    threads.run_elements(kernels.rmsprop, value.size, *arrays, *settings)


def adagrad_step(
    value: Array, grad: Array, square: Array, *, lr: float, eps: float = 1e-10, weight_decay: float = 0.0
) -> None:
    """Take one step of Adagrad; `square` is the sum of ``g^2``."""
    arrays = value.reshape(-1), grad.reshape(-1), square.reshape(-1)
    settings = map(value.dtype.type, (lr, weight_decay, eps))
    threads.run_elements(kernels.adagrad, value.size, *arrays, *settings)


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
    arrays = value.reshape(-1), grad.reshape(-1), square.reshape(-1), delta.reshape(-1)
    settings = map(value.dtype.type, (lr, weight_decay, rho, 1 - rho, eps))
    threads.run_elements(kernels.adadelta, value.size, *arrays, *settings)
