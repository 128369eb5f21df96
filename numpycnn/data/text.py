"""Sentences as rows of tokens: split into words, mapped to indices of a vocabulary, padded with zeros.

The vocabulary comes from the training sentences alone. Other words become the unknown word, so a test sentence is read
like any new sentence.

Source of the tokenization: Y. Kim, "Convolutional neural networks for sentence classification", 2014.
"""

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from numpycnn.data.dataset import Reader
from numpycnn.errors import DataFormatError

PADDING, UNKNOWN = "<padding>", "<unknown>"  # indices 0 and 1
MAX_CHARACTERS = 100_000
# "don't" is split into "do" and "n't", "film's" into "film" and "'s"; relevant punctuation marks are words.
WORD = re.compile(r"n't\b|'(?:s|ve|re|d|ll|m)\b|[(),!?]|(?:(?!n't\b)[^\W_])+")


def tokenize(text: str) -> list[str]:
    """Return the words of a text in lower case.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        Punctuation marks and endings, such as ``'s``, are separate words.

    Examples
    --------
    >>> tokenize("It's a film (of sorts) that you don't forget!")
    ['it', "'s", 'a', 'film', '(', 'of', 'sorts', ')', 'that', 'you', 'do', "n't", 'forget', '!']
    """
    return WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def build_vocabulary(sentences: Iterable[Sequence[str]], *, min_count: int = 1) -> tuple[str, ...]:
    """Return the words of tokenized sentences, the most frequent first, after the padding and the unknown word.

    Equally frequent words are in alphabetical order. Words with fewer than `min_count` occurrences are left out, so
    that the unknown word also occurs in training.

    Examples
    --------
    >>> build_vocabulary([["a", "film"], ["a", "bore"]])
    ('<padding>', '<unknown>', 'a', 'bore', 'film')
    """
    counts = Counter(word for sentence in sentences for word in sentence)
    kept = [word for word, count in counts.items() if count >= min_count]
    return (PADDING, UNKNOWN, *sorted(kept, key=lambda word: (-counts[word], word)))


@dataclass(frozen=True)
class SentenceReader(Reader):
    """A reader of sentences that returns rows of tokens.

    Parameters
    ----------
    words : sequence of str
        The vocabulary, as `build_vocabulary` returns it.
    length : int
        Length of a row.

    Raises
    ------
    ValueError
        If `words` is not a vocabulary, or `length` is out of range.

    Examples
    --------
    >>> SentenceReader(["<padding>", "<unknown>", "a", "film"], 5).read("A dull film")
    array([2, 1, 3, 0, 0])
    """

    words: tuple[str, ...]
    length: int

    kind: ClassVar[str] = "sentence"
    noun: ClassVar[str] = "sentence"

    def __post_init__(self) -> None:
        words = self.words
        if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
            raise ValueError("SentenceReader: expected words to be a list of strings")
        if tuple(words[:2]) != (PADDING, UNKNOWN) or len(set(words)) != len(words):
            raise ValueError(f"SentenceReader: expected different words, the first two {PADDING} and {UNKNOWN}")
        if type(self.length) is not int or not 1 <= self.length <= MAX_CHARACTERS:
            raise ValueError(f"SentenceReader: expected a length from 1 to {MAX_CHARACTERS}, got {self.length!r}")
        object.__setattr__(self, "words", tuple(words))

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {word: index for index, word in enumerate(self.words)}

    @property
    def shape(self) -> tuple[int]:
        """Shape of one example: (length,)."""
        return (self.length,)

    def read(self, source: str) -> np.ndarray:
        """Return the tokens of a sentence.

        Returns
        -------
        ndarray of int64, shape (length,)
            0 after the end of the sentence, 1 for a word that is not in the vocabulary. If no word is in it, a
            ``UserWarning`` says so: a model would answer by the number of words.

        Raises
        ------
        DataFormatError
            If it contains no words, or more than `length`.
        """
        if len(source) > MAX_CHARACTERS:
            raise DataFormatError(
                f"expected a sentence of at most {MAX_CHARACTERS:,} characters, found {len(source):,}"
            )
        shown = source if len(source) <= 60 else source[:57] + "..."
        words = tokenize(source)
        if not words:
            raise DataFormatError(f"expected a sentence, found no words in {shown!r}")
        if len(words) > self.length:
            raise DataFormatError(
                f"expected a sentence of at most {self.length} words, found {len(words)} in {shown!r}; shorten it"
            )
        tokens = np.zeros(self.length, np.int64)
        tokens[: len(words)] = [self._indices.get(word, 1) for word in words]
        if tokens.max() == 1:
            warnings.warn(f"none of the words of {shown!r} is in the vocabulary", UserWarning, stacklevel=2)
        return tokens

    def write(self, tokens: np.ndarray) -> str:
        """Convert a row of tokens back to text.

        Parameters
        ----------
        tokens : array_like of int, shape (L,)

        Returns
        -------
        str
            The words, without the padding.

        Examples
        --------
        >>> SentenceReader(["<padding>", "<unknown>", "a", "film"], 5).write([2, 1, 3, 0, 0])
        'a <unknown> film'
        """
        return " ".join(self.words[token] for token in tokens if token)
