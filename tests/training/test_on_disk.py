"""Training on pictures and arrays that stay on disk: the bits of the same data in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import SGD, BatchNorm, Conv2D, CrossEntropy, Dense, Flatten, ReLU, Sequential, Trainer
from numpycnn.data import Dataset, ImageFolder
from numpycnn.data.augment import Augment, Flip, PadCrop
from tests.data.small import pack, picture_bytes
from tests.training import small

SIZE = (6, 5)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    files = {
        f"{name}/{i}.jpg": picture_bytes(rng.integers(0, 256, (9, 8, 3), dtype=np.uint8), "JPEG")
        for name in ("cat", "dog")
        for i in range(15)
    }
    return pack(tmp_path / "pets", "folder", files)


def new(callbacks: Any = ()) -> Trainer:
    layers = [Conv2D(3, 3), BatchNorm(), ReLU(), Flatten(), Dense(2)]
    model = Sequential(layers, input_shape=(3, *SIZE), seed=0)
    return Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1, momentum=0.9), callbacks=callbacks, seed=4)


def train(data: Any, trainer: Trainer, **settings: Any) -> dict[str, Any]:
    trainer.fit(data, epochs=3, batch_size=7, augment=Augment([PadCrop(1), Flip()]), progress=False, **settings)
    return small.fingerprint(trainer)


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(root: Path, threads: int, prefetch: int) -> None:
    expected = train(ImageFolder(root, SIZE), new())
    assert train(ImageFolder(root, SIZE, in_memory=False, threads=threads), new(), prefetch=prefetch) == expected


def test_a_training_continues_in_the_middle_of_an_epoch(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    data = ImageFolder(root, SIZE, in_memory=False, threads=3)
    expected = train(data, new([small.At(7, lambda trainer: trainer.save(path))]))  # batch 2 of 5 in the second epoch
    resumed = Trainer.resume(path)
    assert (resumed.progress.epoch, resumed.progress.batch) == (1, 2)
    assert train(ImageFolder(root, SIZE, in_memory=False, threads=2), resumed)["model"] == expected["model"]


def test_mapped_arrays_train_like_arrays(tmp_path: Path) -> None:
    images = np.random.default_rng(0).normal(size=(30, 3, *SIZE)).astype(np.float32)
    labels = np.arange(30) % 2
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    expected = train((images, labels), new())
    assert train((mapped, labels), new()) == expected
    assert train(Dataset(mapped, labels, ("a", "b")), new()) == expected
    order = np.random.default_rng(1).permutation(30)
    shuffled = train(Dataset(images[order], labels[order], ("a", "b")), new())
    assert train(Dataset(mapped, labels, ("a", "b"))[order], new()) == shuffled
