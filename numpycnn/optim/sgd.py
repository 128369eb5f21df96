"""Stochastic gradient descent, with momentum."""

import numpy as np

from numpycnn.functional.checks import check_flag
from numpycnn.kernels import optimizers as kernels
from numpycnn.kernels import threads
from numpycnn.optim.base import Optimizer, number
from numpycnn.optim.schedules import Schedule


class SGD(Optimizer):
    """Step against the gradient; with momentum, along a running sum of gradients.

    With ``g = grad + weight_decay * w`` and the velocity ``v = momentum * v + g``::

        w = w - lr * v                        momentum
        w = w - lr * (g + momentum * v)       Nesterov: as if the gradient were taken one step ahead

    Parameters
    ----------
    lr : float or Schedule
    momentum : float
        From 0 to below 1; 0.9 is common.
    nesterov : bool
        Needs a momentum.
    weight_decay : float

    Raises
    ------
    ValueError
        If a setting is out of range, or `nesterov` has no momentum.
    TypeError
        If a setting is no number.

    References
    ----------
    I. Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
    """

    slots: tuple[str, ...] = ("velocity",)

    def __init__(
        self, lr: "float | Schedule", momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0
    ) -> None:
        super().__init__(lr, weight_decay=weight_decay)
        self.momentum = number(momentum, "momentum", "SGD", below=1)
        self.nesterov = check_flag(nesterov, "nesterov", "SGD")
        if self.nesterov and not self.momentum:
            raise ValueError("SGD: expected a momentum above 0 for nesterov, got 0")
        if not self.momentum:
            self.slots = ()

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        real = value.dtype.type
        chunks = threads.split_elements(value.size)
        if self.momentum:
            settings = (real(lr), real(self.weight_decay), real(self.momentum), self.nesterov)
            threads.run(kernels.momentum, chunks, value, grad, *kept, *settings)
        else:
            threads.run(kernels.sgd, chunks, value, grad, real(lr), real(self.weight_decay))
