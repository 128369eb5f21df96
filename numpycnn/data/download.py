"""Downloads that are checked before anybody sees them: a pinned SHA-256, several mirrors in turn, and no long wait.

pooch verifies a download beside its target and only then renames it, so the cache never holds half a file under the
name of a whole one. What has come of a download that broke off is kept beside it, and the next one, from this mirror or
another, goes on from there: with a pinned checksum it does not matter who sent which part.
"""

import os
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from numpycnn._bars import Bar

ANSWER_SECONDS = 5.0  # from a request to the first bytes of its answer, name look-up and all addresses included
STALL_SECONDS = 5.0  # longest pause inside a download
CHUNK = 1 << 14  # bytes; where a download breaks off, the beginning of a chunk is lost


def cache_folder(name: str) -> Path:
    """Return the folder that keeps the downloads of the data set `name`.

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
    """Return the path of a verified file, from the folder if it is there and from the mirrors in turn if not.

    Parameters
    ----------
    filename : str
        The file's name below each mirror and in the folder.
    mirrors : sequence of str
        Addresses of folders, each ending in a slash, tried in this order.
    sha256 : str
        SHA-256 of the file. A cached file with another one is fetched again.
    folder : path_like
        Where the file is kept; made if missing.
    size : int, optional
        Of the file in bytes. A mirror that sends more is left.
    unreachable : set of str, optional
        Hosts not to try. A host that does not answer is added, so that the next file does not wait for it again.

    Returns
    -------
    Path

    Raises
    ------
    ConnectionError
        If no mirror gave the file; the message has each one's reason.
    OSError
        If the folder cannot be written.
    """
    unreachable = set() if unreachable is None else unreachable
    folder = Path(folder)
    part = folder / f".{filename}.part"
    reasons = []
    for mirror in mirrors:
        fresh = False
        while True:
            before = _length(part)
            try:
                return _fetch_from(mirror, filename, sha256, folder, part, size, unreachable)
            except _MirrorError as error:
                came = _length(part)
                if came > before:  # it broke off, but further on than the last time
                    continue
                if came < before and not fresh:  # what had been kept was perhaps the part that was wrong
                    fresh = True
                    continue
                reasons.append(f"{urlsplit(mirror).netloc}: {error}")
                break
            finally:
                if not _length(part):
                    part.unlink(missing_ok=True)
    raise ConnectionError(f"{filename} could not be downloaded ({'; '.join(reasons)})")


class _MirrorError(Exception):
    """Why a mirror has not given a file."""


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _fetch_from(
    mirror: str, filename: str, sha256: str, folder: Path, part: Path, size: int | None, unreachable: set[str]
) -> Path:
    """Return the path of a verified file, from the folder or from one mirror, which is asked once."""
    import pooch
    import requests

    host = urlsplit(mirror).netloc
    # A file that is already there and right is returned without asking the host.
    download = _refuse if host in unreachable else partial(_download, part=part, size=size)
    before = _length(part)
    try:
        with _quiet_pooch():
            return Path(pooch.retrieve(mirror + filename, f"sha256:{sha256}", filename, folder, downloader=download))
    except (requests.ConnectionError, requests.Timeout) as error:
        if _length(part) > before:
            raise _MirrorError("the connection broke off") from error
        unreachable.add(host)
        raise _MirrorError("no answer" if isinstance(error, requests.Timeout) else "no connection") from error
    except requests.exceptions.ChunkedEncodingError as error:  # fewer bytes than were announced
        raise _MirrorError("the connection broke off") from error
    except requests.RequestException as error:
        raise _MirrorError(str(error)) from error
    except ValueError as error:  # pooch's word for a wrong checksum, and ours for too many bytes
        raise _MirrorError(f"the file has not the expected SHA-256 {sha256}") from error


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """While inside, pooch does not announce each address that it tries: a progress bar shows what comes."""
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)


def _refuse(url: str, output_file: str, pooch: Any) -> None:
    import requests

    raise requests.ConnectionError(f"{url}: the host did not answer before")


def _download(url: str, output_file: str, pooch: Any, *, part: Path, size: int | None) -> None:
    """Stream `url` into the file named `output_file`, by way of `part`: a downloader for pooch."""
    with part.open("ab") as file:
        if not _claim(file):  # another process is at it
            with open(output_file, "wb") as own:
                _continue(url, own, size)
            return
        _continue(url, file, size)
        file.flush()
        shutil.copyfile(part, output_file)
        file.truncate(0)  # whether it is right or not, nothing is to be added to it


def _claim(file: BinaryIO) -> bool:
    """Lock a file as long as it is open; return whether it was free."""
    try:
        import fcntl
    except ImportError:  # Windows, where two downloads at once end in a wrong checksum, and so in a new one
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _continue(url: str, file: BinaryIO, size: int | None) -> None:
    """Append to an open file what it lacks of `url`, or all of it if the server cannot begin in the middle."""
    import requests

    begin = file.tell()
    if size is not None and begin == size:
        return
    with _answer(url, begin) as response:
        if begin and response.status_code == requests.codes.requested_range_not_satisfiable:
            file.truncate(0)  # the file is shorter than what was kept
            return
        response.raise_for_status()
        if not response.headers.get("Content-Range", "").startswith(f"bytes {begin}-"):
            begin = file.truncate(0)
        to_come = int(response.headers.get("Content-Length", 0))
        name = urlsplit(url).path.rpartition("/")[2]
        total = size or (begin + to_come if to_come else None)
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


def _answer(url: str, begin: int) -> Any:
    """Return the streamed response to a GET of `url` from a byte on, or raise within ``ANSWER_SECONDS``.

    The time limits of requests leave out the name look-up and count anew for each of a host's addresses. A thread that
    may be left behind bounds the whole.
    """
    import requests

    outcome: list[Any] = []
    # As it lies on the server: a place in the middle has no meaning in a file that is packed on the way.
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
