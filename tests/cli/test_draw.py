"""The command that serves the canvas."""

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import numpycnn as nn
from numpycnn.cli.draw import look_at
from tests.explain.drawings import SIDE, STROKES, draw

Run = Callable[..., Any]
REPOSITORY = Path(__file__).resolve().parents[2]


def test_it_serves_until_ctrl_c(trained: Path, default_ctrl_c: None) -> None:
    command = [sys.executable, "-m", "numpycnn", "draw", str(trained)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            match = re.fullmatch(r"page      (http://127\.0\.0\.1:\d+/\?token=[\w-]+)\n", line)
            assert match, line
            assert process.stdout.readline() == "open it in a browser on this machine; Ctrl-C ends it\n"
            with urllib.request.urlopen(match[1], timeout=60) as page:
                assert b"const Draw = " in page.read()
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
    assert (rest, errors) == ("", "")


def test_ctrl_c_does_not_wait_for_open_requests(trained: Path, default_ctrl_c: None) -> None:
    """The request is never completed, and its connection stays open until the server closes it."""
    command = [sys.executable, "-m", "numpycnn", "draw", str(trained)]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            match = re.fullmatch(r"page      http://127\.0\.0\.1:(\d+)/\?token=([\w-]+)\n", process.stdout.readline())
            assert match
            head = f"POST /picture HTTP/1.1\r\nHost: 127.0.0.1:{match[1]}\r\nX-Token: {match[2]}\r\n"
            with socket.create_connection(("127.0.0.1", int(match[1])), timeout=60) as client:
                client.sendall(f"{head}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n".encode())
                assert client.recv(1000).startswith(b"HTTP/1.1 100")  # it waits for the body now
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=5)  # the timeout of a request is longer
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")


def test_without_starlette_it_says_how_to_install_it(
    run: Run, trained: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[[Any, str], None]
) -> None:
    monkeypatch.delitem(sys.modules, "numpycnn.explain.server", raising=False)
    monkeypatch.setattr("numpycnn.explain.server", None, raising=False)
    monkeypatch.delattr("numpycnn.explain.server")
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    refused(run("draw", trained), "install them with: pip install starlette uvicorn")


def test_a_user_error_is_one_line(run: Run, trained: Path, tmp_path: Path, refused: Callable[[Any, str], None]) -> None:
    refused(run("draw", "nothing"), "expected a .safetensors file")
    for port in ("65536", "-1"):
        refused(run("draw", trained, "--port", port), f"--port: expected a whole number from 0 to 65535, got '{port}'")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = str(door.getsockname()[1])
        refused(run("draw", trained, "--port", port), f"--port {port}: the port is in use; choose another, or leave")
    refused(run("draw", trained, "--port", "x"), "expected a whole number")
    nn.Sequential([nn.Dense(2)], input_shape=(3,)).save(tmp_path / "own.safetensors")
    refused(run("draw", "own.safetensors"), "expected a model for pictures of 1 or 3 channels")


@pytest.mark.parametrize("digit", STROKES)
def test_a_drawing_becomes_an_input(digit: int, trained: Path, rng: np.random.Generator) -> None:
    model = nn.load_model(trained / "model.safetensors")
    found = look_at(model, str(trained), draw(digit, rng))
    assert found.picture is not None
    assert found.picture.shape[:2] == (320, 320)
    assert SIDE > 320
    assert found.image is not None
    assert found.image.shape == (1, 28, 28)
    rows, columns = np.nonzero(found.image[0] > 60)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in range(19, 22)  # scaled to 20 pixels


def test_an_invalid_drawing_is_a_value_error(trained: Path) -> None:
    model = nn.load_model(trained / "model.safetensors")
    for content in (b"", b"\x89PNG\r\n\x1a\n", b"GIF89a"):
        with pytest.raises(ValueError, match="the drawing: expected"):
            look_at(model, "", content)
