"""A data set before it is opened: the forms in which it may lie on a disk, and where it is published.

Every data set is looked for in the same places, one after the other: the folder that the caller names, and no other if
there is one; the folder that the environment variable ``NUMPYCNN_DATA`` names; where an operating system's package puts
it; the cache; the mirrors.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from numpycnn.data.download import cache_folder, fetch


@dataclass(frozen=True)
class Form:
    """A way in which a data set lies in a folder.

    Attributes
    ----------
    files : tuple of str
        Names of the files, or folders, that are all there.
    sha256 : tuple of str
        Of the content of each, unpacked where it may be packed; empty where none is known.
    packed : bool
        Whether each file may be compressed with gzip and have ``.gz`` after its name.
    shared : bool
        Whether another data set has files of the same names, so that only the folder tells them apart.
    note : str
        What should be said of a data set in this form.
    """

    files: tuple[str, ...]
    sha256: tuple[str, ...] = ()
    packed: bool = False
    shared: bool = False
    note: str = ""


@dataclass(frozen=True)
class Published:
    """A file on the mirrors: its name there, its size in bytes, and its SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """A data set that can be found or fetched.

    Attributes
    ----------
    name : str
        As the command line says it.
    title, about, licence, homepage : str
        For people to read.
    folders : tuple of str
        Names of the folder that holds it; that of the cache has the first one.
    forms : tuple of Form
        The best first.
    published : tuple of Published
        The files that are fetched, and then lie in the cache in the first form.
    mirrors : tuple of str
        Addresses of folders, each ending in a slash.
    system : tuple of str
        Folders where packages of an operating system put it.
    """

    name: str
    title: str
    about: str
    licence: str
    homepage: str
    folders: tuple[str, ...]
    forms: tuple[Form, ...]
    published: tuple[Published, ...] = ()
    mirrors: tuple[str, ...] = ()
    system: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A data set that has been found: in which form, its files in the order of the form's, and whether it was fetched.

    What was fetched has been checked already, as it was published.
    """

    form: Form
    paths: tuple[Path, ...]
    fetched: bool = False

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.paths[0].parent


class NotAtHandError(FileNotFoundError):
    """A data set that is neither on this machine nor to be had; `reason` says why not."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def obtain(source: Source, root: str | os.PathLike[str] | None = None) -> Found:
    """Find a data set, or fetch it.

    Parameters
    ----------
    source : Source
    root : path_like, optional
        A folder that holds its files, or has a folder with them, or the one file or folder itself.

    Returns
    -------
    Found

    Raises
    ------
    FileNotFoundError
        If `root` is given and does not hold it; a NotAtHandError if it is nowhere.
    NotADirectoryError
        If `root` is another file.
    """
    found = _installed(source) if root is None else _in_root(source, Path(root))
    return found or fetch_all(source)


def locate(source: Source) -> Found | None:
    """Return where a data set lies on this machine, None if it does not; what lies in the cache is not checked here."""
    found = _installed(source)
    if found is None and source.published and all(path.is_file() for path in _cached(source).paths):
        found = _cached(source)
    return found


def fetch_all(source: Source) -> Found:
    """Return the published files of a data set, from the cache if they are there and right, or from its mirrors."""
    folder = cache_folder(source.folders[0])
    unreachable: set[str] = set()
    reason = "no mirror is known"
    if source.published:
        try:
            for file in source.published:
                fetch(file.name, source.mirrors, file.sha256, folder, size=file.size, unreachable=unreachable)
            return _cached(source)
        except ConnectionError as error:
            reason = str(error)
        except OSError as error:
            reason = f"it cannot be kept in the cache {folder}: {error}"
    names = " or ".join(", ".join(form.files) for form in source.forms)
    raise NotAtHandError(
        f"{source.title} is not on this machine, and {reason}. Put {names} into a folder '{source.folders[0]}' and set "
        f"NUMPYCNN_DATA to the folder above it, or name the folder; they come from {source.homepage}",
        reason,
    )


def is_known(found: Found) -> bool | None:
    """Return whether the files have the content that is known for their form; None where none is known."""
    if not found.form.sha256:
        return None
    return all(
        _content_sha256(path, found.form.packed) == wanted
        for path, wanted in zip(found.paths, found.form.sha256, strict=True)
    )


def _content_sha256(path: Path, packed: bool) -> str:
    try:
        with gzip.open(path) if packed and path.suffix == ".gz" else path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return "damaged"


# ---------------------------------------------------------------------------------------------------- looking for files


def _path_of(name: str, form: Form, folder: Path) -> Path | None:
    names = (name, f"{name}.gz") if form.packed else (name,)
    return next((folder / candidate for candidate in names if (folder / candidate).exists()), None)


def _first(source: Source, places: list[tuple[Path, bool]]) -> Found | None:
    """Return the best form that is in one of the places; the flag says whether the place is the data set's alone."""
    for form in source.forms:
        for place, own in places:
            paths = [_path_of(name, form, place) for name in form.files]
            if (own or not form.shared) and None not in paths:
                return Found(form, tuple(path for path in paths if path))
    return None


def _below(source: Source, folder: Path, *, own: bool) -> Iterator[tuple[Path, bool]]:
    yield folder, own
    for name in source.folders:
        yield folder / name, True


def _installed(source: Source) -> Found | None:
    """Look where the environment and the operating system say that data is."""
    data = os.environ.get("NUMPYCNN_DATA")
    places = list(_below(source, Path(data), own=False)) if data else []
    return _first(source, places + [(Path(folder), True) for folder in source.system])


def _in_root(source: Source, root: Path) -> Found:
    for form in source.forms:
        if form.files == (root.name,) and root.exists():
            return Found(form, (root,))
    if root.is_file():
        raise NotADirectoryError(f"{source.title}: expected a folder with its files, got a file, {root}")
    places = list(_below(source, root, own=True))
    found = _first(source, places)
    if found is None:
        raise _not_found(source, root, [place for place, _ in places])
    return found


def _not_found(source: Source, root: Path, places: list[Path]) -> FileNotFoundError:
    """Return the error that says what is missing in a folder that the user named."""
    for form in source.forms:
        for place in places:
            missing = [name for name in form.files if _path_of(name, form, place) is None]
            if len(missing) < len(form.files):
                packed = " (plain or .gz)" if form.packed else ""
                return FileNotFoundError(f"{source.title}: missing in {place}: {', '.join(missing)}{packed}")
    names = " or ".join(", ".join(form.files) + " (plain or .gz)" * form.packed for form in source.forms)
    found = "none of them" if root.is_dir() else "no such folder"
    return FileNotFoundError(f"{source.title}: expected {names} in {root} or {places[1]}, found {found}")


def _cached(source: Source) -> Found:
    """Return what a download leaves in the cache, whether it is there or not."""
    folder = cache_folder(source.folders[0])
    return Found(source.forms[0], tuple(folder / file.name for file in source.published), fetched=True)
