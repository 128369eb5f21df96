"""Activation functions with all types, layouts, special numbers and wrong arguments."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import assert_close, assert_same_bits, layouts, numerical_gradient
from tests.plain.test_activations import ALPHA, IDS, SCALE, TABLE, Scalar


@pytest.mark.parametrize(("name", "settings", "formula", "slope"), TABLE, ids=IDS)
def test_types_layouts_and_empty_arrays(
    name: str, settings: dict[str, Any], formula: Scalar, slope: Scalar, rng: np.random.Generator
) -> None:
    forward, backward = getattr(F, name), getattr(F, f"{name}_backward")
    x, dy = rng.normal(size=(4, 5, 6)), rng.normal(size=(4, 5, 6))
    for kind in layouts(x):
        other_x, other_dy = layouts(x)[kind], layouts(dy)[kind]
        assert_same_bits(forward(other_x, **settings), forward(x, **settings))
        assert_same_bits(backward(other_dy, other_x, **settings), backward(dy, x, **settings))
        np.testing.assert_array_equal(other_x, x)
        np.testing.assert_array_equal(other_dy, dy)
    single, single_dy = x.astype(np.float32), dy.astype(np.float32)
    y, dx = forward(single, **settings), backward(single_dy, single, **settings)
    assert y.dtype == dx.dtype == np.float32
    assert_close(y, forward(single.astype(np.float64), **settings), 1e-5)
    assert_close(dx, backward(single_dy.astype(np.float64), single.astype(np.float64), **settings), 1e-5)
    assert forward(np.empty((0, 3)), **settings).shape == (0, 3)
    assert backward(np.empty((0, 3)), np.empty((0, 3)), **settings).shape == (0, 3)


ELEMENTWISE = sorted({name for name, *_ in TABLE})
NAN, INF = np.nan, np.inf
SPECIAL: list[tuple[str, list[float], list[float]]] = [  # of nan, inf, -inf, 1e4, -1e4: the values, and the slopes
    ("relu", [NAN, INF, 0, 1e4, 0], [1, 1, 0, 1, 0]),
    ("leaky_relu", [NAN, INF, -INF, 1e4, -1e2], [0.01, 1, 0.01, 1, 0.01]),
    ("elu", [NAN, INF, -1, 1e4, -1], [1, 1, 0, 1, 0]),
    ("selu", [NAN, INF, -SCALE * ALPHA, SCALE * 1e4, -SCALE * ALPHA], [SCALE, SCALE, 0, SCALE, 0]),
    ("sigmoid", [NAN, 1, 0, 1, 0], [NAN, 0, 0, 0, 0]),
    ("tanh", [NAN, 1, -1, 1, -1], [NAN, 0, 0, 0, 0]),
    ("silu", [NAN, INF, 0, 1e4, 0], [NAN, 1, 0, 1, 0]),
    ("softplus", [NAN, INF, 0, 1e4, 0], [NAN, 1, 0, 1, 0]),
    ("gelu", [NAN, INF, 0, 1e4, 0], [NAN, 1, 0, 1, 0]),
    ("gelu tanh", [NAN, INF, 0, 1e4, 0], [NAN, 1, 0, 1, 0]),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "values", "slopes"), SPECIAL, ids=[row[0] for row in SPECIAL])
def test_special_numbers(name: str, values: list[float], slopes: list[float], dtype: type) -> None:
    name, *settings = name.split()
    x, precision = np.array([NAN, INF, -INF, 1e4, -1e4], dtype), np.finfo(dtype).eps
    np.testing.assert_allclose(getattr(F, name)(x, *settings), values, rtol=precision, atol=0)
    dx = getattr(F, f"{name}_backward")(np.ones(5, dtype), x, *settings)
    np.testing.assert_allclose(dx, slopes, rtol=precision, atol=0)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "selu"])
def test_the_slope_at_nan_is_that_of_pytorch(name: str, torch: Any) -> None:
    tensor = torch.tensor([np.nan, 1.0, -1.0], dtype=torch.float64, requires_grad=True)
    getattr(torch.nn.functional, name)(tensor).backward(torch.tensor([2.0, 3.0, 5.0], dtype=torch.float64))
    dx = getattr(F, f"{name}_backward")(np.array([2.0, 3.0, 5.0]), np.array([np.nan, 1.0, -1.0]))
    np.testing.assert_allclose(dx, tensor.grad)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gelu_at_large_numbers(approximate: str, dtype: type) -> None:
    largest = np.finfo(dtype).max
    x = np.array([50, -50, largest, -largest], dtype)
    np.testing.assert_array_equal(F.gelu(x, approximate), [50, 0, largest, 0])
    np.testing.assert_array_equal(F.gelu_backward(np.ones(4, dtype), x, approximate), [1, 0, 1, 0])


@pytest.mark.parametrize(("name", "settings", "formula", "slope"), TABLE, ids=IDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_array_without_axes_gives_one(
    name: str, settings: dict[str, Any], formula: Scalar, slope: Scalar, dtype: type
) -> None:
    x = np.array(-0.5, dtype)
    y = getattr(F, name)(x, **settings)
    dx = getattr(F, f"{name}_backward")(np.array(2, dtype), x, **settings)
    for array, value in ((y, formula(-0.5)), (dx, 2 * slope(-0.5))):
        assert isinstance(array, np.ndarray)
        assert (array.shape, array.dtype) == ((), np.dtype(dtype))
        assert float(array) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "selu"])
def test_the_derivative_from_the_left_at_the_kink(name: str) -> None:
    slope = getattr(F, f"{name}_backward")(np.ones(1), np.zeros(1))[0]
    left = numerical_gradient(lambda x: float(getattr(F, name)(x).sum()), np.array([-1e-7]), 1e-8)[0]
    assert slope == pytest.approx(left, abs=1e-6)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_the_output_at_hand_gives_the_same_gradient(name: str, rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    backward = getattr(F, f"{name}_backward")
    assert_same_bits(backward(dy, x, y=getattr(F, name)(x)), backward(dy, x))


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softmax", "log_softmax"])
@pytest.mark.parametrize(
    ("y", "error"),
    [
        (np.ones((2, 3), complex), TypeError),
        (np.ones((2, 3), np.float32), TypeError),
        (np.ma.masked_array(np.ones((2, 3))), TypeError),
        ("text", TypeError),
        (np.ones((3, 2)), ValueError),
        (np.ones(3), ValueError),
    ],
)
def test_an_output_unlike_the_input_is_refused(name: str, y: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=rf"^{name}_backward: expected y "):
        getattr(F, f"{name}_backward")(np.ones((2, 3)), np.ones((2, 3)), y=y)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("bad", [np.zeros(3, int), np.zeros(3, np.float16), "text", None, np.zeros(3, complex), [True]])
def test_bad_inputs(name: str, bad: Any) -> None:
    with pytest.raises(TypeError, match=rf"^{name}: expected x of float32 or float64, got "):
        getattr(F, name)(bad)
    with pytest.raises(TypeError, match=rf"^{name}_backward: expected x of float32 or float64, got "):
        getattr(F, f"{name}_backward")(np.zeros(3), bad)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_bad_gradients(name: str) -> None:
    backward = getattr(F, f"{name}_backward")
    with pytest.raises(ValueError, match=rf"^{name}_backward: expected dy \(2, 3\), got \(3,\)"):
        backward(np.zeros(3), np.zeros((2, 3)))
    with pytest.raises(TypeError, match=rf"^{name}_backward: expected dy of float64 like the input, got float32"):
        backward(np.zeros(3, np.float32), np.zeros(3))


def test_bad_settings() -> None:
    x = np.zeros(3)
    with pytest.raises(TypeError, match=r"leaky_relu: expected negative_slope to be a number, got str '0.1'"):
        F.leaky_relu(x, negative_slope="0.1")
    with pytest.raises(TypeError, match="elu: expected alpha to be a number, got NoneType None"):
        F.elu(x, alpha=None)
    with pytest.raises(ValueError, match=r"leaky_relu_backward: expected negative_slope to be finite, got nan"):
        F.leaky_relu_backward(x, x, negative_slope=np.nan)
    with pytest.raises(ValueError, match="elu: expected alpha to be finite, got inf"):
        F.elu(x, alpha=np.inf)
    with pytest.raises(ValueError, match="gelu_backward: expected approximate 'none' or 'tanh', got array"):
        F.gelu_backward(x, x, approximate=np.ones(2))
    with pytest.raises(ValueError, match="gelu: expected approximate 'none' or 'tanh', got 'fast'"):
        F.gelu(x, approximate="fast")
