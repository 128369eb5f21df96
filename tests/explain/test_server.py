"""The server of the canvas: real requests over 127.0.0.1, most of which it must reject."""

import base64
import http.client
import io
import json
import logging
import re
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

import numpycnn as nn
from numpycnn import functional as F
from numpycnn.data.pictures import decode_picture
from numpycnn.explain import Example, server
from tests.data.small import chunk

NAMES = ["none", "some", "much"]
MODEL = nn.Sequential([nn.Conv2D(2, 3), nn.ReLU(), nn.Flatten(), nn.Dense(3)], input_shape=(1, 6, 7), seed=1)
BLANK = Example(np.zeros((1, 6, 7), np.float32), class_names=NAMES)


def decode(png: bytes) -> Example:
    pixels = decode_picture(png, "the drawing")
    if pixels.min() == 255:
        raise ValueError("the image is blank")
    image = pixels[np.newaxis]
    return Example((image / 255).astype(np.float32), image=image, class_names=NAMES)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Service:
    """A client of a running server."""

    def __init__(self, address: str) -> None:
        match = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]{20,})", address)
        assert match, address
        self.port, self.token = int(match[1]), match[2]

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str | None) -> Answer:
        """Send a request like the page, with other headers; None omits one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        own: dict[str, str | None] = {"Host": f"127.0.0.1:{self.port}", "X-Token": self.token}
        if method == "POST":
            own["Origin"] = f"http://127.0.0.1:{self.port}"
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in own.items():
            if value is not None:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return answer

    def send(self, image: bytes, **headers: str | None) -> Answer:
        return self.ask("POST", "/picture", image, **headers)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    found: list[str] = []
    ready = threading.Event()
    stop = threading.Event()

    def announce(address: str) -> None:
        found.append(address)
        ready.set()

    def run() -> None:
        server.serve(MODEL, BLANK, decode, announce=announce, until=stop)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(60)
    yield Service(found[0])
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def drawing(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (6, 7), dtype=np.uint8)


def test_the_page_requires_the_token(service: Service) -> None:
    answer = service.ask("GET", f"/?token={service.token}", X_Token=None)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    text = answer.body.decode()
    assert "const Draw = " in text
    assert service.token not in text
    assert "connect-src 'self'" in text
    for name, value in {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "x-frame-options": "DENY",
    }.items():
        assert answer.headers[name] == value
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers


def test_a_drawing_returns_the_probabilities(service: Service, drawing: np.ndarray) -> None:
    answer = service.send(png(drawing))
    assert answer.status == 200
    data = json.loads(answer.body)
    entry = data["arrays"][data["answers"][0]["probabilities"]]
    found = np.frombuffer(base64.b64decode(entry["data"]), "<f4")
    expected = F.softmax(MODEL((drawing[None, None] / 255).astype(np.float32)))[0]
    assert np.allclose(found, expected, rtol=1e-6)
    assert base64.b64decode(data["arrays"][data["inputs"][0]["image"]]["data"]) == drawing.tobytes()


LARGE = 11_000_000
PIXELS = struct.pack(">I4sII", 13, b"IHDR", 1001, 1000) + bytes(100)
SMALL, HUGE = (chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) for side in (6, 2000))
REST = chunk(b"IDAT", zlib.compress(bytes(2001 * 2000))) + chunk(b"IEND", b"")
TEXT = chunk(b"tEXt", struct.pack(">II", 6, 6))  # where its content would be, a reader at fixed offsets finds 6 x 6
REJECTED: dict[str, tuple[int, dict[str, Any]]] = {
    "foreign host": (421, {"Host": "example.org"}),
    "foreign host with the right port": (421, {"Host": "example.org:{port}"}),
    "host without the port": (421, {"Host": "127.0.0.1"}),
    "no host": (400, {"Host": None, "body": b""}),  # closed at once, which would reset a body in transit
    "foreign origin": (403, {"Origin": "http://example.org"}),
    "origin of another port": (403, {"Origin": "http://127.0.0.1:1"}),
    "origin of a file": (403, {"Origin": "null"}),
    "no token": (403, {"X_Token": None}),
    "wrong token": (403, {"X_Token": "x" * 32}),
    "token not in ASCII": (403, {"X_Token": "\xfc" * 32}),
    "11 MB": (413, {"body": b"\x89PNG\r\n\x1a\n" + bytes(LARGE)}),
    "GIF": (415, {"body": b"GIF89a" + bytes(100)}),
    "JPEG": (415, {"body": b"\xff\xd8\xff\xe0" + bytes(100)}),
    "nothing": (415, {"body": b""}),
    "PNG of a million and a few pixels": (413, {"body": b"\x89PNG\r\n\x1a\n" + PIXELS}),
    "PNG with a second header": (422, {"body": b"\x89PNG\r\n\x1a\n" + SMALL + HUGE + REST}),
    "PNG with a chunk before its header": (422, {"body": b"\x89PNG\r\n\x1a\n" + TEXT + HUGE + REST}),
    "damaged PNG": (422, {"body": b"\x89PNG\r\n\x1a\n" + bytes(100)}),
}


@pytest.mark.parametrize(("status", "changes"), REJECTED.values(), ids=REJECTED)
def test_a_rejected_request_does_not_stop_the_server(
    service: Service, drawing: np.ndarray, status: int, changes: dict[str, Any]
) -> None:
    changes = {k: v.format(port=service.port) if isinstance(v, str) else v for k, v in changes.items()}
    body = changes.pop("body", png(drawing))
    answer = service.send(body, **changes)
    assert answer.status == status
    assert 0 < len(answer.body) < 300
    assert service.token.encode() not in answer.body
    assert service.send(png(drawing)).status == 200


def test_the_page_is_rejected_for_other_hosts_and_tokens(service: Service) -> None:
    assert service.ask("GET", "/", X_Token=None).status == 403
    assert service.ask("GET", "/?token=", X_Token=None).status == 403
    assert service.ask("GET", f"/?token={service.token}", X_Token=None, Host="example.org").status == 421
    assert service.ask("GET", f"/?token={service.token}", X_Token=None, Origin="http://example.org").status == 403


def test_a_blank_image_is_not_an_error(service: Service) -> None:
    answer = service.send(png(np.full((6, 7), 255, np.uint8)))
    assert answer.status == 200
    assert json.loads(answer.body) == {"nothing": "the image is blank"}


def test_other_paths_and_methods_are_not_found(service: Service) -> None:
    assert service.ask("GET", "/static/../server.py").status == 404
    assert service.ask("GET", "/picture").status == 405
    assert service.ask("POST", "/").status == 405
    assert service.ask("OPTIONS", "/picture").status == 405


@pytest.mark.parametrize(("port", "status"), [(80, None), (8080, 421)])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_host_without_a_port_means_port_80(host: str, port: int, status: int | None) -> None:
    guard = server.Guard(MODEL, port=port, token="x" * 32)
    headers = {"host": host, "origin": f"http://{host}", "x-token": "x" * 32}
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": lines}
    rejection = guard.rejection(server.Request(scope))
    assert (rejection and rejection.status_code) == status


def test_localhost_is_accepted(service: Service, drawing: np.ndarray) -> None:
    here = f"localhost:{service.port}"
    assert service.send(png(drawing), Host=here, Origin=f"http://{here}").status == 200


def test_chunked_bodies_are_limited(service: Service) -> None:
    """A body of 11 MB in chunks, without a length, is too large."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    headers = {"X-Token": service.token, "Transfer-Encoding": "chunked"}
    connection.request("POST", "/picture", iter([bytes(1_000_000)] * 11), headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_client_that_disconnects_is_not_an_error(
    service: Service, drawing: np.ndarray, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)
    head = f"POST /picture HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nX-Token: {service.token}\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as client:
        client.sendall(f"{head}Content-Length: 1000\r\n\r\nabc".encode())
    assert service.send(png(drawing)).status == 200  # the other request is finished by now
    assert caplog.text == ""


def test_idle_connections_do_not_block_others(service: Service, drawing: np.ndarray) -> None:
    with ExitStack() as stack:
        for number in range(40):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=60))
            client.sendall(b"POST /picture HTTP/1.1\r\nHost: " * (number % 2))
        assert service.send(png(drawing)).status == 200


