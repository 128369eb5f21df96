"""Find the sets, the classes and the pictures in a folder or an archive, by the names of its folders.

Folders named ``train`` and ``test``, in any spelling, are two sets; the folders inside of a set are the classes. Other
folders that look like sets are refused: a model that tells a training set from a test set is useless.
"""

import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from numpycnn.data.archives import members
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
)  # image files too: an error where a picture is expected
SYSTEM = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")  # written by operating systems into any folder
HELD_OUT = ("test", "val")  # next to "train"; the first that exists
SETS = {"train": "train|training", "test": "test|testing", "val": "val|valid|validation|eval|evaluation|dev"}
SUFFIXES = "(s|set|sets|data|dataset|images?|imgs?|pictures?|pics?|photos?|samples?|folder|split)?"
PICTURES, MASKS = "(image|img|picture|pic|photo)s?", "(mask|label|annotation|segmentation|groundtruth|truth|gt)s?"
TREE = "a folder of PNG or JPEG pictures for each class"
SHOWN = 5  # endings or folders in a message
Paths = dict[str, tuple[str, ...]]  # parts of the path of each file and empty folder, by its name; "cat/" is a folder


def find_paths(root: Path) -> Paths:
    """Return the path of each file as its parts, without the folders that contain all pictures."""
    names = [member.name for member in members(root, folders=True)]
    filled = {f"{parent}/" for name in names for parent in PurePosixPath(name).parents}
    return _strip({name: tuple(name.split("/")) for name in names if name not in filled})


def _strip(paths: Paths) -> Paths:
    """Drop the folders that contain all pictures, and the files outside of them."""
    while True:
        pictures = _pictures(paths).values()
        tops = {parts[0] for parts in pictures}
        if len(tops) != 1 or min(map(len, pictures)) < 3 or _are_sets(folders_of(paths)):
            return paths
        paths = {name: parts[1:] for name, parts in paths.items() if parts[0] in tops and len(parts) > 1}


def _pictures(paths: Paths) -> Paths:
    return {name: parts for name, parts in sorted(paths.items()) if name.lower().endswith(READABLE + OTHERS)}


def folders_of(paths: Paths) -> set[str]:
    """Return the names of the outermost folders."""
    return {parts[0] for parts in paths.values() if len(parts) > 1}


def _inside(paths: Paths, folder: str) -> Paths:
    return _strip({name: parts[1:] for name, parts in paths.items() if parts[0] == folder and len(parts) > 1})


