"""Sentences as rows of numbers: cut into words, each word looked up in a vocabulary, the row filled up with zeros.

The vocabulary comes from the training sentences alone. A word that is not in it is read as the unknown word, so a test
sentence is met as any sentence from outside would be.

Source for the cutting of words: Y. Kim, "Convolutional neural networks for sentence classification", 2014.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from numpycnn.errors import DataFormatError

PADDING, UNKNOWN = "<padding>", "<unknown>"  # words 0 and 1
MOST_CHARACTERS = 100_000
# "don't" is "do" and "n't", "film's" is "film" and "'s"; punctuation that may matter is a word of its own.
WORD = re.compile(r"n't\b|'(?:s|ve|re|d|ll|m)\b|[(),!?]|(?:(?!n't\b)[^\W_])+")


def tokenize(text: str) -> list[str]:
    """Return the words of a text in lower case.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        With signs and endings, such as ``'s``, as words of their own.

    Examples
    --------
    >>> tokenize("It's a film (of sorts) that you don't forget!")
    ['it', "'s", 'a', 'film', '(', 'of', 'sorts', ')', 'that', 'you', 'do', "n't", 'forget', '!']
    """
    return WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def build_vocabulary(sentences: Iterable[Sequence[str]], *, min_count: int = 1) -> tuple[str, ...]:
    """Return the words of tokenized sentences, the most frequent first, after the two that stand for something else.

    Parameters
    ----------
    sentences : iterable of sequences of str
    min_count : int
        Words that occur less often are left out, so that the unknown word occurs in training as well.

    Returns
    -------
    tuple of str
        Equally frequent words are in the order of the alphabet.

    Examples
    --------
    >>> build_vocabulary([["a", "film"], ["a", "bore"]])
    ('<padding>', '<unknown>', 'a', 'bore', 'film')
    """
    counts = Counter(word for sentence in sentences for word in sentence)
    kept = [word for word, count in counts.items() if count >= min_count]
    return (PADDING, UNKNOWN, *sorted(kept, key=lambda word: (-counts[word], word)))


@dataclass(frozen=True)
class SentenceReader:
    """What makes a row of tokens of a sentence.

    Parameters
    ----------
    words : sequence of str
        The vocabulary, as `build_vocabulary` returns it.
    length : int
        Of a row.

    Raises
    ------
    ValueError
        If `words` is no vocabulary, or `length` is out of range.

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
        if type(self.length) is not int or not 1 <= self.length <= MOST_CHARACTERS:
            raise ValueError(f"SentenceReader: expected a length from 1 to {MOST_CHARACTERS}, got {self.length!r}")
        object.__setattr__(self, "words", tuple(words))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    @property
    def shape(self) -> tuple[int]:
        """Of one example: (length,)."""
        return (self.length,)

    def to_json(self) -> dict[str, Any]:
        """Return all settings."""
        return {"kind": self.kind, "words": list(self.words), "length": self.length}

    def read(self, source: str) -> np.ndarray:
        """Return the tokens of a sentence.

        Parameters
        ----------
        source : str

        Returns
        -------
        ndarray of int64, shape (length,)
            0 where the sentence has ended, 1 for a word that is not in the vocabulary.

        Raises
        ------
        DataFormatError
            If it has no words, or more than a row holds.
        """
        if len(source) > MOST_CHARACTERS:
            raise DataFormatError(
                f"expected a sentence of at most {MOST_CHARACTERS:,} characters, found {len(source):,}"
            )
        shown = source if len(source) <= 60 else source[:57] + "..."
        words = tokenize(source)
        if not words:
            raise DataFormatError(f"expected a sentence, found {shown!r}, which has no words")
        if len(words) > self.length:
            raise DataFormatError(
                f"expected a sentence of at most {self.length} words, found {len(words)} in {shown!r}; shorten it"
            )
        tokens = np.zeros(self.length, np.int64)
        tokens[: len(words)] = [self._numbers.get(word, 1) for word in words]
        return tokens

    def write(self, tokens: np.ndarray) -> str:
        """Return the words of a row of tokens, for people to read.

        Parameters
        ----------
        tokens : array_like of int, shape (L,)

        Returns
        -------
        str
            Without the padding.

        Examples
        --------
        >>> SentenceReader(["<padding>", "<unknown>", "a", "film"], 5).write([2, 1, 3, 0, 0])
        'a <unknown> film'
        """
        return " ".join(self.words[token] for token in tokens if token)
