"""Downloads that are checked before anybody sees them: a pinned SHA-256, several mirrors in turn, and no long wait.

pooch writes a download beside its target, verifies it and only then renames it, so the cache never holds half a file.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ANSWER_SECONDS = 5.0  # from a request to the first bytes of its answer, name look-up and all addresses included
STALL_SECONDS = 5.0  # longest pause inside a download


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
    import pooch
    import requests

    unreachable = set() if unreachable is None else unreachable
    known_hash = f"sha256:{sha256}"
    reasons = []
    for mirror in mirrors:
        host = urlsplit(mirror).netloc
        try:
            # A file that is already there and right is returned without asking the host.
            downloader = _refuse if host in unreachable else _download
            with _quiet_pooch():
                return Path(pooch.retrieve(mirror + filename, known_hash, filename, folder, downloader=downloader))
        except requests.Timeout:
            unreachable.add(host)
            reasons.append(f"{host}: no answer")
        except requests.ConnectionError:
            unreachable.add(host)
            reasons.append(f"{host}: no connection")
        except requests.RequestException as error:
            reasons.append(f"{host}: {error}")
        except ValueError:  # pooch's word for a wrong checksum
            reasons.append(f"{host}: the file has not the expected SHA-256 {sha256}")
    raise ConnectionError(f"{filename} could not be downloaded ({'; '.join(reasons)})")


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


def _download(url: str, output_file: str, pooch: Any) -> None:
    """Stream `url` into the file named `output_file`: a downloader for pooch."""
    from tqdm import tqdm

    with _answer(url) as response:
        response.raise_for_status()
        size = int(response.headers.get("Content-Length", 0)) or None
        name = urlsplit(url).path.rpartition("/")[2]
        bar = tqdm(desc=name, total=size, unit="B", unit_scale=True, leave=False, disable=None)  # on terminals only
        with bar, open(output_file, "wb") as file:
            for chunk in response.iter_content(1 << 16):
                file.write(chunk)
                bar.update(len(chunk))


def _answer(url: str) -> Any:
    """Return the streamed response to a GET of `url`, or raise within ``ANSWER_SECONDS``.

    The time limits of requests leave out the name look-up and count anew for each of a host's addresses. A thread that
    may be left behind bounds the whole.
    """
    import requests

    outcome: list[Any] = []

    def ask() -> None:
        try:
            outcome.append(requests.get(url, stream=True, timeout=(ANSWER_SECONDS, STALL_SECONDS)))
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
