from pathlib import Path

import numpy as np
import pytest

from numpycnn.data import SpectrogramReader, load_spoken_digits
from numpycnn.errors import DataFormatError
from tests.data.small import pack, tone, wav_bytes


def recordings(folder: str = "recordings/", digits: int = 3, indices: int = 7) -> dict[str, bytes]:
    """Tones with a pitch that rises with the digit."""
    return {
        f"{folder}{digit}_{speaker}_{index}.wav": wav_bytes(tone(300 + 400 * digit, 0.2 + 0.01 * index))
        for digit in range(digits)
        for speaker in ("anna", "bert")
        for index in range(indices)
    }


FORMS = {
    "fsdd.zip": ("zip", "recordings/"),
    "v1.0.9.tar.gz": ("tar.gz", "free-spoken-digit-dataset-1.0.9/recordings/"),
    "free-spoken-digit-dataset-1.0.9.tar.gz": ("tar.gz", "free-spoken-digit-dataset-1.0.9/recordings/"),
    "fsdd": ("folder", "recordings/"),
    "recordings": ("folder", ""),
}


@pytest.mark.parametrize("name", list(FORMS))
@pytest.mark.parametrize("itself", [True, False])
def test_every_form(tmp_path: Path, name: str, itself: bool) -> None:
    kind, folder = FORMS[name]
    extra = {"README.md": b"x", "piczak/3_anna.wav": b"x", "metadata.py": b"x"} if folder else {}
    path = pack(tmp_path / name, kind, recordings(folder) | extra)
    train, test = load_spoken_digits(path if itself else tmp_path)
    assert (train.features.shape, test.features.shape) == ((12, 1, 40, 64), (30, 1, 40, 64))
    assert train.features.dtype == np.float32
    assert np.bincount(train.labels).tolist() == [4, 4, 4]
    assert np.bincount(test.labels).tolist() == [10, 10, 10]
    assert train.class_names == tuple("0123456789")
    assert (
        train.note == "42 recordings by 2 speakers; 30, the first five of each digit by each speaker, are the test set"
    )


def test_the_data_sets_are_ready_for_training(tmp_path: Path) -> None:
    path = pack(tmp_path / "fsdd.zip", "zip", recordings())
    reader = SpectrogramReader(samples=4000, mels=20)
    train, test = load_spoken_digits(path, reader=reader)
    assert train.features.shape == (12, *reader.shape) == (12, 1, 20, 32)
    assert train.labels.tolist() != sorted(train.labels)
    mean, std = train.statistics()
    assert train.mean == test.mean == mean
    assert train.std == test.std == std
    assert train.reader == reader
    again, _ = load_spoken_digits(path, reader=reader)
    assert np.array_equal(again.features, train.features)


def test_a_new_recording_is_read_as_in_training(tmp_path: Path) -> None:
    files = recordings(indices=6)
    train, _ = load_spoken_digits(pack(tmp_path / "fsdd.zip", "zip", files))
    (tmp_path / "mine.wav").write_bytes(files["recordings/2_bert_5.wav"])
    assert train.reader is not None
    mine = train.reader.read(tmp_path / "mine.wav")
    assert np.abs(train.features[train.labels == 2] - mine).max(axis=(1, 2, 3)).min() < 1e-5


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("1_anna_9", wav_bytes(np.stack([tone(440)] * 2, axis=1)), "expected one channel, found 2"),
        ("1_anna_9", wav_bytes(tone(440)[:0]), "expected a recording, found an empty one"),
        ("1_anna_9", b"", "expected a WAV file, found another kind or a damaged one"),
        ("1_anna_9", wav_bytes(tone(440))[:-98], "expected a whole WAV file, found a truncated one"),
    ],
)
def test_a_bad_recording_is_named(tmp_path: Path, name: str, content: bytes, text: str) -> None:
    files = recordings() | {f"recordings/{name}.wav": content}
    pack(tmp_path / "fsdd.zip", "zip", files)
    with pytest.raises(DataFormatError, match=rf"fsdd\.zip: recordings/{name}\.wav: {text}"):
        load_spoken_digits(tmp_path)


@pytest.mark.parametrize(("indices", "found"), [(0, "0 and 0"), (5, "30 and 0")])
def test_an_empty_set_is_refused(tmp_path: Path, indices: int, found: str) -> None:
    pack(tmp_path / "fsdd.zip", "zip", recordings(indices=indices) | {"other.txt": b"x"})
    with pytest.raises(DataFormatError, match=f"expected recordings named DIGIT_SPEAKER_INDEX.wav, .*found {found}"):
        load_spoken_digits(tmp_path)


def test_real_files(real) -> None:
    train, test = real("spoken_digits")
    if "3,000 recordings" not in train.note:
        pytest.skip("the published archive has fewer recordings")
    assert (train.features.shape, test.features.shape) == ((2700, 1, 40, 64), (300, 1, 40, 64))
    assert np.bincount(train.labels).tolist() == [270] * 10
    assert np.bincount(test.labels).tolist() == [30] * 10
    assert train.features.min() == 0
    assert train.features.max() == 1
    x, _ = train.batch(slice(None))
    assert abs(float(x.mean())) < 1e-3
    # The most similar training recording usually has the same label.
    rows, others = (data.batch(slice(None))[0].reshape(len(data), -1) for data in (test, train))
    similarity = (rows / np.linalg.norm(rows, axis=1, keepdims=True)) @ (
        others / np.linalg.norm(others, axis=1, keepdims=True)
    ).T
    assert (train.labels[similarity.argmax(axis=1)] == test.labels).mean() > 0.8
