"""Batch and layer normalisation against their formulas, PyTorch, and central differences."""

import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import assert_close, assert_same_bits, generators, layouts


class Drawn(NamedTuple):
    x: np.ndarray
    weight: np.ndarray | None
    bias: np.ndarray | None
    mean: np.ndarray
    var: np.ndarray
    dy: np.ndarray
    eps: float
    momentum: float


def draw(rng: np.random.Generator) -> Drawn:
    """At least two numbers in a channel, as PyTorch wants; its running variance would divide by 0 otherwise."""
    n, c = int(rng.integers(1, 5)), int(rng.integers(1, 5))
    size = tuple(int(s) for s in rng.integers(1, 5, rng.integers(0, 4)))
    if n * math.prod(size) == 1:
        n = 2
    x = rng.normal(rng.normal(size=c)[:, None], 1 + rng.random(), (n, c, math.prod(size))).reshape(n, c, *size)
    weight = rng.normal(size=c) if rng.random() < 0.8 else None
    bias = rng.normal(size=c) if rng.random() < 0.8 else None
    eps, momentum = float(rng.choice([1e-5, 1e-3, 0.1])), float(rng.choice([0.1, 0.5, 1.0, 0.0]))
    return Drawn(x, weight, bias, rng.normal(size=c), rng.random(c) + 0.1, rng.normal(size=x.shape), eps, momentum)


def standardize(numbers: list[float], dy: list[float], eps: float, w: list[float], b: list[float]) -> Any:
    """Normalise one set of numbers; the gradient goes through the whole Jacobian of mean and variance."""
    m = len(numbers)
    mean = math.fsum(numbers) / m
    variance = math.fsum((v - mean) ** 2 for v in numbers) / m
    s = 1 / math.sqrt(variance + eps)
    xhat = [(v - mean) * s for v in numbers]
    y = [w[i] * xhat[i] + b[i] for i in range(m)]
    # dxhat[i]/dx[j] = s ([i = j] - 1/m) - xhat[i] xhat[j] s / m, since ds/dx[j] = -s^2 xhat[j] / m
    dx = [math.fsum(dy[i] * w[i] * s * ((i == j) - 1 / m - xhat[i] * xhat[j] / m) for i in range(m)) for j in range(m)]
    return y, dx, xhat, mean, variance


def test_batch_norm_in_training_equals_the_formula() -> None:
    for rng in generators(20):
        d = draw(rng)
        y, dx = np.zeros(d.x.shape), np.zeros(d.x.shape)
        dweight, dbias = np.zeros(d.x.shape[1]), np.zeros(d.x.shape[1])
        mean, var = d.mean.copy(), d.var.copy()
        for c in range(d.x.shape[1]):
            numbers, gradient = d.x[:, c].ravel().tolist(), d.dy[:, c].ravel().tolist()
            m = len(numbers)
            w = 1.0 if d.weight is None else float(d.weight[c])
            b = 0.0 if d.bias is None else float(d.bias[c])
            ys, dxs, xhat, mu, variance = standardize(numbers, gradient, d.eps, [w] * m, [b] * m)
            y[:, c], dx[:, c] = np.reshape(ys, y[:, c].shape), np.reshape(dxs, y[:, c].shape)
            dweight[c], dbias[c] = math.fsum(g * v for g, v in zip(gradient, xhat, strict=True)), math.fsum(gradient)
            mean[c] = (1 - d.momentum) * mean[c] + d.momentum * mu
            var[c] = (1 - d.momentum) * var[c] + d.momentum * variance * m / (m - 1)
        running = d.mean.copy(), d.var.copy()
        settings = {"training": True, "eps": d.eps}
        assert_close(F.batch_norm(d.x, d.weight, d.bias, *running, momentum=d.momentum, **settings), y)
        assert_close(running[0], mean)
        assert_close(running[1], var)
        gradients = F.batch_norm_backward(d.dy, d.x, d.weight, *running, **settings)
        for got, wanted in zip(gradients, (dx, dweight, dbias), strict=True):
            assert_close(got, wanted)
        assert_close(F.batch_norm(d.x, d.weight, d.bias, None, None, **settings), y)


