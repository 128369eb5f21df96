"""Verified downloads: a pinned SHA-256, several mirrors in turn, and short timeouts.

pooch verifies a download in a temporary file and only then renames it, so the cache never holds an incomplete file
under its final name. An interrupted download is kept in a part file, and the next attempt, from the same mirror or
another, resumes it. The pinned checksum makes mixing mirrors safe.
"""

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from numpycnn._bars import Bar

ANSWER_SECONDS = 5.0  # from request to first byte, including name resolution and all addresses of the host
STALL_SECONDS = 5.0  # longest pause inside a download
ABANDONED_SECONDS = 3600.0  # after which a temporary file with content is removed
CHUNK = 1 << 14  # bytes; an interrupted download loses an incomplete chunk


def cache_folder(name: str) -> Path:
    """Return the cache folder of the data set `name`.

    One folder per data set, because MNIST and Fashion-MNIST use the same file names. The environment variable
    ``NUMPYCNN_CACHE`` replaces the user's cache folder.
    """
    import pooch

    return Path(os.environ.get("NUMPYCNN_CACHE") or pooch.os_cache("numpycnn")) / name


def fetch(
    filename: str,
    mirrors: Sequence[str],
    sha256: str,
    folder: str | os.PathLike[str],
    *,
    size: int | None = None,
    unreachable: set[str] | None = None,
) -> Path:
    """Return the path of a verified file, from the folder or else from the mirrors in turn.

    A cached file with another checksum is downloaded again. A mirror that sends more than `size` bytes is abandoned. A
    host that does not answer is added to `unreachable`, so that the next file does not wait for it again. Raises a
    ConnectionError with the reason for each mirror, or an OSError if the folder cannot be written.
    """
    unreachable = set() if unreachable is None else unreachable
    folder = Path(folder)
    part = folder / f".{filename}.part"
    _sweep(folder)
    reasons = []
    for mirror in mirrors:
        fresh = False
        while True:
            kept = _file_size(part)
            try:
                return _fetch_from(mirror, filename, sha256, folder, part, size, unreachable)
            except _MirrorError as error:
                received = _file_size(part)
                if received > kept:  # interrupted, but with progress
                    continue
                if received < kept and not fresh:  # discarded: perhaps only the part file was wrong
                    fresh = True
                    continue
                reasons.append(f"{urlsplit(mirror).netloc}: {error}")
                break
            finally:
                if not _file_size(part):
                    part.unlink(missing_ok=True)
    raise ConnectionError(f"{filename} could not be downloaded ({'; '.join(reasons)})")


class _MirrorError(Exception):
    """The reason why a mirror failed."""


def _file_size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _sweep(folder: Path) -> None:
    """Remove pooch's temporary files of downloads that were killed.

    An empty one may belong to a download of another process, which creates it anew when it has the content.
    """
    for path in folder.glob("tmp" + 8 * "[a-z0-9_]"):
        with suppress(OSError):
            info = path.stat()
            if path.is_file() and (not info.st_size or time.time() - info.st_mtime > ABANDONED_SECONDS):
                path.unlink()


def _fetch_from(
    mirror: str, filename: str, sha256: str, folder: Path, part: Path, size: int | None, unreachable: set[str]
) -> Path:
    """Return the path of a verified file, from the folder or by one request to one mirror."""
    import pooch
    import requests

    host = urlsplit(mirror).netloc
    # A valid cached file is returned without a request.
    download = _refuse if host in unreachable else partial(_download, part=part, size=size)
    before = _file_size(part)
    try:
        with _quiet_pooch():
            return Path(pooch.retrieve(mirror + filename, f"sha256:{sha256}", filename, folder, downloader=download))
    except (requests.ConnectionError, requests.Timeout) as error:
        if _file_size(part) > before:
            raise _MirrorError("the connection broke off") from error
        unreachable.add(host)
        raise _MirrorError("no answer" if isinstance(error, requests.Timeout) else "no connection") from error
    except requests.exceptions.ChunkedEncodingError as error:  # fewer bytes than announced
        raise _MirrorError("the connection broke off") from error
    except requests.RequestException as error:
        raise _MirrorError(str(error)) from error
    except ValueError as error:  # pooch: a wrong checksum; _resume: too many bytes
        raise _MirrorError(f"the file does not have the expected SHA-256 {sha256}") from error


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Silence pooch's messages: a progress bar shows the download."""
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)


def _refuse(url: str, output_file: str, pooch: object) -> None:
    import requests

    raise requests.ConnectionError(f"{url}: the host did not answer an earlier request")


def _download(url: str, output_file: str, pooch: object, *, part: Path, size: int | None) -> None:
    """Download `url` to `output_file` through `part`: a downloader for pooch."""
    with part.open("ab") as file:
        if not _try_lock(file):  # another process is downloading it
            with open(output_file, "wb") as own:
                _resume(url, own, size)
            return
        _resume(url, file, size)
        file.flush()
        shutil.copyfile(part, output_file)
        file.truncate(0)  # complete, valid or not: nothing may be appended


def _try_lock(file: BinaryIO) -> bool:
    """Lock a file while it is open; return False if another process holds the lock."""
    try:
        import fcntl
    except ImportError:  # Windows: two concurrent downloads fail the checksum and start again
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _resume(url: str, file: BinaryIO, size: int | None) -> None:
    """Append the rest of `url` to an open file, or restart if the server does not support ranges."""
    import requests

    begin = file.tell()
    if size is not None and begin == size:
        return
    with _request(url, begin) as response:
        if begin and response.status_code == requests.codes.requested_range_not_satisfiable:
            file.truncate(0)  # the part file is longer than the file
            return
        response.raise_for_status()
        if not response.headers.get("Content-Range", "").startswith(f"bytes {begin}-"):
            begin = file.truncate(0)
        remaining = int(response.headers.get("Content-Length", 0))
        name = urlsplit(url).path.rpartition("/")[2]
        total = size or (begin + remaining if remaining else None)
        shown = sys.stderr is not None and sys.stderr.isatty()
        with Bar(sys.stderr, name, total, done=begin, unit="bytes") if shown else nullcontext() as bar:
            for chunk in response.iter_content(CHUNK):
                begin += len(chunk)
                if size is not None and begin > size:
                    file.truncate(0)
                    raise ValueError(f"{url}: expected {size:,} bytes, found more")
                file.write(chunk)
                if bar is not None:
                    bar.advance(len(chunk))


def _request(url: str, begin: int) -> Any:
    """Return the streamed response to a GET of `url` from byte `begin`, or raise within ``ANSWER_SECONDS``.

    The timeouts of requests exclude name resolution and apply to each address of a host anew. A daemon thread bounds
    the total time.
    """
    import requests

    outcome: list[Any] = []
    # No compression in transit: a byte range refers to the file itself.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begin}-"} if begin else {})

    def ask() -> None:
        try:
            outcome.append(requests.get(url, stream=True, timeout=(ANSWER_SECONDS, STALL_SECONDS), headers=headers))
        except Exception as error:  # handed to the waiting thread, which raises it
            outcome.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    if not outcome:
        raise requests.Timeout(f"{url}: no answer within {ANSWER_SECONDS:g} s")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
