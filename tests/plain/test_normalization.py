"""Batch, layer and group normalization against their formulas and PyTorch."""

import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from numpycnn import functional as F
from tests.drawn import generators
from tests.helpers import assert_close, assert_same_bits
from tests.operations import draw_group_norm


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


def draw_group(rng: np.random.Generator) -> dict[str, Any]:
    arguments = draw_group_norm(rng)
    return arguments | {"dy": rng.normal(size=arguments["x"].shape)}


def test_group_norm_equals_the_formula() -> None:
    for rng in generators(25):
        x, groups, weight, bias, eps, dy = draw_group(rng).values()
        n, c = x.shape[:2]
        w, b = (np.ones(c) if weight is None else weight), (np.zeros(c) if bias is None else bias)
        y, dx, dweight, dbias = np.zeros(x.shape), np.zeros(x.shape), np.zeros(c), np.zeros(c)
        per_channel = math.prod(x.shape[2:])
        for example in range(n):
            for part in np.split(np.arange(c), groups):
                at = (example, part)
                scales, shifts = (np.repeat(a[part], per_channel).tolist() for a in (w, b))
                ys, dxs, xhat, _, _ = standardize(x[at].ravel().tolist(), dy[at].ravel().tolist(), eps, scales, shifts)
                y[at], dx[at] = np.reshape(ys, y[at].shape), np.reshape(dxs, dx[at].shape)
                dweight[part] += (dy[at].reshape(len(part), -1) * np.reshape(xhat, (len(part), -1))).sum(axis=1)
                dbias[part] += dy[at].reshape(len(part), -1).sum(axis=1)
        assert_close(F.group_norm(x, groups, weight, bias, eps=eps), y)
        gradients = F.group_norm_backward(dy, x, groups, weight, bias, eps=eps)
        for got, wanted in zip(gradients, (dx, dweight, dbias), strict=True):
            assert_close(got, wanted)


def test_group_norm_equals_pytorch(torch: Any) -> None:
    for rng in generators(26, count=50):
        x, groups, weight, bias, eps, dy = draw_group(rng).values()
        c = x.shape[1]
        arrays = (x, np.ones(c) if weight is None else weight, np.zeros(c) if bias is None else bias)
        tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
        y = torch.nn.functional.group_norm(tensors[0], groups, *tensors[1:], eps=eps)
        y.backward(torch.tensor(dy))
        assert_close(F.group_norm(x, groups, weight, bias, eps=eps), y.detach())
        gradients = F.group_norm_backward(dy, x, groups, weight, bias, eps=eps)
        for got, tensor in zip(gradients, tensors, strict=True):
            assert_close(got, tensor.grad)


def test_groups_of_one_channel_are_the_instance_norm_of_pytorch(torch: Any) -> None:
    for rng in generators(27, count=50):
        n, c, *size = rng.integers(1, 5, rng.integers(3, 6)).tolist()
        size[0] += 1
        x, dy, weight, bias = rng.normal(size=(n, c, *size)), rng.normal(size=(n, c, *size)), *rng.normal(size=(2, c))
        tensors = [torch.tensor(array, requires_grad=True) for array in (x, weight, bias)]
        y = torch.nn.functional.instance_norm(tensors[0], weight=tensors[1], bias=tensors[2], eps=1e-3)
        y.backward(torch.tensor(dy))
        assert_close(F.group_norm(x, c, weight, bias, eps=1e-3), y.detach())
        gradients = F.group_norm_backward(dy, x, c, weight, bias, eps=1e-3)
        for got, tensor in zip(gradients, tensors, strict=True):
            assert_close(got, tensor.grad)


def test_a_layer_norm_over_all_axes_is_a_group_norm_of_one_group(rng: np.random.Generator) -> None:
    x, dy = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 4, 5))
    assert_close(F.group_norm(x, 1), F.layer_norm(x, axis=1), 1e-13)
    assert_close(F.group_norm_backward(dy, x, 1)[0], F.layer_norm_backward(dy, x, axis=1)[0], 1e-13)
