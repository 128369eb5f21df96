"""The loops of pooling against their plain versions: ties, NaN, infinity, windows that see nothing."""

from typing import Any

import numpy as np
import pytest

from numpycnn.functional.windows import Windows
from numpycnn.kernels import pooling as kernels
from tests.helpers import draw_pool, generators
from tests.kernels.pairs import compare, windows_of

COUNT = 60


def draw(rng: np.random.Generator, rank: int) -> tuple[Windows, np.ndarray, np.ndarray]:
    """Windows, planes (B, S) with ties and special numbers in them, gradient (B, P)."""
    windows = windows_of(draw_pool(rng, rank, dilated=True))
    x = rng.normal(size=(4, int(np.prod(windows.size))))
    if rng.random() < 0.5:
        x = np.round(x)
    if rng.random() < 0.5:
        special = rng.choice([np.nan, np.inf, -np.inf], x.shape)
        x = np.where(rng.random(x.shape) < 0.2, special, x)
    return windows, x, rng.normal(size=(4, len(windows.table)))


def ready(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    return np.full(shape, 77.0), np.full(shape, 77, np.int32)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_max_pool(rank: int) -> None:
    for rng in generators(57, rank, count=COUNT):
        windows, x, dy = draw(rng, rank)
        compare(
            kernels.max_pool,
            kernels.max_pool_reference,
            4,
            lambda x=x, w=windows, s=dy.shape: (x, w.table, *ready(s)),
        )


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_max_pool_inside(rank: int) -> None:
    compared = 0
    for rng in generators(58, rank, count=4 * COUNT):
        windows, x, dy = draw(rng, rank)
        if not windows.inside:
            continue
        compared += 1
        compare(
            kernels.max_pool_inside,
            kernels.max_pool_inside_reference,
            4,
            lambda x=x, w=windows, s=dy.shape: (x, w.inner, *ready(s)),
        )
    assert compared >= 20


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_max_pool_backward(rank: int) -> None:
    for rng in generators(59, rank, count=COUNT):
        windows, x, dy = draw(rng, rank)
        _, winners = ready(dy.shape)
        kernels.max_pool_reference(0, 0, 4, x, windows.table, np.empty(dy.shape), winners)
        compare(
            kernels.max_pool_backward,
            kernels.max_pool_backward_reference,
            4,
            lambda dy=dy, winners=winners, s=x.shape: (dy, winners, np.full(s, np.nan)),
        )


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_window_sum(rank: int) -> None:
    for rng in generators(60, rank, count=COUNT):
        windows, x, dy = draw(rng, rank)
        with np.errstate(invalid="ignore"):  # inf - inf
            compare(
                kernels.window_sum,
                kernels.window_sum_reference,
                4,
                lambda x=x, w=windows, s=dy.shape: (x, w.table, np.full(s, np.nan)),
            )


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_window_sum_backward(rank: int) -> None:
    for rng in generators(61, rank, count=COUNT):
        windows, x, dy = draw(rng, rank)
        compare(
            kernels.window_sum_backward,
            kernels.window_sum_backward_reference,
            4,
            lambda dy=dy, w=windows, s=x.shape: (dy, w.table, np.full(s, np.nan)),
        )


@pytest.mark.parametrize(
    ("seen", "best", "winner"),
    [
        ([1.0, 3.0, 2.0], 3.0, 1),
        ([2.0, 2.0, 1.0], 2.0, 0),
        ([1.0, np.nan, 5.0], np.nan, 1),
        ([np.nan, np.nan, 5.0], np.nan, 1),
        ([-np.inf, -np.inf, -np.inf], -np.inf, 0),
        ([np.inf, 1.0, np.inf], np.inf, 0),
    ],
)
def test_who_wins(seen: list[float], best: float, winner: int) -> None:
    table = np.array([[0, 1, 2]])
    for kernel in (kernels.max_pool, kernels.max_pool_reference):
        y, winners = ready((1, 1))
        kernel(0, 0, 1, np.array([seen]), table, y, winners)
        np.testing.assert_array_equal(y, [[best]])
        assert winners[0, 0] == winner


def test_a_window_that_sees_nothing() -> None:
    for kernel in (kernels.max_pool, kernels.max_pool_reference):
        y, winners = ready((1, 2))
        kernel(0, 0, 1, np.array([[5.0]]), np.array([[-1, -1], [-1, 0]]), y, winners)
        np.testing.assert_array_equal(y, [[-np.inf, 5]])
        np.testing.assert_array_equal(winners, [[-1, 0]])


def test_a_chunk_touches_only_its_own_planes(rng: np.random.Generator) -> None:
    table = np.array([[0, 1], [1, 2]])
    x: Any = rng.normal(size=(5, 3))
    y, winners = ready((5, 2))
    kernels.max_pool(0, 2, 4, x, table, y, winners)
    assert (y[[0, 1, 4]] == 77).all()
    assert (winners[[0, 1, 4]] == 77).all()
    assert (y[2:4] != 77).all()
