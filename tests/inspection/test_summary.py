"""The table of a model: shapes, parameters, multiply-adds, memory, receptive field."""

from collections.abc import Callable

import numpy as np
import pytest

from numpycnn import (
    Add,
    AvgPool1D,
    BatchNorm,
    Concat,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    Input,
    InstanceNorm,
    Layer,
    LayerNorm,
    MaxPool2D,
    Model,
    ReLU,
    Residual,
    Sequential,
    Upsample,
)
from numpycnn.inspection.graph import graph_of
from numpycnn.inspection.traces import layers_of
from numpycnn.visualize import find_field
from tests.graphs import GRAPHS
from tests.plain.naive import positions


def lenet() -> Sequential:
    return Sequential(
        [Conv2D(6, 5, name="c1"), ReLU(), MaxPool2D(2), Conv2D(16, (3, 5)), BatchNorm(), Flatten(), Dense(10)],
        input_shape=(1, 28, 30),
    )


def test_each_column() -> None:
    rows = {row.layer: row for row in lenet().summary().rows}
    assert list(rows) == [
        "0 Conv2D 'c1'",
        "1 ReLU",
        "2 MaxPool2D",
        "3 Conv2D",
        "4 BatchNorm",
        "5 Flatten",
        "6 Dense",
    ]
    assert [row.output_shape for row in rows.values()] == [
        (6, 24, 26),
        (6, 24, 26),
        (6, 12, 13),
        (16, 10, 9),
        (16, 10, 9),
        (1440,),
        (10,),
    ]
    assert [row.parameters for row in rows.values()] == [156, 0, 0, 16 * 6 * 15 + 16, 32, 0, 14410]
    assert [row.multiply_adds for row in rows.values()] == [
        6 * 24 * 26 * 25,
        0,
        0,
        16 * 10 * 9 * 6 * 15,
        0,
        0,
        14400,
    ]
    assert [row.activation_bytes for row in rows.values()] == [4 * n for n in (3744, 3744, 936, 1440, 1440, 1440, 10)]
    assert [row.receptive_field for row in rows.values()] == [
        (5, 5),
        (5, 5),
        (6, 6),
        (10, 14),
        (10, 14),
        None,
        None,
    ]


def test_the_totals_are_those_of_the_model() -> None:
    model = lenet()
    summary = model.summary()
    assert summary.parameters == sum(p.value.size for p in model.parameters().values())
    assert summary.multiply_adds == model.multiply_adds() == sum(row.multiply_adds for row in summary.rows)
    assert summary.activation_bytes == sum(row.activation_bytes for row in summary.rows)


def test_the_table_is_aligned_and_readable() -> None:
    text = str(lenet().summary())
    lines = text.splitlines()
    assert repr(lenet().summary()) == text
    assert lines[0].split() == ["layer", "output", "parameters", "multiply-adds", "activations", "sees"]
    assert set(lines[1]) == {"-"}
    assert lines[5].split() == ["3", "Conv2D", "(16,", "10,", "9)", "1,456", "129,600", "5.6", "KiB", "10", "x", "14"]
    assert lines[-3].split()[:3] == ["total", "16,054", "237,600"]
    assert lines[8].endswith("all")
    for word, number in (("parameters", "1,456"), ("multiply-adds", "129,600")):
        assert lines[0].index(word) + len(word) == lines[5].index(number) + len(number)  # right-aligned below its head


def test_float64_takes_twice_the_memory() -> None:
    sizes = [
        Sequential([Dense(3)], input_shape=(4,), dtype=dtype).summary().activation_bytes
        for dtype in (np.float32, np.float64)
    ]
    assert sizes == [12, 24]


