"""Dropout as a layer; the formula is in `numpycnn.plain.regularization`."""

from typing import Any

import numpy as np

from numpycnn._checks import check_number, format_shape
from numpycnn._settings import operations
from numpycnn._types import Shape
from numpycnn.layers.base import Layer


class Dropout(Layer):
    """Set each element to 0 with probability `p` in training, and divide the others by ``1 - p``.

    The division preserves the expected value, so ``y = x`` at inference.

    Each layer has its own generator, seeded by the seed of the model or, for a loaded model, of the `Trainer`.

    Parameters
    ----------
    p : float
        At least 0 and below 1.
    name : str, optional

    Raises
    ------
    TypeError, ValueError
        If `p` is not a number that is at least 0 and below 1.

    References
    ----------
    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
    """

    def __init__(self, p: float = 0.5, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.p = check_number(p, "p", type(self).__name__, minimum=0, below=1)

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        # Its own generator: its random numbers do not depend on the layers before it. Without `rng` all generators are
        # equal at first, and get different streams once the whole model is built.
        self._rng = np.random.default_rng(0) if rng is None else np.random.default_rng(rng.integers(2**63))
        return input_shape

    def _forward(self, x: np.ndarray, *, training: bool, differentiable: bool) -> tuple[np.ndarray, Any]:
        if not training:
            return x, None
        return operations().dropout(x, p=self.p, key=int(self._rng.integers(2**31)))

    def _backward(self, dy: np.ndarray, kept: np.ndarray | None) -> np.ndarray:
        return dy if kept is None else operations().dropout_backward(dy, kept, p=self.p)


class SpatialDropout(Dropout):
    """Set whole channels to 0 with probability `p` in training, and divide the others by ``1 - p``.

    As `Dropout`, for feature maps, in which neighbours are alike.

    Parameters
    ----------
    p : float
        At least 0 and below 1.
    name : str, optional

    Raises
    ------
    TypeError, ValueError
        If `p` is not a number that is at least 0 and below 1; at build, if the inputs do not have a spatial axis.

    References
    ----------
    J. Tompson et al., "Efficient object localization using convolutional networks", arXiv 1411.4280.
    """

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        if len(input_shape) < 2:
            raise ValueError(
                f"expected inputs (C, ...) with at least one spatial axis, got {format_shape(input_shape)}; "
                "Dropout is for other inputs"
            )
        self._expected = ("N", input_shape[0], *(f"S{axis}" for axis in range(1, len(input_shape))))
        return super()._build(input_shape, rng)

    def _forward(self, x: np.ndarray, *, training: bool, differentiable: bool) -> tuple[np.ndarray, Any]:
        if not training:
            return x, None
        return operations().spatial_dropout(x, p=self.p, key=int(self._rng.integers(2**31)))

    def _backward(self, dy: np.ndarray, kept: np.ndarray | None) -> np.ndarray:
        return dy if kept is None else operations().spatial_dropout_backward(dy, kept, p=self.p)
