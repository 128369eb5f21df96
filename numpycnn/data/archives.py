"""The files of a folder, a zip or a tar archive, read in the same way and with the same caution.

Nothing is ever unpacked to the disk, so it does not matter what paths a member's name may hold. A member is read into
memory as a stream, no further than a limit, and an archive that unpacks to far more than it should is left.
"""

import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from numpycnn.errors import DataFormatError

LARGEST_TAR = 1 << 30  # bytes that a whole tar archive may unpack to
# What zipfile, tarfile, gzip and zlib raise on archives that are truncated, damaged or made by somebody clever.
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    struct.error,
    OSError,  # gzip's word for a wrong checksum, and what a seek to nowhere gives
    EOFError,
    ValueError,
    OverflowError,
    LookupError,
    RuntimeError,  # an encrypted member; NotImplementedError: a rare compression
)


@dataclass(frozen=True)
class Member:
    """A file in an archive: its path there, with slashes, and how to read it while it is the one at hand.

    ``read(most)`` returns the content, or raises a DataFormatError if it is damaged or longer than `most` bytes.
    """

    name: str
    read: Callable[[int], bytes]


def members(path: str | os.PathLike[str]) -> Iterator[Member]:
    """Go through the files of a folder or an archive; hidden ones are left out.

    Those of a folder come in the order of their names, those of an archive in their own.

    Parameters
    ----------
    path : path_like
        A folder, a zip, or a tar archive, plain or compressed with gzip; the content tells which.

    Yields
    ------
    Member
        To be read before the next one is asked for.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    DataFormatError
        If it is something else, or damaged.
    """
    path = Path(path)
    if path.is_dir():
        yield from _in_folder(path)
        return
    if not path.exists():
        raise FileNotFoundError(f"{path}: expected a folder, a zip or a tar archive, found nothing")
    if not path.is_file():
        raise DataFormatError(f"{path}: expected a folder, a zip or a tar archive, found neither a file nor a folder")
    with path.open("rb") as file:
        beginning = file.read(262)
        file.seek(0)
        if beginning.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield from _in_zip(path, file)
        elif beginning.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield from _in_tar(path, cast("IO[bytes]", unpacked))
        elif beginning[257:262] == b"ustar":
            yield from _in_tar(path, file)
        else:
            raise DataFormatError(
                f"{path}: expected a folder, a zip or a tar archive (plain or .gz), found another kind of file"
            )


def _hidden(name: str) -> bool:
    """Whether a path is a system's own affair: a dot file, or what macOS adds to its archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _checked(place: str, size: int, most: int, read: Callable[[int], bytes]) -> bytes:
    """Read a member that says it has `size` bytes, and no more than `most` whatever it says."""
    if size > most:
        raise DataFormatError(f"{place}: expected at most {most:,} bytes, found {size:,}")
    content = read(most + 1)
    if len(content) > most:
        raise DataFormatError(f"{place}: expected at most {most:,} bytes, found more")
    if len(content) != size:
        raise DataFormatError(f"{place}: expected {size:,} bytes, found {len(content):,}: it is truncated")
    return content


@contextmanager
def _named(place: str) -> Iterator[None]:
    """Turn what the libraries raise on damage into one kind of error that says where."""
    try:
        yield
    except DataFormatError:
        raise
    except DAMAGE as error:
        raise DataFormatError(f"{place}: expected a whole archive, found a damaged one ({error})") from error


def _in_folder(folder: Path, inside: str = "", above: tuple[str, ...] = ()) -> Iterator[Member]:
    """Go through a folder, links included but for those that lead back to a folder `above` this one."""
    real = os.path.realpath(folder)
    if real in above:
        return
    for path in sorted(folder.iterdir()):  # a folder that may not be read raises, and is not an empty one
        name = inside + path.name
        if _hidden(path.name):
            continue
        if path.is_dir():
            yield from _in_folder(path, f"{name}/", (*above, real))
        elif path.is_file():  # not so a pipe, on which reading would wait for ever

            def read(most: int, path: Path = path) -> bytes:
                with path.open("rb") as file:
                    info = os.fstat(file.fileno())
                    if not stat.S_ISREG(info.st_mode):
                        raise DataFormatError(f"{path}: expected a regular file")
                    return _checked(str(path), info.st_size, most, file.read)

            yield Member(name, read)


def _in_zip(path: Path, file: IO[bytes]) -> Iterator[Member]:
    with _named(str(path)):
        archive = zipfile.ZipFile(file)
    with archive:
        for info in archive.infolist():
            if not info.is_dir() and not _hidden(info.filename):

                def read(most: int, info: zipfile.ZipInfo = info) -> bytes:
                    place = f"{path}: {info.filename}"
                    with _named(place), archive.open(info) as member:
                        return _checked(place, info.file_size, most, member.read)

                yield Member(info.filename, read)


class _Limited(io.RawIOBase):
    """A stream that ends with an error where an archive has unpacked to more than it may."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self.stream, self.path, self.left = stream, path, LARGEST_TAR

    def read(self, size: int = -1) -> bytes:
        content = self.stream.read(size)
        self.left -= len(content)
        if self.left < 0:
            raise DataFormatError(f"{self.path}: expected an archive of at most {LARGEST_TAR:,} bytes, found more")
        return content


def _in_tar(path: Path, file: IO[bytes]) -> Iterator[Member]:
    with _named(str(path)):
        archive = tarfile.open(fileobj=cast("IO[bytes]", _Limited(file, path)), mode="r|")  # noqa: SIM115
    with archive:
        while True:
            with _named(str(path)):
                info = archive.next()
            if info is None:
                return
            if info.isreg() and not _hidden(info.name.removeprefix("./")):

                def read(most: int, info: tarfile.TarInfo = info) -> bytes:
                    place = f"{path}: {info.name}"
                    with _named(place):
                        member = archive.extractfile(info)
                        assert member is not None  # it is a regular file
                        return _checked(place, info.size, most, member.read)

                yield Member(info.name.removeprefix("./"), read)
