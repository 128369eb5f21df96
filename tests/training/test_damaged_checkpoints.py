"""Thousands of broken checkpoints: each is refused in the same way, or is a training that continues."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from numpycnn import Adam, CrossEntropy, Dense, Dropout, Flatten, OneCycleSchedule, Sequential, Trainer
from numpycnn.errors import DataFormatError
from numpycnn.io.serialization import open_arrays, write_arrays
from numpycnn.training import EarlyStopping
from tests.mutations import COUNT, bounded_memory, mutate_bytes, mutate_json

DATA = np.random.default_rng(0).normal(size=(8, 1, 2, 3)).astype(np.float32), np.arange(8) % 2


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint of a training with a schedule, dropout and a callback."""
    model = Sequential([Flatten(), Dense(3), Dropout(0.5), Dense(2)], input_shape=(1, 2, 3))
    model.metadata = {"class_names": ["a", "b"]}
    optimizer = Adam(OneCycleSchedule(0.01, 8))
    trainer = Trainer(model, loss=CrossEntropy(), optimizer=optimizer, callbacks=[EarlyStopping(monitor="loss")])
    trainer.fit(DATA, epochs=1, batch_size=4, progress=False)
    trainer.save(tmp_path / "checkpoint.safetensors")
    return tmp_path / "checkpoint.safetensors"


def resumed(path: Path) -> Trainer | None:
    """Resume; None if the file is refused, with its name in the message."""
    try:
        return Trainer.resume(path, callbacks=[EarlyStopping(monitor="loss")])
    except DataFormatError as error:
        if str(path) in str(error):
            return None
        raise


def test_mutated_bytes_are_noticed(checkpoint: Path) -> None:
    assert resumed(checkpoint)
    rng, content = np.random.default_rng(0), checkpoint.read_bytes()
    accepted = 0
    with bounded_memory(200):
        for _ in range(COUNT):
            checkpoint.write_bytes(mutate_bytes(content, rng))
            accepted += resumed(checkpoint) is not None
    assert accepted < COUNT / 2


def test_mutated_descriptions_are_refused_or_the_training_continues(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is complete and its checksum right; the description of the training is wrong.

    What `resume` accepts is a training that `fit` continues, unless a number in it has become too large to train with.
    """
    monkeypatch.setattr("os.fsync", lambda file: None)  # thousands of files need not reach the disk
    rng = np.random.default_rng(0)
    with open_arrays(checkpoint) as file:
        metadata, arrays = file.metadata, {name: file.tensor(name) for name in file.names()}
    accepted, trained, messages = 0, 0, list[str]()
    with bounded_memory(200), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.filterwarnings("ignore", "fit: nothing left to train")
        for _ in range(COUNT):
            write_arrays(checkpoint, arrays, mutate_json(metadata, rng))
            if trainer := resumed(checkpoint):
                accepted += 1
                try:
                    trainer.fit(DATA, epochs=2, batch_size=4, progress=False)
                    trained += 1
                except (ValueError, FloatingPointError) as error:
                    messages.append(str(error))
    assert COUNT / 40 < accepted < COUNT / 2
    assert trained > accepted / 2
    known = (
        r"fit: |Adam: expected the learning rate of step|\w+ \(layer \d\): expected|"
        r"cross_entropy: expected class_weight|.* (in|after the step in) epoch \d"
    )
    for message in messages:
        assert re.match(known, message)
