"""Pooling against its definition, window by window, and PyTorch."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.drawn import FULL, Case, draw_pool, generators, num_draws, pool_output
from tests.helpers import assert_close
from tests.operations import call, call_backward, draw_global_pool, draw_pooling
from tests.plain.naive import PoolWindow, pool, pool_windows

Condense = Callable[[list[float], PoolWindow], tuple[float, list[float]]]
RANKS = pytest.mark.parametrize("rank", [1, 2, 3])


def largest(numbers: list[float], window: PoolWindow) -> tuple[float, list[float]]:
    """NaN, else the first of the largest; padding never wins, so a window of padding alone gives -inf."""
    if not numbers:
        return -np.inf, []
    winner = next((i for i, n in enumerate(numbers) if math.isnan(n)), numbers.index(max(numbers)))
    return numbers[winner], [float(i == winner) for i in range(len(numbers))]


def mean(case: Case) -> Condense:
    def condense(numbers: list[float], window: PoolWindow) -> tuple[float, list[float]]:
        count = window.covered if case.settings["count_include_pad"] else len(numbers)
        return sum(numbers) / count, [1 / count] * len(numbers)

    return condense


def norm(case: Case) -> Condense:
    p, taps = case.settings["p"], math.prod(case.kernel)

    def condense(numbers: list[float], window: PoolWindow) -> tuple[float, list[float]]:
        share = taps / window.covered  # more than 1 in an incomplete window
        value = (share * sum(abs(n) ** p for n in numbers)) ** (1 / p)
        return value, [math.copysign(abs(n) ** (p - 1), n) * share * value ** (1 - p) for n in numbers]

    return condense


def condense(kind: str, case: Case) -> Condense:
    return largest if kind == "max" else mean(case) if kind == "avg" else norm(case)


@RANKS
@pytest.mark.parametrize("kind", ["max", "avg", "lp"])
def test_equals_the_definition(kind: str, rank: int) -> None:
    name = f"{kind}_pool{rank}d"
    for rng in generators(8, rank, ord(kind[0])):
        drawn, case = draw_pooling(rng, rank, kind)
        dy = rng.normal(size=(*drawn["x"].shape[:2], *pool_output(case)))
        y, dx = pool(drawn["x"], case, dy, condense(kind, case))
        assert_close(call(name, drawn), y)
        assert_close(call_backward(name, drawn, dy)[0], dx)


@RANKS
@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_reach_the_windows_that_see_them(kind: str, rank: int, special: float) -> None:
    name = f"{kind}_pool{rank}d"
    for rng in generators(9, rank, ord(kind[0])):
        drawn, case = draw_pooling(rng, rank, kind)
        x, dy = drawn["x"].copy(), rng.normal(size=(*drawn["x"].shape[:2], *pool_output(case)))
        x[tuple(rng.integers(x.shape))] = special
        y, _ = pool(x, case, dy, condense(kind, case))
        assert_close(call(name, drawn | {"x": x}), y)
        dy[tuple(rng.integers(dy.shape))] = special
        gradient = call_backward(name, drawn, dy)[0]
        ones = call_backward(name, drawn, np.where(np.isfinite(dy), 0.0, 1.0))[0]
        np.testing.assert_array_equal(np.isfinite(gradient), ones == 0)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_drawn_windows_reach_the_awkward_cases(rank: int) -> None:
    cases = [draw_pool(rng, rank, dilated=True) for rng in generators(6, rank, count=FULL)]
    windows = [pool_windows(case) for case in cases]
    awkward = {
        "even kernel": [any(k % 2 == 0 for k in c.kernel) for c in cases],
        "overlapping": [any(s < r for s, r in zip(c.stride, c.reach, strict=True)) for c in cases],
        "padded": [any(max(pair) for pair in c.pairs) for c in cases],
        "overlapping and padded": [
            any(s < r and max(p) for s, r, p in zip(c.stride, c.reach, c.pairs, strict=True)) for c in cases
        ],
        "stride does not divide the input": [any(r % s for r, s in zip(c.room, c.stride, strict=True)) for c in cases],
        "incomplete last window": [pool_output(c) != c.output for c in cases],
        "incomplete window refused": [
            c.settings["ceil_mode"]
            and pool_output(c) != tuple(-(-r // s) + 1 for r, s in zip(c.room, c.stride, strict=True))
            for c in cases
        ],
        "window longer than the padded input": [min(c.room) < 0 for c in cases],
        "gaps between windows": [any(s > r for s, r in zip(c.stride, c.reach, strict=True)) for c in cases],
        "dilation": [max(c.dilation) > 1 and max(c.kernel) > 1 for c in cases],
        "window that covers padding": [any(w.covered > len(w.seen) for w in ws) for ws in windows],
        "no stride": [c.settings["stride"] is None for c in cases],
    }
    if rank > 1:
        awkward["not square"] = [len(set(c.size)) > 1 and len(set(c.kernel)) > 1 for c in cases]
    assert {name: sum(hits) for name, hits in awkward.items() if sum(hits) < 5} == {}


# -------------------------------------------------------------------------------------------------------------- PyTorch


def symmetric(case: Case) -> bool:
    """Whether PyTorch has such a padding: the same on both sides, and at most half of the kernel."""
    return all(a == b and a <= k // 2 for (a, b), k in zip(case.pairs, case.kernel, strict=True))


def compare(
    torch: Any, name: str, drawn: dict[str, Any], rng: np.random.Generator, theirs: Callable[[Any], Any]
) -> None:
    tensor = torch.tensor(drawn["x"], requires_grad=True)
    y = theirs(tensor)
    dy = rng.normal(size=tuple(y.shape))
    y.backward(torch.tensor(dy))
    assert_close(call(name, drawn), y.detach())
    assert_close(call_backward(name, drawn, dy)[0], tensor.grad)


@RANKS
def test_max_pooling_equals_pytorch(rank: int, torch: Any) -> None:
    pooling, pad = getattr(torch.nn.functional, f"max_pool{rank}d"), torch.nn.functional.pad
    compared = native = 0
    for rng in generators(10, rank, count=2 * num_draws()):
        drawn, case = draw_pooling(rng, rank, "max")
        if not all(window.seen for window in pool_windows(case)):  # on padding alone, PyTorch may crash
            continue
        settings = {"kernel_size": case.kernel, "stride": case.stride, "dilation": case.dilation}
        if symmetric(case):
            settings |= {"padding": tuple(a for a, _ in case.pairs), "ceil_mode": case.settings["ceil_mode"]}
            compare(torch, f"max_pool{rank}d", drawn, rng, lambda x, s=settings: pooling(x, **s))
            native += 1
        else:  # uneven padding, by hand; an incomplete last window is completed by padding
            output = pool_output(case)
            around: list[int] = []
            axes = zip(output, case.size, case.stride, case.reach, case.pairs, strict=True)
            for o, i, s, r, (before, after) in axes:
                around = [before, max(after, (o - 1) * s + r - i - before), *around]
            inside = (..., *(slice(o) for o in output))
            compare(
                torch,
                f"max_pool{rank}d",
                drawn,
                rng,
                lambda x, a=around, s=settings, i=inside: pooling(pad(x, a, value=-np.inf), **s)[i],
            )
        compared += 1
    assert compared >= num_draws()
    assert native >= num_draws() // 6


@RANKS
def test_average_pooling_equals_pytorch(rank: int, torch: Any) -> None:
    pooling, pad = getattr(torch.nn.functional, f"avg_pool{rank}d"), torch.nn.functional.pad
    compared = 0
    for rng in generators(11, rank, count=4 * num_draws()):
        drawn, case = draw_pooling(rng, rank, "avg")
        include = drawn["count_include_pad"]
        settings = {"kernel_size": case.kernel, "stride": case.stride}
        # In three dimensions PyTorch refuses an input that is smaller than the window, padded or not.
        if symmetric(case) and (rank < 3 or all(k <= i for k, i in zip(case.kernel, case.size, strict=True))):
            settings |= {"padding": tuple(a for a, _ in case.pairs), "ceil_mode": case.settings["ceil_mode"]}
            settings["count_include_pad"] = include
            compare(torch, f"avg_pool{rank}d", drawn, rng, lambda x, s=settings: pooling(x, **s))
        elif pool_output(case) == case.output:  # uneven padding, by hand, with the share of zeros in each window
            around = [n for pair in reversed(case.pairs) for n in pair]
            share = (
                1 if include else pooling(pad(torch.ones(drawn["x"].shape, dtype=torch.float64), around), **settings)
            )
            compare(
                torch,
                f"avg_pool{rank}d",
                drawn,
                rng,
                lambda x, a=around, s=settings, share=share: pooling(pad(x, a), **s) / share,
            )
        else:
            continue
        compared += 1
    assert compared >= num_draws()


@RANKS
def test_lp_pooling_equals_pytorch(rank: int, torch: Any) -> None:
    """PyTorch pads nothing, and keeps the sign of odd powers; for even ones inputs of both signs are compared."""
    pooling = getattr(torch.nn.functional, f"lp_pool{rank}d")
    for rng in generators(12, rank):
        drawn, case = draw_pooling(rng, rank, "lp")
        p = float(rng.choice([1, 1.5, 2, 3, 4]))
        drawn |= {"padding": 0, "p": p}
        case = case._replace(pairs=((0, 0),) * rank)
        if min(pool_output(case)) < 1 or (rank == 3 and min(case.room) < 0):  # what PyTorch refuses
            case = case._replace(size=case.reach)
            drawn["x"] = rng.normal(size=(*drawn["x"].shape[:2], *case.size))
        if p % 2:
            drawn["x"] = np.abs(drawn["x"])
        kernel, stride = (case.kernel, case.stride) if rank > 1 else (case.kernel[0], case.stride[0])
        settings = {"stride": stride, "ceil_mode": drawn["ceil_mode"]}
        compare(torch, f"lp_pool{rank}d", drawn, rng, lambda x, p=p, k=kernel, s=settings: pooling(x, p, k, **s))


# -------------------------------------------------------------------------------------------------------------- global


def test_global_average_equals_the_definition() -> None:
    for rng in generators(13):
        x = draw_global_pool(rng)["x"]
        dy = rng.normal(size=x.shape[:2])
        y, dx = np.zeros(x.shape[:2]), np.zeros(x.shape)
        for n, c in np.ndindex(*x.shape[:2]):
            numbers = [float(v) for v in x[n, c].ravel()]
            y[n, c] = math.fsum(numbers) / len(numbers)
            dx[n, c] = dy[n, c] / len(numbers)
        assert_close(F.global_avg_pool(x), y)
        assert_close(F.global_avg_pool_backward(dy, x), dx)


def test_global_maximum_equals_the_definition() -> None:
    for rng in generators(14):
        x = draw_global_pool(rng)["x"]
        dy = rng.normal(size=x.shape[:2])
        y, dx = np.zeros(x.shape[:2]), np.zeros(x.shape)
        for n, c in np.ndindex(*x.shape[:2]):
            winner = max(np.ndindex(x.shape[2:]), key=lambda at, plane=x[n, c]: plane[at])  # the first of the largest
            y[n, c] = x[n, c][winner]
            dx[n, c][winner] = dy[n, c]
        np.testing.assert_array_equal(F.global_max_pool(x), y)
        np.testing.assert_array_equal(F.global_max_pool_backward(dy, x), dx)


def test_global_pooling_equals_pytorch(torch: Any) -> None:
    for rng in generators(15):
        drawn = draw_global_pool(rng)
        compare(torch, "global_avg_pool", drawn, rng, lambda x: x.flatten(2).mean(2))
        compare(torch, "global_max_pool", drawn, rng, lambda x: x.flatten(2).max(2).values)
