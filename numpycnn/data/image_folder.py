"""A custom data set: a folder, or a zip of one, with a folder of pictures for each class.

pets/cat/1.jpg                     pets/train/cat/1.jpg
pets/cat/2.png         or          pets/train/dog/1.jpg
pets/dog/1.jpg                     pets/test/cat/9.jpg
"""

import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from numpycnn._checks import check_flag, check_int
from numpycnn.data.archives import members
from numpycnn.data.dataset import Dataset
from numpycnn.data.picture_files import PictureFiles
from numpycnn.data.pictures import MAX_BYTES, PictureReader, decode_picture
from numpycnn.data.rows import Rows
from numpycnn.errors import DataFormatError

READABLE = (".png", ".jpg", ".jpeg", ".jpe", ".jfif")
OTHERS = (
    ".gif",
    ".bmp",
    ".webp",
    ".avif",
    ".heic",
    ".tif",
    ".tiff",
    ".heif",
    ".jp2",
    ".jxl",
    ".pbm",
    ".pgm",
    ".pnm",
    ".ppm",
    ".tga",
)  # image files too: reported instead of skipped silently
HELD_OUT = ("test", "val")  # next to "train"; the first that exists
SETS = {"train": "train|training", "test": "test|testing", "val": "val|valid|validation|eval|evaluation|dev"}
SUFFIXES = "(s|set|sets|data|dataset|images?|imgs?|pictures?|pics?|photos?|samples?|folder|split)?"
Paths = dict[str, tuple[str, ...]]  # parts of the path of each file, by its name in the folder or archive
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
        classes = _find_classes(root, part, source, skip_broken)
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
    paths = _find_paths(Path(root))
    sets = _find_sets(paths, str(root))
    if sets:
        first, second = sets["train"], _choose_test_folder(paths, sets, Path(root))
        train, test = (_shuffle(ImageFolder(root, size, part=part, **settings), seed) for part in (first, second))
        if train.class_names != test.class_names:
            raise DataFormatError(
                f"{root}: expected the same classes in {first} and {second}, found {', '.join(train.class_names)} "
                f"and {', '.join(test.class_names)}"
            )
        note = "" if second == sets.get("test") else f"the pictures in '{second}' are the test set"
        if others := _folders(paths) - {first, second}:
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


def _find_paths(root: Path) -> Paths:
    """Return the path of each file as its parts, without the folders that contain all pictures."""
    return _strip({member.name: tuple(member.name.split("/")) for member in members(root)})


def _strip(paths: Paths) -> Paths:
    """Drop the folders that contain all pictures, and the files outside of them."""
    while True:
        pictures = _pictures(paths).values()
        tops = {parts[0] for parts in pictures}
        if len(tops) != 1 or min(map(len, pictures)) < 3 or _are_sets(_folders(paths)):
            return paths
        paths = {name: parts[1:] for name, parts in paths.items() if parts[0] in tops and len(parts) > 1}


def _pictures(paths: Paths) -> Paths:
    return {name: parts for name, parts in sorted(paths.items()) if name.lower().endswith(READABLE + OTHERS)}


def _folders(paths: Paths) -> set[str]:
    return {parts[0] for parts in paths.values() if len(parts) > 1}


def _inside(paths: Paths, folder: str) -> Paths:
    return _strip({name: parts[1:] for name, parts in paths.items() if parts[0] == folder and len(parts) > 1})


def _set_of(folder: str) -> str | None:
    """Return "train", "test" or "val" if a folder's name contains such a word, in any spelling."""
    for word in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", folder):
        for name, spellings in SETS.items():
            if re.fullmatch(f"({spellings}){SUFFIXES}", word.lower()):
                return name
    return None


def _are_sets(folders: set[str]) -> bool:
    """Return whether a training set and a test or validation set are among the folders, by their names."""
    found = {_set_of(folder) for folder in folders} - {None}
    return "train" in found and len(found) > 1


