"""What is trained: an array with the gradient of the loss beside it."""

import numpy as np


class Parameter:
    """An array that is trained, and the gradient of the loss with respect to it.

    Parameters
    ----------
    value : ndarray of any shape
    penalised : bool, optional
        Whether L1 and L2 penalties apply. By default they do where there is more than one axis: to weights, and not to
        biases, scales and shifts.

    Attributes
    ----------
    grad : ndarray of the same shape
        Overwritten by each backward pass.
    """

    __slots__ = ("grad", "penalised", "value")

    def __init__(self, value: np.ndarray, *, penalised: bool | None = None) -> None:
        self.value = np.ascontiguousarray(value)  # optimizers go through it as one line
        self.penalised = value.ndim > 1 if penalised is None else penalised
        self.grad = np.zeros(value.shape, value.dtype)

    def __repr__(self) -> str:
        return f"Parameter(shape={self.value.shape}, dtype={self.value.dtype})"
