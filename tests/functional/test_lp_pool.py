"""Lp pooling against its definition and PyTorch."""

import math
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import Case, PoolWindow, assert_close, draw_pool, generators, pool, pool_output

FORWARD = {1: F.lp_pool1d, 2: F.lp_pool2d, 3: F.lp_pool3d}
BACKWARD = {1: F.lp_pool1d_backward, 2: F.lp_pool2d_backward, 3: F.lp_pool3d_backward}


def draw(rng: np.random.Generator, rank: int) -> tuple[Case, np.ndarray, np.ndarray]:
    case = draw_pool(rng, rank)
    case = case._replace(settings=case.settings | {"p": float(rng.choice([1, 1.5, 2, 3, 4.5]))})
    x = rng.normal(size=(rng.integers(1, 3), rng.integers(1, 4), *case.size))
    return case, x, rng.normal(size=(*x.shape[:2], *pool_output(case)))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_equals_the_definition(rank: int) -> None:
    for rng in generators(11, rank):
        case, x, dy = draw(rng, rank)
        p = case.settings["p"]

        def norm(numbers: list[float], window: PoolWindow, p: float = p, k: Any = case.kernel) -> Any:
            share = math.prod(k) / window.covered  # more than 1 in an incomplete window
            value = (share * sum(abs(n) ** p for n in numbers)) ** (1 / p)
            return value, [math.copysign(abs(n) ** (p - 1), n) * share * value ** (1 - p) for n in numbers]

        y, dx = pool(x, case, dy, norm)
        assert_close(FORWARD[rank](x, **case.settings), y)
        assert_close(BACKWARD[rank](dy, x, **case.settings), dx)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_equals_pytorch(rank: int, torch: Any) -> None:
    """PyTorch pads nothing, and takes the sign of odd powers along; for even ones inputs of both signs are compared."""
    theirs = [torch.nn.functional.lp_pool1d, torch.nn.functional.lp_pool2d, torch.nn.functional.lp_pool3d][rank - 1]
    incomplete = 0
    for rng in generators(12, rank):
        case, x, dy = draw(rng, rank)
        settings = case.settings | {"padding": 0, "p": float(rng.choice([1, 1.5, 2, 3, 4]))}
        case = case._replace(pairs=((0, 0),) * rank, settings=settings)
        if min(pool_output(case)) < 1 or (rank == 3 and min(case.room) < 0):  # what PyTorch refuses
            case = case._replace(size=case.reach)
            x = rng.normal(size=(*x.shape[:2], *case.size))
        incomplete += pool_output(case) != case.output
        dy = rng.normal(size=(*x.shape[:2], *pool_output(case)))
        even = settings["p"] % 2 == 0
        tensor = torch.tensor(x if even else np.abs(x), requires_grad=True)
        kernel, stride = (case.kernel, case.stride) if rank > 1 else (case.kernel[0], case.stride[0])
        y = theirs(tensor, settings["p"], kernel, stride=stride, ceil_mode=settings["ceil_mode"])
        y.backward(torch.tensor(dy))
        assert_close(FORWARD[rank](x, **settings), y.detach())
        sign = 1 if even else np.sign(x)
        assert_close(BACKWARD[rank](dy, x, **settings), sign * tensor.grad.numpy())
    assert incomplete >= 10


def test_an_incomplete_window_is_scaled_up_to_a_whole_one() -> None:
    x = np.array([[[3.0, 4.0, -6.0]]])
    np.testing.assert_allclose(F.lp_pool1d(x, 2, ceil_mode=True), [[[5, 6 * np.sqrt(2)]]])
    np.testing.assert_allclose(F.lp_pool1d(x, 2, p=1, ceil_mode=True), [[[7, 12]]])
    np.testing.assert_allclose(F.lp_pool1d(x, 2, p=1, stride=2, padding=((0, 1),)), [[[7, 6]]])  # zeros count


def test_a_window_of_zeros_has_no_slope_and_no_warning() -> None:
    x = np.zeros((1, 1, 4))
    for p in (1, 1.5, 2, 3):
        np.testing.assert_array_equal(F.lp_pool1d(x, 2, p=p), np.zeros((1, 1, 2)))
        np.testing.assert_array_equal(F.lp_pool1d_backward(np.ones((1, 1, 2)), x, 2, p=p), x)


def test_nan_and_infinity() -> None:
    x = np.array([[[1.0, np.nan, 1.0, -np.inf, 3.0, 4.0]]])
    np.testing.assert_array_equal(F.lp_pool1d(x, 2), [[[np.nan, np.inf, 5.0]]])


@pytest.mark.parametrize(
    ("p", "error", "text"),
    [
        (0, ValueError, "lp_pool2d: expected p from 1 on, and finite, got 0"),
        (0.5, ValueError, "expected p from 1 on, and finite, got 0.5"),
        (np.inf, ValueError, "expected p from 1 on, and finite, got inf"),
        (np.nan, ValueError, "expected p from 1 on, and finite, got nan"),
        ("2", TypeError, "expected p to be a number, got str '2'"),
        (True, TypeError, "expected p to be a number, got bool True"),
    ],
)
def test_bad_powers(p: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.lp_pool2d(np.zeros((1, 1, 6, 5)), 2, p=p)


@pytest.mark.parametrize("size", [1e-6, 100.0, 1e30])
def test_large_powers_do_not_overflow(size):
    x = np.full((1, 1, 2, 2), size, np.float32)
    assert F.lp_pool2d(x, 2, p=20)[0, 0, 0, 0] == pytest.approx(size * 4 ** (1 / 20), rel=1e-6)
    dx = F.lp_pool2d_backward(np.ones((1, 1, 1, 1), np.float32), x, 2, p=20)
    np.testing.assert_allclose(dx, 4 ** (1 / 20 - 1), rtol=1e-5)
