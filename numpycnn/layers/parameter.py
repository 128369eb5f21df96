"""Parameters: trained arrays, each with the gradient of the loss."""

from typing import Any

import numpy as np

from numpycnn._checks import as_contiguous, check_unmasked, format_shape


class Parameter:
    """A trained array, and the gradient of the loss with respect to it.

    A new `value` must have the shape and the dtype of the old one.

    Parameters
    ----------
    value : ndarray of any shape
    penalised : bool, optional
        Whether L1 and L2 penalties apply. By default they apply to arrays of more than one axis: to weights, not to
        biases, scales and shifts.

    Attributes
    ----------
    grad : ndarray of the same shape
        Overwritten by each backward pass.
    trainable : bool
        Whether optimizers change it; ``layer.trainable`` sets it for all parameters of a layer. Files keep it.

    Raises
    ------
    ValueError
        If a new value has another shape or dtype.
    TypeError
        If a value is a masked array.
    """

    __slots__ = ("grad", "penalised", "trainable", "value")

    def __init__(self, value: np.ndarray, *, penalised: bool | None = None) -> None:
        self.value = value
        self.penalised = value.ndim > 1 if penalised is None else penalised
        self.trainable = True
        self.grad = np.zeros(value.shape, value.dtype)

    def __setattr__(self, name: str, value: Any) -> None:
        """Keep the value contiguous, as the kernels require, and its shape and dtype fixed."""
        if name == "value":
            value = check_unmasked(value, "value", "Parameter")
            old = getattr(self, "value", value)
            if (value.shape, value.dtype.newbyteorder("=")) != (old.shape, old.dtype.newbyteorder("=")):
                raise ValueError(
                    f"Parameter: expected a value {format_shape(old.shape)} of {old.dtype}, "
                    f"got {format_shape(value.shape)} of {value.dtype}"
                )
            value = as_contiguous(np.atleast_1d(value))  # a number is an array of one element
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"Parameter(shape={self.value.shape}, dtype={self.value.dtype})"
