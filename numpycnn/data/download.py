"""Verified downloads: a pinned SHA-256, several mirrors in turn, and short timeouts.

A file gets its final name only after its checksum was verified, so the cache never holds an incomplete one. An
interrupted download is kept in a part file, and the next attempt, from the same mirror or another, resumes it. The
pinned checksum makes mixing mirrors safe.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from numpycnn._bars import Bar
from numpycnn.io.serialization import replacing, try_lock

ANSWER_SECONDS = 5.0  # from request to first byte, including name resolution and all addresses of the host
STALL_SECONDS = 5.0  # longest pause inside a download
NO_ANSWER, BROKEN = ("no connection", "no answer"), "the connection broke off"  # reasons for a failure
CHUNK = 1 << 14  # bytes; an interrupted download loses an incomplete chunk


def cache_folder(name: str) -> Path:
    """Return the cache folder of the data set `name`.

    One folder per data set, because MNIST and Fashion-MNIST use the same file names. The environment variable
    ``NUMPYCNN_CACHE`` replaces the user's cache folder.
    """
    from platformdirs import user_cache_path

    return Path(os.environ.get("NUMPYCNN_CACHE") or user_cache_path("numpycnn")) / name


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
    path = Path(folder) / filename
    part = path.with_name(f".{filename}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        with path.open("rb") as cached:
            if _sha256(cached) == sha256:
                return path
    reasons = []
    try:
        with _open_part(part) as file:
            for mirror in mirrors:
                host = urlsplit(mirror).netloc
                reason = "no connection" if host in unreachable else _complete(mirror + filename, file, size, sha256)
                if not reason:
                    file.seek(0)
                    with replacing(path) as temporary, temporary.open("wb") as copy:
                        shutil.copyfileobj(file, copy)
                    file.truncate(0)
                    return path
                if reason in NO_ANSWER:
                    unreachable.add(host)
                reasons.append(f"{host}: {reason}")
    finally:
        if part.is_file() and not part.stat().st_size:
            part.unlink()
    raise ConnectionError(f"{filename} could not be downloaded ({'; '.join(reasons)})")


@contextmanager
def _open_part(part: Path) -> Iterator[BinaryIO]:
    """Open the part file, or a temporary file while another process downloads to the part file."""
    with part.open("ab+") as file, tempfile.TemporaryFile("ab+") as own:
        yield file if try_lock(file.fileno()) else own


def _length(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _complete(url: str, file: BinaryIO, size: int | None, sha256: str) -> str:
    """Download the rest of `url` to an open file until it is whole; return the reason for a failure, or ""."""
    fresh = False
    while True:
        kept = _length(file)
        reason = _append(url, file, size)
        if not reason:
            if _sha256(file) == sha256:
                return ""
            file.truncate(0)  # nothing may be appended
            reason = f"the file does not have the expected SHA-256 {sha256}"
        received = _length(file)
        if received == kept or (received < kept and fresh):
            return reason
        fresh = received < kept  # discarded: perhaps only the part file was wrong


def _append(url: str, file: BinaryIO, size: int | None) -> str:
    """Make one request for the rest of `url`; return the reason for a failure, or ""."""
    import requests

    before = _length(file)
    try:
        _resume(url, file, size)
    except (requests.ConnectionError, requests.Timeout) as error:
        if _length(file) > before:
            return BROKEN
        return NO_ANSWER[isinstance(error, requests.Timeout)]
    except requests.exceptions.ChunkedEncodingError:  # fewer bytes than announced
        return BROKEN
    except requests.RequestException as error:
        return str(error)
    return ""


def _resume(url: str, file: BinaryIO, size: int | None) -> None:
    """Append the rest of `url` to an open file, or restart if the server does not support ranges."""
    import requests

    begin = _length(file)
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
                    file.truncate(0)  # another file
                    return
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
