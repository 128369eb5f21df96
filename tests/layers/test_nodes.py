"""Nodes: what calling a layer with one describes."""

from typing import Any

import numpy as np
import pytest

from numpycnn import Add, Concatenate, Dense, Input, Model

A, B = Input((4,), name="a"), Input((3,), name="b")


def test_an_input_has_a_shape_and_a_name() -> None:
    assert (A.shape, A.name) == ((4,), "a")
    assert repr(A) == "Input((4,), name='a')"
    assert repr(Input([2, np.int64(3)])) == "Input((2, 3))"


def test_a_layer_called_with_a_node_gives_a_node_and_makes_no_arrays() -> None:
    layer = Dense(2)
    node = layer(A)
    assert layer.weight is None
    assert type(node) is type(Add()([node, layer(A)]))


def test_a_layer_of_several_outputs_gives_a_tuple_of_nodes() -> None:
    x = Input((4,))
    pair = Model(x, [Dense(2)(x), Dense(3)(x)])
    first, second = pair(A)
    assert Model(A, Concatenate()([first, second])).output_shape == (5,)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Dense(2)([A, B]), TypeError, "^Dense: expected one node, got a list$"),
        (lambda: Add()(A), TypeError, "^Add: expected a list of nodes, got one$"),
        (lambda: Add()([A, np.zeros(4)]), TypeError, "expected nodes of a graph alone.* got ndarray as well"),
        (lambda: Input(4), TypeError, "expected shape to be a tuple of ints, got 4"),
        (lambda: Input((0,)), ValueError, "expected shape from 1"),
        (lambda: Input((2,), name=3), TypeError, "expected name to be a string, got int 3"),
    ],
)
def test_bad_calls(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()
