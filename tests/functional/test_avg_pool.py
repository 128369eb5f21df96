"""Average pooling against its definition and PyTorch."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import Case, PoolWindow, assert_close, draw_pool, generators, pool, pool_output

FORWARD = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
BACKWARD = {1: F.avg_pool1d_backward, 2: F.avg_pool2d_backward, 3: F.avg_pool3d_backward}


def draw(rng: np.random.Generator, rank: int) -> tuple[Case, np.ndarray, np.ndarray]:
    case = draw_pool(rng, rank)
    case = case._replace(settings=case.settings | {"count_include_pad": bool(rng.random() < 0.5)})
    x = rng.normal(size=(rng.integers(1, 3), rng.integers(1, 4), *case.size))
    return case, x, rng.normal(size=(*x.shape[:2], *pool_output(case)))


def mean_with_padding(numbers: list[float], window: PoolWindow) -> tuple[float, list[float]]:
    return sum(numbers) / window.covered, [1 / window.covered] * len(numbers)


def mean_of_the_seen(numbers: list[float], window: PoolWindow) -> tuple[float, list[float]]:
    return sum(numbers) / len(numbers), [1 / len(numbers)] * len(numbers)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_equals_the_definition(rank: int) -> None:
    for rng in generators(9, rank):
        case, x, dy = draw(rng, rank)
        mean = mean_with_padding if case.settings["count_include_pad"] else mean_of_the_seen
        y, dx = pool(x, case, dy, mean)
        assert_close(FORWARD[rank](x, **case.settings), y)
        assert_close(BACKWARD[rank](dy, x, **case.settings), dx)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_equals_pytorch(rank: int, torch: Any) -> None:
    theirs = [torch.nn.functional.avg_pool1d, torch.nn.functional.avg_pool2d, torch.nn.functional.avg_pool3d][rank - 1]
    compared = 0
    for rng in generators(10, rank, count=1200):
        case, x, dy = draw(rng, rank)
        tensor = torch.tensor(x, requires_grad=True)
        settings = {"kernel_size": case.kernel, "stride": case.stride}
        include = case.settings["count_include_pad"]
        axes = list(zip(case.size, case.kernel, case.pairs, strict=True))
        # In three dimensions PyTorch refuses an input that is smaller than the window, padded or not.
        if all(a == b and a <= k // 2 and (rank < 3 or k <= i) for i, k, (a, b) in axes):
            settings |= {"padding": tuple(a for a, _ in case.pairs), "ceil_mode": case.settings["ceil_mode"]}
            y = theirs(tensor, **settings, count_include_pad=include)
        elif pool_output(case) == case.output:  # uneven padding, by hand, with the share of zeros in each window
            around = [n for pair in reversed(case.pairs) for n in pair]
            y = theirs(torch.nn.functional.pad(tensor, around), **settings)
            if not include:
                y = y / theirs(torch.nn.functional.pad(torch.ones_like(tensor), around), **settings)
        else:
            continue
        y.backward(torch.tensor(dy))
        assert_close(FORWARD[rank](x, **case.settings), y.detach())
        assert_close(BACKWARD[rank](dy, x, **case.settings), tensor.grad)
        compared += 1
        if compared == 300:
            break
    assert compared == 300


def test_what_counts_in_an_incomplete_window() -> None:
    """Windows of 3 every 2 over 4 elements with one zero on each side: the last one hangs over the padding by one."""
    x = np.array([[[1.0, 2.0, 3.0, 4.0]]])
    settings = {"stride": 3, "padding": 1, "ceil_mode": True}
    np.testing.assert_allclose(F.avg_pool1d(x, 3, **settings), [[[(0 + 1 + 2) / 3, (3 + 4 + 0) / 3]]])
    settings = {"stride": 2, "padding": 1, "ceil_mode": True}
    np.testing.assert_allclose(F.avg_pool1d(x, 3, **settings), [[[1, 3, 4 / 2]]])
    np.testing.assert_allclose(F.avg_pool1d(x, 3, **settings, count_include_pad=False), [[[1.5, 3, 4]]])


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity(special: float) -> None:
    y = F.avg_pool1d(np.array([[[1.0, 3.0, special, 1.0, 5.0, 7.0]]]), 2)
    np.testing.assert_array_equal(y, [[[2.0, special, 6.0]]])


def test_count_include_pad_is_a_flag() -> None:
    for call in (
        lambda **s: F.avg_pool1d(np.ones((1, 1, 4)), 2, **s),
        lambda **s: F.avg_pool1d_backward(np.ones((1, 1, 2)), np.ones((1, 1, 4)), 2, **s),
    ):
        with pytest.raises(
            TypeError, match=r"^avg_pool1d.*: expected count_include_pad to be True or False, got int 0"
        ):
            call(count_include_pad=0)