def test_batch_norm_in_inference_equals_the_formula() -> None:
    for rng in generators(21):
        d = draw(rng)
        y, dx = np.zeros(d.x.shape), np.zeros(d.x.shape)
        dweight, dbias = np.zeros(d.x.shape[1]), np.zeros(d.x.shape[1])
        for index in np.ndindex(d.x.shape):
            c = index[1]
            s = 1 / math.sqrt(d.var[c] + d.eps)
            w = 1.0 if d.weight is None else float(d.weight[c])
            b = 0.0 if d.bias is None else float(d.bias[c])
            xhat = (d.x[index] - d.mean[c]) * s
            y[index], dx[index] = w * xhat + b, d.dy[index] * w * s
            dweight[c] += d.dy[index] * xhat
            dbias[c] += d.dy[index]
        running = d.mean.copy(), d.var.copy()
        assert_close(F.batch_norm(d.x, d.weight, d.bias, *running, training=False, eps=d.eps), y)
        gradients = F.batch_norm_backward(d.dy, d.x, d.weight, *running, training=False, eps=d.eps)
        for got, wanted in zip(gradients, (dx, dweight, dbias), strict=True):
            assert_close(got, wanted)
        assert_same_bits(running[0], d.mean)
        assert_same_bits(running[1], d.var)


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_equals_pytorch(training: bool, torch: Any) -> None:
    for rng in generators(22):
        d = draw(rng)
        ones, zeros = np.ones(d.x.shape[1]), np.zeros(d.x.shape[1])
        weight, bias = ones if d.weight is None else d.weight, zeros if d.bias is None else d.bias
        x, w, b = (torch.tensor(array, requires_grad=True) for array in (d.x, weight, bias))
        theirs = torch.tensor(d.mean), torch.tensor(d.var)
        y = torch.nn.functional.batch_norm(x, *theirs, w, b, training=training, momentum=d.momentum, eps=d.eps)
        y.backward(torch.tensor(d.dy))
        ours = d.mean.copy(), d.var.copy()
        got = F.batch_norm(d.x, d.weight, d.bias, *ours, training=training, momentum=d.momentum, eps=d.eps)
        assert_close(got, y.detach())
        for mine, other in zip(ours, theirs, strict=True):
            assert_close(mine, other)
        gradients = F.batch_norm_backward(d.dy, d.x, d.weight, d.mean, d.var, training=training, eps=d.eps)
        for gradient, tensor in zip(gradients, (x, w, b), strict=True):
            assert_close(gradient, tensor.grad)


def draw_layer(
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray, int, float]:
    x = rng.normal(rng.normal(), 1 + rng.random(), tuple(rng.integers(1, 5, rng.integers(1, 5))))
    axis = int(rng.integers(-x.ndim, x.ndim))
    weight = rng.normal(size=x.shape[axis:]) if rng.random() < 0.8 else None
    bias = rng.normal(size=x.shape[axis:]) if rng.random() < 0.8 else None
    return x, weight, bias, rng.normal(size=x.shape), axis, float(rng.choice([1e-5, 1e-3, 0.1]))


def test_layer_norm_equals_the_formula() -> None:
    for rng in generators(23):
        x, weight, bias, dy, axis, eps = draw_layer(rng)
        shape = x.shape[axis:]
        y, dx, dweight, dbias = np.zeros(x.shape), np.zeros(x.shape), np.zeros(shape), np.zeros(shape)
        w = np.ones(shape) if weight is None else weight
        b = np.zeros(shape) if bias is None else bias
        for n in np.ndindex(x.shape[: axis % x.ndim]):
            lists = [np.ravel(a).tolist() for a in (x[n], dy[n], w, b)]
            ys, dxs, xhat, _, _ = standardize(lists[0], lists[1], eps, lists[2], lists[3])
            y[n], dx[n] = np.reshape(ys, shape), np.reshape(dxs, shape)
            dweight += dy[n] * np.reshape(xhat, shape)
            dbias += dy[n]
        assert_close(F.layer_norm(x, weight, bias, axis=axis, eps=eps), y)
        gradients = F.layer_norm_backward(dy, x, weight, bias, axis=axis, eps=eps)
        for got, wanted in zip(gradients, (dx, dweight, dbias), strict=True):
            assert_close(got, wanted)


