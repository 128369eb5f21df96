"""A custom data set: a folder, or a zip of one, with a folder of pictures for each class.

pets/cat/1.jpg                     pets/train/cat/1.jpg
pets/cat/2.png         or          pets/train/dog/1.jpg
pets/dog/1.jpg                     pets/test/cat/9.jpg
"""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpycnn.data.archives import members
from numpycnn.data.dataset import Dataset
from numpycnn.data.pictures import MAX_BYTES, PictureReader, decode_picture
from numpycnn.errors import DataFormatError

READABLE = (".png", ".jpg", ".jpeg", ".jpe", ".jfif")
OTHERS = (".gif", ".bmp", ".webp", ".avif", ".heic", ".tif", ".tiff")  # reported instead of skipped silently
TEST_FOLDERS = ("test", "val", "valid", "validation")  # next to "train"; the first that exists
TEST_SHARE = 0.2  # of the pictures of a class, without a test folder


class ImageFolder(Dataset):
    """Pictures in one folder for each class.

    Parameters
    ----------
    root : path_like
        A folder or a zip. Folders that contain everything else are skipped.
    size : (int, int)
        Height and width of the images.
    channels : int
        3 for colours, 1 for grey.
    fit : str
        How a picture of another size is resized: ``"crop"`` or ``"stretch"``, see `fit_picture`.
    part : str, optional
        Only the pictures in this folder of `root`, such as "train".
    skip_broken : bool
        Skip unreadable pictures, with a ``UserWarning`` that names them, instead of raising an error.

    Attributes
    ----------
    images : ndarray of uint8, shape (N, channels, *size)
        Sorted by name.
    names : tuple of str
        Paths of the files in `root`.
    skipped : tuple of str
        The error message of each skipped picture.

    Raises
    ------
    FileNotFoundError
        If `root` does not exist.
    DataFormatError
        If a picture cannot be read or is outside of the class folders, or there are fewer than two classes.

    Examples
    --------
    >>> pets = ImageFolder("pets", (64, 64))  # doctest: +SKIP
    >>> train, test = pets.split(0.8)  # doctest: +SKIP
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        size: tuple[int, int] = (64, 64),
        *,
        channels: int = 3,
        fit: str = "crop",
        part: str | None = None,
        skip_broken: bool = False,
    ) -> None:
        root, reader = Path(root), PictureReader(size, channels, fit)
        source = str(root if part is None else root / part)
        classes = _find_classes(root, part, source)
        images, read, skipped = _read_images(root, list(classes), reader, skip_broken)
        class_names = sorted(set(classes.values()))
        if lost := set(class_names) - {classes[name] for name in read}:
            raise DataFormatError(f"{source}: no picture of {min(lost)} could be read: {'; '.join(skipped)}")
        if skipped:
            warnings.warn(
                f"{source}: {len(skipped):,} of {len(classes):,} pictures were skipped: {'; '.join(skipped)}",
                UserWarning,
                stacklevel=2,
            )
        self.names, self.skipped = tuple(read), tuple(skipped)
        labels = [class_names.index(classes[name]) for name in read]
        super().__init__(images, labels, class_names, name=name_of(root), source=source, reader=reader)


def load_image_folder(
    root: str | os.PathLike[str],
    size: tuple[int, int] = (64, 64),
    *,
    channels: int = 3,
    fit: str = "crop",
    skip_broken: bool = False,
    seed: int = 0,
) -> tuple[Dataset, Dataset]:
    """Load the training and the test set of a folder or a zip of pictures, shuffled.

    If `root` has the folders ``train`` and ``test`` (or ``val``, ``valid``, ``validation``), they are the two sets;
    otherwise one fifth of the pictures of each class, drawn with `seed`, is the test set. The `note` of both describes
    any other split than ``train`` and ``test``. Both are normalized with the statistics of the training set.

    Parameters
    ----------
    root, size, channels, fit, skip_broken
        As for `ImageFolder`.
    seed : int

    Returns
    -------
    train, test : Dataset

    Raises
    ------
    FileNotFoundError, DataFormatError
        As `ImageFolder`; also if the two sets do not have the same classes.
    """
    settings: dict[str, Any] = {"channels": channels, "fit": fit, "skip_broken": skip_broken}
    folders = {parts[0].lower(): parts[0] for parts in _find_paths(Path(root)).values()}
    held_out = next((name for name in TEST_FOLDERS if name in folders), None)
    if "train" in folders and held_out is not None:
        first, second = folders.pop("train"), folders.pop(held_out)
        train, test = (_shuffle(ImageFolder(root, size, part=part, **settings), seed) for part in (first, second))
        if train.class_names != test.class_names:
            raise DataFormatError(
                f"{root}: expected the same classes in {first} and {second}, found {', '.join(train.class_names)} "
                f"and {', '.join(test.class_names)}"
            )
        note = "" if held_out == "test" else f"the pictures in '{second}' are the test set"
        if folders:
            note = "; ".join([note] * bool(note) + [f"not used: {', '.join(sorted(folders.values()))}"])
    else:
        everything = ImageFolder(root, size, **settings)
        train, test = _split_test_set(everything, seed)
        note = (
            f"no folder 'test': {len(test):,} of {len(everything):,} pictures, drawn by seed {seed}, are the test set"
        )
    mean, std = train.statistics()
    changes = {"mean": mean, "std": std, "source": str(root), "note": note}
    return train.replace(**changes), test.replace(**changes)


def name_of(root: str | os.PathLike[str]) -> str:
    """Return the name of a data set in a folder or a zip."""
    root = Path(root).resolve()
    return root.stem if root.is_file() else root.name


def _split_test_set(data: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """Split off one fifth of each class, and at least one picture if the class has two."""
    rng = np.random.default_rng(seed)
    tests = []
    for label in range(len(data.class_names)):
        rows = rng.permutation(np.flatnonzero(data.labels == label))
        tests.append(rows[: max(round(TEST_SHARE * len(rows)), int(len(rows) > 1))])
    test = rng.permutation(np.concatenate(tests))
    if not test.size:
        raise DataFormatError(
            f"{data.source}: expected a class with at least two pictures, one of them for the test set"
        )
    train = rng.permutation(np.setdiff1d(np.arange(len(data)), test))
    return data[train], data[test]


def _shuffle(data: Dataset, seed: int) -> Dataset:
    return data[np.random.default_rng(seed).permutation(len(data))]


def _find_paths(root: Path) -> dict[str, tuple[str, ...]]:
    """Return the path of each picture as its parts, without the folders that contain everything else."""
    names = sorted(member.name for member in members(root) if member.name.lower().endswith(READABLE + OTHERS))
    paths = {name: tuple(name.split("/")) for name in names}
    while paths and len({parts[0] for parts in paths.values()}) == 1 and min(map(len, paths.values())) > 2:
        paths = {name: parts[1:] for name, parts in paths.items()}
    return paths


def _find_classes(root: Path, part: str | None, source: str) -> dict[str, str]:
    """Return the class of each picture, by name and sorted by name."""
    paths = _find_paths(root)
    if part is not None:
        paths = {name: parts[1:] for name, parts in paths.items() if parts[0] == part}
    tree = "a folder of PNG or JPEG pictures for each class"
    if not paths:
        raise DataFormatError(f"{source}: expected {tree}, found no pictures")
    for name, parts in paths.items():
        if len(parts) < 2:
            raise DataFormatError(f"{source}: expected {tree}, found {name} outside of these folders")
    classes = {name: parts[0] for name, parts in paths.items()}
    if len(set(classes.values())) == 1:
        only = next(iter(classes.values()))
        raise DataFormatError(f"{source}: expected {tree}, with at least two classes; found only {only}")
    return classes


def _read_images(
    root: Path, names: Sequence[str], reader: PictureReader, skip_broken: bool
) -> tuple[np.ndarray, list[str], list[str]]:
    """Return the images (N, C, H, W), the names of the pictures they come from, and the errors of the others."""
    images = np.empty((len(names), *reader.shape), np.uint8)
    rows = {name: row for row, name in enumerate(names)}
    wrong: dict[str, str] = {}
    missing = set(names)
    for member in members(root):
        if member.name in missing:
            missing.remove(member.name)
            try:
                content = member.read(MAX_BYTES)
                images[rows[member.name]] = reader.prepare(decode_picture(content, str(root / member.name)))
            except DataFormatError as error:
                if not skip_broken:
                    raise
                wrong[member.name] = str(error)
    if missing:
        raise DataFormatError(f"{root}: {min(missing)} was removed while the folder was read")
    read = [name for name in names if name not in wrong]
    return images[[rows[name] for name in read]] if wrong else images, read, list(wrong.values())
