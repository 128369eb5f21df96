"""Upsampling and zero padding against their definitions and PyTorch."""

import math
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.drawn import Pairs, draw_padding, draw_setting, generators, pairs_of, spread
from tests.helpers import assert_close, assert_same_bits
from tests.plain.naive import positions

MODES = ["nearest", "bilinear"]


def draw_upsample(rng: np.random.Generator) -> tuple[np.ndarray, Any, tuple[int, ...], np.ndarray]:
    rank = int(rng.integers(1, 4))
    x = rng.normal(size=(rng.integers(1, 3), rng.integers(1, 3), *rng.integers(1, 6 - rank, rank)))
    setting = draw_setting(rng, 1, 3, rank)
    scales = spread(setting, rank)
    return x, setting, scales, rng.normal(size=(*x.shape[:2], *np.multiply(x.shape[2:], scales)))


def shares(o: int, size: int, scale: int, mode: str) -> list[tuple[int, float]]:
    """Which inputs of one axis make output `o`, and by how much."""
    at = min(max((o + 0.5) / scale - 0.5, 0.0), size - 1.0)
    if mode == "nearest":
        return [(o // scale, 1.0)]
    left = math.floor(at)
    return [(left, 1 - (at - left))] + ([(left + 1, at - left)] if at > left else [])


@pytest.mark.parametrize("mode", MODES)
def test_upsample_equals_the_definition(mode: str) -> None:
    for rng in generators(29):
        x, setting, scales, dy = draw_upsample(rng)
        y, dx = np.zeros(dy.shape), np.zeros(x.shape)
        for o in positions(dy.shape[2:]):
            terms: list[tuple[tuple[int, ...], float]] = [((), 1.0)]
            for position, size, scale in zip(o, x.shape[2:], scales, strict=True):
                terms = [((*at, i), w * v) for at, w in terms for i, v in shares(position, size, scale, mode)]
            for at, weight in terms:
                y[(..., *o)] += weight * x[(..., *at)]
                dx[(..., *at)] += weight * dy[(..., *o)]
        assert_close(F.upsample(x, setting, mode=mode), y)
        assert_close(F.upsample_backward(dy, x, setting, mode=mode), dx)


@pytest.mark.parametrize("mode", MODES)
def test_upsample_equals_pytorch(mode: str, torch: Any) -> None:
    for rng in generators(29):
        x, setting, scales, dy = draw_upsample(rng)
        theirs = {"mode": mode} if mode == "nearest" else {"mode": ["linear", "bilinear", "trilinear"][len(scales) - 1]}
        tensor = torch.tensor(x, requires_grad=True)
        y = torch.nn.functional.interpolate(tensor, scale_factor=tuple(float(s) for s in scales), **theirs)
        y.backward(torch.tensor(dy))
        assert_close(F.upsample(x, setting, mode=mode), y.detach())
        assert_close(F.upsample_backward(dy, x, setting, mode=mode), tensor.grad)


def draw_zero_pad(rng: np.random.Generator) -> tuple[np.ndarray, Any, Pairs, np.ndarray]:
    rank = int(rng.integers(1, 4))
    x = rng.normal(size=(rng.integers(1, 3), rng.integers(1, 3), *rng.integers(1, 5, rank)))
    padding = 0
    while isinstance(padding := draw_padding(rng, (2,) * rank, ["valid"]), str):
        pass
    ones = (1,) * rank
    pairs = pairs_of(padding, x.shape[2:], ones, ones, ones)
    return (
        x,
        padding,
        pairs,
        rng.normal(size=(*x.shape[:2], *(n + sum(p) for n, p in zip(x.shape[2:], pairs, strict=True)))),
    )


def test_zero_pad_equals_the_definition() -> None:
    for rng in generators(30):
        x, padding, pairs, dy = draw_zero_pad(rng)
        y, dx = np.zeros(dy.shape), np.zeros(x.shape)
        for at in np.ndindex(x.shape):
            moved = (*at[:2], *(i + before for i, (before, _) in zip(at[2:], pairs, strict=True)))
            y[moved], dx[at] = x[at], dy[moved]
        assert_same_bits(F.zero_pad(x, padding), y)
        assert_same_bits(F.zero_pad_backward(dy, x, padding), dx)


def test_zero_pad_equals_pytorch(torch: Any) -> None:
    for rng in generators(30):
        x, padding, pairs, dy = draw_zero_pad(rng)
        tensor = torch.tensor(x, requires_grad=True)
        y = torch.nn.functional.pad(tensor, [n for pair in reversed(pairs) for n in pair])
        y.backward(torch.tensor(dy))
        np.testing.assert_array_equal(F.zero_pad(x, padding), y.detach())
        np.testing.assert_array_equal(F.zero_pad_backward(dy, x, padding), tensor.grad)