def test_layer_norm_equals_pytorch(torch: Any) -> None:
    for rng in generators(24):
        x, weight, bias, dy, axis, eps = draw_layer(rng)
        shape = x.shape[axis:]
        arrays = (x, np.ones(shape) if weight is None else weight, np.zeros(shape) if bias is None else bias)
        tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
        y = torch.nn.functional.layer_norm(tensors[0], shape, *tensors[1:], eps=eps)
        y.backward(torch.tensor(dy))
        assert_close(F.layer_norm(x, weight, bias, axis=axis, eps=eps), y.detach())
        gradients = F.layer_norm_backward(dy, x, weight, bias, axis=axis, eps=eps)
        for got, tensor in zip(gradients, tensors, strict=True):
            assert_close(got, tensor.grad)


def test_layouts_and_types(rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(4, 3, 5, 6)), rng.normal(size=(4, 3, 5, 6))
    weight, bias, mean, var = rng.normal(size=3), rng.normal(size=3), rng.normal(size=3), rng.random(3)

    def everything(x: Any, dy: Any, weight: Any, bias: Any, mean: Any, var: Any) -> list[np.ndarray]:
        return [
            F.batch_norm(x, weight, bias, None, None, training=True),
            F.batch_norm(x, weight, bias, mean, var, training=False),
            *F.batch_norm_backward(dy, x, weight, training=True),
            *F.batch_norm_backward(dy, x, weight, mean, var, training=False),
            F.layer_norm(x, axis=1),
            *F.layer_norm_backward(dy, x, axis=1),
        ]

    arrays = (x, dy, weight, bias, mean, var)
    expected = everything(*arrays)
    for kind in layouts(x):
        others = [layouts(array)[kind] for array in arrays]
        for got, wanted in zip(everything(*others), expected, strict=True):
            assert_same_bits(got, wanted)
        for other, original in zip(others, arrays, strict=True):
            np.testing.assert_array_equal(other, original)
    for got, wanted in zip(everything(*(array.astype(np.float32) for array in arrays)), expected, strict=True):
        assert got.dtype == np.float32
        assert_close(got, wanted, 1e-5)


def test_empty_batches() -> None:
    empty, ones = np.empty((0, 3, 4)), np.ones(3)
    assert F.batch_norm(empty, ones, ones, ones, ones, training=False).shape == (0, 3, 4)
    dx, dweight, dbias = F.batch_norm_backward(empty, empty, ones, ones, ones, training=False)
    assert dx.shape == (0, 3, 4)
    assert_same_bits(dweight, np.zeros(3))
    assert_same_bits(dbias, np.zeros(3))
    with pytest.raises(
        ValueError, match=r"batch_norm: expected a batch that is not empty in training, got \(0, 3, 4\)"
    ):
        F.batch_norm(empty, ones, ones, None, None, training=True)
    with pytest.raises(TypeError, match="batch_norm: expected training to be True or False, got str 'no'"):
        F.batch_norm(np.ones((2, 3, 4)), ones, ones, ones, ones, training="no")
    assert F.layer_norm(empty).shape == (0, 3, 4)
    assert F.layer_norm_backward(empty, empty)[1].shape == (4,)


def test_a_single_number_in_a_channel() -> None:
    """Nothing can be said of the variance then: the output is the shift, the running variance takes the batch's 0."""
    mean, var = np.zeros(2), np.ones(2)
    y = F.batch_norm(np.array([[3.0, 4.0]]), np.ones(2), np.array([5.0, 6.0]), mean, var, training=True)
    np.testing.assert_array_equal(y, [[5.0, 6.0]])
    np.testing.assert_allclose(mean, [0.3, 0.4])
    np.testing.assert_allclose(var, [0.9, 0.9])


def test_a_large_mean_does_not_drown_the_variance() -> None:
    x = np.array([[0.0], [1.0], [2.0], [3.0]]) + 1e8
    expected = F.batch_norm(x - 1e8, None, None, None, None, training=True)
    np.testing.assert_allclose(F.batch_norm(x, None, None, None, None, training=True), expected, rtol=1e-7)


def test_nan_stays_in_its_channel() -> None:
    x = np.ones((2, 3, 2))
    x[0, 1, 0] = np.nan
    y = F.batch_norm(x, None, None, None, None, training=True)
    assert np.isnan(y[:, 1]).all()
    assert np.isfinite(y[:, [0, 2]]).all()
    np.testing.assert_array_equal(np.isnan(F.layer_norm(x)).any(axis=2), np.isnan(x).any(axis=2))


