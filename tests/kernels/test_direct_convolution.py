"""The loops without im2col against their plain versions, on windows one element apart."""

from typing import Any

import numpy as np
import pytest

from numpycnn.functional.windows import Windows
from numpycnn.kernels import direct_convolution as kernels
from tests.helpers import draw_case, generators
from tests.kernels.pairs import compare, scratch, windows_of

COUNT = 40


def draw(rng: np.random.Generator, rank: int) -> tuple[Windows, np.ndarray, np.ndarray, np.ndarray]:
    """Windows, rows of the input (N, C, R, W), weights (G, F/G, K), gradient (N, F, P)."""
    case = draw_case(rng, rank)
    while max(case.stride) > 1:
        case = draw_case(rng, rank)
    windows = windows_of(case)
    groups, channels, filters = int(rng.integers(1, 3)), int(rng.integers(1, 4)), int(rng.integers(1, 8))
    size = (int(np.prod(case.size[:-1])), case.size[-1])
    x = rng.normal(size=(2, groups * channels, *size))
    weight = rng.normal(size=(groups, filters, channels * len(windows.flat.taps)))
    return windows, x, weight, rng.normal(size=(2, groups * filters, int(np.prod(case.output))))


def lines(windows: Windows, channels: int, filters: int) -> tuple[np.ndarray, np.ndarray]:
    length = int(windows.flat.origins[-1]) + windows.flat.width
    return scratch(1, channels, windows.flat.plane), scratch(1, filters, length)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_correlate(rank: int) -> None:
    for rng in generators(55, rank, count=COUNT):
        windows, x, weight, dy = draw(rng, rank)
        bias = rng.normal(size=dy.shape[1])

        def arguments(w: Windows = windows, a: Any = (x, weight, bias), shape: Any = dy.shape) -> tuple[Any, ...]:
            return (*a, w.flat, *lines(w, a[0].shape[1], a[1].shape[1]), np.full(shape, np.nan))

        compare(kernels.correlate_direct, kernels.correlate_direct_reference, 2, arguments)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("special", [None, np.nan, np.inf])
def test_weight_gradient(rank: int, special: float | None) -> None:
    for rng in generators(56, rank, count=COUNT if special is None else 10):
        windows, x, weight, dy = draw(rng, rank)
        if special is not None:
            x[0, 0, 0, -1] = special

        def arguments(w: Windows = windows, a: Any = (dy, x), shape: Any = weight.shape) -> tuple[Any, ...]:
            return (*a, w.flat, *lines(w, a[1].shape[1], shape[1]), np.zeros((1, *shape)))

        with np.errstate(invalid="ignore"):  # inf - inf, in the plain version
            compare(kernels.weight_gradient_direct, kernels.weight_gradient_direct_reference, 2, arguments)


def test_long_lines_are_done_in_blocks(rng: np.random.Generator) -> None:
    length, taps = 2 * kernels.BLOCK + 37, 7
    line = rng.normal(size=length + 20)
    offsets = np.sort(rng.integers(0, 20, taps))
    weight = rng.normal(size=(4, taps))
    expected = np.array([sum(w * line[o : o + length] for w, o in zip(row, offsets, strict=True)) for row in weight])
    four, one = np.full((4, length), np.nan), np.full(length, np.nan)
    kernels.add_four(line, offsets, weight, four)
    kernels.add_one(line, offsets, weight[0], one)
    np.testing.assert_allclose(four, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(one, expected[0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_all_finite(special: float, rng: np.random.Generator) -> None:
    line = rng.normal(size=100) * 1e300
    assert kernels.all_finite(line)
    for position in (0, 50, 99):
        damaged = line.copy()
        damaged[position] = special
        with np.errstate(invalid="ignore"):
            assert not kernels.all_finite(damaged)
