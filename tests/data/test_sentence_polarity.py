from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from numpycnn.data import load_sentence_polarity, sentence_polarity, tokenize
from numpycnn.errors import DataFormatError
from tests.data.small import pack
from tests.mutations import mutate_bytes

NEGATIVE = [f"a dull film number {i}" for i in range(30)]
POSITIVE = [f"touché ! a bright film number {i}" for i in range(30, 60)]


def files(encoding: str = "utf-8", newline: str = " \n") -> dict[str, bytes]:
    return {
        "rt-polarity.neg": newline.join([*NEGATIVE, ""]).encode(encoding),
        "rt-polarity.pos": newline.join([*POSITIVE, ""]).encode(encoding),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", " \r\n"])
@pytest.mark.parametrize("form", ["rt-polarity", "rt-polaritydata.tar.gz"])
def test_every_form_gives_the_same_data(tmp_path: Path, encoding: str, newline: str, form: str) -> None:
    if form == "rt-polarity":
        pack(tmp_path / form, "folder", files(encoding, newline))
    else:
        inside = {f"rt-polaritydata/{name}": content for name, content in files(encoding, newline).items()}
        pack(tmp_path / form, "tar.gz", inside | {"rt-polaritydata.README.1.0.txt": b"read me"})
    train, test = load_sentence_polarity(tmp_path, max_length=9)
    assert (train.features.shape, test.features.shape) == ((54, 9), (6, 9))
    assert train.features.dtype == np.int64
    assert train.class_names == ("negative", "positive")
    assert train.source == str(tmp_path / form)
    for data in (train, test):
        for row, label in zip(data.features, data.labels, strict=True):
            text = train.reader.write(row)
            assert text.startswith("touché ! a bright film" if label else "a dull film number")


def test_the_vocabulary_is_that_of_the_training_sentences(tmp_path: Path) -> None:
    pack(tmp_path, "folder", files())
    train, test = load_sentence_polarity(tmp_path, min_count=1)
    used = set(train.features.ravel().tolist())
    assert used == {0, *range(2, len(train.reader.words))}
    assert test.reader == train.reader
    assert (test.features == 1).any()  # words that the training sentences do not contain
    frequent, _ = load_sentence_polarity(tmp_path, min_count=5)
    assert len(frequent.reader.words) < len(train.reader.words)
    assert (frequent.features == 1).any()


def test_the_seed_determines_the_split(tmp_path: Path) -> None:
    pack(tmp_path, "folder", files())
    first, again, other = (load_sentence_polarity(tmp_path, min_count=1, seed=seed)[1] for seed in (0, 0, 1))
    assert np.array_equal(first.features, again.features)
    assert not np.array_equal(first.features, other.features)
    assert first.note.startswith("6 of 60 sentences, drawn by seed 0, are the test set")
    assert first.note.endswith("differ from the known ones")


def test_empty_lines_are_skipped(tmp_path: Path) -> None:
    content = files()
    pack(tmp_path, "folder", content | {"rt-polarity.neg": b"\n \n" + content["rt-polarity.neg"] + b"\n\n"})
    assert sum(map(len, load_sentence_polarity(tmp_path))) == 60


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"word " * 10, r"rt-polarity\.neg, line 3: expected a sentence of at most 9 words, found 10 in 'word word"),
        (b" . . . ", r"line 3: expected a sentence, found no words in ' \. \. \. '"),
        (b"x" * 100_001, "line 3: expected a sentence of at most 100,000 characters"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, text: str) -> None:
    lines = files()["rt-polarity.neg"].split(b"\n")
    pack(tmp_path, "folder", files() | {"rt-polarity.neg": b"\n".join([*lines[:2], line, *lines[2:]])})
    with pytest.raises(DataFormatError, match=text):
        load_sentence_polarity(tmp_path, max_length=9)


def test_files_that_are_missing_or_empty(tmp_path: Path) -> None:
    (tmp_path / "rt-polarity.neg").write_bytes(b"dull\n")
    with pytest.raises(FileNotFoundError, match=r"sentence polarity 1\.0: missing in .*: rt-polarity\.pos$"):
        load_sentence_polarity(tmp_path)
    (tmp_path / "rt-polarity.pos").write_bytes(b"")
    with pytest.raises(DataFormatError, match="expected sentences of both kinds, found no positive ones"):
        load_sentence_polarity(tmp_path)


def test_an_archive_without_the_files(tmp_path: Path) -> None:
    pack(tmp_path / "rt-polaritydata.tar.gz", "tar.gz", {"rt-polaritydata/rt-polarity.neg": b"dull\n"})
    with pytest.raises(
        DataFormatError, match=r"expected rt-polarity\.neg, rt-polarity\.pos, found no rt-polarity\.pos"
    ):
        load_sentence_polarity(tmp_path)


def test_mutated_files_give_sentences_or_a_format_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    content = files("latin-1")["rt-polarity.pos"][:200]
    root = pack(tmp_path, "folder", files())
    refused = 0
    for _ in range(2000):
        lines = list(sentence_polarity._split_lines("file", mutate_bytes(content, rng)))
        reader = sentence_polarity.SentenceReader(("<padding>", "<unknown>", "film"), 9)
        for where, text in lines:
            try:
                tokens = sentence_polarity._read_sentence(reader, where, text)
            except DataFormatError as error:
                refused += str(error).startswith("file, line ")
            else:
                assert set(tokens.tolist()) <= {0, 1, 2}
    assert refused > 50
    assert len(load_sentence_polarity(root)[0]) == 54


def test_real_files(real) -> None:
    train, test = real("sentence_polarity")
    assert (len(train), len(test)) == (9596, 1066)
    assert np.bincount(np.concatenate([train.labels, test.labels])).tolist() == [5331, 5331]
    assert train.note == "1,066 of 10,662 sentences, drawn by seed 0, are the test set"
    raw = b"".join((Path(train.source) / name).read_bytes() for name in sentence_polarity.FILES).decode()
    longest = max(len(tokenize(line)) for line in raw.split("\n"))
    assert longest == 56
    assert max(np.count_nonzero(data.features, axis=1).max() for data in (train, test)) == longest
    counts = Counter(word for line in raw.split("\n") for word in tokenize(line))
    assert all(counts[word] >= 2 for word in train.reader.words[2:])
    assert "touché" in counts
    assert not [word for word in counts if "Ã" in word or "ã©" in word]  # as UTF-8 decoded as Latin-1 would contain
