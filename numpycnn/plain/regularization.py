"""Dropout: in training, a random share of the activations is set to zero, so that no unit relies on a single other one.

With the mask ``m``, 0 with probability ``p`` and else ``1 / (1 - p)``, which keeps the expected value,

    y = m x        dx = m dy

Spatial dropout has one factor for a whole channel: neighbours in a feature map are so alike that leaving out single
elements of it loses little.

Whether an element is kept follows from a key and the element's position: position and key are hashed to 32 bits that
look random (the finalizer of MurmurHash3), and the element is dropped if they are below ``p * 2^32``. So the mask is
the same in both backends, on any number of threads.

Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014; J. Tompson et
al., "Efficient object localization using convolutional networks", arXiv 1411.4280 (spatial dropout).
"""

import numpy as np

from numpycnn._types import Array


def dropout(x: Array, *, p: float, key: int) -> tuple[Array, Array]:
    """Set each element to zero with probability `p`, scale up the others; return them and which were kept."""
    kept = _random_bits(key, x.size).reshape(x.shape) >= round(p * 2**32)
    return np.where(kept, x * (1 / (1 - p)), 0), kept


def spatial_dropout(x: Array, *, p: float, key: int) -> tuple[Array, Array]:
    """Set whole channels of (N, C, *size) to zero; return the result and which channels, (N, C), were kept."""
    kept = _random_bits(key, x.shape[0] * x.shape[1]).reshape(x.shape[:2]) >= round(p * 2**32)
    return spatial_dropout_backward(x, kept, p=p), kept


def spatial_dropout_backward(dy: Array, kept: Array, *, p: float) -> Array:
    """Return ``dx``: the gradients of the channels that were kept, scaled up."""
    return dropout_backward(dy, kept.reshape(*kept.shape, *[1] * (dy.ndim - 2)), p=p)


def dropout_backward(dy: Array, kept: Array, *, p: float) -> Array:
    """Return ``dx``: the gradients of the kept elements, scaled up."""
    return np.where(kept, dy * (1 / (1 - p)), 0)


def _random_bits(key: int, count: int) -> Array:
    """Return 32 bits for each of the positions 0 to ``count - 1``, in an array of uint64."""
    low = np.uint64(0xFFFFFFFF)
    bits = ((np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B9)) & low) ^ np.uint64(key)
    bits = ((bits ^ (bits >> np.uint64(16))) * np.uint64(0x85EBCA6B)) & low
    bits = ((bits ^ (bits >> np.uint64(13))) * np.uint64(0xC2B2AE35)) & low
    return bits ^ (bits >> np.uint64(16))