def _find_sets(paths: Paths, source: str) -> dict[str, str]:
    """Return the folders of the sets, by "train", "test" and "val"; an empty dict if the folders are classes."""
    folders = sorted(_folders(paths), key=lambda folder: (len(folder), folder))
    groups: dict[str, Paths] = {folder: {} for folder in folders}
    for file, parts in paths.items():
        if len(parts) > 1:
            groups[parts[0]][file] = parts[1:]
    inside = {folder: _folders(_strip(group)) for folder, group in groups.items()}
    sets: dict[str, str] = {}
    for folder in folders:
        if name := _set_of(folder):
            sets.setdefault(name, folder)
    only_sets = all(map(_set_of, folders))
    if _are_sets({*folders}) and (only_sets or len(inside[sets["train"]]) > 1):
        return sets
    if folders and all(map(_are_sets, inside.values())):
        raise DataFormatError(
            f"{source}: expected a training and a test set with a folder for each class inside, found such sets inside "
            f"of {', '.join(folders)}"
        )
    divided = [folder for folder in folders if len(inside[folder]) > 1]  # with class folders inside, as a set has them
    if (only_sets and len(sets) > 1) or ({*sets.values()} & {*divided} and len(divided) < len(folders)):
        raise DataFormatError(
            f"{source}: expected folders of classes, or a training and a test set such as train and test, found "
            f"{', '.join(folders)}; rename {' and '.join(sets.values())} if these are classes, or name one set"
        )
    return {}


def _choose_test_folder(paths: Paths, sets: dict[str, str], root: Path) -> str:
    """Return the folder of the test set: the first one with class folders inside."""
    held_out = [sets[name] for name in HELD_OUT if name in sets]
    for folder in held_out:
        pictures = _pictures(_inside(paths, folder))
        if not pictures or len(_folders(pictures)) > 1:
            return folder
    loose = min(_pictures(_inside(paths, held_out[0])))
    name, parts = next((name, parts) for name, parts in paths.items() if parts[0] == sets["train"])
    train = root.joinpath(*name.split("/")[: 1 - len(parts)])
    raise DataFormatError(
        f"{root}: expected a folder for each class in {held_out[0]}, found {loose} without a class; "
        f"{'unpack it and ' * root.is_file()}name {train} instead, and a fifth of its pictures is the test set"
    )


def _find_classes(root: Path, part: str | None, source: str, skip_broken: bool) -> dict[str, str]:
    """Return the class of each picture, by name and sorted by name."""
    paths = _find_paths(root)
    if part is not None:
        paths = _inside(paths, part)
    elif sets := _find_sets(paths, source):
        raise DataFormatError(
            f"{source}: expected a folder for each class, found the sets {', '.join(sets.values())}; load them with "
            f"load_image_folder, or one with part={sets['train']!r}"
        )
    tree = "a folder of PNG or JPEG pictures for each class"
    pictures = _pictures(paths)
    if not pictures:
        raise DataFormatError(f"{source}: expected {tree}, found no pictures{_endings(paths)}")
    for name, parts in pictures.items():
        if len(parts) < 2:
            raise DataFormatError(f"{source}: expected {tree}, found {name} outside of these folders")
    for lost in sorted(_folders(paths) - _folders(pictures)):
        message = f"{source}: expected {tree}, found none in {lost}{_endings(_inside(paths, lost))}"
        if not skip_broken:
            raise DataFormatError(f"{message}; convert them, or leave the folder out with skip_broken")
        warnings.warn(f"{message}; it is left out", UserWarning, stacklevel=3)
    classes = {name: parts[0] for name, parts in pictures.items()}
    if len(set(classes.values())) == 1:
        only = next(iter(classes.values()))
        raise DataFormatError(f"{source}: expected {tree}, with at least two classes; found only {only}")
    return classes


def _endings(paths: Paths) -> str:
    """Return the endings of files as the rest of a sentence; empty if there are no files."""
    endings = sorted({PurePosixPath(name).suffix.lower() or "no ending" for name in paths})
    return f" but files with {', '.join(endings[:5])}{', ...' * (len(endings) > 5)}" if endings else ""


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
