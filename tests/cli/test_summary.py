"""`summary` for names, files and folders."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import numpycnn

Run = Callable[..., Any]


@pytest.mark.parametrize("name", list(numpycnn.models.MODELS))
def test_a_network_by_name(run: Run, name: str) -> None:
    assert run("summary", name) == (0, f"{numpycnn.models.MODELS[name](seed=None).summary()}\n", "")


def test_another_input_shape(run: Run) -> None:
    expected = numpycnn.models.lenet((3, 32, 40)).summary()
    assert run("summary", "lenet", "--input-shape", "3,32, 40").out == f"{expected}\n"


def test_a_file_and_a_folder(run: Run, trained: Path) -> None:
    expected = f"{numpycnn.models.lenet().summary()}\n"
    assert run("summary", trained).out == expected
    assert run("summary", trained / "model.safetensors", "--input-shape", "1,28,28").out == expected


def test_a_file_has_its_own_input_shape(run: Run, refused: Run, trained: Path) -> None:
    text = "this model takes inputs of shape (1, 28, 28), got --input-shape 3,32,32"
    refused(run("summary", trained, "--input-shape", "3,32,32"), text)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ("1,2,2", "MaxPool2D (layer 9): kernel 2 does not fit into height 1"),
        ("28,28", "Conv2D (layer 0): expected inputs (C, H, W), got (28, 28)"),
        ("1,99999,99999", "Conv2D (layer 0): expected at most 2147483647 elements"),
    ],
)
def test_an_input_shape_that_does_not_fit(run: Run, refused: Run, shape: str, text: str) -> None:
    refused(run("summary", "tiny_vgg", "--input-shape", shape), text)


def test_an_empty_folder_is_not_a_model(run: Run, refused: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(
        run("summary", "empty"), "empty: expected a .safetensors file, the folder of a training, or one of tiny_vgg"
    )


@pytest.mark.parametrize("command", [["summary", "resnet18"], ["exercise"], ["gradcheck", "lenet", "--samples", "1"]])
def test_a_narrow_terminal(run: Run, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = run(*command).out.splitlines()
    folder = [line for line in lines if " are right in " in line]  # the name of a folder stays whole
    assert max(len(line) for line in lines if line not in folder) <= 60
