"""Sentence polarity: 10,662 sentences from film reviews, half positive and half negative.

Source: B. Pang, L. Lee, "Seeing stars: exploiting class relationships for sentiment categorization with respect to
rating scales", 2005; the data set MR of Y. Kim, "Convolutional neural networks for sentence classification", 2014.
"""

import os
import warnings
from collections.abc import Iterator

import numpy as np

from numpycnn.data.dataset import Dataset
from numpycnn.data.source import Form, Source, find_or_fetch, is_known, read_files
from numpycnn.data.text import SentenceReader, build_vocabulary, tokenize
from numpycnn.errors import DataFormatError

CLASSES = ("negative", "positive")
FILES = ("rt-polarity.neg", "rt-polarity.pos")
TEST_SHARE = 0.1
MAX_BYTES = 20_000_000

PLAIN = Form(
    FILES,
    (
        "2d11cfbc790f1cd96d78339f41ce53ced1efa83cd22d37d6788fa3fe3d17e2fd",
        "4134882974a28d0c7b5151256f0e33a6169984ee7372c279e673f1114f475d58",
    ),
)
SENTENCE_POLARITY = Source(
    name="sentence_polarity",
    title="sentence polarity 1.0",
    about="10,662 sentences from film reviews, positive or negative",
    licence="none stated; the authors ask to be cited",
    homepage="https://www.cs.cornell.edu/people/pabo/movie-review-data/",
    folders=("rt-polarity", "rt-polaritydata", "sentence-polarity"),
    forms=(PLAIN, Form(("rt-polaritydata.tar.gz",))),
)


def load_sentence_polarity(
    root: str | os.PathLike[str] | None = None, *, max_length: int = 64, min_count: int = 2, seed: int = 0
) -> tuple[Dataset, Dataset]:
    """Load the sentences as rows of tokens; one tenth, drawn with `seed`, is the test set.

    Searched for in `root`, if given, otherwise in the folder that the environment variable ``NUMPYCNN_DATA`` names. Not
    downloaded: no known mirror has a copy with a published checksum.

    Parameters
    ----------
    root : path_like, optional
        A folder with ``rt-polarity.neg`` and ``rt-polarity.pos``, or with the archive ``rt-polaritydata.tar.gz``.
    max_length : int
        Length of a row of tokens. The longest sentence has 56.
    min_count : int
        Words that occur less often in the training sentences become the unknown word.
    seed : int

    Returns
    -------
    train, test : Dataset
        Features of shape (N, max_length), int64: (9596, 64) and (1066, 64). The vocabulary, from the training
        sentences alone, is ``train.reader.words``.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        As `load_mnist`.
    DataFormatError
        If a line contains no words or more than `max_length`, or a file is missing in the archive.
    """
    found = find_or_fetch(SENTENCE_POLARITY, root)
    sentences: list[tuple[str, str, int]] = []  # place, text, class
    files = read_files(found, FILES, MAX_BYTES)
    for label, name in enumerate(FILES):
        sentences += [(where, text, label) for where, text in _split_lines(*files[name])]
    if missing := set(CLASSES) - {CLASSES[label] for _, _, label in sentences}:
        raise DataFormatError(f"{found.paths[0]}: expected sentences of both kinds, found no {min(missing)} ones")
    order = np.random.default_rng(seed).permutation(len(sentences))
    count = max(1, round(TEST_SHARE * len(sentences)))
    train, test = ([sentences[i] for i in part] for part in (order[count:], order[:count]))
    reader = SentenceReader(build_vocabulary((tokenize(text) for _, text, _ in train), min_count=min_count), max_length)
    note = f"{count:,} of {len(sentences):,} sentences, drawn by seed {seed}, are the test set"
    if is_known(found) is False:
        note += "; the checksums of the files differ from the known ones"
    sets = [
        Dataset(
            np.stack([_read_sentence(reader, where, text) for where, text, _ in part]),  # (N, L)
            [label for _, _, label in part],
            CLASSES,
            name=SENTENCE_POLARITY.name,
            source=str(found.folder if found.form is PLAIN else found.paths[0]),
            note=note,
            reader=reader,
        )
        for part in (train, test)
    ]
    return sets[0], sets[1]


def _split_lines(place: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Iterate over the lines that are not empty, each with its place."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # the published encoding; some copies are in UTF-8
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"{place}, line {number}", line


def _read_sentence(reader: SentenceReader, where: str, text: str) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "none of the words")  # as a data set may have a few
            return reader.read(text)
    except DataFormatError as error:
        raise DataFormatError(f"{where}: {error}") from None