HALF_BODY = b"POST /picture HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Token: %s\r\nContent-Length: 1000\r\n\r\nabc"
HALF_CHUNKS = HALF_BODY.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked").replace(b"abc", b"3\r\nabc\r\n")


@pytest.mark.parametrize(
    "sent", [HALF_BODY, HALF_CHUNKS, HALF_BODY.replace(b"127", b"128")], ids=["length", "chunks", "rejected"]
)
def test_incomplete_bodies_time_out(
    service: Service, drawing: np.ndarray, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_TIMEOUT", 0.5)
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=60)) for _ in range(50)
        ]
        for client in clients:
            client.sendall(sent % (service.port, service.token.encode()))
        for client in clients:
            with suppress(ConnectionResetError):
                while client.recv(1000):
                    pass
    assert service.send(png(drawing)).status == 200


@pytest.mark.parametrize("sent", [b"", b"POST /picture HTTP/1.1\r\nX-", b"GET / HTTP/1.1\r\nHost: other\r\n\r\n"])
def test_incomplete_headers_time_out(
    service: Service, drawing: np.ndarray, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_TIMEOUT", 0.1)
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as client:
        client.sendall(sent)
        if sent.endswith(b"\r\n\r\n"):  # a complete request, rejected, and half of another
            assert client.recv(1000).startswith(b"HTTP/1.1 421")
            client.sendall(sent[:-1])
        with suppress(ConnectionResetError):  # closed with half a request unread
            while client.recv(1000):
                pass
    assert service.send(png(drawing)).status == 200


def test_many_at_once(service: Service, rng: np.random.Generator) -> None:
    drawings = [rng.integers(0, 256, (6, 7), dtype=np.uint8) for _ in range(8)]
    found: list[int] = [-1] * len(drawings)

    def ask(i: int) -> None:
        data = json.loads(service.send(png(drawings[i])).body)
        image = base64.b64decode(data["arrays"][data["inputs"][0]["image"]]["data"])
        found[i] = int(image == drawings[i].tobytes())

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(drawings))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [1] * len(drawings)


def test_it_listens_on_loopback_only(service: Service) -> None:
    with socket.socket() as client:  # another address of this machine, where a server on 0.0.0.0 would answer
        client.settimeout(5)
        with pytest.raises(OSError, match="refused"):
            client.connect(("127.0.0.2", service.port))


def test_a_port_in_use_is_an_error() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(OSError, match="in use"):
            server.serve(MODEL, BLANK, decode, port=listener.getsockname()[1])
