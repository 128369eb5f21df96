"""Losses against their formulas and PyTorch."""

import math
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.drawn import generators
from tests.helpers import assert_close


def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    n, k = rng.integers(1, 7, 2)
    smoothing = float(rng.choice([0, 0.1, 0.5, 1]))
    return rng.normal(size=(n, k)) * rng.choice([0.1, 1, 10]), rng.integers(0, k, n), smoothing


def test_cross_entropy_equals_the_formula() -> None:
    for rng in generators(25):
        logits, labels, e = draw(rng)
        n, k = logits.shape
        loss, gradient = 0.0, np.zeros((n, k))
        for row in range(n):
            total = math.fsum(math.exp(z) for z in logits[row])
            for j in range(k):
                p = math.exp(logits[row, j]) / total
                target = (1 - e) * (j == labels[row]) + e / k
                loss -= target * math.log(p) / n
                gradient[row, j] = (p - target) / n
        assert_close(F.cross_entropy(logits, labels, label_smoothing=e), loss)
        assert_close(F.cross_entropy_backward(logits, labels, label_smoothing=e), gradient)
        assert_close(F.cross_entropy_backward(logits, labels, label_smoothing=e, dy=3.0), 3 * gradient)


def test_cross_entropy_equals_pytorch(torch: Any) -> None:
    for rng in generators(25):
        logits, labels, e = draw(rng)
        tensor = torch.tensor(logits, requires_grad=True)
        loss = torch.nn.functional.cross_entropy(tensor, torch.tensor(labels), label_smoothing=e)
        loss.backward()
        assert_close(F.cross_entropy(logits, labels, label_smoothing=e), loss.detach())
        assert_close(F.cross_entropy_backward(logits, labels, label_smoothing=e), tensor.grad)


def draw_shares(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    """Rows that add up to 1, some of them with zeros."""
    shares = rng.random((n, k)) * (rng.random((n, k)) < 0.7)
    shares[np.arange(n), rng.integers(0, k, n)] += 0.5
    return shares / shares.sum(axis=1, keepdims=True)


def test_the_loss_of_shares_is_the_mean_of_the_losses_of_their_classes() -> None:
    for rng in generators(30):
        logits, _, _ = draw(rng)
        n, k = logits.shape
        shares = draw_shares(rng, n, k)
        terms = [shares[row, j] * F.cross_entropy(logits[row : row + 1], [j]) / n for row in range(n) for j in range(k)]
        assert_close(F.cross_entropy(logits, shares), math.fsum(terms))


def test_cross_entropy_of_shares_equals_pytorch(torch: Any) -> None:
    for rng in generators(29):
        logits, _, e = draw(rng)
        n, k = logits.shape
        shares = draw_shares(rng, n, k)
        loss = F.cross_entropy(logits, shares, label_smoothing=e)
        gradient = F.cross_entropy_backward(logits, shares, label_smoothing=e, dy=2.0)
        tensor = torch.tensor(logits, requires_grad=True)
        theirs = torch.nn.functional.cross_entropy(tensor, torch.tensor(shares), label_smoothing=e)
        (2 * theirs).backward()
        assert_close(loss, theirs.detach())
        assert_close(gradient, tensor.grad)


def draw_pair(rng: np.random.Generator, binary: bool) -> tuple[np.ndarray, np.ndarray]:
    shape = tuple(rng.integers(1, 5, rng.integers(0, 4)))
    if not binary:
        return rng.normal(size=shape), rng.normal(size=shape)
    target = rng.random(shape)
    return 3 * rng.normal(size=shape), np.round(target) if rng.random() < 0.5 else target


def test_binary_cross_entropy_equals_the_formula() -> None:
    for rng in generators(26):
        logits, target = draw_pair(rng, binary=True)
        p = [1 / (1 + math.exp(-z)) for z in np.ravel(logits)]
        pairs = list(zip(p, np.ravel(target), strict=True))
        loss = -math.fsum(t * math.log(q) + (1 - t) * math.log1p(-q) for q, t in pairs) / len(pairs)
        assert_close(F.binary_cross_entropy(logits, target), loss)
        gradient = np.reshape([(q - t) / len(pairs) for q, t in pairs], logits.shape)
        assert_close(F.binary_cross_entropy_backward(logits, target), gradient)
        assert_close(F.binary_cross_entropy_backward(logits, target, dy=0.5), 0.5 * gradient)


def test_mean_squared_error_equals_the_formula() -> None:
    for rng in generators(27):
        y, target = draw_pair(rng, binary=False)
        pairs = list(zip(np.ravel(y), np.ravel(target), strict=True))
        assert_close(F.mean_squared_error(y, target), math.fsum((a - b) ** 2 for a, b in pairs) / len(pairs))
        gradient = np.reshape([2 * (a - b) / len(pairs) for a, b in pairs], y.shape)
        assert_close(F.mean_squared_error_backward(y, target), gradient)
        assert_close(F.mean_squared_error_backward(y, target, dy=2.0), 2 * gradient)


@pytest.mark.parametrize("binary", [True, False])
def test_losses_of_pairs_equal_pytorch(binary: bool, torch: Any) -> None:
    name = "binary_cross_entropy" if binary else "mean_squared_error"
    theirs = torch.nn.functional.binary_cross_entropy_with_logits if binary else torch.nn.functional.mse_loss
    for rng in generators(28):
        y, target = draw_pair(rng, binary)
        tensor = torch.tensor(y, requires_grad=True)
        loss = theirs(tensor, torch.tensor(target))
        loss.backward()
        assert_close(getattr(F, name)(y, target), loss.detach())
        assert_close(getattr(F, f"{name}_backward")(y, target), tensor.grad)
