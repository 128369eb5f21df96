"""Dense layers on compiled matrix products; `numpycnn.plain.dense` has the formulas."""

from math import prod

from numpycnn._types import Array
from numpycnn.fast.matrices import multiply, multiply_transposed

__all__ = ["linear", "linear_backward", "linear_weight_gradient"]


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return ``x W^T + b`` for inputs (..., I) and weights (O, I)."""
    rows = x.reshape(prod(x.shape[:-1]), x.shape[-1])  # (N, I)
    return multiply_transposed(rows, weight, bias).reshape(*x.shape[:-1], len(weight))


def linear_backward(dy: Array, x: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Return the gradients ``(dx, dweight, dbias)`` of `linear`."""
    rows = dy.reshape(prod(dy.shape[:-1]), dy.shape[-1])  # (N, O)
    return multiply(rows, weight).reshape(x.shape), *linear_weight_gradient(dy, x)


def linear_weight_gradient(dy: Array, x: Array) -> tuple[Array, Array]:
    """Return ``dweight``, (O, I), and ``dbias``, (O,)."""
    count = prod(x.shape[:-1])
    rows, inputs = dy.reshape(count, dy.shape[-1]), x.reshape(count, x.shape[-1])  # (N, O), (N, I)
    # A transposed copy costs more than some products: of the two, copy the narrower matrix.
    narrow = rows.shape[1] <= inputs.shape[1]
    return multiply(rows.T, inputs) if narrow else multiply(inputs.T, rows).T, rows.sum(axis=0)
