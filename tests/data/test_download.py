import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from numpycnn.data import download
from numpycnn.data.download import cache_folder, fetch

CONTENT = b"the right content" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        kind = self.path.split("/")[1]
        if kind == "missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write({"good": CONTENT, "wrong": CONTENT[::-1], "short": CONTENT[:99]}[kind])

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[http.server.ThreadingHTTPServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
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


def test_fetches_once_and_then_takes_the_cached_file(server, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("bad", ["missing", "wrong", "short"])
def test_goes_on_to_the_next_mirror(server, tmp_path: Path, bad: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = fetch("file.gz", [f"{server.url}/{bad}/", f"{server.url}/good/"], SHA256, tmp_path)
    assert path.read_bytes() == CONTENT
    assert server.asked == [f"/{bad}/file.gz", "/good/file.gz"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.gz"]
    assert capfd.readouterr() == ("", "")  # the bar is for terminals


def test_no_mirror_has_it(server, tmp_path: Path) -> None:
    (tmp_path / "file.gz").write_bytes(b"kept as it was")
    with pytest.raises(ConnectionError, match=r"file.gz could not be downloaded \(.*404.*has not the expected SHA-256"):
        fetch("file.gz", [f"{server.url}/missing/", f"{server.url}/wrong/"], SHA256, tmp_path)
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("file.gz", b"kept as it was")]


def test_a_host_that_does_not_answer_is_not_tried_for_the_next_file(
    server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, unreachable = closed_port(), set()
    asked = []
    answer = download._answer
    monkeypatch.setattr(download, "_answer", lambda url: asked.append(url) or answer(url))
    mirrors = [f"http://{dead}/", f"{server.url}/good/"]
    for name in ("a", "b"):
        assert fetch(name, mirrors, SHA256, tmp_path, unreachable=unreachable).read_bytes() == CONTENT
    assert unreachable == {dead}
    assert asked == [f"http://{dead}/a", f"{server.url}/good/a", f"{server.url}/good/b"]


def test_waits_no_longer_than_its_limit_for_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
