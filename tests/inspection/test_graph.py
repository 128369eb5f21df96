"""The computation graph has the keys of `follow`, and what depends on an input is what NaN reaches from there."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn import Dense, Input, Layer, Model, Sequential
from numpycnn.inspection.graph import graph_of
from numpycnn.inspection.traces import follow
from tests.graphs import GRAPHS, draw, heads, nested, twins
from tests.visualize.networks import CLASSIFIERS

NETWORKS: tuple[Callable[[], Any], ...] = (*GRAPHS, *CLASSIFIERS)


@pytest.mark.parametrize("build", NETWORKS)
def test_the_keys_are_those_of_the_passages(build: Callable[[], Any]) -> None:
    model = build()
    graph = graph_of(model)
    passages = follow(model, draw(model))
    assert set(graph.values) - {""} == set(passages)
    assert all(graph.uses[key].layer is passages[key].layer for key in graph.uses)


@pytest.mark.parametrize("build", NETWORKS)
def test_a_layer_depends_on_the_inputs_that_reach_it(build: Callable[[], Any]) -> None:
    model = build()
    graph, x = graph_of(model), draw(model, 1)
    batches = x if model.several_inputs else (x,)
    for number, batch in enumerate(batches):
        if batch.dtype.kind != "f":
            continue
        hidden = tuple(np.full_like(a, np.nan) if i == number else a for i, a in enumerate(batches))
        with np.errstate(all="ignore"):
            passages = follow(model, hidden if model.several_inputs else hidden[0])
        for key in graph.uses:
            assert (number in graph.inputs_of(key)) == bool(np.isnan(passages[key].y).any()), key


def test_the_path_between_an_input_and_an_output() -> None:
    graph = graph_of(heads())
    assert graph.outputs == ("shape", "colour")
    assert [use.key for use in graph.path(0, 1)] == ["stem", "4", "mix", "colour"]
    assert [use.key for use in graph.path(0, 0)] == ["stem", "deep", "2", "shape"]
    graph = graph_of(twins())
    assert [use.key for use in graph.path(1, 0)][:2] == ["encoder.0#2", "encoder.1#2"]
    assert graph.inputs_of("encoder#2") == [1]
    assert graph.inputs_of("alike") == [0, 1]


def test_a_model_with_several_outputs_inside() -> None:
    graph = graph_of(nested())
    assert [use.key for use in graph.steps()][:3] == ["body.wide", "body.wide#2", "body.1"]
    assert graph.values["body#2"] == (("body.wide#4", 0), ("body.1#2", 0))
    # The features depend on the maps of the first call, and not on its own features.
    wide = ["body.wide", "body.wide#2", "body.wide#3", "body.wide#4"]
    assert [use.key for use in graph.path(0, 0)] == [*wide, "body.1#2", "scores"]


def test_names_of_inputs_and_outputs() -> None:
    class Halves(Layer):
        output_count = 2

        def _build(self, input_shape: Any, rng: Any) -> Any:
            return (input_shape[0] // 2,), (input_shape[0] // 2,)

        def _forward(self, x: np.ndarray, **mode: bool) -> tuple[Any, Any]:
            return tuple(np.split(x, 2, axis=1)), ()

    x = Input((4,))
    graph = graph_of(Model(x, list(Halves(name="halves")(x))))
    assert (graph.inputs, graph.outputs) == (("input",), ("halves 0", "halves 1"))
    assert graph.ends == (("halves", 0), ("halves", 1))
    graph = graph_of(Sequential([twins(), Dense(2)]))
    assert (graph.inputs, graph.outputs) == (("left", "right"), ("output",))
    assert graph_of(Sequential([Dense(2), Halves()], input_shape=(3,))).outputs == ("output 0", "output 1")
