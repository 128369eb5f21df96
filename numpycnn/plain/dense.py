"""Dense (fully connected) layers, and embeddings, which are dense layers on one-hot inputs.

Every output of a dense layer is a weighted sum of all inputs:

    y = x W^T + b        dx = dy W        dW = dy^T x        db = sum of dy over the batch

Element by element, ``y[n, o]`` uses ``W[o, i]`` with the factor ``x[n, i]`` and ``x[n, i]`` with the factor ``W[o,
i]``; adding up over all the outputs that an element takes part in gives the products above.

An embedding looks up one row of a table for each index, ``y[n] = W[x[n]]``. So each row collects the gradients of all
places where it was looked up; the indices have none.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 6.5; Y. Bengio et al., "A neural probabilistic
language model", 2003 (embedding).
"""

from math import prod

import numpy as np

from numpycnn._types import Array


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return ``x W^T + b`` for inputs (..., I) and weights (O, I)."""
    y = x @ weight.T
    return y if bias is None else y + bias


def linear_backward(dy: Array, x: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Return the gradients ``(dx, dweight, dbias)`` of `linear`."""
    dweight, dbias = linear_weight_gradient(dy, x)
    return dy @ weight, dweight, dbias


def linear_weight_gradient(dy: Array, x: Array) -> tuple[Array, Array]:
    """Return ``dweight``, (O, I), and ``dbias``, (O,)."""
    count = prod(x.shape[:-1])
    dy, x = dy.reshape(count, dy.shape[-1]), x.reshape(count, x.shape[-1])  # (N, O), (N, I)
    return dy.T @ x, dy.sum(axis=0)


def embedding(x: Array, weight: Array) -> Array:
    """Return row ``x[n]`` of the table (V, D) for each index."""
    return weight[x]


def embedding_backward(dy: Array, x: Array, weight: Array) -> Array:
    """Return ``dweight``, (V, D)."""
    dweight = np.zeros_like(weight)
    np.add.at(dweight, x, dy)
    return dweight