X, C = np.zeros((2, 3, 4)), np.ones(3)
BATCH: dict[str, Any] = {"x": X, "weight": C, "bias": C, "running_mean": C, "running_var": C, "training": False}
BAD_CALLS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"x": C}, ValueError, r"batch_norm: expected x \(N, C, ...\), got \(3,\)"),
    ({"x": X.astype(int)}, TypeError, "batch_norm: expected x of float32 or float64, got int64"),
    ({"x": X.astype(np.float16)}, TypeError, "batch_norm: expected x of float32 or float64, got float16"),
    ({"weight": np.ones(4)}, ValueError, r"batch_norm: expected weight \(3,\), got \(4,\)"),
    ({"weight": C.astype(np.float32)}, TypeError, "batch_norm: expected weight of float64 like the input, got float32"),
    ({"bias": np.ones((3, 1))}, ValueError, r"batch_norm: expected bias \(3,\), got \(3, 1\)"),
    ({"running_mean": np.ones(2)}, ValueError, r"batch_norm: expected running_mean \(3,\), got \(2,\)"),
    ({"running_var": np.ones(2)}, ValueError, r"batch_norm: expected running_var \(3,\), got \(2,\)"),
    ({"running_mean": None}, ValueError, "expected running_mean and running_var where training is False, got None"),
    (
        {"running_mean": np.ones(2), "training": True},
        ValueError,
        r"batch_norm: expected running_mean \(3,\), got \(2,\)",
    ),
    ({"eps": -1}, ValueError, "batch_norm: expected eps from 0 on, got -1"),
    ({"eps": "small"}, TypeError, "batch_norm: expected eps to be a number, got str 'small'"),
]


@pytest.mark.parametrize(("change", "error", "text"), BAD_CALLS)
def test_bad_calls(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.batch_norm(**BATCH | change)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"axis": 3}, ValueError, "layer_norm: expected axis from -3 to 2 for 3 dimensions, got 3"),
        ({"axis": 1.0}, TypeError, "layer_norm: expected axis to be an int, got float 1.0"),
        ({"weight": np.ones(3)}, ValueError, r"layer_norm: expected weight \(4,\), got \(3,\)"),
        ({"bias": np.ones((3, 4))}, ValueError, r"layer_norm: expected bias \(4,\), got \(3, 4\)"),
        ({"x": X[..., :0]}, ValueError, r"layer_norm: expected something to normalise over, got \(2, 3, 0\)"),
        ({"x": X.astype(int)}, TypeError, "layer_norm: expected x of float32 or float64, got int64"),
        ({"eps": np.inf}, ValueError, "layer_norm: expected eps from 0 on, got inf"),
    ],
)
def test_bad_calls_of_layer_norm(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.layer_norm(**{"x": X} | change)


def test_bad_gradients() -> None:
    with pytest.raises(ValueError, match=r"batch_norm_backward: expected dy \(2, 3, 4\), got \(2, 3\)"):
        F.batch_norm_backward(X[..., 0], X, C, training=True)
    with pytest.raises(ValueError, match=r"batch_norm_backward: expected running_mean and running_var .* got None"):
        F.batch_norm_backward(X, X, C, training=False)
    with pytest.raises(ValueError, match=r"layer_norm_backward: expected dy \(2, 3, 4\), got \(2, 3\)"):
        F.layer_norm_backward(X[..., 0], X)


def test_a_refused_call_leaves_the_running_values_alone():
    x, ones, zeros = np.ones((4, 3)), np.ones(3), np.zeros(3)
    mean, variance = np.zeros(3), np.ones(3)
    for weight, running_var, momentum, error in (
        (np.ones(4), variance, 0.1, ValueError),
        (ones, np.ones(4), 0.1, ValueError),
        (ones, [1.0, 1.0, 1.0], 0.1, TypeError),
        (ones, variance, np.nan, ValueError),
        (ones, variance, None, TypeError),
    ):
        with pytest.raises(error, match=r"^batch_norm: expected (weight|running_var|momentum)"):
            F.batch_norm(x, weight, zeros, mean, running_var, training=True, momentum=momentum)
        assert not mean.any()
