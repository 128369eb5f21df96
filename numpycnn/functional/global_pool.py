"""Global pooling: one number for each channel, however large the picture.

Source: M. Lin, Q. Chen, S. Yan, "Network in network", arXiv 1312.4400.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import expect_shape, float_array, spell


def _channels(x: Any, operation: str) -> tuple[np.ndarray, np.ndarray]:
    """Return `x` and the same as one line for each channel, (N, C, S)."""
    x = float_array(x, "x", operation)
    if x.ndim < 3:
        raise ValueError(f"{operation}: expected x (N, C, ...) with at least one spatial axis, got {spell(x.shape)}")
    if 0 in x.shape[1:]:
        raise ValueError(f"{operation}: expected x with no empty axis but N, got {spell(x.shape)}")
    return x, np.ascontiguousarray(x).reshape(*x.shape[:2], int(np.prod(x.shape[2:])))


def _gradient(dy: Any, x: np.ndarray, operation: str) -> np.ndarray:
    dy = float_array(dy, "dy", operation, like=x)
    expect_shape(dy, x.shape[:2], "dy", operation)
    return dy


def global_avg_pool(x: Any) -> np.ndarray:
    """Return the mean of each channel.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size)
        float32 or float64, with at least one spatial axis.

    Returns
    -------
    ndarray of shape (N, C)

    Raises
    ------
    ValueError
        If there is no spatial axis, or an empty one.
    TypeError
        If `x` is not float32 or float64.

    References
    ----------
    M. Lin, Q. Chen, S. Yan, "Network in network", arXiv 1312.4400.
    """
    return np.asarray(_channels(x, "global_avg_pool")[1].mean(axis=2))


def global_avg_pool_backward(dy: Any, x: Any) -> np.ndarray:
    """Return ``dx``: each element gets the same share ``dy / S`` of its channel's gradient."""
    x, line = _channels(x, "global_avg_pool_backward")
    share = _gradient(dy, x, "global_avg_pool_backward") / line.shape[2]
    return np.repeat(share[:, :, None], line.shape[2], axis=2).reshape(x.shape)


def global_max_pool(x: Any) -> np.ndarray:
    """Return the largest element of each channel, (N, C) from (N, C, *size); see `global_avg_pool`.

    References
    ----------
    M. Oquab et al., "Is object localization for free?", 2015.
    """
    return np.asarray(_channels(x, "global_max_pool")[1].max(axis=2))


def global_max_pool_backward(dy: Any, x: Any) -> np.ndarray:
    """Return ``dx``: the first of the largest elements gets the whole gradient of its channel."""
    x, line = _channels(x, "global_max_pool_backward")
    dx = np.zeros_like(line)
    np.put_along_axis(dx, line.argmax(axis=2)[:, :, None], _gradient(dy, x, "global_max_pool_backward")[:, :, None], 2)
    return dx.reshape(x.shape)
