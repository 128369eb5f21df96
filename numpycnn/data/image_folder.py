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

from numpycnn._checks import check_flag, check_int
from numpycnn.data.archives import members
from numpycnn.data.class_folders import choose_test_folder, find_classes, find_paths, find_sets, folders_of
from numpycnn.data.dataset import Dataset
from numpycnn.data.picture_files import PictureFiles
from numpycnn.data.pictures import MAX_BYTES, PictureReader, decode_picture
from numpycnn.data.rows import Rows
from numpycnn.errors import DataFormatError

TEST_SHARE = 0.2  # of the pictures of a class, without a test folder


class ImageFolder(Dataset):
    """Pictures in one folder for each class.

    Parameters
    ----------
    root : path_like
        A folder or a zip. Folders that contain everything else are skipped. One with a training and a test set is
        refused without `part`.
    size : (int, int)
        Height and width of the images.
    channels : int
        3 for colours, 1 for grey.
    fit : str
        How a picture of another size is resized: ``"crop"`` or ``"stretch"``, see `fit_picture`.
    part : str, optional
        Only the pictures in this folder of `root`, such as "train".
    skip_broken : bool
        Skip unreadable pictures, and folders without a picture, with a ``UserWarning`` that names them, instead of
        raising an error.
    in_memory : bool
        False leaves the pictures on disk, for sets larger than memory: a batch is decoded when it is asked for, and the
        trainer asks for batches ahead. A picture that cannot be read is an error in its batch; with `skip_broken`, all
        pictures are decoded once at the beginning to find these. A tar archive has to be unpacked for it.
    threads : int, optional
        Threads that decode a batch that is read from disk, one for each core by default. The result is the same.

    Attributes
    ----------
    images : ndarray of uint8, shape (N, channels, *size)
        Sorted by name. With ``in_memory=False`` an object that is indexed in the same way and reads what is asked for.
    names : tuple of str
        Paths of the files in `root`.
    skipped : tuple of str
        The error message of each skipped picture.

    Raises
    ------
    FileNotFoundError
        If `root` does not exist.
    DataFormatError
        If a picture cannot be read or is outside of the class folders, a class has no picture, or there are fewer than
        two classes.
    TypeError, ValueError
        If a setting has the wrong type or is out of range.

    Examples
    --------
    >>> pets = ImageFolder("pets", (64, 64))  # doctest: +SKIP
    >>> train, test = pets.split(0.8)  # doctest: +SKIP
    >>> large = ImageFolder("photographs", (224, 224), in_memory=False)  # doctest: +SKIP
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
        in_memory: bool = True,
        threads: int | None = None,
    ) -> None:
        root, reader = Path(root), PictureReader(size, channels, fit)
        in_memory = check_flag(in_memory, "in_memory", "ImageFolder")
        threads = None if threads is None else check_int(threads, "threads", "ImageFolder", maximum=1024)
        source = str(root if part is None else root / part)
        classes = find_classes(root, part, source, skip_broken)
        images: Any
        if in_memory:
            images, read, skipped = _read_images(root, list(classes), reader, skip_broken)
        else:
            images, read, skipped = _find_images(PictureFiles(root, list(classes), reader, threads), skip_broken)
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
    in_memory: bool = True,
    threads: int | None = None,
) -> tuple[Dataset, Dataset]:
    """Load the training and the test set of a folder or a zip of pictures, shuffled.

    If `root` has a folder for training and one for testing or validation, they are the two sets. They are recognized by
    names such as ``train`` and ``test``, ``Training`` and ``Testing``, ``training_set`` and ``test_set``, ``valid``.
    Otherwise one fifth of the pictures of each class, drawn with `seed`, is the test set. The `note` of both describes
    any other split than ``train`` and ``test``. Both are normalized with the statistics of the training set.

    Parameters
    ----------
    root, size, channels, fit, skip_broken, in_memory, threads
        As for `ImageFolder`. With ``in_memory=False``, the statistics take one pass over the training set.
    seed : int

    Returns
    -------
    train, test : Dataset

    Raises
    ------
    FileNotFoundError, DataFormatError
        As `ImageFolder`; also if the two sets do not have the same classes, or one is missing or has no classes.
    """
    settings: dict[str, Any] = {"channels": channels, "fit": fit, "skip_broken": skip_broken}
    settings |= {"in_memory": in_memory, "threads": threads}
    paths = find_paths(Path(root))
    sets = find_sets(paths, str(root))
    if sets:
        first, second = sets["train"], choose_test_folder(paths, sets, Path(root))
        train, test = (_shuffle(ImageFolder(root, size, part=part, **settings), seed) for part in (first, second))
        if train.class_names != test.class_names:
            raise DataFormatError(
                f"{root}: expected the same classes in {first} and {second}, found {', '.join(train.class_names)} "
                f"and {', '.join(test.class_names)}"
            )
        note = "" if second == sets.get("test") else f"the pictures in '{second}' are the test set"
        if others := folders_of(paths) - {first, second}:
            note = "; ".join([note] * bool(note) + [f"not used: {', '.join(sorted(others))}"])
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


def _find_images(files: PictureFiles, skip_broken: bool) -> tuple[Rows, list[str], list[str]]:
    """Return the images as rows on disk, the names of the pictures they come from, and the errors of the others."""
    wrong = files.find_broken() if skip_broken else {}
    rows = [row for row in range(len(files.names)) if row not in wrong]
    images = Rows(files.read, np.array(rows, np.intp), files.reader.shape, np.uint8)
    return images, [files.names[row] for row in rows], list(wrong.values())
