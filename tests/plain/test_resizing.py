"""Upsampling, padding and pixel shuffle against their definitions and PyTorch."""

import math
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.drawn import Pairs, draw_padding, draw_setting, generators, pairs_of, spread
from tests.helpers import assert_close, assert_same_bits
from tests.operations import Arguments, draw_pad, draw_pixel_shuffle
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


def source_index(i: int, size: int, mode: str) -> int | None:
    """Which element of an axis is at position `i`, counted from its first element; None is a zero."""
    if 0 <= i < size:
        return i
    if mode == "constant":
        return None
    if mode == "edge":
        return 0 if i < 0 else size - 1
    return -i if i < 0 else 2 * (size - 1) - i


def pairs_and_gradient(rng: np.random.Generator, arguments: Arguments) -> tuple[Pairs, np.ndarray]:
    x, ones = arguments["x"], (1,) * (arguments["x"].ndim - 2)
    pairs = pairs_of(arguments["padding"], x.shape[2:], ones, ones, ones)
    size = [n + sum(pair) for n, pair in zip(x.shape[2:], pairs, strict=True)]
    return pairs, rng.normal(size=(*x.shape[:2], *size))


def test_pad_equals_the_definition() -> None:
    for rng in generators(31):
        arguments = draw_pad(rng)
        x, mode = arguments["x"], arguments["mode"]
        pairs, dy = pairs_and_gradient(rng, arguments)
        y, dx = np.zeros(dy.shape), np.zeros(x.shape)
        for at in np.ndindex(dy.shape):
            axes = zip(at[2:], x.shape[2:], pairs, strict=True)
            found = [source_index(i - before, size, mode) for i, size, (before, _) in axes]
            if None not in found:
                source: Any = (*at[:2], *found)
                y[at] = x[source]
                dx[source] += dy[at]
        assert_same_bits(F.pad(**arguments), y)
        assert_close(F.pad_backward(dy, **arguments), dx)


def test_pad_equals_pytorch(torch: Any) -> None:
    theirs = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}
    for rng in generators(32, count=50):
        arguments = draw_pad(rng)
        pairs, dy = pairs_and_gradient(rng, arguments)
        tensor = torch.tensor(arguments["x"], requires_grad=True)
        sides = [n for pair in reversed(pairs) for n in pair]
        y = torch.nn.functional.pad(tensor, sides, mode=theirs[arguments["mode"]])
        y.backward(torch.tensor(dy))
        np.testing.assert_array_equal(F.pad(**arguments), y.detach())
        assert_close(F.pad_backward(dy, **arguments), tensor.grad)


def test_pixel_shuffle_equals_the_definition() -> None:
    for rng in generators(33):
        x, factor = draw_pixel_shuffle(rng).values()
        factors = spread(factor, x.ndim - 2)
        size = [i * r for i, r in zip(x.shape[2:], factors, strict=True)]
        y = np.zeros((len(x), x.shape[1] // math.prod(factors), *size))
        for at in np.ndindex(y.shape):
            channel = at[1]
            for i, r in zip(at[2:], factors, strict=True):
                channel = channel * r + i % r
            y[at] = x[(at[0], channel, *(i // r for i, r in zip(at[2:], factors, strict=True)))]
        assert_same_bits(F.pixel_shuffle(x, factor), y)
        assert_same_bits(F.pixel_shuffle_backward(y, x, factor), x)


def test_pixel_shuffle_equals_pytorch(torch: Any) -> None:
    for rng in generators(34, count=50):
        r, c, h, w = (int(n) for n in rng.integers(1, 4, 4))
        x, dy = rng.normal(size=(2, c * r * r, h, w)), rng.normal(size=(2, c, h * r, w * r))
        tensor = torch.tensor(x, requires_grad=True)
        y = torch.nn.functional.pixel_shuffle(tensor, r)
        y.backward(torch.tensor(dy))
        np.testing.assert_array_equal(F.pixel_shuffle(x, r), y.detach())
        np.testing.assert_array_equal(F.pixel_shuffle_backward(dy, x, r), tensor.grad)
