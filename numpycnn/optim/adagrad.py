"""Adagrad, which divides by the sum of all squared gradients, and Adadelta, which needs no tuned learning rate."""

import numpy as np

from numpycnn._checks import check_number
from numpycnn._settings import operations
from numpycnn.optim.base import Groups, Optimizer, Rate


class Adagrad(Optimizer):
    """Step against the gradient, divided by the root of the sum of all squared gradients so far.

    With ``g = grad + weight_decay * w``::

        s = s + g^2        w = w - lr * g / (sqrt(s) + eps)

    A weight with rare gradients, such as a row of an embedding, keeps long steps; all steps become shorter with time.

    Parameters
    ----------
    lr : float, Schedule or function
    eps : float
        Avoids a division by zero.
    weight_decay : float
    clip_norm, clip_value, param_groups : optional
        As for `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If a setting is not a number, or out of range.

    References
    ----------
    J. Duchi, E. Hazan, Y. Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011.
    """

    slots = ("square",)

    def __init__(
        self,
        lr: Rate = 1e-2,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        param_groups: Groups | None = None,
    ) -> None:
        super().__init__(
            lr, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value, param_groups=param_groups
        )
        self.eps = check_number(eps, "eps", "Adagrad", minimum=0)

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        operations().adagrad_step(value, grad, *kept, lr=lr, eps=self.eps, weight_decay=self.weight_decay)


class Adadelta(Optimizer):
    """Step against the gradient, scaled by the root mean squares of the steps and of the gradients so far.

    With ``g = grad + weight_decay * w``::

        s = rho * s + (1 - rho) * g^2        d = g * sqrt(u + eps) / sqrt(s + eps)
        u = rho * u + (1 - rho) * d^2        w = w - lr * d

    The step ``d`` has the unit of a weight, so the learning rate is 1 in the publication.

    Parameters
    ----------
    lr : float, Schedule or function
    rho : float
        The decay rate of the running means.
    eps : float
        Makes the first steps possible.
    weight_decay : float
    clip_norm, clip_value, param_groups : optional
        As for `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If a setting is not a number, or out of range.

    References
    ----------
    M. Zeiler, "ADADELTA: an adaptive learning rate method", arXiv 1212.5701, algorithm 1.
    """

    slots = ("square", "delta")

    def __init__(
        self,
        lr: Rate = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        param_groups: Groups | None = None,
    ) -> None:
        super().__init__(
            lr, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value, param_groups=param_groups
        )
        self.rho = check_number(rho, "rho", "Adadelta", minimum=0, below=1)
        self.eps = check_number(eps, "eps", "Adadelta", minimum=0)

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        settings = {"lr": lr, "rho": self.rho, "eps": self.eps, "weight_decay": self.weight_decay}
        operations().adadelta_step(value, grad, *kept, **settings)
