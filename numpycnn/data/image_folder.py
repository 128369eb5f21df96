"""A data set of your own: a folder, or a zip of one, with a folder of pictures for each class.

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
from numpycnn.data.pictures import MOST_BYTES, PictureReader, decode_picture
from numpycnn.errors import DataFormatError

READABLE = (".png", ".jpg", ".jpeg", ".jpe", ".jfif")
OTHERS = (".gif", ".bmp", ".webp", ".avif", ".heic", ".tif", ".tiff")  # pictures as well, and not to be lost in silence
TEST_FOLDERS = ("test", "val", "valid", "validation")  # beside "train", the first one that is there
TEST_SHARE = 0.2  # of the pictures of a class, where there is none


class ImageFolder(Dataset):
    """Pictures in folders that bear the names of their classes.

    Parameters
    ----------
    root : path_like
        A folder or a zip. A folder around everything is looked through.
    size : (int, int)
        Height and width of the images.
    channels : int
        3 for colours, 1 for grey.
    fit : str
        How a picture of another size is brought to it: ``"crop"`` or ``"stretch"``, see `fit_picture`.
    part : str, optional
        Only what is in this folder of `root`, as "train".
    skip_broken : bool
        Leave pictures that cannot be read out, with a ``UserWarning`` that names them, instead of raising an error.

    Attributes
    ----------
    images : ndarray of uint8, shape (N, channels, *size)
        In the order of their names.
    names : tuple of str
        Of the files, in `root`.
    skipped : tuple of str
        What was wrong with each picture that was left out.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `root`.
    DataFormatError
        If a picture cannot be read, lies in no class's folder, or there are no pictures, or of one class only.

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
        classes = _classes(root, part, source)
        images, read, skipped = _read(root, list(classes), reader, skip_broken)
        class_names = sorted(set(classes.values()))
        if lost := set(class_names) - {classes[name] for name in read}:
            raise DataFormatError(f"{source}: not one picture of {min(lost)} can be read: {'; '.join(skipped)}")
        if skipped:
            warnings.warn(
                f"{source}: {len(skipped):,} of {len(classes):,} pictures are left out: {'; '.join(skipped)}",
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

    Where `root` has the folders ``train`` and ``test`` (or ``val``, ``valid``, ``validation``), they are the two sets;
    otherwise one fifth of the pictures of each class, drawn by `seed`, is the test set. The `note` of both says what is
    not as plain as ``train`` and ``test``. The statistics that normalise both are those of the training set.

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
    folders = {parts[0].lower(): parts[0] for parts in _paths(Path(root)).values()}
    held_out = next((name for name in TEST_FOLDERS if name in folders), None)
    if "train" in folders and held_out is not None:
        first, second = folders.pop("train"), folders.pop(held_out)
        train, test = (_shuffled(ImageFolder(root, size, part=part, **settings), seed) for part in (first, second))
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
        train, test = _held_out(everything, seed)
        note = (
            f"no folder 'test': {len(test):,} of {len(everything):,} pictures, drawn by seed {seed}, are the test set"
        )
    mean, std = train.statistics()
    source = str(root)
    return (
        train.replace(mean=mean, std=std, source=source, note=note),
        test.replace(mean=mean, std=std, source=source, note=note),
    )


def name_of(root: str | os.PathLike[str]) -> str:
    """Return what a data set in a folder or a zip is called."""
    root = Path(root).resolve()
    return root.stem if root.is_file() else root.name


def _held_out(data: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """Split off one fifth of each class, at least one picture where there are two."""
    rng = np.random.default_rng(seed)
    tests = []
    for label in range(len(data.class_names)):
        rows = rng.permutation(np.flatnonzero(data.labels == label))
        tests.append(rows[: max(round(TEST_SHARE * len(rows)), int(len(rows) > 1))])
    test = rng.permutation(np.concatenate(tests))
    if not test.size:
        raise DataFormatError(f"{data.source}: expected two pictures of some class at least, one of them to test with")
    train = rng.permutation(np.setdiff1d(np.arange(len(data)), test))
    return data[train], data[test]


def _shuffled(data: Dataset, seed: int) -> Dataset:
    return data[np.random.default_rng(seed).permutation(len(data))]


def _paths(root: Path) -> dict[str, tuple[str, ...]]:
    """Return the path of each picture as its parts, without the folders that are around everything."""
    names = sorted(member.name for member in members(root) if member.name.lower().endswith(READABLE + OTHERS))
    paths = {name: tuple(name.split("/")) for name in names}
    while paths and len({parts[0] for parts in paths.values()}) == 1 and min(map(len, paths.values())) > 2:
        paths = {name: parts[1:] for name, parts in paths.items()}
    return paths


def _classes(root: Path, part: str | None, source: str) -> dict[str, str]:
    """Return the class of each picture, by the picture's name and in the order of the names."""
    paths = _paths(root)
    if part is not None:
        paths = {name: parts[1:] for name, parts in paths.items() if parts[0] == part}
    tree = "a folder of PNG or JPEG pictures for each class"
    if not paths:
        raise DataFormatError(f"{source}: expected {tree}, found no pictures")
    for name, parts in paths.items():
        if len(parts) < 2:
            raise DataFormatError(f"{source}: expected {tree}, found {name}, which is in none")
    classes = {name: parts[0] for name, parts in paths.items()}
    if len(set(classes.values())) == 1:
        only = next(iter(classes.values()))
        raise DataFormatError(f"{source}: expected {tree}, and two classes at least; found only one, {only}")
    return classes


def _read(
    root: Path, names: Sequence[str], reader: PictureReader, skip_broken: bool
) -> tuple[np.ndarray, list[str], list[str]]:
    """Return the images (N, C, H, W), the names of the pictures they come from, and what was wrong with the others."""
    images = np.empty((len(names), *reader.shape), np.uint8)
    rows = {name: row for row, name in enumerate(names)}
    wrong: dict[str, str] = {}
    missing = set(names)
    for member in members(root):
        if member.name in missing:
            missing.remove(member.name)
            try:
                content = member.read(MOST_BYTES)
                images[rows[member.name]] = reader.prepare(decode_picture(content, str(root / member.name)))
            except DataFormatError as error:
                if not skip_broken:
                    raise
                wrong[member.name] = str(error)
    if missing:
        raise DataFormatError(f"{root}: {min(missing)} was there a moment ago, and is not any more")
    read = [name for name in names if name not in wrong]
    return images[[rows[name] for name in read]] if wrong else images, read, list(wrong.values())
