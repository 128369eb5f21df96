"""The command that writes the page."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import numpycnn as nn
from numpycnn.cli import explain

Run = Callable[..., Any]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A dark stroke on white paper."""
    pixels = np.full((90, 70), 255, np.uint8)
    pixels[20:70, 30:38] = 10
    Image.fromarray(pixels).save(tmp_path / "one.png")
    return tmp_path / "one.png"


def data_of(page: Path) -> dict[str, Any]:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert match
    found: dict[str, Any] = json.loads(match[1])
    return found


def test_a_trained_model_and_a_picture(run: Run, trained: Path, picture: Path) -> None:
    outcome = run("explain", trained, "one.png")
    assert outcome.status == 0
    assert outcome.err == ""
    assert re.fullmatch(
        r"page      explain-one\.html, \d\.\d MB\nopen it in a browser: it needs no network\n", outcome.out
    )
    data = data_of(Path("explain-one.html"))
    assert data["title"] == "one.png"
    assert data["notes"] == []
    assert data["answers"][0]["names"] == list("0123456789")
    assert [step["kind"] for step in data["steps"]][:3] == ["Conv2D", "ReLU", "MaxPool2D"]


def test_a_network_of_the_zoo_and_another_file(run: Run, picture: Path) -> None:
    outcome = run("explain", "tiny_vgg", picture, "--out", "page.html", "--input-shape", "3,16,20")
    assert outcome.status == 0
    data = data_of(Path("page.html"))
    assert data["notes"][0] == "tiny_vgg has random weights: it has not been trained."
    assert data["arrays"][data["inputs"][0]["y"]]["shape"] == [3, 16, 20]


def test_a_model_of_ones_own_and_an_array(run: Run, tmp_path: Path) -> None:
    nn.Sequential([nn.Conv1D(2, 3), nn.GlobalMaxPool()], input_shape=(4, 9)).save(tmp_path / "own.safetensors")
    np.save(tmp_path / "x.npy", np.ones((4, 9), np.float32))
    assert run("explain", "own.safetensors", "x.npy").status == 0
    assert data_of(Path("explain-x.html"))["answers"] == []


def test_the_page_can_be_opened_at_once(
    run: Run, trained: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(explain.webbrowser, "open", opened.append)
    assert run("explain", trained, picture).status == 0
    assert opened == []
    assert run("explain", trained, picture, "--open").status == 0
    assert opened == [(picture.parent / "explain-one-2.html").as_uri()]


def test_a_file_of_another_program_is_left_alone(
    run: Run, trained: Path, picture: Path, refused: Callable[[Any, str], None]
) -> None:
    out = Path("explain-one.html")
    named = ("explain", trained, picture, "--out", out)
    for content in ("", "<html>a diary</html>"):
        out.write_text(content)
        refused(run(*named), "exists, and was not written by this command")
        assert out.read_text() == content
    assert run("explain", trained, picture).status == 0  # to a free name
    assert out.read_text() == content
    assert run(*named, "--force").status == 0
    assert data_of(out)["title"] == "one.png"
    assert run("explain", "tiny_vgg", picture, "--out", out).status == 0  # a page may be written anew
    assert data_of(out)["model"] == "tiny_vgg"


def test_inputs_of_one_name_have_a_page_each(run: Run, trained: Path, picture: Path) -> None:
    (picture.parent / "other").mkdir()
    other = picture.parent / "other" / "one.png"
    Image.open(picture).transpose(Image.Transpose.ROTATE_90).save(other)
    for path in (picture, other, other):
        assert run("explain", trained, path).status == 0
    pages = ["explain-one.html", "explain-one-2.html", "explain-one-3.html"]
    assert sorted(page.name for page in Path.cwd().glob("*.html")) == sorted(pages)
    first, second, third = (data_of(Path(page)) for page in pages)
    assert first["arrays"] != second["arrays"] == third["arrays"]


@pytest.mark.parametrize("stem", ["n" * 250, "\u00e9" * 120, "\u202e<script>alert(1)<script>'$\""])
def test_the_name_of_a_file_may_be_long_or_odd(run: Run, trained: Path, picture: Path, stem: str) -> None:
    odd = picture.rename(picture.with_name(f"{stem}.png"))
    assert run("explain", trained, odd).status == 0
    (page,) = Path.cwd().glob("explain-*.html")
    assert page.stem == f"explain-{stem}"[: len(page.stem)]
    assert len(page.stem) > 30


def test_a_model_of_other_inputs_refuses_a_picture(run: Run, refused: Callable[[Any, str], None]) -> None:
    for sentence in ("a good film", "good " * 80):
        refused(run("explain", "text_cnn", sentence), "give such an input as an array in a .npy file")


def test_a_user_error_is_one_line(run: Run, trained: Path, picture: Path, refused: Callable[[Any, str], None]) -> None:
    refused(run("explain", trained), "the following arguments are required: INPUT")
    refused(run("explain", "nothing", picture), "expected a .safetensors file")
    refused(run("explain", trained, "none.png"), "none.png")
    refused(run("explain", trained, picture, "--out", ""), "--out: expected a file, got an empty name")
    refused(run("explain", trained, picture, "--out", "."), "expected a file, found a folder")
    refused(run("explain", trained, picture, "--out", "no/such/page.html"), "no/such")
    refused(run("explain", trained, picture, "--input-shape", "1,8,8"), "this model takes inputs of shape (1, 28, 28)")
    assert not list(Path.cwd().glob("*.html"))


@pytest.mark.skipif(sys.platform == "win32", reason="its file names do not depend on the locale")
def test_a_file_with_any_name_in_a_c_locale(picture: Path) -> None:
    picture.rename(picture.with_name("ü猫.png"))
    done = subprocess.run(
        [sys.executable, "-m", "numpycnn", "explain", "lenet", "ü猫.png"],
        cwd=picture.parent,
        env=os.environ | {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONPATH": str(Path(nn.__file__).parents[1])},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
    assert (picture.parent / "explain-ü猫.html").is_file()
