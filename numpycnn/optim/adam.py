"""Optimizers with a step size for each weight: Adam, AdamW and RMSProp."""

import numpy as np

from numpycnn._checks import check_number
from numpycnn._settings import operations
from numpycnn.optim.base import Groups, Optimizer, Rate


class Adam(Optimizer):
    """Step against the running mean of the gradient, divided by its root mean square.

    With ``g = grad + weight_decay * w``, in step ``t`` of the parameter (counted from 1)::

        m = b1 * m + (1 - b1) * g              v = b2 * v + (1 - b2) * g^2
        w = w - lr * m' / (sqrt(v') + eps)     m' = m / (1 - b1^t)    v' = v / (1 - b2^t)

    The two divisions correct for ``m`` and ``v`` having begun at 0.

    Parameters
    ----------
    lr : float, Schedule or function
    betas : tuple of float
        ``(b1, b2)``, the decay rates of the running means.
    eps : float
        Avoids a division by zero.
    weight_decay : float
    clip_norm, clip_value, param_groups : optional
        As for `Optimizer`.

    Raises
    ------
    ValueError
        If a setting is out of range.
    TypeError
        If a setting is not a number.

    References
    ----------
    D. Kingma and J. Ba, "Adam: a method for stochastic optimization", arXiv 1412.6980, algorithm 1.
    """

    slots = ("mean", "square")

    def __init__(
        self,
        lr: Rate = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        param_groups: Groups | None = None,
    ) -> None:
        super().__init__(
            lr, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value, param_groups=param_groups
        )
        kind = type(self).__name__
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ValueError(f"{kind}: expected two betas, got {betas!r}")
        self.betas = (
            check_number(betas[0], "betas[0]", kind, minimum=0, below=1),
            check_number(betas[1], "betas[1]", kind, minimum=0, below=1),
        )
        self.eps = check_number(eps, "eps", kind, minimum=0)

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        self._adapt(value, grad, lr, self.weight_decay, *kept)

    def _adapt(self, value: np.ndarray, grad: np.ndarray, lr: float, decay: float, *kept: np.ndarray) -> None:
        settings = {"lr": lr, "betas": self.betas, "eps": self.eps, "weight_decay": decay}
        operations().adam_step(value, grad, *kept, step=self.parameter_step, **settings)


class AdamW(Adam):
    """Adam with decoupled weight decay: ``w`` shrinks by ``lr * weight_decay * w`` in each step.

    Parameters
    ----------
    lr, betas, eps
        As for `Adam`.
    weight_decay : float
    clip_norm, clip_value, param_groups : optional
        As for `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        As `Adam`.

    References
    ----------
    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", arXiv 1711.05101.
    """

    def __init__(
        self,
        lr: Rate = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        param_groups: Groups | None = None,
    ) -> None:
        super().__init__(
            lr, betas, eps, weight_decay, clip_norm=clip_norm, clip_value=clip_value, param_groups=param_groups
        )

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        value *= 1 - lr * self.weight_decay
        self._adapt(value, grad, lr, 0.0, *kept)


class RMSProp(Optimizer):
    """Step against the gradient, divided by its root mean square.

    With ``g = grad + weight_decay * w``::

        v = alpha * v + (1 - alpha) * g^2        w = w - lr * g / (sqrt(v) + eps)

    Parameters
    ----------
    lr : float, Schedule or function
    alpha : float
        The decay rate of the running mean.
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
    T. Tieleman and G. Hinton, "Neural networks for machine learning", lecture 6.5, 2012.
    """

    slots = ("square",)

    def __init__(
        self,
        lr: Rate = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        param_groups: Groups | None = None,
    ) -> None:
        super().__init__(
            lr, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value, param_groups=param_groups
        )
        self.alpha = check_number(alpha, "alpha", "RMSProp", minimum=0, below=1)
        self.eps = check_number(eps, "eps", "RMSProp", minimum=0)

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        settings = {"lr": lr, "alpha": self.alpha, "eps": self.eps, "weight_decay": self.weight_decay}
        operations().rmsprop_step(value, grad, *kept, **settings)
