"""A convolutional network for sentences: filters over three, four and five words, which detect phrases.

Source: Y. Kim, "Convolutional neural networks for sentence classification", arXiv 1408.5882, there called CNN-rand:
the word vectors are trained with the other weights. The paper also limits the norm of the last weights to 3; here, use
the optimizer's weight decay.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Shape
from numpycnn.layers import Concat, Conv1D, Dense, Dropout, Embedding, GlobalMaxPool, Permute, ReLU
from numpycnn.layers.sequential import Sequential
from numpycnn.models.building import build_network

# Initial standard deviation of the word vectors, which the paper draws uniformly from -0.25 to 0.25. On held-out
# training sentences, a third of it was as good, and 1 was worse; see docs/models.md.
INITIAL_STD = 0.144


def _draw_words(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return INITIAL_STD * rng.normal(size=shape)


def text_cnn(
    input_shape: Shape = (64,),
    classes: int = 2,
    *,
    vocabulary: int = 18_765,
    embedding_dim: int = 300,
    filters: int = 100,
    widths: Sequence[int] = (3, 4, 5),
    seed: int | None = 0,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """Return Kim's network for sentences; the inputs are tokens, (N, L).

    The maximum over time keeps the best match of each filter, wherever it is in the sentence. With the paper's 18,765
    words of film reviews it has 5,990,402 parameters, 5,629,500 of them in the embedding.

    Other arguments, result and errors as for `tiny_vgg`.

    Parameters
    ----------
    input_shape : tuple of int
        ``(L,)``, the words of a sentence; shorter ones are padded with 0.
    vocabulary : int
        Number of words.
    embedding_dim : int
        Length of a word vector.
    filters : int
        Filters of each width.
    widths : sequence of int
        Widths of the filters in words.
    """
    phrases = [Sequential([Conv1D(filters, width), ReLU(), GlobalMaxPool()]) for width in widths]  # (N, filters) each
    words = Embedding(vocabulary, embedding_dim, initializer=_draw_words)
    layers = [words, Permute((1, 0)), Concat(phrases), Dropout(0.5), Dense(classes)]
    return build_network(layers, input_shape, seed, dtype, "text_cnn")
