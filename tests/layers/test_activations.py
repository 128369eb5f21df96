"""Activation layers: they are the functions of the same name."""

from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import ELU, GELU, LeakyReLU, LogSoftmax, PReLU, ReLU, Softmax
from numpycnn import functional as F
from tests.helpers import assert_same_bits
from tests.layers.bad_calls import Bad, refuse

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("ReLU", {}, "relu"),
    ("LeakyReLU", {"negative_slope": 0.2}, "leaky_relu"),
    ("ELU", {"alpha": 0.7}, "elu"),
    ("SELU", {}, "selu"),
    ("GELU", {"approximate": "tanh"}, "gelu"),
    ("GELU", {}, "gelu"),
    ("SiLU", {}, "silu"),
    ("Softplus", {}, "softplus"),
    ("Sigmoid", {}, "sigmoid"),
    ("Tanh", {}, "tanh"),
    ("Softmax", {"axis": 1}, "softmax"),
    ("LogSoftmax", {"axis": -2}, "log_softmax"),
]


@pytest.mark.parametrize(("name", "settings", "function"), CASES)
def test_is_the_function(name: str, settings: dict[str, Any], function: str, rng: np.random.Generator) -> None:
    layer = getattr(numpycnn, name)(**settings)
    layer.build((4, 5), dtype=np.float64)
    x, dy = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 4, 5))
    assert_same_bits(layer.forward(x, training=True), getattr(F, function)(x, **settings))
    assert_same_bits(layer.backward(dy), getattr(F, f"{function}_backward")(dy, x, **settings))
    assert layer.parameters() == layer.state() == {}


@pytest.mark.parametrize(("count", "shape"), [(1, (4,)), (1, (4, 5)), (4, (4, 5)), (4, (4,))])
def test_prelu_is_the_function(count: int, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    layer = PReLU(count)
    layer.build(shape, dtype=np.float64)
    assert_same_bits(layer.weight.value, np.full(count, 0.25))
    layer.weight.value[...] = rng.normal(size=count)
    x, dy = rng.normal(size=(3, *shape)), rng.normal(size=(3, *shape))
    assert_same_bits(layer.forward(x, training=True), F.prelu(x, layer.weight.value))
    dx, dweight = F.prelu_backward(dy, x, layer.weight.value)
    assert_same_bits(layer.backward(dy), dx)
    assert_same_bits(layer.weight.grad, dweight)
    assert not layer.weight.penalised


@pytest.mark.parametrize("layer", [Softmax(), LogSoftmax(), ReLU()])
def test_large_logits_stay_finite(layer: Any) -> None:
    layer.build((3,))
    x = np.array([[1e4, -1e4, 0]], np.float32)
    assert np.isfinite(layer.forward(x, training=True)).all()
    assert np.isfinite(layer.backward(np.ones_like(x))).all()


def test_nan_passes_through_and_no_warning_is_given() -> None:
    x = np.array([[np.nan, np.inf, -np.inf]])
    for name, _, _ in CASES[:4]:
        layer = getattr(numpycnn, name)()
        layer.build((3,), dtype=np.float64)
        assert np.isnan(layer.forward(x)[0, 0])


BAD = [
    Bad(lambda: LeakyReLU("0.1"), TypeError, "LeakyReLU: expected negative_slope to be a number, got str '0.1'"),
    Bad(lambda: LeakyReLU(None), TypeError, "LeakyReLU: expected negative_slope to be a number, got NoneType None"),
    Bad(lambda: LeakyReLU(True), TypeError, "LeakyReLU: expected negative_slope to be a number, got bool True"),
    Bad(lambda: LeakyReLU(np.nan), ValueError, "LeakyReLU: expected negative_slope to be finite, got nan"),
    Bad(lambda: PReLU(0), ValueError, "PReLU: expected num_parameters from 1 to 2147483647, got 0"),
    Bad(lambda: PReLU(1.5), TypeError, "PReLU: expected num_parameters to be an int, got float 1.5"),
    Bad(lambda: PReLU(init=np.nan), ValueError, "PReLU: expected init to be finite, got nan"),
    Bad(lambda: PReLU(init="0.2"), TypeError, "PReLU: expected init to be a number, got str '0.2'"),
    Bad(
        lambda: PReLU(2),
        ValueError,
        "PReLU: expected num_parameters 1 or 3, one for each channel of (3, 4), got 2",
        (3, 4),
    ),
    Bad(lambda: ELU(np.nan), ValueError, "ELU: expected alpha to be finite, got nan"),
    Bad(lambda: ELU(-np.inf), ValueError, "ELU: expected alpha to be finite, got -inf"),
    Bad(lambda: ELU("1"), TypeError, "ELU: expected alpha to be a number, got str '1'"),
    Bad(lambda: ELU([1.0]), TypeError, "ELU: expected alpha to be a number, got list [1.0]"),
    Bad(lambda: GELU("fast"), ValueError, "GELU: expected approximate 'none' or 'tanh', got 'fast'"),
    Bad(lambda: GELU(None), ValueError, "GELU: expected approximate 'none' or 'tanh', got None"),
    Bad(lambda: Softmax(1.0), TypeError, "Softmax: expected axis to be an int, got float 1.0"),
    Bad(lambda: Softmax(True), TypeError, "Softmax: expected axis to be an int, got bool True"),
    Bad(lambda: Softmax("last"), TypeError, "Softmax: expected axis to be an int, got str 'last'"),
    Bad(lambda: Softmax(3), ValueError, "Softmax: expected axis from -3 to 2 for 3 dimensions, got 3", (4, 5)),
    Bad(lambda: Softmax(2**63 - 1), ValueError, "Softmax: expected axis from -3 to 2", (4, 5)),
    Bad(lambda: LogSoftmax(-4), ValueError, "LogSoftmax: expected axis from -3 to 2 for 3 dimensions, got -4", (4, 5)),
    Bad(lambda: LogSoftmax(None), TypeError, "LogSoftmax: expected axis to be an int, got NoneType None"),
    Bad(lambda: ReLU(name=1), TypeError, "ReLU: expected name to be a string, got int 1"),
    Bad(ReLU, ValueError, "ReLU: expected input_shape from 1 to 2147483647, got 0", (0,)),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_calls(bad: Bad) -> None:
    refuse(bad)
