"""Every output value of every kind of layer, recomputed by the arithmetic of the page."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import numpycnn as nn
from numpycnn.explain.arrays import Choice, Store
from numpycnn.explain.contents import Example, contents
from numpycnn.explain.formulas import FORMULAS, formula
from numpycnn.inspection.graph import graph_of
from numpycnn.inspection.traces import follow
from numpycnn.io.loading import LAYERS
from numpycnn.layers import Layer
from numpycnn.visualize.selection import output_shapes
from tests.explain.javascript import every_number
from tests.graphs import GRAPHS, draw

ALL = Choice(maps=100, largest=10**9, dense=10**9)
TOLERANCE = 1e-5

CASES: list[tuple[Layer, tuple[int, ...]]] = [
    (nn.Conv1D(4, 3, stride=2, padding=((2, 0),)), (3, 11)),
    (nn.Conv1D(4, 2, dilation=3, padding="full", groups=2), (6, 9)),
    (nn.Conv2D(6, (3, 2), stride=(2, 3), padding=((1, 0), (0, 2)), dilation=(1, 2)), (3, 9, 8)),
    (nn.Conv2D(6, 3, padding="same", stride=2, groups=3, bias=False), (6, 7, 6)),
    (nn.Conv2D(2, (4, 1), padding="valid"), (1, 6, 5)),
    (nn.Conv3D(3, (2, 1, 3), stride=(1, 2, 1), padding=1), (2, 4, 5, 6)),
    (nn.ConvTranspose1D(4, 3, stride=2, padding=1, output_padding=1), (3, 6)),
    (nn.ConvTranspose2D(4, (3, 2), stride=(2, 3), padding=((0, 1), (1, 0)), dilation=(2, 1), groups=2), (6, 4, 5)),
    (nn.ConvTranspose2D(3, 4, stride=2, padding="same", bias=False), (2, 4, 3)),
    (nn.ConvTranspose3D(2, (2, 3, 1), stride=2), (3, 2, 3, 4)),
    (nn.MaxPool1D(3, stride=2, padding=1), (3, 8)),
    (nn.MaxPool2D((2, 3), stride=(2, 1), padding=1, dilation=(1, 2), ceil_mode=True), (3, 7, 9)),
    (nn.MaxPool3D(2), (2, 4, 5, 6)),
    (nn.AvgPool1D(3, padding=1, count_include_pad=False), (3, 8)),
    (nn.AvgPool2D((3, 2), stride=(2, 3), padding=1, ceil_mode=True), (3, 8, 7)),
    (nn.AvgPool2D((3, 2), stride=(2, 3), padding=1, ceil_mode=True, count_include_pad=False), (3, 8, 7)),
    (nn.AvgPool3D((1, 2, 3)), (2, 4, 5, 6)),
    (nn.LpPool1D(3, p=1), (3, 9)),
    (nn.LpPool2D(3, p=2.5, stride=2, padding=1), (3, 7, 6)),
    (nn.LpPool3D(2, p=3), (2, 4, 5, 6)),
    (nn.GlobalAvgPool(), (4, 5, 3)),
    (nn.GlobalMaxPool(), (4, 7)),
    (nn.ZeroPad(((1, 0), (2, 3))), (2, 3, 4)),
    (nn.Pad(((1, 0), (2, 3))), (2, 3, 4)),
    (nn.Pad(((1, 0), (2, 3)), mode="reflect"), (2, 3, 4)),
    (nn.Pad((4, 2), mode="edge"), (2, 3, 4)),
    (nn.PixelShuffle((2, 3)), (12, 3, 4)),
    (nn.PixelShuffle(2), (4, 5)),
    (nn.Upsample((2, 3)), (2, 3, 4)),
    (nn.Upsample((3, 2), mode="bilinear"), (2, 3, 4)),
    (nn.Upsample(2, mode="bilinear"), (2, 5)),
    (nn.Dense(7), (12,)),
    (nn.Dense(3, bias=False), (5,)),
    (nn.Embedding(9, 4), (6,)),
    (nn.Embedding(9, 4), (2, 3)),
    *((kind(4, return_sequences=True), (5, 3)) for kind in (nn.RNN, nn.LSTM, nn.GRU)),
    *((kind(4, return_sequences=True, bidirectional=True), (5, 3)) for kind in (nn.RNN, nn.LSTM, nn.GRU)),
    *((kind(3, bidirectional=both), (6, 2)) for kind in (nn.RNN, nn.LSTM, nn.GRU) for both in (False, True)),
    (nn.BatchNorm(), (3, 4, 5)),
    (nn.BatchNorm(), (6,)),
    (nn.LayerNorm(), (3, 4, 5)),
    (nn.LayerNorm(axis=1), (3, 4, 5)),
    (nn.LayerNorm(axis=2), (3, 4, 5)),
    (nn.LayerNorm(), (6,)),
    (nn.GroupNorm(2), (4, 3, 5)),
    (nn.GroupNorm(3), (6,)),
    (nn.InstanceNorm(), (3, 4, 5)),
    (nn.InstanceNorm(affine=True), (3, 4)),
    (nn.Dropout(0.5), (3, 4)),
    (nn.SpatialDropout(0.5), (3, 4)),
    (nn.Flatten(), (3, 4, 5)),
    (nn.Reshape((4, -1)), (3, 8)),
    (nn.ReLU(), (3, 4, 5)),
    (nn.LeakyReLU(0.2), (3, 4, 5)),
    (nn.ELU(1.3), (3, 4, 5)),
    (nn.SELU(), (3, 4, 5)),
    (nn.GELU(), (3, 4, 50)),
    (nn.GELU("tanh"), (3, 4, 5)),
    (nn.PReLU(), (3, 4, 5)),
    (nn.PReLU(3), (3, 4, 5)),
    (nn.PReLU(7), (7,)),
    (nn.SiLU(), (3, 4, 5)),
    (nn.Softplus(), (3, 4, 5)),
    (nn.Sigmoid(), (3, 4, 5)),
    (nn.Tanh(), (3, 4, 5)),
    (nn.Softmax(), (7,)),
    (nn.Softmax(1), (3, 4, 5)),
    (nn.Softmax(2), (3, 4, 5)),
    (nn.LogSoftmax(), (3, 4, 5)),
    (nn.LogSoftmax(1), (7,)),
    (nn.Permute((1, 0)), (3, 5)),
    (nn.Permute((2, 0, 1)), (3, 5, 4)),
    (nn.Permute((0,)), (5,)),
    (nn.Residual(nn.Conv2D(3, 3, padding=1)), (3, 5, 4)),
    (nn.Residual(nn.Sequential([nn.Dense(4), nn.ReLU()]), nn.Dense(4)), (6,)),
    (nn.Concat([nn.Conv2D(2, 1), nn.Sequential([nn.Conv2D(4, 1), nn.ReLU()]), nn.AvgPool2D(1)]), (3, 5, 4)),
    (nn.Concat([nn.Dense(2), nn.Dense(5)]), (3,)),
    (nn.Sequential([nn.ReLU(), nn.Sequential([nn.Tanh()])]), (3, 4)),
    (nn.Conv2D(4, 3, padding=1, groups=2, activation="tanh"), (2, 5, 4)),
    (nn.Dense(4, activation="softmax"), (3,)),
    (nn.Sequential([nn.Conv1D(3, 2, activation=nn.LeakyReLU(0.2)), nn.ReLU()]), (2, 6)),
]


def graph(shape: tuple[int, ...], connect: Callable[[nn.Input], Any]) -> tuple[Layer, tuple[int, ...]]:
    x = nn.Input(shape)
    return nn.Model(x, connect(x)), shape


def shared(x: nn.Input) -> Any:
    block = nn.Sequential([nn.Conv2D(2, 3, padding=1, activation="relu"), nn.Tanh()], name="block")
    return block(nn.ReLU()(block(x)))


def nested(x: nn.Input) -> Any:
    a, b = nn.Input((3,)), nn.Input((2,))
    first, second = nn.Model([a, b], [nn.Dense(4)(b), nn.Tanh()(nn.Dense(4)(a))])([x, nn.Dense(2)(x)])
    return nn.Add()([second, first])


CASES += [
    graph((3, 5, 4), lambda x: nn.Add()([nn.Conv2D(3, 1, activation="relu")(x), x, nn.Tanh()(x)])),
    graph((4,), lambda x: nn.Multiply()([nn.Dense(4, activation="sigmoid")(x), x])),
    graph((2, 4, 3), lambda x: nn.Concatenate()([nn.ReLU()(x), nn.Conv2D(3, 1)(x), x])),
    graph((2, 4, 3), lambda x: nn.Concatenate(axis=3)([nn.ReLU()(x), nn.Conv2D(2, 1)(x)])),
    graph((3,), lambda x: nn.Concatenate()([nn.Dense(2)(x), x])),
    graph((5, 3), lambda x: nn.Add()([nn.LSTM(4)(x), nn.GRU(2, bidirectional=True)(x)])),
    graph((2, 5, 4), shared),
    graph((3,), nested),
]


def built(layer: Layer, shape: tuple[int, ...], rng: np.random.Generator) -> nn.Sequential:
    """Return a model of one layer, with random parameters and buffers."""
    model = nn.Sequential([layer], input_shape=shape)
    for array in model.state().values():
        array += rng.uniform(0.1, 0.6, array.shape).astype(array.dtype)
    return model


def example(model: nn.Sequential, rng: np.random.Generator) -> Example:
    assert model.input_shape is not None
    x = model.draw_input((1, *model.input_shape), rng)[0]
    return Example(x * 3 if x.dtype.kind == "f" else x)


@pytest.mark.parametrize(("layer", "shape"), CASES, ids=[repr(layer)[:60] for layer, _ in CASES])
def test_each_value_is_recomputed(layer: Layer, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    model = built(layer, shape, rng)
    found = every_number(contents(model, example(model, rng)))
    several = {f"0.{key}" for key, part in layer.walk().items() if part.output_count > 1}
    assert {row["key"] for row in found if not row["numbers"]} == several
    for row in found:
        assert row["unknown"] == 0, row
        assert row["worst"] < TOLERANCE, row


def test_a_wrong_weight_is_noticed(rng: np.random.Generator) -> None:
    """The comparison can fail: with another bias, every value differs."""
    model = built(nn.Conv2D(2, 3), (1, 5, 6), rng)
    data = contents(model, example(model, rng))
    bias = Store(ALL)
    bias.add(np.array([9, 9]))
    data["arrays"][data["steps"][0]["formula"]["bias"]] = bias.arrays[0]
    assert every_number(data)[0]["worst"] > 1


def test_every_formula_has_a_case() -> None:
    assert set(FORMULAS) <= set(LAYERS.values())
    assert {type(part) for layer, _ in CASES for part in layer.walk().values()} == set(FORMULAS)


def test_a_subclass_is_unknown() -> None:
    class Louder(nn.ReLU):
        def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, object]:
            return 2 * x, x

    model = nn.Sequential([Louder(), nn.ReLU()], input_shape=(2, 3))
    passages = follow(model, np.ones((1, 2, 3), np.float32))
    assert formula(passages["0"], Store(ALL)) == {"type": "unknown"}
    assert formula(passages["1"], Store(ALL)) == {"type": "activation", "name": "ReLU"}


def test_a_softmax_over_the_batch_is_unknown() -> None:
    model = nn.Sequential([nn.Softmax(0)], input_shape=(3,))
    passages = follow(model, np.ones((1, 3), np.float32))
    assert formula(passages["0"], Store(ALL)) == {"type": "unknown"}


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2D(9, 3, padding=1), (8, 7, 6)),
        (nn.Conv2D(8, 3, groups=4), (12, 7, 6)),
        (nn.Conv2D(12, 3, groups=12), (12, 7, 6)),
        (nn.ConvTranspose2D(9, 3, stride=2), (8, 4, 5)),
        (nn.ConvTranspose2D(8, 3, groups=4), (12, 4, 5)),
    ],
)
def test_sums_add_up_with_omitted_maps(layer: Layer, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    model = built(layer, shape, rng)
    data = contents(model, example(model, rng), most_bytes=3000)
    step = data["steps"][0]
    assert data["arrays"][step["y"]]["channels"] is not None
    assert step["formula"]["rest"] is not None
    (row,) = every_number(data)
    assert row["unknown"] < row["numbers"]
    assert row["worst"] < TOLERANCE


@pytest.mark.parametrize("build", GRAPHS)
def test_each_value_of_a_graph_is_recomputed(build: Callable[..., nn.Model]) -> None:
    model = build()
    x = draw(model, 1)
    one = tuple(batch[0] for batch in x) if model.several_inputs else x[0]
    classes = zip(graph_of(model).outputs, output_shapes(model), strict=True)
    names = {name: list("abcde")[: shape[0]] for name, shape in classes}
    found = every_number(contents(model, Example(one, class_names=names)))
    assert sum(row["numbers"] for row in found) > 50
    assert [row for row in found if row["unknown"] or row["worst"] > TOLERANCE] == []


def test_weights_of_a_recurrent_layer_are_omitted_from_a_small_page(rng: np.random.Generator) -> None:
    model = built(nn.LSTM(8), (5, 20), rng)
    small = contents(model, example(model, rng), most_bytes=2000)
    steps, last = small["steps"][0]["inside"]
    assert steps["formula"] == {"type": "recurrent", "cell": "lstm", "directions": None}
    rows = {row["key"]: row for row in every_number(small)}
    assert rows["0.last"]["unknown"] == 0
    assert rows["0.last"]["worst"] == 0
    assert last["x"] == steps["y"]
