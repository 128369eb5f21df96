"""Schedules against their formulas, and against PyTorch's."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from numpycnn import (
    SGD,
    CosineSchedule,
    ExponentialSchedule,
    FunctionSchedule,
    OneCycleSchedule,
    PerEpoch,
    Schedule,
    StepSchedule,
    WarmUp,
)
from tests.optim.pytorch import STEPS, compare


def test_step() -> None:
    schedule = StepSchedule(0.8, every=3, factor=0.5)
    assert [schedule(step) for step in range(8)] == pytest.approx([0.8] * 3 + [0.4] * 3 + [0.2] * 2)


def test_cosine() -> None:
    schedule = CosineSchedule(1.0, steps=10, final_lr=0.2)
    for step in range(11):
        assert schedule(step) == pytest.approx(0.2 + 0.8 * (1 + math.cos(math.pi * step / 10)) / 2, abs=1e-15)
    assert (schedule(0), schedule(10), schedule(1000)) == (1.0, 0.2, 0.2)


def test_one_cycle() -> None:
    schedule = OneCycleSchedule(1.0, steps=101, warm_up=31 / 101, start_factor=20, final_factor=1000)
    rates = [schedule(step) for step in range(101)]
    assert rates[0] == pytest.approx(1 / 20)
    assert rates[15] == pytest.approx((1 + 1 / 20) / 2)
    assert rates[30] == pytest.approx(1)
    assert rates[65] == pytest.approx((1 + 1 / 1000) / 2)
    assert rates[100] == schedule(500) == pytest.approx(1 / 1000)
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 1000])
@pytest.mark.parametrize("warm_up", [0, 0.1, 0.3, 0.5])
def test_the_last_step_of_one_cycle_has_the_final_rate(steps: int, warm_up: float) -> None:
    schedule = OneCycleSchedule(1.0, steps, warm_up=warm_up)
    assert schedule(steps - 1) == pytest.approx(1e-4)


@pytest.mark.parametrize("warm_up", [0, 1])
def test_one_cycle_that_only_falls_or_only_rises(warm_up: float) -> None:
    rates = [OneCycleSchedule(1.0, steps=10, warm_up=warm_up)(step) for step in range(10)]
    assert rates == sorted(rates, reverse=not warm_up)
    assert all(0 < rate <= 1 for rate in rates)


def test_warm_up() -> None:
    assert [WarmUp(0.4, steps=4)(step) for step in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    schedule = WarmUp(StepSchedule(1.0, every=2, factor=0.5), steps=2)
    assert [schedule(step) for step in range(7)] == pytest.approx([0.5, 1, 1, 1, 0.5, 0.5, 0.25])


def test_cosine_equals_pytorch(torch: Any) -> None:
    compare(
        SGD(CosineSchedule(0.1, STEPS, final_lr=0.01)),
        lambda tensors: torch.optim.SGD(tensors, 0.1),
        lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS, eta_min=0.01),
    )


def test_step_equals_pytorch(torch: Any) -> None:
    compare(
        SGD(StepSchedule(0.1, 6, factor=0.3)),
        lambda tensors: torch.optim.SGD(tensors, 0.1),
        lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 6, gamma=0.3),
    )


def test_exponential_equals_pytorch(torch: Any) -> None:
    compare(
        SGD(ExponentialSchedule(0.1, every=1, factor=0.9)),
        lambda tensors: torch.optim.SGD(tensors, 0.1),
        lambda optimizer: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9),
    )


def test_exponential() -> None:
    assert [ExponentialSchedule(0.8, 4, 0.25)(step) for step in (0, 2, 4, 8)] == pytest.approx([0.8, 0.4, 0.2, 0.05])


@pytest.mark.parametrize(("steps", "warm_up"), [(STEPS + 1, 0.3), (50, 0.5), (30, 0.0)])
def test_one_cycle_equals_pytorch(steps: int, warm_up: float, torch: Any) -> None:
    """PyTorch divides the first rate, not the highest one, by its final factor."""
    compare(
        SGD(OneCycleSchedule(0.1, steps, warm_up=warm_up, final_factor=25 * 1e4)),
        lambda tensors: torch.optim.SGD(tensors, 0.1),
        lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.1, total_steps=steps, pct_start=warm_up, cycle_momentum=False
        ),
    )


@pytest.mark.parametrize(
    "schedule",
    [
        StepSchedule(0.1, 5),
        CosineSchedule(0.1, 5, final_lr=0.01),
        OneCycleSchedule(0.1, 50, warm_up=0.2),
        WarmUp(0.1, 5),
        WarmUp(CosineSchedule(0.1, 20), 5),
        ExponentialSchedule(0.1, 5, factor=0.5),
        FunctionSchedule(math.sqrt),
        WarmUp(math.sqrt, 5),
        PerEpoch(WarmUp(StepSchedule(0.1, 5), 3)),
        PerEpoch(math.sqrt),
    ],
)
def test_config_and_repr(schedule: Schedule) -> None:
    again = type(schedule)(**schedule.config())
    assert [again(step) for step in range(60)] == [schedule(step) for step in range(60)]
    assert repr(again) == repr(schedule)


def test_a_schedule_remembers_nothing() -> None:
    schedule = WarmUp(OneCycleSchedule(0.1, 30), 5)
    forwards = [schedule(step) for step in range(40)]
    assert [schedule(step) for step in reversed(range(40))] == forwards[::-1]


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: StepSchedule(-1, 5), ValueError, "StepSchedule: expected lr to be at least 0, got -1"),
        (lambda: StepSchedule(0.1, 0), ValueError, "StepSchedule: expected every from 1 to 2147483647, got 0"),
        (lambda: StepSchedule(0.1, 2.5), TypeError, "StepSchedule: expected every to be an int, got float 2.5"),
        (
            lambda: StepSchedule(0.1, 5, factor="a"),
            TypeError,
            "StepSchedule: expected factor to be a number, got str 'a'",
        ),
        (lambda: CosineSchedule(float("nan"), 5), ValueError, "CosineSchedule: expected lr to be finite, got nan"),
        (lambda: CosineSchedule(0.1, -5), ValueError, "CosineSchedule: expected steps from 1"),
        (
            lambda: CosineSchedule(0.1, 5, final_lr=-1),
            ValueError,
            "CosineSchedule: expected final_lr to be at least 0, got -1",
        ),
        (lambda: OneCycleSchedule(0.1, 0), ValueError, "OneCycleSchedule: expected steps from 1"),
        (
            lambda: OneCycleSchedule(0.1, 5, warm_up=1.5),
            ValueError,
            "OneCycleSchedule: expected warm_up to be at least 0 and at most 1",
        ),
        (
            lambda: OneCycleSchedule(0.1, 5, start_factor=0),
            ValueError,
            "expected start_factor and final_factor above 0",
        ),
        (lambda: ExponentialSchedule(0.1, 0), ValueError, "ExponentialSchedule: expected every from 1"),
        (lambda: FunctionSchedule(0.1), TypeError, "FunctionSchedule: expected a function of the number of steps, got"),
        (lambda: FunctionSchedule(StepSchedule), TypeError, "FunctionSchedule: expected a function"),
        (lambda: PerEpoch(0.1), TypeError, "PerEpoch: expected a schedule, got 0.1; a constant rate needs none"),
        (lambda: PerEpoch("a"), TypeError, "PerEpoch: expected schedule to be a number, got str 'a'"),
        (
            lambda: WarmUp(PerEpoch(StepSchedule(0.1, 5)), 5),
            ValueError,
            r"WarmUp: expected a schedule of steps, got PerEpoch\(.*; write PerEpoch\(WarmUp",
        ),
        (lambda: WarmUp("a", 5), TypeError, "WarmUp: expected after to be a number, got str 'a'"),
        (lambda: WarmUp(0.1, 2**63 - 1), ValueError, "WarmUp: expected steps from 1 to 2147483647"),
    ],
)
def test_bad_settings(make: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_the_base_class_has_no_rate() -> None:
    with pytest.raises(NotImplementedError):
        Schedule()(0)
