"""Dropout: in training, a random share of the numbers is left out, so that no unit can rely on a single other one."""

from typing import Any

import numpy as np

from numpycnn.layers.base import Layer, Shape


class Dropout(Layer):
    """Set each element to 0 with probability `p` in training, and divide the others by ``1 - p``.

    The division keeps the expected value, so that nothing has to be done at inference: then ``y = x``. With the mask
    ``m`` (0 or ``1 / (1 - p)``), ``y = m x`` and ``dx = m dy``.

    Parameters
    ----------
    p : float
        From 0 to below 1.
    name : str, optional

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
    """

    def __init__(self, p: float = 0.5, *, name: str | None = None) -> None:
        super().__init__(name=name)
        if isinstance(p, bool) or not isinstance(p, int | float):
            raise TypeError(f"Dropout: expected p to be a number, got {type(p).__name__} {p!r}")
        if not 0 <= p < 1:
            raise ValueError(f"Dropout: expected p from 0 to below 1, got {p}")
        self.p = p

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        # A generator of its own: which numbers are drawn here does not depend on the layers before it.
        self._rng = np.random.default_rng(0) if rng is None else np.random.default_rng(rng.integers(2**63))
        return input_shape

    def _forward(self, x: np.ndarray, *, training: bool, differentiable: bool) -> tuple[np.ndarray, Any]:
        if not training:
            return x, None
        keep = self._rng.random(x.shape, np.float32) >= self.p
        mask = keep * x.dtype.type(1 / (1 - self.p))
        return x * mask, mask

    def _backward(self, dy: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        return dy if mask is None else dy * mask
