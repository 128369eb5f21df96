"""The loops of pooling: winners among ties and special values, windows of padding alone, chunks."""

import numpy as np
import pytest

from numpycnn.kernels import pooling as kernels


def outputs(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    return np.full(shape, 77.0), np.full(shape, 77, np.int32)


@pytest.mark.parametrize(
    ("window", "largest", "winner"),
    [
        ([1.0, 3.0, 2.0], 3.0, 1),
        ([2.0, 2.0, 1.0], 2.0, 0),
        ([1.0, np.nan, 5.0], np.nan, 1),
        ([-np.inf, -np.inf, -np.inf], -np.inf, 0),
        ([np.inf, 1.0, np.inf], np.inf, 0),
    ],
)
def test_both_loops_choose_the_same_winner(window: list[float], largest: float, winner: int) -> None:
    """The loop over a table, and that over a vector of adjacent windows: 40 windows fill more than one register."""
    x = np.tile(window, (2, 40))
    table = np.arange(120).reshape(40, 3)
    inner = kernels.InnerWindows(taps=np.arange(3), origins=np.zeros(1, np.int64), step=3, width=40)
    unit = kernels.InnerWindows(taps=40 * np.arange(3), origins=np.zeros(1, np.int64), step=1, width=40)
    interleaved = np.repeat(window, 40)[None].repeat(2, axis=0)
    for loop, planes, geometry, first, gap in (
        (kernels.max_pool, x, table, 3 * np.arange(40), 1),
        (kernels.max_pool_inside, x, inner, 3 * np.arange(40), 1),
        (kernels.max_pool_inside, interleaved, unit, np.arange(40), 40),
    ):
        y, winners = outputs((2, 40))
        loop(0, 0, 2, planes, geometry, y, winners)
        np.testing.assert_array_equal(y, np.full((2, 40), largest))
        np.testing.assert_array_equal(winners, np.tile(first + winner * gap, (2, 1)))


def test_a_window_of_padding_alone_has_no_winner() -> None:
    y, winners = outputs((1, 2))
    kernels.max_pool(0, 0, 1, np.array([[5.0]]), np.array([[-1, -1], [-1, 0]]), y, winners)
    np.testing.assert_array_equal(y, [[-np.inf, 5]])
    np.testing.assert_array_equal(winners, [[-1, 0]])


def test_a_chunk_writes_only_its_own_planes(rng: np.random.Generator) -> None:
    x, table = rng.normal(size=(5, 40)), np.stack([np.arange(39), np.arange(1, 40)], axis=1)
    inner = kernels.InnerWindows(taps=np.arange(2), origins=np.zeros(1, np.int64), step=1, width=39)
    for loop, geometry in ((kernels.max_pool, table), (kernels.max_pool_inside, inner)):
        y, winners = outputs((5, 39))
        loop(0, 2, 4, x, geometry, y, winners)
        np.testing.assert_array_equal((y != 77).all(axis=1), [False, False, True, True, False])
        np.testing.assert_array_equal((y == 77).all(axis=1), [True, True, False, False, True])
        assert (winners[[0, 1, 4]] == 77).all()
