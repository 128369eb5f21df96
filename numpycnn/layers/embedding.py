"""A learned vector for each word, or whatever else is counted from 0 on."""

from typing import Any

import numpy as np

from numpycnn import functional as F
from numpycnn.functional.checks import limit_weights, spell, whole_number
from numpycnn.layers.base import Layer, Parameter, Shape


class Embedding(Layer):
    """A row of a learned table for each index, (N, L, D) from (N, L), see `numpycnn.functional.embedding`.

    Indices have no gradient: ``backward`` returns zeros.

    Parameters
    ----------
    num_embeddings : int
        Rows of the table, ``V``.
    embedding_dim : int
        Length of a row, ``D``.
    name : str, optional

    Attributes
    ----------
    weight : Parameter of shape (V, D)
        Drawn from the standard normal distribution at first.

    Raises
    ------
    TypeError, ValueError
        If a size is no int from 1 on.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.num_embeddings = whole_number(num_embeddings, "num_embeddings", "Embedding")
        self.embedding_dim = whole_number(embedding_dim, "embedding_dim", "Embedding")
        self.weight: Any = None

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        shape = (self.num_embeddings, self.embedding_dim)
        limit_weights(shape, self.dtype, "Embedding")
        table = np.zeros(shape, self.dtype) if rng is None else rng.normal(size=shape).astype(self.dtype)
        self.weight = Parameter(table)
        return (*input_shape, self.embedding_dim)

    def _check_input(self, x: Any) -> np.ndarray:
        self._check_built()
        x = np.asarray(x)
        if x.dtype.kind not in "iu":
            raise TypeError(f"expected integers, got {x.dtype}")
        expected = ("N", *(f"S{axis}" for axis in range(1, len(self.input_shape or ()) + 1)))
        if x.ndim != len(expected):
            raise ValueError(f"expected {spell(expected)}, got {spell(x.shape)}")
        return x

    def draw_input(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return random indices."""
        return rng.integers(0, self.num_embeddings, shape)

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.embedding(x, self.weight.value), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        self.weight.grad[...] = F.embedding_backward(dy, x, self.weight.value)
        return np.zeros(x.shape, dy.dtype)
