"""Every command that takes a model takes a graph; those of one input say so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from numpycnn import Add, Concatenate, Conv2D, Dense, GlobalAvgPool, Input, Model, ReLU
from numpycnn.io.loading import load_model
from numpycnn.layers.network import Network
from tests.helpers import as_graph

Run = Callable[..., Any]


@pytest.fixture
def graph(trained: Path, tmp_path: Path) -> Path:
    """The trained network as a graph, with its weights and its description of the data."""
    chain: Any = load_model(trained / "model.safetensors")
    model = as_graph(chain)
    model.load_state(dict(zip(model.state(), chain.state().values(), strict=True)))
    model.metadata = chain.metadata
    return saved(model, tmp_path / "graph.safetensors")


def saved(model: Network, path: Path) -> Path:
    model.save(path)
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    pixels = np.full((90, 70), 255, np.uint8)
    pixels[20:70, 30:38] = 10
    Image.fromarray(pixels).save(tmp_path / "one.png")
    return tmp_path / "one.png"


def test_a_graph_gives_what_the_sequence_gives(run: Run, trained: Path, graph: Path, picture: Path) -> None:
    for command in (["evaluate", "{}", "mnist"], ["predict", picture.name, "--model", "{}"]):
        texts = [run(*(str(path) if word == "{}" else word for word in command)).out for path in (trained, graph)]
        assert texts[0].replace(str(trained), str(graph)) == texts[1] != ""
    summary = run("summary", graph).out
    assert "0 Conv2D" in summary
    assert summary.splitlines()[-3].split() == run("summary", trained).out.splitlines()[-3].split()  # the totals
    outcome = run("gradcheck", graph, "--samples", 1)
    assert (outcome.status, outcome.err) == (0, "")
    assert run("explain", graph, picture).status == 0


def test_a_graph_of_several_inputs(run: Run, refused: Run, tmp_path: Path, picture: Path) -> None:
    image, meta = Input((1, 8, 7), name="image"), Input((4,), name="meta")
    h = GlobalAvgPool()(ReLU()(Conv2D(4, 3)(image)))
    path = saved(Model([image, meta], Dense(10)(Concatenate()([Add()([h, meta]), meta]))), tmp_path / "m.safetensors")
    assert "3 Add <- 2, meta" in run("summary", path).out
    assert run("gradcheck", path).status == 0
    takes = "expected a model that takes one input, got one that takes 2"
    refused(run("explain", path, picture), takes)
    refused(run("draw", path), takes)
    outcome = run("evaluate", path, "mnist")
    assert (outcome.status, outcome.err) == (2, f"numpycnn: error: {path}: {takes}\n")
    refused(run("summary", path, "--input-shape", "1,8,7"), "this model takes inputs of shape (1, 8, 7) and (4,), got")
