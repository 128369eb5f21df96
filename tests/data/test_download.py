import hashlib
import http.server
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests

from numpycnn.data import download
from numpycnn.data.download import cache_folder, fetch

CONTENT = bytes(np.random.default_rng(0).integers(0, 256, 250_000, dtype=np.uint8))
SHORT = 6 * download.CHUNK
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """The first folder of the path selects the response."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        kind = self.path.split("/")[1]
        if kind == "missing":
            self.send_error(404)
            return
        content = {"wrong": CONTENT[::-1], "long": CONTENT + b"more"}.get(kind, CONTENT)
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and kind != "plain" else 0
        if begin >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        rest = content[begin:]
        if kind == "short":  # always interrupted at the same byte
            rest = content[begin:SHORT]
        elif kind == "flaky":  # sends another third each time
            rest = rest[: len(CONTENT) // 3 + 1]
        self.wfile.write(rest)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[http.server.ThreadingHTTPServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.ranges = [], []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_fetches_once_and_then_uses_the_cached_file(server, tmp_path: Path) -> None:
    for _ in range(2):
        path = fetch("file.gz", [f"{server.url}/good/"], SHA256, tmp_path / "new" / "folder")
        assert path == tmp_path / "new" / "folder" / "file.gz"
        assert path.read_bytes() == CONTENT
    assert server.asked == ["/good/file.gz"]


def test_a_cached_file_needs_no_host(tmp_path: Path) -> None:
    (tmp_path / "file.gz").write_bytes(CONTENT)
    host = closed_port()
    assert fetch("file.gz", [f"http://{host}/"], SHA256, tmp_path, unreachable={host}).read_bytes() == CONTENT


def test_a_cached_file_with_a_wrong_checksum_is_fetched_again(server, tmp_path: Path) -> None:
    (tmp_path / "file.gz").write_bytes(CONTENT[:-1])
    assert fetch("file.gz", [f"{server.url}/good/"], SHA256, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("bad", ["missing", "wrong", "long"])
def test_tries_the_next_mirror(server, tmp_path: Path, bad: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = fetch("file.gz", [f"{server.url}/{bad}/", f"{server.url}/good/"], SHA256, tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == [f"/{bad}/file.gz", "/good/file.gz"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.gz"]
    assert capfd.readouterr() == ("", "")  # the progress bar is for terminals


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """The part file of an interrupted download."""
    return tmp_path / ".file.gz.part"


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_an_interrupted_download_is_resumed(server, tmp_path: Path) -> None:
    assert fetch("file.gz", [f"{server.url}/flaky/"], SHA256, tmp_path).read_bytes() == CONTENT
    assert server.ranges[0] is None
    begins = [int(asked.removeprefix("bytes=").removesuffix("-")) for asked in server.ranges[1:]]
    assert len(begins) >= 2
    assert begins == sorted(set(begins))
    assert 0 < begins[0] < begins[-1] < len(CONTENT)
    assert names(tmp_path) == ["file.gz"]


def test_another_mirror_resumes_the_download(server, tmp_path: Path) -> None:
    path = fetch("file.gz", [f"{server.url}/short/", f"{server.url}/good/"], SHA256, tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == ["/short/file.gz", "/short/file.gz", "/good/file.gz"]
    assert server.ranges == [None, f"bytes={SHORT}-", f"bytes={SHORT}-"]


def test_the_next_call_resumes_the_download(server, tmp_path: Path, part: Path) -> None:
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:\d+: the connection broke off"):
        fetch("file.gz", [f"{server.url}/short/"], SHA256, tmp_path)
    assert names(tmp_path) == [".file.gz.part"]
    assert part.read_bytes() == CONTENT[:SHORT]
    assert fetch("file.gz", [f"{server.url}/good/"], SHA256, tmp_path).read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={SHORT}-"
    assert names(tmp_path) == ["file.gz"]


def test_ctrl_c_keeps_the_part_file(server, tmp_path: Path, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = requests.Response.iter_content

    def interrupted(self: requests.Response, size: int) -> Iterator[bytes]:
        yield next(content(self, size))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(requests.Response, "iter_content", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch("file.gz", [f"{server.url}/good/"], SHA256, tmp_path)
    assert part.read_bytes() == CONTENT[: download.CHUNK]
    assert names(tmp_path) == [".file.gz.part"]
    assert fetch("file.gz", [f"{server.url}/good/"], SHA256, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={download.CHUNK}-"]


def test_a_server_without_ranges_sends_the_whole_file(server, tmp_path: Path, part: Path) -> None:
    part.write_bytes(CONTENT[:1000])
    assert fetch("file.gz", [f"{server.url}/plain/"], SHA256, tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"]


@pytest.mark.parametrize("length", [1000, len(CONTENT), len(CONTENT) + 5])
@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_an_invalid_part_file_is_discarded(server, tmp_path: Path, part: Path, length: int, size: int | None) -> None:
    part.write_bytes(bytes(length))
    assert fetch("file.gz", [f"{server.url}/good/"], SHA256, tmp_path, size=size).read_bytes() == CONTENT
    assert server.ranges[-1] is None
    assert names(tmp_path) == ["file.gz"]


def test_a_complete_part_file_needs_no_request(server, tmp_path: Path, part: Path) -> None:
    part.write_bytes(CONTENT)
    assert fetch("file.gz", [f"{server.url}/missing/"], SHA256, tmp_path, size=len(CONTENT)).read_bytes() == CONTENT
    assert server.asked == []


def test_a_tampered_file_is_refused_and_not_kept(server, tmp_path: Path) -> None:
    for kind, size in (("wrong", None), ("wrong", len(CONTENT)), ("long", len(CONTENT)), ("long", None)):
        with pytest.raises(ConnectionError, match="the file does not have the expected SHA-256"):
            fetch("file.gz", [f"{server.url}/{kind}/"], SHA256, tmp_path, size=size)
        assert names(tmp_path) == []


def test_a_file_that_is_too_long_is_refused(server, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match="the file does not have the expected SHA-256"):
        fetch("file.gz", [f"{server.url}/good/"], SHA256, tmp_path, size=70_000)
    assert names(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_two_downloads_at_once_do_not_mix(server, tmp_path: Path, part: Path) -> None:
    import fcntl

    with part.open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(b"of another process")
        other.flush()
        assert fetch("file.gz", [f"{server.url}/good/"], SHA256, tmp_path).read_bytes() == CONTENT
        assert part.read_bytes() == b"of another process"
    assert server.ranges == [None]


def test_all_mirrors_fail(server, tmp_path: Path) -> None:
    (tmp_path / "file.gz").write_bytes(b"kept as it was")
    with pytest.raises(
        ConnectionError, match=r"file.gz could not be downloaded \(.*404.*does not have the expected SHA-256"
    ):
        fetch("file.gz", [f"{server.url}/missing/", f"{server.url}/wrong/"], SHA256, tmp_path)
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("file.gz", b"kept as it was")]


def test_a_host_that_does_not_answer_is_not_tried_for_the_next_file(
    server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, unreachable = closed_port(), set()
    asked = []
    answer = download._request
    monkeypatch.setattr(download, "_request", lambda url, begin: asked.append(url) or answer(url, begin))
    mirrors = [f"http://{dead}/", f"{server.url}/good/"]
    for name in ("a", "b"):
        assert fetch(name, mirrors, SHA256, tmp_path, unreachable=unreachable).read_bytes() == CONTENT
    assert unreachable == {dead}
    assert asked == [f"http://{dead}/a", f"{server.url}/good/a", f"{server.url}/good/b"]


def test_the_response_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(*arguments: object, **settings: object) -> None:
        release.wait(60)
        raise requests.ConnectionError("released")

    monkeypatch.setattr(requests, "get", hang)
    monkeypatch.setattr(download, "ANSWER_SECONDS", 0.05)
    unreachable: set[str] = set()
    try:
        with pytest.raises(ConnectionError, match=r"downloaded \(nowhere.invalid: no answer\)$"):
            fetch("file.gz", ["https://nowhere.invalid/"], SHA256, tmp_path, unreachable=unreachable)
    finally:
        release.set()
    assert unreachable == {"nowhere.invalid"}


def test_two_dead_mirrors_take_less_than_20_seconds() -> None:
    assert 2 * (download.ANSWER_SECONDS + download.STALL_SECONDS) <= 20


def test_cache_folder(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder("mnist") == own_cache / "mnist"
    assert cache_folder("mnist") != cache_folder("fashion-mnist")
    monkeypatch.delenv("NUMPYCNN_CACHE")
    assert cache_folder("mnist").parent.name == "numpycnn"
