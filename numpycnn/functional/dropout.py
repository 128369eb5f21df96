"""Dropout: in training, a random share of the numbers is left out, so that no unit can rely on a single other one.

With the mask ``m``, 0 with probability ``p`` and else ``1 / (1 - p)``, so that the expected value stays,

    y = m x        dx = m dy

Whether a number is kept is worked out from a key and its position, so the mask is the same however many threads there
are.

Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import expect_shape, float_array, for_kernel, whole_number
from numpycnn.kernels import activations as kernels
from numpycnn.kernels import memory, threads


def check_p(p: Any, operation: str) -> float:
    """Return the share to leave out as a float from 0 to below 1."""
    if isinstance(p, bool) or not isinstance(p, int | float | np.number):
        raise TypeError(f"{operation}: expected p to be a number, got {type(p).__name__} {p!r}")
    if not 0 <= p < 1:
        raise ValueError(f"{operation}: expected p from 0 to below 1, got {p}")
    return float(p)


def dropout(x: Any, *, p: float, key: int) -> tuple[np.ndarray, np.ndarray]:
    """Leave out each element with probability `p`, and scale up the others.

    Parameters
    ----------
    x : ndarray of any shape
        float32 or float64.
    p : float
        From 0 to below 1.
    key : int
        From 0 to 2**31 - 1; decides, with its position, whether an element is kept.

    Returns
    -------
    y : ndarray of the shape of `x`
    kept : ndarray of bool of the same shape
        What `dropout_backward` needs.

    Raises
    ------
    ValueError
        If `p` or `key` is out of range.
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
    """
    x = for_kernel(float_array(x, "x", "dropout"))
    p, key = check_p(p, "dropout"), whole_number(key, "key", "dropout", minimum=0)
    y, kept = memory.empty(x.shape, x.dtype), memory.empty(x.shape, np.bool_)
    threads.run(
        kernels.dropout,
        threads.split_elements(x.size),
        x.reshape(-1),
        key,
        round(p * 2**32),
        x.dtype.type(1 / (1 - p)),
        y.reshape(-1),
        kept.reshape(-1),
    )
    return y, kept


def dropout_backward(dy: Any, kept: np.ndarray, *, p: float) -> np.ndarray:
    """Return ``dx``: the gradients of what was kept, scaled up.

    Parameters
    ----------
    kept : ndarray of bool of the shape of the output
        What `dropout` gave.
    """
    dy = for_kernel(float_array(dy, "dy", "dropout_backward"))
    expect_shape(dy, kept.shape, "dy", "dropout_backward")
    dx = memory.empty(dy.shape, dy.dtype)
    scale = dy.dtype.type(1 / (1 - check_p(p, "dropout_backward")))
    chunks = threads.split_elements(dy.size)
    threads.run(kernels.dropout_backward, chunks, dy.reshape(-1), kept.reshape(-1), scale, dx.reshape(-1))
    return dx
