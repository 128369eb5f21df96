"""Max pooling against its definition and PyTorch, ties and special numbers included."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import (
    DRAWN,
    INT32_OVERFLOW,
    Case,
    PoolWindow,
    assert_close,
    draw_pool,
    generators,
    pool,
    pool_output,
    pool_windows,
)

FORWARD = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
BACKWARD = {1: F.max_pool1d_backward, 2: F.max_pool2d_backward, 3: F.max_pool3d_backward}


def draw(rng: np.random.Generator, rank: int) -> tuple[Case, np.ndarray, np.ndarray]:
    case = draw_pool(rng, rank, dilated=True)
    x = rng.normal(size=(rng.integers(1, 3), rng.integers(1, 4), *case.size))
    if rng.random() < 0.3:
        x = np.round(x)  # many ties
    return case, x, rng.normal(size=(*x.shape[:2], *pool_output(case)))


def largest(numbers: list[float], window: PoolWindow) -> tuple[float, list[float]]:
    """The first of the largest; padding never wins, so a window of padding alone has -inf and teaches nobody."""
    if not numbers:
        return -np.inf, []
    winner = numbers.index(max(numbers))
    return numbers[winner], [float(i == winner) for i in range(len(numbers))]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_equals_the_definition(rank: int) -> None:
    for rng in generators(8, rank):
        case, x, dy = draw(rng, rank)
        y, dx = pool(x, case, dy, largest)
        np.testing.assert_array_equal(FORWARD[rank](x, **case.settings), y)
        assert_close(BACKWARD[rank](dy, x, **case.settings), dx)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_equals_pytorch(rank: int, torch: Any) -> None:
    theirs = [torch.nn.functional.max_pool1d, torch.nn.functional.max_pool2d, torch.nn.functional.max_pool3d][rank - 1]
    drawn = (draw(rng, rank) for rng in generators(8, rank, count=2 * DRAWN))
    # PyTorch may crash on a window that sees nothing but padding, as dilation allows.
    seeing = [d for d in drawn if all(window.seen for window in pool_windows(d[0]))][:DRAWN]
    assert len(seeing) == DRAWN
    native = 0
    for case, x, dy in seeing:
        tensor = torch.tensor(x, requires_grad=True)
        settings = {"kernel_size": case.kernel, "stride": case.stride, "dilation": case.dilation}
        if all(a == b and a <= k // 2 for (a, b), k in zip(case.pairs, case.kernel, strict=True)):
            settings |= {"padding": tuple(a for a, _ in case.pairs), "ceil_mode": case.settings["ceil_mode"]}
            y = theirs(tensor, **settings)
            native += 1
        else:  # uneven padding, by hand; what an incomplete last window hangs over is padding as well
            output = pool_output(case)
            around: list[int] = []
            axes = zip(output, case.size, case.stride, case.reach, case.pairs, strict=True)
            for o, i, s, r, (before, after) in axes:
                around = [before, max(after, (o - 1) * s + r - i - before), *around]
            y = theirs(torch.nn.functional.pad(tensor, around, value=-np.inf), **settings)
            y = y[(..., *(slice(o) for o in output))]
        y.backward(torch.tensor(dy))
        np.testing.assert_array_equal(FORWARD[rank](x, **case.settings), y.detach())
        assert_close(BACKWARD[rank](dy, x, **case.settings), tensor.grad)
    assert native >= 50


def test_of_equal_elements_the_first_wins() -> None:
    dx = F.max_pool2d_backward(np.array([[[[5.0]]]]), np.ones((1, 1, 2, 3)), (2, 3))
    np.testing.assert_array_equal(dx, [[[[5.0, 0, 0], [0, 0, 0]]]])


@pytest.mark.parametrize(
    ("x", "y", "dx"),
    [
        ([1.0, np.nan, 3.0], np.nan, [0, 1, 0]),
        ([np.nan, 1.0, 3.0], np.nan, [1, 0, 0]),
        ([1.0, np.inf, np.nan], np.nan, [0, 0, 1]),
        ([1.0, np.inf, 3.0], np.inf, [0, 1, 0]),
        ([-np.inf, -np.inf, -np.inf], -np.inf, [1, 0, 0]),
        ([-np.inf, -1e308, -np.inf], -1e308, [0, 1, 0]),
    ],
)
def test_nan_and_infinity(x: list[float], y: float, dx: list[float]) -> None:
    array = np.array([[x]])
    np.testing.assert_array_equal(F.max_pool1d(array, 3), [[[y]]])
    np.testing.assert_array_equal(F.max_pool1d_backward(np.ones((1, 1, 1)), array, 3), [[dx]])


def test_negative_infinity_wins_over_padding() -> None:
    """The gradient goes to an element of the input even where all of them are -inf."""
    x = np.full((1, 1, 2), -np.inf)
    np.testing.assert_array_equal(F.max_pool1d(x, 2, padding=1), [[[-np.inf, -np.inf]]])
    dx = F.max_pool1d_backward(np.array([[[2.0, 3.0]]]), x, 2, padding=1)
    np.testing.assert_array_equal(dx, [[[2.0, 3.0]]])


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"dilation": 0}, ValueError, "max_pool2d: expected dilation from 1"),
        ({"dilation": INT32_OVERFLOW}, ValueError, "expected dilation from 1 to 2147483647, got 2147483648"),
        ({"dilation": 5}, ValueError, r"kernel 2 with dilation 5 is 6 long and does not fit into width 5"),
        ({"dilation": 1.5}, TypeError, "expected dilation to be an int, got float 1.5"),
    ],
)
def test_bad_dilation(settings: dict[str, object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.max_pool2d(np.zeros((1, 1, 6, 5)), 2, **settings)
