"""Stochastic gradient descent, with momentum."""

import numpy as np

from numpycnn._checks import check_flag, check_number
from numpycnn._settings import operations
from numpycnn.optim.base import Groups, Optimizer, Rate


class SGD(Optimizer):
    """Step against the gradient; with momentum, along a running sum of gradients.

    With ``g = grad + weight_decay * w`` and the velocity ``v = momentum * v + g``::

        w = w - lr * v                        momentum
        w = w - lr * (g + momentum * v)       Nesterov: as if the gradient were taken one step ahead

    Parameters
    ----------
    lr : float, Schedule or function
    momentum : float
        At least 0 and below 1; 0.9 is common.
    nesterov : bool
        Needs a momentum.
    weight_decay : float
    clip_norm, clip_value, param_groups : optional
        As for `Optimizer`.

    Raises
    ------
    ValueError
        If a setting is out of range, or `nesterov` is given without a momentum.
    TypeError
        If a setting is not a number.

    References
    ----------
    I. Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
    """

    slots: tuple[str, ...] = ("velocity",)

    def __init__(
        self,
        lr: Rate,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        param_groups: Groups | None = None,
    ) -> None:
        super().__init__(
            lr, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value, param_groups=param_groups
        )
        self.momentum = check_number(momentum, "momentum", "SGD", minimum=0, below=1)
        self.nesterov = check_flag(nesterov, "nesterov", "SGD")
        if self.nesterov and not self.momentum:
            raise ValueError("SGD: expected a momentum above 0 for nesterov, got 0")
        if not self.momentum:
            self.slots = ()

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        operations().sgd_step(
            value, grad, *kept, lr=lr, momentum=self.momentum, nesterov=self.nesterov, weight_decay=self.weight_decay
        )
