"""Dropout as a layer; the formula is in `numpycnn.functional.dropout`."""

from typing import Any

import numpy as np

from numpycnn import functional as F
from numpycnn.functional.dropout import check_p
from numpycnn.layers.base import Layer, Shape


class Dropout(Layer):
    """Set each element to 0 with probability `p` in training, and divide the others by ``1 - p``.

    The division keeps the expected value, so that nothing has to be done at inference: then ``y = x``.

    Each layer draws from a generator of its own, seeded by the seed of the model, or by that of the `Trainer` where the
    model was loaded.

    Parameters
    ----------
    p : float
        From 0 to below 1.
    name : str, optional

    Raises
    ------
    TypeError, ValueError
        If `p` is no number from 0 to below 1.

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
    """

    def __init__(self, p: float = 0.5, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.p = check_p(p, "Dropout")

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        # A generator of its own: which numbers are drawn here does not depend on the layers before it. Those that are
        # made without `rng` are equal here, and given different streams once the whole model is built.
        self._rng = np.random.default_rng(0) if rng is None else np.random.default_rng(rng.integers(2**63))
        return input_shape

    def _forward(self, x: np.ndarray, *, training: bool, differentiable: bool) -> tuple[np.ndarray, Any]:
        if not training:
            return x, None
        return F.dropout(x, p=self.p, key=int(self._rng.integers(2**31)))

    def _backward(self, dy: np.ndarray, kept: np.ndarray | None) -> np.ndarray:
        return dy if kept is None else F.dropout_backward(dy, kept, p=self.p)
