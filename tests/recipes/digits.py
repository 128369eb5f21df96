"""A small set of made-up digits in MNIST's files."""

import dataclasses
import hashlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import numpycnn.data.mnist

TRAINING_IMAGES, TEST_IMAGES = 480, 120


def write_idx(path: Path, array: np.ndarray) -> None:
    path.write_bytes(bytes((0, 0, 0x08, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())


def draw(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright square at a position that encodes the class."""
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = rng.integers(0, 60, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 5)
        image[4 + 12 * row : 10 + 12 * row, 1 + 5 * column : 6 + 5 * column] = 255
    return images, labels


def write_digits(folder: Path) -> Path:
    """Write the four files into a new folder."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for prefix, count in (("train", TRAINING_IMAGES), ("t10k", TEST_IMAGES)):
        images, labels = draw(rng, count)
        write_idx(folder / f"{prefix}-images-idx3-ubyte", images)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte", labels)
    return folder


@contextmanager
def pinned(digits: Path) -> Iterator[Path]:
    """Make the loader expect these files, within the context."""
    mnist = numpycnn.data.mnist.MNIST
    sums = [hashlib.sha256((digits / name).read_bytes()).hexdigest() for name in mnist.forms[0].files]
    form = dataclasses.replace(mnist.forms[0], sha256=tuple(sums))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numpycnn.data.mnist, "MNIST", dataclasses.replace(mnist, forms=(form,)))
        yield digits
