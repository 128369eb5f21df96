"""Find a data set on the disk, in one of several forms, or download it.

If the caller names a folder, only that is searched. Otherwise these places are searched in order: the folder that the
environment variable ``NUMPYCNN_DATA`` names, the folders of operating system packages, the cache, the mirrors.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from numpycnn.data.archives import members
from numpycnn.data.download import cache_folder, fetch
from numpycnn.errors import DataFormatError


@dataclass(frozen=True)
class Form:
    """A set of files that make up a data set in a folder."""

    files: tuple[str, ...]  # names of files or folders, all of them required
    sha256: tuple[str, ...] = ()  # of the content of each, uncompressed if it may be compressed; empty if unknown
    packed: bool = False  # whether each may be compressed with gzip, with the suffix .gz
    shared: bool = False  # whether another data set has files of the same names: the folder must identify this one
    note: str = ""  # a remark on data sets in this form


@dataclass(frozen=True)
class Published:
    """A file on the mirrors: its name there, its size in bytes, and its SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """A data set that can be found or fetched."""

    name: str  # on the command line
    title: str
    about: str
    licence: str
    homepage: str
    folders: tuple[str, ...]  # possible names of its folder; the cache uses the first one
    forms: tuple[Form, ...]  # in order of preference
    published: tuple[Published, ...] = ()  # the files to download; in the cache they are in the first form
    mirrors: tuple[str, ...] = ()  # addresses of folders, each ending in a slash
    system: tuple[str, ...] = ()  # folders used by operating system packages


@dataclass(frozen=True)
class Found:
    """A data set that was found: its form, its files in the order of the form, and whether it was downloaded.

    Downloads are verified as published.
    """

    form: Form
    paths: tuple[Path, ...]
    fetched: bool = False

    @property
    def folder(self) -> Path:
        """The folder that contains the files."""
        return self.paths[0].parent


class DatasetNotFoundError(FileNotFoundError):
    """Not found locally, and the download failed; `reason` says why."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def find_or_fetch(source: Source, root: str | os.PathLike[str] | None = None) -> Found:
    """Find a data set, or download it.

    `root` is a folder with its files, the folder above it, or the single file or folder of a form. Raises
    FileNotFoundError if it is not there, DatasetNotFoundError if no place has it, NotADirectoryError for another file.
    """
    found = _find_installed(source) if root is None else _find_in_root(source, Path(root))
    return found or fetch_all(source)


def locate(source: Source) -> Found | None:
    """Find a data set on this machine, or return None; files in the cache are not verified here."""
    found = _find_installed(source)
    if found is None and source.published and all(path.is_file() for path in _cache_entry(source).paths):
        found = _cache_entry(source)
    return found


def fetch_all(source: Source) -> Found:
    """Return the published files of a data set, from the cache if valid, or else from its mirrors."""
    folder = cache_folder(source.folders[0])
    unreachable: set[str] = set()
    reason = "no mirror is known"
    if source.published:
        try:
            for file in source.published:
                fetch(file.name, source.mirrors, file.sha256, folder, size=file.size, unreachable=unreachable)
            return _cache_entry(source)
        except ConnectionError as error:
            reason = str(error)
        except OSError as error:
            reason = f"it cannot be written to the cache {folder}: {error}"
    names = " or ".join(", ".join(form.files) for form in source.forms)
    raise DatasetNotFoundError(
        f"{source.title} is not on this machine, and {reason}. Put {names} into a folder '{source.folders[0]}' and set "
        f"NUMPYCNN_DATA to the folder above it, or name the folder; they come from {source.homepage}",
        reason,
    )


def is_known(found: Found) -> bool | None:
    """Return whether the files match the checksums of their form, or None if the form has none."""
    if not found.form.sha256:
        return None
    return all(
        _content_sha256(path, found.form.packed) == wanted
        for path, wanted in zip(found.paths, found.form.sha256, strict=True)
    )


def read_files(found: Found, names: Sequence[str], max_bytes: int) -> dict[str, tuple[str, bytes]]:
    """Return the place, for errors, and the content of each named file, which are those of the form or in its archive.

    In an archive they may be in any folder. Raises a DataFormatError if one is missing, or longer than `max_bytes`.
    """
    packed = found.form.files != tuple(names)
    files = {}
    for member in members(found.paths[0] if packed else found.folder):
        name = member.name.rpartition("/")[2]
        if name in names and (packed or name == member.name):
            place = f"{found.paths[0]}: {member.name}" if packed else str(found.folder / name)
            files[name] = place, member.read(max_bytes)
    if missing := [name for name in names if name not in files]:
        raise DataFormatError(f"{found.paths[0]}: expected {', '.join(names)}, found no {', '.join(missing)}")
    return files


def _content_sha256(path: Path, packed: bool) -> str:
    try:
        with gzip.open(path) if packed and path.suffix == ".gz" else path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return "damaged"


def _find_file(name: str, form: Form, folder: Path) -> Path | None:
    names = (name, f"{name}.gz") if form.packed else (name,)
    return next((folder / candidate for candidate in names if (folder / candidate).exists()), None)


def _find_first(source: Source, places: list[tuple[Path, bool]]) -> Found | None:
    """Return the preferred form found in a place; the flag marks places reserved for the data set."""
    for form in source.forms:
        for place, own in places:
            paths = [_find_file(name, form, place) for name in form.files]
            if (own or not form.shared) and None not in paths:
                return Found(form, tuple(path for path in paths if path))
    return None


def _candidate_places(source: Source, folder: Path, *, own: bool) -> list[tuple[Path, bool]]:
    return [(folder, own), *((folder / name, True) for name in source.folders)]


def _find_installed(source: Source) -> Found | None:
    """Search the folders of the environment variable and of operating system packages."""
    data = os.environ.get("NUMPYCNN_DATA")
    places = _candidate_places(source, Path(data), own=False) if data else []
    return _find_first(source, places + [(Path(folder), True) for folder in source.system])


def _find_in_root(source: Source, root: Path) -> Found:
    for form in source.forms:
        if form.files == (root.name,) and root.exists():
            return Found(form, (root,))
    if root.is_file():
        raise NotADirectoryError(f"{source.title}: expected a folder with its files, got a file, {root}")
    places = _candidate_places(source, root, own=True)
    found = _find_first(source, places)
    if found is None:
        raise _not_found_error(source, root, [place for place, _ in places])
    return found


def _not_found_error(source: Source, root: Path, places: list[Path]) -> FileNotFoundError:
    """Return an error that lists the files missing in a folder that the user named."""
    for form in source.forms:
        for place in places:
            missing = [name for name in form.files if _find_file(name, form, place) is None]
            if len(missing) < len(form.files):
                packed = " (plain or .gz)" if form.packed else ""
                return FileNotFoundError(f"{source.title}: missing in {place}: {', '.join(missing)}{packed}")
    names = " or ".join(", ".join(form.files) + " (plain or .gz)" * form.packed for form in source.forms)
    found = "none of them" if root.is_dir() else "no such folder"
    return FileNotFoundError(f"{source.title}: expected {names} in {root} or {places[1]}, found {found}")


def _cache_entry(source: Source) -> Found:
    """Return the files of a download in the cache, whether they exist or not."""
    folder = cache_folder(source.folders[0])
    return Found(source.forms[0], tuple(folder / file.name for file in source.published), fetched=True)
