"""Embedding: a row of a table for each index, as for the words of a sentence.

``y[n, l] = weight[x[n, l]]``, so each row of the table collects the gradients of all places where it was looked up.

Source: Y. Bengio et al., "A neural probabilistic language model", 2003.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import expect_shape, float_array


def _operands(x: Any, weight: Any, operation: str) -> tuple[np.ndarray, np.ndarray]:
    weight = float_array(weight, "weight", operation)
    expect_shape(weight, ("V", "D"), "weight", operation)
    x = np.asarray(x)
    if x.dtype.kind not in "iu":
        raise TypeError(f"{operation}: expected x to hold integers, got {x.dtype}")
    if x.size and not (x.min() >= 0 and x.max() < len(weight)):
        wrong = x.min() if x.min() < 0 else x.max()
        raise ValueError(f"{operation}: expected indices from 0 to {len(weight) - 1}, got {wrong}")
    return x, weight


def embedding(x: Any, weight: Any) -> np.ndarray:
    """Look up rows of a table.

    Parameters
    ----------
    x : ndarray of int of any shape, as (N, L)
    weight : ndarray of shape (V, D)
        float32 or float64.

    Returns
    -------
    ndarray of shape (*x.shape, D)

    Raises
    ------
    ValueError
        If an index is not from 0 to ``V - 1``.
    TypeError
        If `x` does not hold integers, or `weight` is not float32 or float64.

    References
    ----------
    Y. Bengio et al., "A neural probabilistic language model", 2003.

    Examples
    --------
    >>> import numpy as np
    >>> embedding(np.array([1, 0]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[3., 4.],
           [1., 2.]])
    """
    x, weight = _operands(x, weight, "embedding")
    return weight[x]


def embedding_backward(dy: Any, x: Any, weight: Any) -> np.ndarray:
    """Return ``dweight``, (V, D); the indices have no gradient.

    Returns
    -------
    ndarray of shape (V, D)
    """
    x, weight = _operands(x, weight, "embedding_backward")
    dy = float_array(dy, "dy", "embedding_backward", like=weight)
    expect_shape(dy, (*x.shape, weight.shape[1]), "dy", "embedding_backward")
    dweight = np.zeros_like(weight)
    np.add.at(dweight, x.ravel(), dy.reshape(-1, weight.shape[1]))
    return dweight