def _words(folder: str) -> list[str]:
    """Return the words of a name in lower case: ``training-set`` and ``TrainingSet`` have two."""
    return [word.lower() for word in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", unicodedata.normalize("NFKC", folder))]


def _set_of(folder: str) -> str | None:
    """Return "train", "test" or "val" if a folder's name contains such a word, in any spelling."""
    for word in _words(folder):
        for name, spellings in SETS.items():
            if re.fullmatch(f"({spellings}){SUFFIXES}", word):
                return name
    return None


def _are_sets(folders: set[str]) -> bool:
    """Return whether a training set and a test or validation set are among the folders, by their names."""
    found = {_set_of(folder) for folder in folders} - {None}
    return "train" in found and len(found) > 1


def _fold(name: str) -> str:
    """Return a name without the differences that a file system or a viewer may hide: case, spaces, Unicode form."""
    return unicodedata.normalize("NFC", name).casefold().strip()


def find_sets(paths: Paths, source: str) -> dict[str, str]:
    """Return the folders of the sets, by "train", "test" and "val"; an empty dict if the folders are classes."""
    folders = sorted(folders_of(paths), key=lambda folder: (len(folder), folder))
    groups: dict[str, Paths] = {folder: {} for folder in folders}
    for file, parts in paths.items():
        if len(parts) > 1:
            groups[parts[0]][file] = parts[1:]
    inside = {folder: folders_of(_strip(group)) for folder, group in groups.items()}
    sets: dict[str, str] = {}
    for folder in folders:
        if name := _set_of(folder):
            sets.setdefault(name, folder)
    only_sets = all(map(_set_of, folders))
    if _are_sets({*folders}) and (only_sets or len(inside[sets["train"]]) > 1):
        return sets
    _refuse_others(inside, sets, source)
    return {}


def _refuse_others(inside: dict[str, set[str]], sets: dict[str, str], source: str) -> None:
    """Refuse folders that are not classes, by their names and those of the folders `inside` of each."""
    if outer := [folder for folder, names in inside.items() if _are_sets(names)]:
        raise DataFormatError(
            f"{source}: expected a training and a test set with a folder for each class inside, found such sets inside "
            f"of {_shorten(outer)}"
        )
    divided = {folder for folder, names in inside.items() if len(names) > 1}  # with class folders inside, as a set
    if (all(map(_set_of, inside)) and len(sets) > 1) or {*sets.values()} & divided:
        raise DataFormatError(
            f"{source}: expected folders of classes, or a training and a test set such as train and test, found "
            f"{', '.join(inside)}; rename {' and '.join(sets.values())} if these are classes, or name one set"
        )
    masks = [folder for folder in inside if _has_word(folder, MASKS)]
    pictures = [folder for folder in inside if _has_word(folder, PICTURES) and folder not in masks]
    if masks and pictures:
        raise DataFormatError(
            f"{source}: expected {TREE}, found {pictures[0]} and {masks[0]}, which look like pictures with a mask for "
            f"each; read both as arrays to train on such pairs, or rename the folders if these are classes"
        )
    shared = Counter(_fold(name) for names in inside.values() for name in names)
    alike = {folder: sorted(name for name in names if shared[_fold(name)] > 1) for folder, names in inside.items()}
    if len(outer := [folder for folder, names in alike.items() if len(names) > 1]) > 1:
        raise DataFormatError(
            f"{source}: expected {TREE}, found the same folders {_shorten(alike[outer[0]])} in {_shorten(outer)}; if "
            "these are sets, name them train and test, or load one of them; if they are classes, take the pictures out "
            "of the folders inside"
        )


def _has_word(folder: str, pattern: str) -> bool:
    return any(re.fullmatch(pattern, word) for word in _words(folder))


def choose_test_folder(paths: Paths, sets: dict[str, str], root: Path) -> str:
    """Return the folder of the test set: the first one with class folders inside."""
    held_out = [sets[name] for name in HELD_OUT if name in sets]
    for folder in held_out:
        pictures = _pictures(_inside(paths, folder))
        if not pictures or len(folders_of(pictures)) > 1:
            return folder
    loose = min(_pictures(_inside(paths, held_out[0])))
    name, parts = next((name, parts) for name, parts in paths.items() if parts[0] == sets["train"])
    train = root.joinpath(*name.split("/")[: 1 - len(parts)])
    raise DataFormatError(
        f"{root}: expected a folder for each class in {held_out[0]}, found {loose} without a class; "
        f"{'unpack it and ' * root.is_file()}name {train} instead, and a fifth of its pictures is the test set"
    )


def find_classes(root: Path, part: str | None, source: str, skip_broken: bool) -> dict[str, str]:
    """Return the class of each picture, by name and sorted by name."""
    paths = find_paths(root)
    if part is not None:
        paths = _inside(paths, part)
    if sets := find_sets(paths, source):
        raise DataFormatError(
            f"{source}: expected a folder for each class, found the sets {', '.join(sets.values())}; load them with "
            f"load_image_folder, or one with part={sets['train']!r}"
        )
    pictures = _pictures(paths)
    if not pictures:
        raise DataFormatError(f"{source}: expected {TREE}, found no pictures{_but_files(paths)}")
    for name, parts in pictures.items():
        if len(parts) < 2:
            raise DataFormatError(f"{source}: expected {TREE}, found {name} outside of these folders")
    for lost in sorted(folders_of(paths) - folders_of(pictures)):
        others = _but_files(_inside(paths, lost))
        message = f"{source}: expected {TREE}, found none in {lost}{others}"
        if not skip_broken:
            advice = "convert them, or " * bool(others) + "leave the folder out with skip_broken"
            raise DataFormatError(f"{message}; {advice}")
        warnings.warn(f"{message}; it is left out", UserWarning, stacklevel=3)
    classes = {name: parts[0] for name, parts in pictures.items()}
    _check_names(sorted({*classes.values()}), source)
    unread = {name: parts for name, parts in paths.items() if name not in classes and parts[0] in classes.values()}
    if unread := {name: parts for name, parts in unread.items() if _is_file(name) and len(parts) > 1}:
        counts = Counter(parts[0] for parts in unread.values()).most_common()
        where = _shorten([f"{count:,} in {name} ({_endings(_inside(unread, name))})" for name, count in counts])
        warnings.warn(f"{source}: {len(unread):,} files are not read: {where}", UserWarning, stacklevel=3)
    return classes


def _check_names(names: list[str], source: str) -> None:
    """Refuse a single class, and classes that a file system or a viewer may show as one."""
    if len(names) == 1:
        raise DataFormatError(f"{source}: expected {TREE}, with at least two classes; found only {names[0]}")
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.setdefault(_fold(name), name)) != name:
            raise DataFormatError(
                f"{source}: expected classes with different names, found {other!a} and {name!a}, which differ in case, "
                "spaces or Unicode form alone; join the two folders, or rename one"
            )


def _is_file(name: str) -> bool:
    """Return whether a path is that of a user's file, not an empty folder or a file of the operating system."""
    return not name.endswith("/") and name.lower().rpartition("/")[2] not in SYSTEM


def _but_files(paths: Paths) -> str:
    """Return the endings of files as the rest of a sentence; empty for none."""
    endings = _endings(paths)
    return f" but files with {endings}" if endings else ""


def _endings(paths: Iterable[str]) -> str:
    """Return the endings of files."""
    return _shorten(sorted({PurePosixPath(name).suffix.lower() or "no ending" for name in filter(_is_file, paths)}))


def _shorten(words: list[str]) -> str:
    return ", ".join(words[:SHOWN]) + ", ..." * (len(words) > SHOWN)
