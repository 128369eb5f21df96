"""Words, vocabularies and rows of tokens."""

import json
import string
import warnings

import numpy as np
import pytest

from numpycnn.data.text import PADDING, UNKNOWN, SentenceReader, build_vocabulary, tokenize
from numpycnn.errors import DataFormatError

READER = SentenceReader((PADDING, UNKNOWN, "a", "film", "n't"), 4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("the film , at times", ["the", "film", ",", "at", "times"]),
        ("DON'T can't won\N{RIGHT SINGLE QUOTATION MARK}t", ["do", "n't", "ca", "n't", "wo", "n't"]),
        ("it's they've we're", ["it", "'s", "they", "'ve", "we", "'re"]),
        ("i'd she'll i'm", ["i", "'d", "she", "'ll", "i", "'m"]),
        ("rock'n'roll o'brien 'quoted'", ["rock", "n", "roll", "o", "brien", "quoted"]),
        ("well-made 21st_century", ["well", "made", "21st", "century"]),
        ("touché ! amélie", ["touché", "!", "amélie"]),
        ("(why?)", ["(", "why", "?", ")"]),
        (" . . . -- ' \" ", []),
        ("n't", ["n't"]),
        ("antnt isnt n'tx", ["antnt", "isnt", "n", "tx"]),
        ("日本 фильм", ["日本", "фильм"]),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert tokenize(text) == words


def test_the_vocabulary_is_sorted_by_frequency_and_then_alphabetically() -> None:
    sentences = [["b", "a", "c"], ["c", "a"], ["c", "d"]]
    assert build_vocabulary(sentences) == (PADDING, UNKNOWN, "c", "a", "b", "d")
    assert build_vocabulary(reversed(sentences), min_count=2) == (PADDING, UNKNOWN, "c", "a")
    assert build_vocabulary([]) == (PADDING, UNKNOWN)


def test_a_row_of_tokens() -> None:
    tokens = READER.read("A film isn't")
    assert tokens.dtype == np.int64
    assert tokens.tolist() == [2, 3, 1, 4]
    assert READER.read("film").tolist() == [3, 0, 0, 0]
    assert READER.shape == (4,)


def test_text_cannot_contain_the_special_words() -> None:
    assert READER.read("<unknown> a <padding>").tolist() == [1, 2, 1, 0]


def test_a_sentence_of_unknown_words_is_noted() -> None:
    with pytest.warns(UserWarning, match="none of the words of 'un chien' is in the vocabulary"):
        assert READER.read("un chien").tolist() == [1, 1, 0, 0]


def test_tokens_back_into_words() -> None:
    assert READER.write(READER.read("a dull film")) == "a <unknown> film"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a sentence, found no words in ''"),
        (" . . . ", r"expected a sentence, found no words in ' \. \. \. '"),
        ("a b c d e", "expected a sentence of at most 4 words, found 5 in 'a b c d e'; shorten it"),
        ("word " * 100, r"found 100 in 'word word .*\.\.\.'"),
        ("x" * 100_001, "expected a sentence of at most 100,000 characters, found 100,001"),
    ],
)
def test_invalid_sentences_are_refused(text: str, message: str) -> None:
    with pytest.raises(DataFormatError, match=message):
        READER.read(text)


def test_settings_survive_json() -> None:
    settings = json.loads(json.dumps(READER.to_json()))
    assert settings.pop("kind") == "sentence"
    assert SentenceReader(**settings) == READER


@pytest.mark.parametrize(
    ("words", "length", "text"),
    [
        ("abc", 4, "expected words to be a list of strings"),
        ([PADDING, UNKNOWN, 3], 4, "expected words to be a list of strings"),
        (["a", "b"], 4, "expected different words, the first two <padding> and <unknown>"),
        ([PADDING, UNKNOWN, "a", "a"], 4, "expected different words"),
        ([PADDING, UNKNOWN], 0, "expected a length from 1 to 100000, got 0"),
        ([PADDING, UNKNOWN], True, "expected a length from 1 to 100000, got True"),
        ([PADDING, UNKNOWN], 1 << 60, "expected a length from 1"),
    ],
)
def test_invalid_settings(words: object, length: int, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        SentenceReader(words, length)


def test_any_text_gives_tokens_or_a_format_error() -> None:
    rng = np.random.default_rng(0)
    reader = SentenceReader((PADDING, UNKNOWN, "a", "n't"), 30)
    alphabet = [*string.printable, *"\u2019éßİ\ud800\0日", "n't", "'s "]
    refused = 0
    for _ in range(2000):
        text = "".join(alphabet[i] for i in rng.integers(0, len(alphabet), rng.integers(0, 120)))
        try:
            with warnings.catch_warnings(record=True, action="always") as caught:
                tokens = reader.read(text)
        except DataFormatError:
            refused += 1
        else:
            assert tokens.shape == (30,)
            assert set(tokens.tolist()) <= {0, 1, 2, 3}
            assert len(caught) == (set(tokens.tolist()) <= {0, 1})
    assert 50 < refused < 1900


@pytest.mark.parametrize("text", ["n'" * 50_000, "a" * 100_000, "'" * 100_000, "n'tn't" * 16_000, "_" * 100_000])
def test_tokenize_takes_linear_time(text: str) -> None:
    """Quadratic time would take minutes here."""
    tokenize(text)
