"""ReLU and dropout in one pass over memory; NumPy needs a pass, and a new array, for each step of an expression."""

import numpy as np

from numpycnn._types import Array
from numpycnn.kernels import activations as kernels
from numpycnn.kernels.engine import memory, threads

__all__ = ["dropout", "dropout_backward", "relu", "relu_backward"]


def relu(x: Array) -> Array:
    """Return ``max(x, 0)``."""
    y = memory.empty(x.shape, x.dtype)
    threads.run_elements(kernels.relu, x.size, x.reshape(-1), y.reshape(-1))
    return y


def relu_backward(dy: Array, x: Array) -> Array:
    """Return ``dx``: ``dy`` where ``x > 0``. `x` may be the output as well: both have the same signs."""
    dx = memory.empty(x.shape, x.dtype)
    threads.run_elements(kernels.relu_backward, x.size, dy.reshape(-1), x.reshape(-1), dx.reshape(-1))
    return dx


def dropout(x: Array, *, p: float, key: int) -> tuple[Array, Array]:
    """Set each element to zero with probability `p`, scale up the others; return them and which were kept."""
    y, kept = memory.empty(x.shape, x.dtype), memory.empty(x.shape, np.bool_)
    threshold, scale = round(p * 2**32), x.dtype.type(1 / (1 - p))
    arrays = x.reshape(-1), key, threshold, scale, y.reshape(-1), kept.reshape(-1)
    threads.run_elements(kernels.dropout, x.size, *arrays)
    return y, kept


def dropout_backward(dy: Array, kept: Array, *, p: float) -> Array:
    """Return ``dx``: the gradients of the kept elements, scaled up."""
    dx = memory.empty(dy.shape, dy.dtype)
    arrays = dy.reshape(-1), kept.reshape(-1), dy.dtype.type(1 / (1 - p)), dx.reshape(-1)
    threads.run_elements(kernels.dropout_backward, dy.size, *arrays)
    return dx
