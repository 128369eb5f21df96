"""A convolutional network for sentences: filters over three, four and five words, each of which looks for a phrase.

Source: Y. Kim, "Convolutional neural networks for sentence classification", arXiv 1408.5882, there called CNN-rand:
the vectors of the words are learned with the rest. The paper also holds the last weights to a norm of 3, which is left
to the optimizer's weight decay here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn.layers import Concat, Conv1D, Dense, Dropout, Embedding, GlobalMaxPool, Permute, ReLU
from numpycnn.models.building import built
from numpycnn.sequential import Sequential

# Standard deviation of the words' numbers at first, that of the numbers that the paper draws from -0.25 to 0.25. On
# training sentences that were held out a third of it did as well, and 1 did worse; see docs/models.md.
SPREAD = 0.144


def text_cnn(
    input_shape: Sequence[int] = (64,),
    classes: int = 2,
    *,
    vocabulary: int = 18_765,
    embedding_dim: int = 300,
    filters: int = 100,
    widths: Sequence[int] = (3, 4, 5),
    seed: int | None = 0,
    dtype: Any = np.float32,
) -> Sequential:
    """Return Kim's network for sentences, whose inputs are the numbers of their words, (N, L).

    Each filter says where its phrase fits best, anywhere in the sentence: the largest of its outputs is all that is
    kept. With the paper's 18,765 words of film reviews it has 5,990,402 parameters, 5,629,500 of them in the table of
    words.

    Parameters
    ----------
    input_shape : tuple of int
        ``(L,)``, the words of a sentence; shorter ones are filled up with 0.
    classes : int
    vocabulary : int
        Words that there are.
    embedding_dim : int
        Numbers for a word.
    filters : int
        For each of the widths.
    widths : sequence of int
        Words that a filter looks at.
    seed : int or None
    dtype : dtype

    Returns
    -------
    Sequential
    """
    phrases = [Sequential([Conv1D(filters, width), ReLU(), GlobalMaxPool()]) for width in widths]  # (N, filters) each
    layers = [Embedding(vocabulary, embedding_dim), Permute((1, 0)), Concat(phrases), Dropout(0.5), Dense(classes)]
    model = built(layers, input_shape, seed, dtype, "text_cnn")
    model[0].parameters()["weight"].value *= SPREAD
    return model
