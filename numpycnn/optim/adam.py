"""Optimizers that give each weight a step size of its own: Adam, AdamW and RMSProp."""

import numpy as np

from numpycnn.kernels import optimizers as kernels
from numpycnn.kernels import threads
from numpycnn.optim.base import Optimizer, number
from numpycnn.optim.schedules import Schedule


class Adam(Optimizer):
    """Step along the mean gradient, divided by its typical size.

    With ``g = grad + weight_decay * w``, in step ``t`` (from 1 on)::

        m = b1 * m + (1 - b1) * g              v = b2 * v + (1 - b2) * g^2
        w = w - lr * m' / (sqrt(v') + eps)     m' = m / (1 - b1^t)    v' = v / (1 - b2^t)

    The two divisions make up for ``m`` and ``v`` having begun at 0.

    Parameters
    ----------
    lr : float or Schedule
    betas : tuple of float
        ``(b1, b2)``, how slowly the running means forget.
    eps : float
        Against division by zero.
    weight_decay : float

    Raises
    ------
    ValueError
        If a setting is out of range.
    TypeError
        If a setting is no number.

    References
    ----------
    D. Kingma and J. Ba, "Adam: a method for stochastic optimization", arXiv 1412.6980, algorithm 1.
    """

    slots = ("mean", "square")

    def __init__(
        self,
        lr: "float | Schedule" = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(lr, weight_decay=weight_decay)
        kind = type(self).__name__
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ValueError(f"{kind}: expected two betas, got {betas!r}")
        self.betas = (number(betas[0], "betas[0]", kind, below=1), number(betas[1], "betas[1]", kind, below=1))
        self.eps = number(eps, "eps", kind)

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        self._adapt(value, grad, lr, self.weight_decay, *kept)

    def _adapt(self, value: np.ndarray, grad: np.ndarray, lr: float, decay: float, *kept: np.ndarray) -> None:
        b1, b2 = self.betas
        rate, unbias = lr / (1 - b1**self.step_count), (1 - b2**self.step_count) ** -0.5
        settings = [value.dtype.type(s) for s in (rate, decay, b1, b2, self.eps, unbias)]
        threads.run(kernels.adam, threads.split_elements(value.size), value, grad, *kept, *settings)


class AdamW(Adam):
    """Adam with weight decay taken out of the gradient: ``w`` shrinks by ``lr * weight_decay * w`` in each step.

    Parameters
    ----------
    lr, betas, eps
        As for `Adam`.
    weight_decay : float

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
        lr: "float | Schedule" = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(lr, betas, eps, weight_decay)

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        value *= 1 - lr * self.weight_decay
        self._adapt(value, grad, lr, 0.0, *kept)


class RMSProp(Optimizer):
    """Step along the gradient, divided by its typical size.

    With ``g = grad + weight_decay * w``::

        v = alpha * v + (1 - alpha) * g^2        w = w - lr * g / (sqrt(v) + eps)

    Parameters
    ----------
    lr : float or Schedule
    alpha : float
        How slowly the running mean forgets.
    eps : float
        Against division by zero.
    weight_decay : float

    Raises
    ------
    TypeError, ValueError
        If a setting is no number, or out of range.

    References
    ----------
    T. Tieleman and G. Hinton, "Neural networks for machine learning", lecture 6.5, 2012.
    """

    slots = ("square",)

    def __init__(
        self, lr: "float | Schedule" = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0
    ) -> None:
        super().__init__(lr, weight_decay=weight_decay)
        self.alpha = number(alpha, "alpha", "RMSProp", below=1)
        self.eps = number(eps, "eps", "RMSProp")

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        settings = [value.dtype.type(s) for s in (lr, self.weight_decay, self.alpha, self.eps)]
        threads.run(kernels.rmsprop, threads.split_elements(value.size), value, grad, *kept, *settings)
