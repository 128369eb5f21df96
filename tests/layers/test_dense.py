"""The dense layer."""

from typing import Any

import numpy as np
import pytest

from numpycnn import Dense, Layer
from numpycnn import functional as F
from tests.helpers import assert_same_bits, layouts
from tests.layers.bad_calls import Bad, bad_sizes, refuse


def test_is_the_linear_function(rng: np.random.Generator) -> None:
    layer = Dense(3)
    layer.build((5,), dtype=np.float64)
    layer.bias.value[...] = rng.normal(size=3)
    x, dy = rng.normal(size=(4, 5)), rng.normal(size=(4, 3))
    assert_same_bits(layer.forward(x, training=True), F.linear(x, layer.weight.value, layer.bias.value))
    dx, dweight, dbias = F.linear_backward(dy, x, layer.weight.value)
    np.testing.assert_allclose(layer.backward(dy), dx, rtol=1e-13)
    np.testing.assert_allclose(layer.weight.grad, dweight, rtol=1e-13)
    np.testing.assert_allclose(layer.bias.grad, dbias, rtol=1e-13)


@pytest.mark.parametrize("sizes", [(300, 40, 32), (17, 129, 65), (64, 64, 1)])
def test_larger_products_too_do_not_depend_on_the_layout(sizes: tuple[int, int, int], rng: np.random.Generator) -> None:
    inputs, outputs, n = sizes
    layer = Dense(outputs)
    layer.build((inputs,))
    x, dy = rng.normal(size=(n, inputs)).astype(np.float32), rng.normal(size=(n, outputs)).astype(np.float32)
    y = layer.forward(x, training=True)
    dx = layer.backward(dy)
    dweight, dbias = layer.weight.grad.copy(), layer.bias.grad.copy()
    for kind in ("Fortran", "transposed", "negative strides", "sliced", "read-only", "unaligned"):
        assert_same_bits(layer.forward(layouts(x)[kind], training=True), y)
        assert_same_bits(layer.backward(layouts(dy)[kind]), dx)
        assert_same_bits(layer.weight.grad, dweight)
        assert_same_bits(layer.bias.grad, dbias)


def test_initial_weights_and_multiply_adds() -> None:
    layer = Dense(500, initializer="he_normal")
    assert layer.multiply_adds() == 0
    layer.build((400,))
    assert layer.multiply_adds() == 500 * 400
    assert layer.weight.value.shape == (500, 400)
    assert layer.weight.value.var() == pytest.approx(2 / 400, rel=0.02)
    assert not layer.bias.value.any()


def make(**settings: Any) -> Layer:
    return Dense(**{"out_features": 4} | settings)


BAD = [
    *bad_sizes(make, "Dense", "out_features"),
    *(bad for bad in bad_sizes(make, "Dense", "in_features") if "NoneType" not in bad.text),
    Bad(lambda: make(initializer=None), ValueError, "Dense: expected initializer he_normal, "),
    Bad(lambda: make(bias="no"), TypeError, "Dense: expected bias to be True or False, got str 'no'"),
    Bad(
        lambda: Dense(2**31 - 1),
        ValueError,
        "Dense: expected at most 1073741824 weights, got (2147483647, 1000), which would take 8,589,934,588,000 bytes; "
        "make the layer, or its input, smaller",
        (1000,),
    ),
    Bad(lambda: make(name=b"fc"), TypeError, "Dense: expected name to be a string, got bytes b'fc'"),
    Bad(make, ValueError, "Dense: expected inputs (features,), got (2, 3); put a Flatten() before it", (2, 3)),
    Bad(make, ValueError, "Dense: expected inputs (features,), got (); put a Flatten() before it", ()),
    Bad(
        lambda: make(in_features=5, name="fc1"),
        ValueError,
        "Dense 'fc1': expected 5 features (in_features), got 6",
        (6,),
    ),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_calls(bad: Bad) -> None:
    refuse(bad)
