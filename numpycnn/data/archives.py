"""Read the files of a folder, a zip or a tar archive through one interface.

Nothing is unpacked to the disk, so a member's name cannot write outside of a folder. A member is streamed into memory
up to a size limit, and an archive that unpacks to more than its limit is refused.
"""

import gzip
import io
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, cast

from numpycnn.errors import DataFormatError

MAX_TAR_BYTES = 1 << 30  # bytes that a whole tar archive may unpack to
ENCRYPTED = 1  # flag of a zip's member
# Raised by zipfile, tarfile, gzip and zlib on truncated, damaged or malicious archives.
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    struct.error,
    OSError,  # gzip: a wrong checksum; also a seek out of range
    EOFError,
    ValueError,
    OverflowError,
    LookupError,
    RuntimeError,  # NotImplementedError: a rare compression
)


def read_file(path: str | os.PathLike[str], what: str, max_bytes: int) -> bytes:
    """Return the content of a file; a folder, a missing and a too long file are errors that name `what` is expected."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: expected {what}, found a folder")
    if not path.exists():
        raise FileNotFoundError(f"{path}: expected {what}, found no such file")
    if (size := path.stat().st_size) > max_bytes:
        raise DataFormatError(f"{path}: expected at most {max_bytes:,} bytes, found {size:,}")
    with path.open("rb") as file:
        return file.read(size if path.is_file() else max_bytes)  # `read` allocates what it is asked for


@dataclass(frozen=True)
class Member:
    """A file in an archive: its path there, with slashes, and a function that reads it while it is the current one.

    ``read(max_bytes)`` returns the content, or raises a DataFormatError if it is damaged or longer than that. The path
    of a folder ends in a slash; it has no content.
    """

    name: str
    read: Callable[[int], bytes]


def members(path: str | os.PathLike[str], *, folders: bool = False) -> Iterator[Member]:
    """Iterate over the files of a folder, a zip or a tar archive (plain or .gz), without hidden ones.

    With `folders`, the folders inside are members too; an archive may leave out those that are not empty.
    The files of a folder are sorted by name; those of an archive keep its order, and each must be read before the next
    one is requested. Raises FileNotFoundError, or DataFormatError for another or a damaged file.
    """
    for member in _iter_members(Path(path)):
        if folders or not member.name.endswith("/"):
            yield member


def _iter_members(path: Path) -> Iterator[Member]:
    if path.is_dir():
        yield from _iter_folder(path)
        return
    if not path.exists():
        raise FileNotFoundError(f"{path}: expected a folder, a zip or a tar archive, found nothing")
    if not path.is_file():
        raise DataFormatError(f"{path}: expected a folder, a zip or a tar archive, found neither a file nor a folder")
    with path.open("rb") as file:
        beginning = file.read(262)
        file.seek(0)
        if _is_zip(file):
            yield from _iter_zip(path, file)
        elif beginning.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield from _iter_tar(path, cast("IO[bytes]", unpacked))
        elif beginning[257:262] == b"ustar":
            yield from _iter_tar(path, file)
        else:
            raise DataFormatError(
                f"{path}: expected a folder, a zip or a tar archive (plain or .gz), found another kind of file"
            )


def open_files(path: str | os.PathLike[str]) -> Callable[[str, int], bytes]:
    """Return a function ``read(name, max_bytes)`` that reads any file of a folder or a zip, from several threads too.

    It works after a change of the working directory. The members of a tar archive can be read in order only, so it is
    refused with a DataFormatError.
    """
    path = Path(path).absolute()
    if path.is_dir():
        return lambda name, max_bytes: read_file(path / name, "a file", max_bytes)
    with path.open("rb") as file:
        packed = _is_zip(file)
    if not packed:
        raise DataFormatError(f"{path}: expected a folder or a zip, found an archive that is read in order; unpack it")
    with _as_format_error(str(path)):
        archives = {os.getpid(): zipfile.ZipFile(path)}  # of each process: a forked one shares the place in the file
    infos = {_name_of(info): info for info in reversed(archives[os.getpid()].infolist())}  # the first of equal names

    def read(name: str, max_bytes: int) -> bytes:
        process = os.getpid()
        if process not in archives:
            archives[process] = zipfile.ZipFile(path)
        return _read_member(path, archives[process], infos[name], max_bytes)

    return read


def _is_zip(file: IO[bytes]) -> bool:
    """Return whether a file at its beginning is a zip, also one after a program that unpacks it."""
    beginning = file.read(262)
    known = beginning.startswith(b"\x1f\x8b") or beginning[257:262] == b"ustar"  # may end in a zip that it holds
    found = beginning.startswith((b"PK\x03\x04", b"PK\x05\x06")) or (not known and zipfile.is_zipfile(file))
    file.seek(0)
    return found


def _folder(name: str) -> Member:
    return Member(f"{name.rstrip('/')}/", lambda max_bytes: b"")


def _normalize(name: str) -> str:
    """Return the path of a member without empty parts and ``.``, as in ``./cat/a.png``."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _is_hidden(name: str) -> bool:
    """Return whether a path is a dot file or metadata that macOS adds to archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _read_checked(place: str, size: int, max_bytes: int, read: Callable[[int], bytes]) -> bytes:
    """Read a member of `size` declared bytes, at most `max_bytes`."""
    if size > max_bytes:
        raise DataFormatError(f"{place}: expected at most {max_bytes:,} bytes, found {size:,}")
    content = read(size + 1)  # a buffered file allocates what it is asked for
    if len(content) > size:
        raise DataFormatError(f"{place}: expected {size:,} bytes, found more")
    if len(content) < size:
        raise DataFormatError(f"{place}: expected {size:,} bytes, found {len(content):,}: it is truncated")
    return content


@contextmanager
def _as_format_error(place: str) -> Iterator[None]:
    """Convert the libraries' errors on damaged archives to a DataFormatError that names the place."""
    try:
        yield
    except DataFormatError:
        raise
    except ARCHIVE_ERRORS as error:
        raise DataFormatError(f"{place}: expected a whole archive, found a damaged one ({error})") from error


