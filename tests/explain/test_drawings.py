"""Drawn digits, end to end: PNG file, preprocessing, prediction by a network of the default recipe."""

import os
from pathlib import Path

import numpy as np
import pytest

import numpycnn as nn
from numpycnn.cli import main
from numpycnn.cli.draw import look_at
from tests.explain.drawings import STROKES, draw

EACH = 10  # drawings of a class


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> nn.Sequential:
    """Return the network of `numpycnn train mnist`."""
    if not os.environ.get("NUMPYCNN_SLOW"):
        pytest.skip("it trains for a minute or two: set NUMPYCNN_SLOW, as `make test-slow` does")
    folder = tmp_path_factory.mktemp("runs") / "mnist"
    assert main(["train", "mnist", "--data", str(data_folder), "--out", str(folder)]) == 0
    return nn.load_model(folder / "model.safetensors")


@pytest.mark.parametrize("digit", STROKES)
def test_nine_of_ten_drawings_are_recognized(digit: int, network: nn.Sequential) -> None:
    rng = np.random.default_rng(digit)
    read = [int(network(look_at(network, "", draw(digit, rng)).x[np.newaxis]).argmax()) for _ in range(EACH)]
    assert read.count(digit) >= 9, read
