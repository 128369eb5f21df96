"""ReLU and dropout as loops, against their plain versions."""

import numpy as np
import pytest

from numpycnn.kernels import activations as kernels
from tests.helpers import generators
from tests.kernels.pairs import compare


def draw(rng: np.random.Generator) -> tuple[int, np.ndarray, np.ndarray]:
    n = int(rng.integers(0, 30))
    x = rng.normal(size=n)
    special = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], n)
    return n, np.where(rng.random(n) < 0.3, special, x), rng.normal(size=n)


def test_relu() -> None:
    for rng in generators(62, count=60):
        n, x, dy = draw(rng)
        compare(kernels.relu, kernels.relu_reference, n, lambda x=x: (x, np.full(len(x), 7.0)))
        compare(
            kernels.relu_backward,
            kernels.relu_backward_reference,
            n,
            lambda x=x, dy=dy: (dy, x, np.full(len(x), 7.0)),
        )


@pytest.mark.parametrize("p", [0.0, 0.3, 0.9])
def test_dropout(p: float) -> None:
    threshold, scale = round(p * 2**32), 1 / (1 - p)
    for key, rng in enumerate(generators(63, count=30)):
        n, x, dy = draw(rng)
        x = np.nan_to_num(x, posinf=9, neginf=-9)
        compare(
            kernels.dropout,
            kernels.dropout_reference,
            n,
            lambda x=x, key=key: (x, key, threshold, scale, np.full(len(x), 7.0), np.zeros(len(x), bool)),
        )
        kept = rng.random(n) < 0.5
        compare(
            kernels.dropout_backward,
            kernels.dropout_backward_reference,
            n,
            lambda dy=dy, kept=kept: (dy, kept, scale, np.full(len(dy), 7.0)),
        )


def test_the_numbers_of_mix_look_random() -> None:
    numbers = np.array([[kernels.mix(key, i) for i in range(2000)] for key in (0, 1, 2**31 - 1, 123456789)])
    assert numbers.min() >= 0
    assert numbers.max() < 2**32
    np.testing.assert_allclose(numbers.mean(axis=1) / 2**32, 0.5, atol=0.03)
    np.testing.assert_allclose(((numbers[..., None] >> np.arange(32)) & 1).mean(axis=1), 0.5, atol=0.06)  # each bit
    unit = numbers / 2**32 - 0.5
    assert np.abs(np.corrcoef(unit) - np.eye(4)).max() < 0.08  # keys do not resemble each other
    for lag in (1, 2, 28, 256):
        assert np.abs((unit[:, lag:] * unit[:, :-lag]).mean(axis=1) * 12).max() < 0.1  # nor do neighbours


def test_mix_is_the_same_with_and_without_the_compiler() -> None:
    def murmur(key: int, counter: int) -> int:
        bits = ((counter * 0x9E3779B9) ^ key) & 0xFFFFFFFF
        bits = ((bits ^ (bits >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
        bits = ((bits ^ (bits >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
        return bits ^ (bits >> 16)

    for key in (0, 1, 2**31 - 1):
        for counter in (0, 1, 12345, 2**31 - 1, 2**31):
            assert kernels.mix(key, counter) == murmur(key, counter)