def _iter_folder(folder: Path, inside: str = "", above: tuple[str, ...] = ()) -> Iterator[Member]:
    """Iterate over a folder; links are followed, except those to a folder `above` this one."""
    real = os.path.realpath(folder)
    if real in above:
        return
    if inside:
        yield _folder(inside)
    for path in sorted(folder.iterdir()):  # raises for an unreadable folder, instead of treating it as empty
        name = inside + path.name
        if _is_hidden(path.name):
            continue
        if path.is_dir():
            yield from _iter_folder(path, f"{name}/", (*above, real))
        elif path.is_file():  # skips pipes, which would block
            yield Member(name, partial(read_file, path, "a file"))


def _name_of(info: zipfile.ZipInfo) -> str:
    """Return the path of a zip's member with slashes; backslashes are of old packers on Windows."""
    return _normalize(info.filename.replace("\\", "/"))


def _read_member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_bytes: int) -> bytes:
    place = f"{path}: {info.filename}"
    if info.flag_bits & ENCRYPTED:
        raise DataFormatError(f"{place}: expected an archive without a password, found it encrypted")
    with _as_format_error(place), archive.open(info) as member:
        return _read_checked(place, info.file_size, max_bytes, member.read)


def _iter_zip(path: Path, file: IO[bytes]) -> Iterator[Member]:
    with _as_format_error(str(path)):
        archive = zipfile.ZipFile(file)
    with archive:
        for info in archive.infolist():
            name = _name_of(info)
            if _is_hidden(name) or not name:
                continue
            if info.filename.endswith(("/", "\\")):
                yield _folder(name)
            else:
                yield Member(name, partial(_read_member, path, archive, info))


class _LimitedStream(io.RawIOBase):
    """A stream that raises once an archive has unpacked to more than its limit."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self.stream, self.path, self.left = stream, path, MAX_TAR_BYTES

    def read(self, size: int = -1) -> bytes:
        content = self.stream.read(size)
        self.left -= len(content)
        if self.left < 0:
            raise DataFormatError(f"{self.path}: expected an archive of at most {MAX_TAR_BYTES:,} bytes, found more")
        return content


def _iter_tar(path: Path, file: IO[bytes]) -> Iterator[Member]:
    with _as_format_error(str(path)):
        archive = tarfile.open(fileobj=cast("IO[bytes]", _LimitedStream(file, path)), mode="r|")  # noqa: SIM115
    with archive:
        while True:
            with _as_format_error(str(path)):
                info = archive.next()
            if info is None:
                return
            name = _normalize(info.name)
            if _is_hidden(name) or not name:
                continue
            if info.isdir():
                yield _folder(name)
            elif info.isreg():

                def read(max_bytes: int, info: tarfile.TarInfo = info) -> bytes:
                    place = f"{path}: {info.name}"
                    with _as_format_error(place):
                        member = archive.extractfile(info)
                        assert member is not None  # it is a regular file
                        return _read_checked(place, info.size, max_bytes, member.read)

                yield Member(name, read)
