"""Convolutions of the fast backend give what the textbook's do, whichever algorithm they choose."""

from typing import Any

import numpy as np
import pytest

import numpycnn
from tests.fast.agreement import SINGLE, agree
from tests.helpers import assert_close
from tests.operations import Arguments, call, call_backward

RANKS = pytest.mark.parametrize("rank", [1, 2, 3])
SIZES = {1: 40, 2: 14, 3: 6}  # largest of each axis


@RANKS
@pytest.mark.parametrize("name", ["conv", "conv_transpose"])
def test_equals_the_textbook(name: str, rank: int) -> None:
    agree(f"{name}{rank}d")


def draw_wide(rng: np.random.Generator, rank: int, kernel: int, groups: Any = 1, stride: int = 1) -> Arguments:
    """Many channels, and kernels of one size on all axes."""
    channels, filters = (int(n) for n in rng.integers(1, 40, 2))
    if groups == "depthwise":
        groups, filters = channels, channels * int(rng.integers(1, 3))
    size = tuple(int(n) for n in rng.integers(kernel, SIZES[rank] + 1, rank))
    x = rng.normal(size=(rng.integers(1, 4), channels, *size))
    weight = rng.normal(size=(filters, channels // groups, *(kernel,) * rank)) / (channels // groups)
    settings = {"stride": stride, "padding": int(rng.integers(0, kernel)), "groups": groups}
    return {"x": x, "weight": weight, "bias": rng.normal(size=filters), **settings}


@RANKS
def test_pointwise_convolutions_equal_the_textbook(rank: int) -> None:
    agree(f"conv{rank}d", lambda rng: draw_wide(rng, rank, kernel=1, stride=int(rng.integers(1, 3))))


@RANKS
def test_depthwise_convolutions_equal_the_textbook(rank: int) -> None:
    agree(
        f"conv{rank}d", lambda rng: draw_wide(rng, rank, kernel=3, groups="depthwise", stride=int(rng.integers(1, 3)))
    )


@RANKS
def test_convolutions_of_many_channels_equal_the_textbook(rank: int) -> None:
    """In two dimensions, those with more than 16 to 24 channels take Winograd's algorithm."""
    agree(f"conv{rank}d", lambda rng: draw_wide(rng, rank, kernel=3))


# --------------------------------------------------------------------------------------------------- NaN and infinities

WIDE: list[tuple[tuple[int, ...], tuple[int, ...], Arguments]] = [  # one for each algorithm
    ((2, 8, 30, 20), (3, 8, 3, 3), {}),
    ((2, 16, 31, 33), (12, 16, 3, 3), {"padding": 1, "stride": 2}),
    ((2, 4, 33, 40), (8, 4, 5, 4), {"padding": ((2, 1), (0, 1))}),
    ((2, 32, 14, 15), (64, 32, 3, 3), {"padding": 1}),
    ((2, 8, 12, 11), (9, 8, 1, 1), {}),
    ((2, 8, 12, 11), (16, 1, 3, 3), {"groups": 8, "padding": 1}),
]


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("x_shape", "weight_shape", "settings"), WIDE)
def test_special_numbers_reach_what_sees_them_and_nothing_else(
    x_shape: Any, weight_shape: Any, settings: Arguments, special: float, dtype: type, rng: np.random.Generator
) -> None:
    """An output, or gradient, that does not see the special number is finite; one that does is not."""
    clean = {"x": rng.normal(size=x_shape).astype(dtype), "weight": rng.normal(size=weight_shape).astype(dtype)}
    clean |= settings
    x = clean["x"].copy()
    x[1, :, 7, 9] = special
    with numpycnn.backend("plain"):
        y = call("conv2d", clean)
    clean_dy = rng.normal(size=y.shape).astype(dtype)
    dy = clean_dy.copy()
    dy[1, 2, 5, 6] = special
    results = []
    for backend in ("plain", "fast"):
        with numpycnn.backend(backend):
            dx, dweight, _ = call_backward("conv2d", clean, dy)
            # Padding times infinity is NaN: which taps of the filter's gradient are is up to the algorithm.
            results.append([call("conv2d", clean | {"x": x}), dx, np.delete(dweight, 2, axis=0)])
    for textbook, fast in zip(*results, strict=True):
        np.testing.assert_array_equal(np.isfinite(fast), np.isfinite(textbook))
        finite = np.isfinite(textbook)
        assert_close(np.where(finite, fast, 0), np.where(finite, textbook, 0), SINGLE if dtype is np.float32 else 1e-10)
