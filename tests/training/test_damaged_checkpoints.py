"""Thousands of broken checkpoints: each is refused in the same way, or has no effect on the trainer."""

from pathlib import Path

import numpy as np
import pytest

from numpycnn import Adam, CrossEntropy, Dense, Dropout, Flatten, OneCycleSchedule, Sequential, Trainer
from numpycnn.errors import DataFormatError
from numpycnn.io.serialization import open_arrays, write_arrays
from numpycnn.training import EarlyStopping
from tests.mutations import bounded_memory, mutate_bytes, mutate_json


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint of a training with a schedule, dropout and a callback."""
    model = Sequential([Flatten(), Dense(3), Dropout(0.5), Dense(2)], input_shape=(1, 2, 3))
    model.metadata = {"class_names": ["a", "b"]}
    x, labels = np.random.default_rng(0).normal(size=(8, 1, 2, 3)).astype(np.float32), np.arange(8) % 2
    optimizer = Adam(OneCycleSchedule(0.01, 8))
    trainer = Trainer(model, loss=CrossEntropy(), optimizer=optimizer, callbacks=[EarlyStopping(monitor="loss")])
    trainer.fit((x, labels), epochs=1, batch_size=4, progress=False)
    trainer.save(tmp_path / "checkpoint.safetensors")
    return tmp_path / "checkpoint.safetensors"


def is_resumed(path: Path) -> bool:
    """Resume; False if the file is refused, with its name in the message."""
    try:
        return isinstance(Trainer.resume(path, callbacks=[EarlyStopping(monitor="loss")]), Trainer)
    except DataFormatError as error:
        return str(path) not in str(error)


def test_mutated_bytes_are_noticed(checkpoint: Path) -> None:
    assert is_resumed(checkpoint)
    rng, content = np.random.default_rng(0), checkpoint.read_bytes()
    resumed = 0
    with bounded_memory(200):
        for _ in range(2000):
            checkpoint.write_bytes(mutate_bytes(content, rng))
            resumed += is_resumed(checkpoint)
    assert resumed < 1000


def test_mutated_descriptions_give_a_trainer_or_our_error(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is complete and its checksum right; the description of the training is wrong."""
    monkeypatch.setattr("os.fsync", lambda file: None)  # thousands of files need not reach the disk
    rng = np.random.default_rng(0)
    with open_arrays(checkpoint) as file:
        metadata, arrays = file.metadata, {name: file.tensor(name) for name in file.names()}
    resumed = 0
    with bounded_memory(200):
        for _ in range(2000):
            write_arrays(checkpoint, arrays, mutate_json(metadata, rng))
            resumed += is_resumed(checkpoint)
    assert 50 < resumed < 1000
