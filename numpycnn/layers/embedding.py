"""A learned vector for each index, such as the index of a word."""

from typing import Any

import numpy as np

from numpycnn._checks import check_indices, check_int, check_num_weights, check_unmasked, format_shape
from numpycnn._settings import operations
from numpycnn._types import Shape
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.checking import BuildSetting
from numpycnn.layers.initializers import Initializer, check_initializer, draw


class Embedding(Layer):
    """A row of a learned table for each index, (N, L, D) from (N, L), see `numpycnn.functional.embedding`.

    Indices are not differentiable: ``backward`` returns zeros.

    Parameters
    ----------
    num_embeddings : int
        Number of rows of the table, ``V``.
    embedding_dim : int
        Length of a row, ``D``.
    initializer : str or function
        Initial weights: ``"he_normal"``, ``"he_uniform"``, ``"glorot_normal"``, ``"glorot_uniform"``, ``"normal"``,
        ``"truncated_normal"``, ``"orthogonal"``, ``"zeros"``, or a function of a generator and a shape, as
        ``lambda rng, shape: rng.normal(0, 0.1, shape)``, which files do not keep.
        The default has a standard deviation of 0.05: from larger numbers, as PyTorch's with 1, the rows of rare words
        stay random, and new sentences are classified by chance.
    name : str, optional

    Attributes
    ----------
    weight : Parameter of shape (V, D)

    Raises
    ------
    TypeError, ValueError
        If a size is not an int of at least 1, or the initializer is unknown.

    References
    ----------
    Y. Bengio et al., "A neural probabilistic language model", 2003.
    """

    num_embeddings = BuildSetting()
    embedding_dim = BuildSetting()
    initializer = BuildSetting()

    def __init__(
        self, num_embeddings: int, embedding_dim: int, *, initializer: Initializer = "normal", name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.num_embeddings = check_int(num_embeddings, "num_embeddings", "Embedding")
        self.embedding_dim = check_int(embedding_dim, "embedding_dim", "Embedding")
        self.initializer = check_initializer(initializer, "Embedding")
        self.weight: Parameter = None  # type: ignore[assignment]  # until the layer is built

    def _build(self, input_shape: Shape, rng: np.random.Generator | None) -> Shape:
        shape = (self.num_embeddings, self.embedding_dim)
        check_num_weights(shape, self.dtype, "Embedding")
        fans = {"fan_in": self.num_embeddings, "fan_out": self.embedding_dim}  # of the dense layer on one-hot rows
        self.weight = Parameter(draw(self.initializer, rng, shape, **fans, dtype=self.dtype))
        return (*input_shape, self.embedding_dim)

    def _check_input(self, x: Any) -> np.ndarray:
        self._check_built()
        x = check_unmasked(x, "x", "forward")
        if x.dtype.kind not in "iu":
            raise TypeError(f"expected integers, got {x.dtype}")
        expected = ("N", *(f"S{axis}" for axis in range(1, len(self.input_shape or ()) + 1)))
        if x.ndim != len(expected):
            raise ValueError(f"expected {format_shape(expected)}, got {format_shape(x.shape)}")
        return check_indices(x, self.num_embeddings, "forward")

    def draw_input(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return random indices."""
        return rng.integers(0, self.num_embeddings, shape)

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return operations().embedding(x, self.weight.value), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        self.weight.grad[...] = operations().embedding_backward(dy, x, self.weight.value)
        return np.zeros(x.shape, dy.dtype)