def seen(model: Sequential, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Which stretch of the input changes the output nearest to the middle, by trying each pixel."""
    base = np.zeros((1, *shape), np.float64)
    y = model.forward(base)
    middle = (0, 0, *(size // 2 for size in y.shape[2:]))
    touched = []
    for at in positions(shape[1:]):
        x = base.copy()
        x[(0, 0, *at)] = 1
        if model.forward(x)[middle] != y[middle]:
            touched.append(at)
    return tuple(int(n) for n in np.ptp(np.array(touched), axis=0) + 1)


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([Conv2D(2, 3), Conv2D(1, 3)], (1, 13, 12)),
        ([Conv2D(2, (1, 3), stride=(1, 2)), Conv2D(1, (3, 2), dilation=2)], (1, 11, 15)),
        ([Conv1D(2, 2, stride=3), AvgPool1D(2), Conv1D(1, 2)], (1, 41)),
    ],
)
def test_the_receptive_field_is_what_one_output_sees(layers: list[object], shape: tuple[int, ...]) -> None:
    model = Sequential(layers, input_shape=shape, dtype=np.float64)  # type: ignore[arg-type]
    assert model.summary().rows[-1].receptive_field == seen(model, shape)


def test_side_by_side_the_widest_view_counts() -> None:
    model = Sequential(
        [Residual(Conv2D(1, 3, padding=1)), Concat([Conv2D(1, 5, padding=2), Conv2D(1, 1)])], input_shape=(1, 20, 20)
    )
    rows = model.summary().rows
    assert [row.layer.strip() for row in rows] == ["0 Residual", "main Conv2D", "1 Concat", "0 Conv2D", "1 Conv2D"]
    assert [row.receptive_field for row in rows] == [(3, 3), (3, 3), (7, 7), (7, 7), (3, 3)]
    assert model.summary().parameters == 10 + 26 + 2


def test_what_sees_everything() -> None:
    model = Sequential([Conv2D(2, 3), GlobalAvgPool(), Dense(3)], input_shape=(1, 9, 9))
    assert [row.receptive_field for row in model.summary().rows] == [(3, 3), None, None]
    assert [row.receptive_field for row in Sequential([Dense(3)], input_shape=(4,)).summary().rows] == [None]


def test_a_window_never_sees_more_than_there_is() -> None:
    model = Sequential([Conv2D(2, 3, padding="same"), Conv2D(2, 5, padding="same")], input_shape=(1, 4, 9))
    assert model.summary().rows[-1].receptive_field == (4, 7)


def test_transposed_convolution_costs_what_it_multiplies() -> None:
    row = Sequential([ConvTranspose2D(3, 2, stride=2)], input_shape=(2, 4, 5)).summary().rows[0]
    assert row.output_shape == (3, 8, 10)
    assert row.multiply_adds == 2 * 4 * 5 * 3 * 4


def test_large_numbers_have_units() -> None:
    text = str(Sequential([Conv2D(64, 3, padding=1)], input_shape=(3, 224, 224)).summary())
    assert "12.2 MiB" in text
    assert "86,704,128" in text


def test_an_unbuilt_model_has_no_summary() -> None:
    with pytest.raises(RuntimeError, match="summary: the model is not built yet; give it an input_shape"):
        Sequential([Dense(2)]).summary()


def test_the_empty_model() -> None:
    assert "total" in str(Sequential([], input_shape=(3,)).summary())


def fields(*layers: Layer) -> list[tuple[int, ...] | None]:
    model = Sequential(list(layers), input_shape=(1, 12, 12))
    return [row.receptive_field for row in model.summary().rows]


def test_what_is_seen_through_layers_that_enlarge() -> None:
    assert fields(Conv2D(1, 3), ConvTranspose2D(1, 4, stride=2), Conv2D(1, 3)) == [(3, 3), (4, 4), (5, 5)]
    assert fields(Upsample(4), Conv2D(1, 3)) == [(1, 1), (2, 2)]
    assert fields(Upsample(2, mode="bilinear"), Conv2D(1, 3)) == [(2, 2), (3, 3)]
    assert fields(LayerNorm(axis=1), Conv2D(1, 3)) == [None, None]
    assert fields(GroupNorm(1), Conv2D(1, 3)) == [None, None]
    assert fields(InstanceNorm(), Conv2D(1, 3)) == [None, None]


def test_each_output_of_a_model_inside_sees_its_own_part() -> None:
    x = Input((1, 20, 21))
    wide = Conv2D(1, 3, padding=1, name="wide")
    maps = wide(wide(x))
    body = Model(x, [maps, GlobalMaxPool()(maps)], name="body")
    image = Input((1, 20, 21), name="image")
    model = Model(image, Conv2D(2, 2, name="end")(body(body(image)[0])[0]))
    rows = dict(zip(layers_of(model), model.summary().rows, strict=True))
    assert rows["body.wide"].receptive_field == (9, 9)  # in its last use
    assert rows["body.wide"].receptive_fields == ((3, 3), (5, 5), (7, 7), (9, 9))
    assert rows["body"].receptive_field is None  # that of the pooled output is the largest
    assert rows["end"].receptive_field == (10, 10)
    field = find_field(model, "end")
    assert field is not None
    assert tuple(last - first for first, last in field) == (10, 10)
    titles = [row.layer for row in rows.values()]
    assert titles == [
        "body Model <- image, body",
        "  wide Conv2D <- input, wide",
        "  1 GlobalMaxPool <- wide#2",
        "end Conv2D <- body#2",
    ]
    assert rows["body.wide"].multiply_adds == 4 * 20 * 21 * 9


@pytest.mark.parametrize("build", GRAPHS)
def test_a_graph_has_a_row_for_each_layer(build: Callable[[], Model]) -> None:
    model = build()
    summary = model.summary()
    assert len(summary.rows) == len(layers_of(model))
    assert summary.parameters == sum(parameter.value.size for parameter in model.parameters().values())
    assert summary.multiply_adds == sum(use.layer.multiply_adds() for use in graph_of(model).uses.values())


def test_the_receptive_field_is_at_most_the_input_that_it_is_in() -> None:
    inputs = Input((1, 4, 5)), Input((1, 9, 8))
    pooled = [GlobalMaxPool()(Conv2D(2, 7, padding=3)(x)) for x in inputs]
    rows = Model(inputs, Add()(pooled)).summary().rows
    assert [row.receptive_field for row in rows if "Conv2D" in row.layer] == [(4, 5), (7, 7)]
