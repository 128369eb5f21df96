"""What layers accept as arrays."""

from typing import Any

import numpy as np
import pytest

from numpycnn import (
    SGD,
    Add,
    CrossEntropy,
    Dense,
    Layer,
    Parameter,
    Sequential,
    Trainer,
)
from numpycnn import functional as F
from tests.helpers import assert_same_bits

RAGGED = [[1.0, 2.0], [3.0]]
MASKED = np.ma.masked_array(np.ones((2, 2), np.float32), [[1, 0], [0, 0]])


@pytest.mark.parametrize(
    ("bad", "error", "text"),
    [
        (RAGGED, ValueError, "expected .* as an array, got list with rows of different lengths"),
        (MASKED, TypeError, "expected .* without a mask, got a masked array; fill it first"),
    ],
)
def test_ragged_lists_and_masked_arrays_are_refused(bad: Any, error: type[Exception], text: str) -> None:
    model, rows = Sequential([Dense(2)], input_shape=(2,)), np.ones((2, 2), np.float32)
    trainer = Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1))
    model.forward(rows, differentiable=True)
    for call in (
        lambda: model.forward(bad),
        lambda: model.predict(bad, batch_size=1),
        lambda: model.backward(bad),
        lambda: model.load_state(model.state() | {"0.weight": bad}),
        lambda: setattr(model[0].weight, "value", bad),
        lambda: F.relu(bad),
        lambda: F.linear(rows, bad),
        lambda: F.cross_entropy(rows, bad),
        lambda: F.mean_squared_error(rows, bad),
        lambda: F.one_hot(bad, 3),
        lambda: trainer.fit((bad, [0, 1]), epochs=1, progress=False),
        lambda: trainer.evaluate((rows, bad)),
    ):
        with pytest.raises(error, match=text):
            call()
    with pytest.raises(TypeError, match="expected kept as an array of bool"):
        F.dropout_backward(rows, bad, p=0.5)


def test_big_endian_arrays_are_accepted_by_layers() -> None:
    model, rows = Sequential([Dense(2)], input_shape=(2,)), np.arange(4, dtype=np.float32).reshape(2, 2)
    expected, big = model.forward(rows), rows.astype(">f4")
    assert_same_bits(model.forward(big), expected)
    assert_same_bits(model.predict(big, batch_size=1).astype(np.float32), model.predict(rows, batch_size=1))
    model[0].weight.value = big
    assert_same_bits(model[0].weight.value, rows)
    assert_same_bits(Parameter(big).value, rows)


@pytest.mark.parametrize("order", [">f4", "<f4"])
def test_without_layers_the_input_is_returned_in_native_order(order: str) -> None:
    x = np.arange(12, dtype=order).reshape(2, 6)[:, ::2]
    y = Sequential([], input_shape=(3,)).forward(x)
    assert y.dtype == np.float32
    assert y.dtype.isnative
    assert y.flags.c_contiguous
    np.testing.assert_array_equal(y, [[0, 2, 4], [6, 8, 10]])


def test_the_shapes_of_several_inputs() -> None:
    for shape, text in (
        (((3,), (4,)), r"Dense: expected one input, got 2; merge them first, with Concatenate\(\) or Add\(\)"),
        (((3,), 4), "Dense: expected input_shape to be an int, got tuple"),
    ):
        with pytest.raises((ValueError, TypeError), match=text):
            Dense(2).build(shape)
    with pytest.raises(ValueError, match=r"Add: expected several inputs, a tuple of shapes, got \(3, 4\)"):
        Add().build((3, 4))


def test_a_parameter_of_another_dtype_is_refused_at_the_build() -> None:
    class Scale(Layer):
        def _build(self, input_shape: Any, rng: Any) -> Any:
            self.weight = Parameter(np.ones(input_shape))
            return input_shape

    with pytest.raises(TypeError, match=r"Scale: expected the parameter weight in self\.dtype, float32, got float64"):
        Scale().build((3,))
    assert Scale().build((3,), dtype=np.float64) == (3,)
