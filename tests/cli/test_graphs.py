"""Every command that takes a model takes a graph; those of one input say what several can do."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from numpycnn import Add, Concatenate, Conv2D, Dense, Flatten, GlobalAvgPool, Input, Model, ReLU
from numpycnn.io.loading import load_model
from numpycnn.layers.network import Network
from tests.graphs import captioned
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
    refused(run("draw", path), f"{takes}: 'image' and 'meta'; 'numpycnn explain' takes a file for each")
    outcome = run("evaluate", path, "mnist")
    assert (outcome.status, outcome.err) == (2, f"numpycnn: error: {path}: {takes}: 'image' and 'meta'\n")
    refused(run("summary", path, "--input-shape", "1,8,7"), "this model takes inputs of shape (1, 8, 7) and (4,), got")


def data_of(page: str) -> dict[str, Any]:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', Path(page).read_text("utf-8"))
    assert match
    found: dict[str, Any] = json.loads(match[1])
    return found


def test_a_page_of_several_inputs_has_a_file_for_each(run: Run, refused: Run, tmp_path: Path, picture: Path) -> None:
    path = saved(captioned(), tmp_path / "m.safetensors")
    np.save("words.npy", np.arange(6))
    assert run("explain", path, picture.name, "words.npy").status == 0
    data = data_of("explain-one-words.html")
    assert data["title"] == "one.png and words.npy"
    assert [entry["name"] for entry in data["inputs"]] == ["picture", "words"]
    assert [entry["image"] is None for entry in data["inputs"]] == [False, True]
    assert len(data["notes"]) == 1
    count = "expected a file for each of the 2 inputs picture and words, got"
    refused(run("explain", path, picture), f"{count} 1")
    refused(run("explain", path, picture, "words.npy", "words.npy"), f"{count} 3")
    refused(run("explain", path, "words.npy", "words.npy"), "expected an array of shape (1, 8, 7) of float32, got (6,)")
    refused(run("explain", path, picture, picture), "expected a model for pictures of 1 or 3 channels, got one for")
    refused(run("explain", "lenet", "a", "few", "words"), "expected one file for the input, got 3; a sentence needs")


def test_an_output_of_several_with_the_classes(run: Run, refused: Run, graph: Path, picture: Path) -> None:
    """A second output with other values changes nothing; one with as many values needs a name."""
    trained: Any = load_model(graph)
    texts = [run("evaluate", graph, "mnist").out, run("predict", picture.name, "--model", graph).out]
    for size in (3, 10):
        image = Input(trained.input_shape)
        both = Model(image, [Dense(size, name="other")(Flatten()(image)), trained(image)])
        both.metadata = trained.metadata
        path = saved(both, graph.with_name("both.safetensors"))
        name = both.output_names()[1]
        options = ("--output", name) if size == 10 else ()
        assert run("evaluate", path, "mnist", *options).out == texts[0]
        assert run("predict", picture.name, "--model", path, *options).out == texts[1].replace(str(graph), str(path))
        assert run("explain", path, picture).status == 0
    several = f"several outputs have 10 values; give --output 'other' or '{name}'"
    assert several in run("evaluate", path, "mnist").err
    unknown = run("predict", picture.name, "--model", path, "--output", "x")
    assert f"expected the name of an output, 'other' or '{name}', got 'x'" in unknown.err
