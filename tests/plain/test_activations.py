"""Activation functions against their formulas, number by number, and against PyTorch."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.drawn import generators
from tests.helpers import assert_close

ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805  # of arXiv 1706.02515


def phi(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


def density(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def inner(x: float) -> float:
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)


def gelu_tanh_slope(x: float) -> float:
    t = math.tanh(inner(x))
    return (1 + t) / 2 + x / 2 * (1 - t * t) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


Scalar = Callable[[float], float]


#: name of the function, its settings, its formula, the derivative, the settings' names in PyTorch
TABLE: list[tuple[str, dict[str, Any], Scalar, Scalar]] = [
    ("relu", {}, lambda x: max(x, 0.0), lambda x: float(x > 0)),
    ("leaky_relu", {}, lambda x: x if x > 0 else 0.01 * x, lambda x: 1.0 if x > 0 else 0.01),
    ("leaky_relu", {"negative_slope": 0.3}, lambda x: x if x > 0 else 0.3 * x, lambda x: 1.0 if x > 0 else 0.3),
    ("elu", {}, lambda x: x if x > 0 else math.expm1(x), lambda x: 1.0 if x > 0 else math.exp(x)),
    (
        "elu",
        {"alpha": 0.7},
        lambda x: x if x > 0 else 0.7 * math.expm1(x),
        lambda x: 1.0 if x > 0 else 0.7 * math.exp(x),
    ),
    (
        "selu",
        {},
        lambda x: SCALE * (x if x > 0 else ALPHA * math.expm1(x)),
        lambda x: SCALE * (1 if x > 0 else ALPHA * math.exp(x)),
    ),
    ("gelu", {}, lambda x: x * phi(x), lambda x: phi(x) + x * density(x)),
    ("gelu", {"approximate": "tanh"}, lambda x: x * (1 + math.tanh(inner(x))) / 2, gelu_tanh_slope),
    ("sigmoid", {}, logistic, lambda x: logistic(x) * (1 - logistic(x))),
    ("silu", {}, lambda x: x * logistic(x), lambda x: logistic(x) + x * logistic(x) * (1 - logistic(x))),
    ("softplus", {}, lambda x: math.log1p(math.exp(x)), logistic),
    ("tanh", {}, math.tanh, lambda x: 1 - math.tanh(x) ** 2),
]


IDS = [" ".join([name, *(f"{key}={value}" for key, value in settings.items())]) for name, settings, *_ in TABLE]


def draw_elementwise(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    shape = tuple(rng.integers(1, 5, rng.integers(0, 5)))
    x = rng.normal(size=shape) * rng.choice([0.1, 1, 5])
    return x, rng.normal(size=shape)


@pytest.mark.parametrize(("name", "settings", "formula", "slope"), TABLE, ids=IDS)
def test_elementwise_equals_the_formula(name: str, settings: dict[str, Any], formula: Scalar, slope: Scalar) -> None:
    forward, backward = getattr(F, name), getattr(F, f"{name}_backward")
    for rng in generators(16):
        x, dy = draw_elementwise(rng)
        y = np.array([formula(float(v)) for v in x.ravel()]).reshape(x.shape)
        dx = np.array([float(g) * slope(float(v)) for g, v in zip(dy.ravel(), x.ravel(), strict=True)]).reshape(x.shape)
        assert_close(forward(x, **settings), y)
        assert_close(backward(dy, x, **settings), dx)


@pytest.mark.parametrize(("name", "settings", "formula", "slope"), TABLE, ids=IDS)
def test_elementwise_equals_pytorch(
    name: str, settings: dict[str, Any], formula: Scalar, slope: Scalar, torch: Any
) -> None:
    theirs = getattr(torch if name in ("sigmoid", "tanh") else torch.nn.functional, name)
    exact = {"threshold": 50} if name == "softplus" else {}  # above its threshold, PyTorch returns x
    for rng in generators(17, count=50):
        x, dy = draw_elementwise(rng)
        tensor = torch.tensor(x, requires_grad=True)
        y = theirs(tensor, **settings, **exact)
        y.backward(torch.tensor(dy))
        assert_close(getattr(F, name)(x, **settings), y.detach())
        assert_close(getattr(F, f"{name}_backward")(dy, x, **settings), tensor.grad)


def draw_prelu(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, dy = draw_elementwise(rng)
    slopes = x.shape[1] if x.ndim > 1 and rng.random() < 0.6 else 1
    return x, dy, rng.normal(size=slopes)


def test_prelu_equals_the_formula() -> None:
    for rng in generators(19):
        x, dy, weight = draw_prelu(rng)
        y, dx, dweight = np.zeros(x.shape), np.zeros(x.shape), np.zeros(weight.shape)
        for at in np.ndindex(x.shape):
            c = at[1] if len(weight) > 1 else 0
            positive = x[at] > 0
            y[at] = x[at] if positive else weight[c] * x[at]
            dx[at] = dy[at] if positive else weight[c] * dy[at]
            dweight[c] += 0 if positive else dy[at] * x[at]
        assert_close(F.prelu(x, weight), y)
        for got, wanted in zip(F.prelu_backward(dy, x, weight), (dx, dweight), strict=True):
            assert_close(got, wanted)


def test_prelu_equals_pytorch(torch: Any) -> None:
    for rng in generators(19, count=50):
        x, dy, weight = draw_prelu(rng)
        tensors = [torch.tensor(array, requires_grad=True) for array in (x, weight)]
        y = torch.nn.functional.prelu(*tensors)
        y.backward(torch.tensor(dy))
        assert_close(F.prelu(x, weight), y.detach())
        for gradient, tensor in zip(F.prelu_backward(dy, x, weight), tensors, strict=True):
            assert_close(gradient, tensor.grad)


def draw_softmax(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
    shape = tuple(rng.integers(1, 5, rng.integers(1, 5)))
    x = rng.normal(size=shape) * rng.choice([0.1, 1, 10])
    return x, rng.normal(size=shape), int(rng.integers(-x.ndim, x.ndim))


def by_line(x: np.ndarray, dy: np.ndarray, axis: int, log: bool) -> tuple[np.ndarray, np.ndarray]:
    """Go through the lines along the axis; the gradient sums the whole Jacobian."""
    y, dx = np.zeros(x.shape), np.zeros(x.shape)
    lines = zip(*(np.moveaxis(a, axis, -1).reshape(-1, x.shape[axis]) for a in (x, dy)), strict=True)
    ys, dxs = [], []
    for numbers, gradient in lines:
        total = math.fsum(math.exp(v) for v in numbers)
        p = [math.exp(v) / total for v in numbers]
        n = range(len(p))
        ys.append([v - math.log(total) for v in numbers] if log else p)
        jacobian = [[(i == j) - p[j] if log else p[i] * ((i == j) - p[j]) for j in n] for i in n]
        dxs.append([math.fsum(gradient[i] * jacobian[i][j] for i in n) for j in n])
    for target, rows in ((y, ys), (dx, dxs)):
        moved = np.moveaxis(target, axis, -1)
        moved[...] = np.reshape(rows, moved.shape)
    return y, dx


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_equals_the_formula(name: str) -> None:
    for rng in generators(18):
        x, dy, axis = draw_softmax(rng)
        y, dx = by_line(x, dy, axis, name == "log_softmax")
        assert_close(getattr(F, name)(x, axis), y)
        assert_close(getattr(F, f"{name}_backward")(dy, x, axis), dx)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_equals_pytorch(name: str, torch: Any) -> None:
    for rng in generators(18):
        x, dy, axis = draw_softmax(rng)
        tensor = torch.tensor(x, requires_grad=True)
        y = getattr(torch, name)(tensor, axis)
        y.backward(torch.tensor(dy))
        assert_close(getattr(F, name)(x, axis), y.detach())
        assert_close(getattr(F, f"{name}_backward")(dy, x, axis), tensor.grad)
