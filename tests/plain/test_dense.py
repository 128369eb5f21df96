"""Dense layers and embeddings against explicit loops and PyTorch."""

from typing import Any

import numpy as np

from numpycnn import functional as F
from tests.drawn import generators
from tests.helpers import assert_close, assert_same_bits


def draw_linear(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    before = tuple(rng.integers(1, 4, rng.integers(0, 3)))
    inputs, outputs = rng.integers(1, 7, 2)
    bias = rng.normal(size=outputs) if rng.random() < 0.7 else None
    x = rng.normal(size=(*before, inputs))
    return x, rng.normal(size=(outputs, inputs)), bias, rng.normal(size=(*before, outputs))


def test_linear_equals_the_definition() -> None:
    for rng in generators(19):
        x, weight, bias, dy = draw_linear(rng)
        y, dx, dweight, dbias = np.zeros(dy.shape), np.zeros(x.shape), np.zeros(weight.shape), np.zeros(len(weight))
        for n in np.ndindex(x.shape[:-1]):
            for o in range(len(weight)):
                y[n][o] = 0 if bias is None else bias[o]
                dbias[o] += dy[n][o]
                for i in range(weight.shape[1]):
                    y[n][o] += weight[o, i] * x[n][i]
                    dx[n][i] += dy[n][o] * weight[o, i]
                    dweight[o, i] += dy[n][o] * x[n][i]
        actual = (F.linear(x, weight, bias), *F.linear_backward(dy, x, weight))
        for got, wanted in zip(actual, (y, dx, dweight, dbias), strict=True):
            assert_close(got, wanted)


def test_linear_equals_pytorch(torch: Any) -> None:
    for rng in generators(19):
        x, weight, bias, dy = draw_linear(rng)
        bias = np.zeros(len(weight)) if bias is None else bias
        tensors = [torch.tensor(array, requires_grad=True) for array in (x, weight, bias)]
        y = torch.nn.functional.linear(*tensors)
        y.backward(torch.tensor(dy))
        assert_close(F.linear(x, weight, bias), y.detach())
        for got, tensor in zip(F.linear_backward(dy, x, weight), tensors, strict=True):
            assert_close(got, tensor.grad)


def draw_embedding(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, length = rng.integers(1, 6, 2)
    x = rng.integers(0, rows, tuple(rng.integers(1, 5, rng.integers(0, 4))))
    return x, rng.normal(size=(rows, length)), rng.normal(size=(*x.shape, length))


def test_embedding_equals_the_definition() -> None:
    for rng in generators(31):
        x, weight, dy = draw_embedding(rng)
        y, dweight = np.zeros(dy.shape), np.zeros(weight.shape)
        for at in np.ndindex(x.shape):
            for j in range(weight.shape[1]):
                y[at][j] = weight[x[at], j]
                dweight[x[at], j] += dy[at][j]
        assert_same_bits(F.embedding(x, weight), y)
        assert_close(F.embedding_backward(dy, x, weight), dweight)


def test_embedding_equals_pytorch(torch: Any) -> None:
    for rng in generators(31):
        x, weight, dy = draw_embedding(rng)
        tensor = torch.tensor(weight, requires_grad=True)
        y = torch.nn.functional.embedding(torch.tensor(x), tensor)
        y.backward(torch.tensor(dy))
        np.testing.assert_array_equal(F.embedding(x, weight), y.detach())
        assert_close(F.embedding_backward(dy, x, weight), tensor.grad)
