"""Zeros around an input, as a step of its own.

``y`` holds ``x`` in its middle and 0 elsewhere, so ``dx`` is what stands at the same place in ``dy``.
"""

from typing import Any

import numpy as np

from numpycnn.functional.checks import expect_shape, float_array, limit_channel, spell
from numpycnn.functional.windows import Pairs, padding_pairs


def _sides(x: Any, padding: Any, operation: str) -> tuple[np.ndarray, Pairs]:
    x = float_array(x, "x", operation)
    rank = x.ndim - 2
    if rank < 1:
        raise ValueError(f"{operation}: expected x (N, C, ...) with at least one spatial axis, got {spell(x.shape)}")
    if isinstance(padding, str):
        raise ValueError(f"{operation}: expected padding as numbers, got {padding!r}")
    ones = (1,) * rank
    sides = padding_pairs(padding, ones, ones, ones, ones, operation)
    limit_channel([size + sum(pair) for size, pair in zip(x.shape[2:], sides, strict=True)], operation)
    return x, sides


def zero_pad(x: Any, padding: Any) -> np.ndarray:
    """Put zeros around the spatial axes.

    Parameters
    ----------
    x : ndarray of shape (N, C, *size)
        float32 or float64.
    padding : int, tuple of int, or tuple of (before, after) pairs
        For all spatial axes, or for each.

    Returns
    -------
    ndarray of shape (N, C, *padded)

    Raises
    ------
    ValueError
        If there is no spatial axis, or a padding is negative.
    TypeError
        If `x` is not float32 or float64, or a padding is not an int.

    References
    ----------
    arXiv 1603.07285, section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> zero_pad(np.ones((1, 1, 2)), ((1, 2),))
    array([[[0., 1., 1., 0., 0.]]])
    """
    x, sides = _sides(x, padding, "zero_pad")
    return np.pad(x, ((0, 0), (0, 0), *sides))


def zero_pad_backward(dy: Any, x: Any, padding: Any) -> np.ndarray:
    """Return ``dx``, the middle of `dy`."""
    x, sides = _sides(x, padding, "zero_pad_backward")
    dy = float_array(dy, "dy", "zero_pad_backward", like=x)
    padded = [size + before + after for size, (before, after) in zip(x.shape[2:], sides, strict=True)]
    expect_shape(dy, (*x.shape[:2], *padded), "dy", "zero_pad_backward")
    middle = tuple(slice(before, before + size) for size, (before, _) in zip(x.shape[2:], sides, strict=True))
    return np.ascontiguousarray(dy[(slice(None), slice(None), *middle)])
