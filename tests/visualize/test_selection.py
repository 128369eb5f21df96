"""The input and the output that a figure is about: defaults, names, and what does not fit."""

from typing import Any

import numpy as np
import pytest

from numpycnn import Dense, Flatten, LogSoftmax, Sequential, Sigmoid, Softmax
from numpycnn.inspection.graph import graph_of
from numpycnn.visualize.selection import Selection, batches_of, blank_inputs, score_of, select
from tests.graphs import captioned, draw, heads, nested, twins
from tests.visualize.networks import batch, grey
from tests.visualize.test_classes import ending


def chosen(model: Any, x: Any, fits: Any = lambda _: True, **asked: Any) -> Selection:
    return select(model, x, "f", asked.get("input"), asked.get("output"), fits, "of some kind")


def score_layer(model: Any, output: int = 0) -> str:
    return score_of(graph_of(model), output)[0]


def test_the_layer_of_the_scores() -> None:
    assert score_layer(ending()) == "3"
    assert [score_layer(ending(end)) for end in (Softmax(), LogSoftmax(), Sigmoid())] == ["3"] * 3
    assert score_layer(ending(Sequential([Dense(2), Softmax()]))) == "4.0"
    assert score_layer(Sequential([Softmax()], input_shape=(3,))) == "0"
    assert [score_layer(heads(), output) for output in (0, 1)] == ["shape", "mix"]


def test_examples_with_and_without_a_batch_axis() -> None:
    model, several = grey(), captioned()
    x, pair = batch(model, 2), draw(several, 2)
    np.testing.assert_array_equal(batches_of(model, x[0], "f")[0], x[:1])
    assert [array.shape for array in batches_of(several, [array[0] for array in pair], "f")] == [(1, 1, 8, 7), (1, 6)]
    with pytest.raises(ValueError, match=r"f: expected at least one example, got an empty batch \(0, 1, 10, 12\)"):
        batches_of(model, x[:0], "f")
    with pytest.raises(ValueError, match=r"got an empty batch \(0, 1, 8, 7\) and \(0, 6\)"):
        batches_of(several, tuple(array[:0] for array in pair), "f")
    with pytest.raises(TypeError, match="f: expected a Sequential or a Model, got Dense"):
        batches_of(Dense(2), x, "f")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="f: the model is not built yet"):
        batches_of(Sequential([Dense(2)]), x, "f")
    with pytest.raises(TypeError, match="f: expected a tuple of 2 arrays, one for each input"):
        batches_of(several, pair[0], "f")


def test_masked_arrays_are_refused_and_any_byte_order_is_taken() -> None:
    model = captioned()
    picture, words = draw(model, 2)
    swapped = picture.astype(picture.dtype.newbyteorder("S"))
    for native, given in zip(batches_of(model, (swapped, words), "f"), (picture, words), strict=True):
        np.testing.assert_array_equal(native, given)
        assert native.dtype == given.dtype
    with pytest.raises(TypeError, match="f: expected x without a mask, got a masked array"):
        batches_of(model, (np.ma.masked_array(picture), words), "f")


def test_an_input_by_name_number_or_because_it_is_the_only_one_that_fits() -> None:
    model = captioned()
    x = draw(model)
    assert chosen(model, x, lambda part: part.x.ndim > 2).input == 0
    assert chosen(model, x, input="words").input == chosen(model, x, input=1).input == 1
    with pytest.raises(ValueError, match="f: the model has several inputs; give one, input='picture' or 'words'"):
        chosen(model, x)
    with pytest.raises(ValueError, match="f: expected a model with an input of some kind, got none among 'picture' or"):
        chosen(model, x, lambda _: False)
    with pytest.raises(ValueError, match="the name of an input of some kind, 'picture', got 'words'"):
        chosen(model, x, lambda part: part.x.ndim > 2, input="words")
    for wrong in ("sound", 2, -1, True):
        with pytest.raises(ValueError, match=f"the name of an input, 'picture' or 'words', got {wrong!r}"):
            chosen(model, x, input=wrong)


def test_an_output_has_one_value_per_class() -> None:
    assert chosen(heads(), draw(heads()), output="colour").output == 1
    with pytest.raises(ValueError, match="f: the model has several outputs; give one, output='shape' or 'colour'"):
        chosen(heads(), draw(heads()))
    with pytest.raises(ValueError, match="f: expected output to be the name of an output, 'shape' or 'colour'"):
        chosen(heads(), draw(heads()), output="c")
    body: Any = nested().layers[0]
    assert (body.output_names(), chosen(body, draw(body)).output) == (["wide#2", "1"], 1)  # of maps and features
    with pytest.raises(ValueError, match=r"name of an output with one value per class, \(K,\), '1', got 'wide#2'"):
        chosen(body, draw(body), output="wide#2")


def test_targets() -> None:
    model = Sequential([Flatten(), Dense(3)], input_shape=(1, 3, 2), seed=2)
    x = batch(model, 5)
    part = chosen(model, x)
    np.testing.assert_array_equal(part.targets(None, "f"), model.forward(x).argmax(axis=1))
    np.testing.assert_array_equal(part.targets(2, "f"), np.full(5, 2))
    np.testing.assert_array_equal(part.targets([0, 1, 2, 1, 0], "f"), [0, 1, 2, 1, 0])
    with pytest.raises(ValueError, match="f: expected labels from 0 to 2, got 3 at position 0"):
        part.targets(3, "f")
    with pytest.raises(TypeError, match="f: expected labels to be integers, got <U3"):
        part.targets("cat", "f")
    with pytest.raises(ValueError, match="f: expected one target for each of 5 examples, got 2"):
        part.targets([0, 1], "f")


def test_other_examples_of_the_selected_input() -> None:
    model = twins()
    left, right = draw(model)
    part = chosen(model, (left, right), input="right")
    np.testing.assert_array_equal(part.given(left)[1], left)
    turned = part.given(right[:2], np.array([2, 2]))
    np.testing.assert_array_equal(turned[0], left[[2, 2]])
    expected = model.forward((left[[2, 2]], right[:2]))
    np.testing.assert_allclose(part.probabilities(right[:2], [2, 2]), 1 / (1 + np.exp(-expected)), rtol=1e-6)


def test_blank_inputs_have_the_dtypes_that_the_inputs_take() -> None:
    image, words = blank_inputs(captioned(np.float64), 2)
    assert (image.dtype, image.shape, words.shape) == (np.float64, (2, 1, 8, 7), (2, 6))
    assert words.dtype.kind == "i"
    assert (image.any(), words.any()) == (False, False)
