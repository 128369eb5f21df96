"""Metrics of numbers: large offsets, constant targets, equal pictures, bad settings."""

import numpy as np
import pytest

from numpycnn.metrics import PSNR, MeanAbsoluteError, RSquared


def test_a_large_offset_loses_no_digits(rng: np.random.Generator) -> None:
    target = rng.normal(size=200)
    y = target + 0.1 * rng.normal(size=200)
    expected = 1 - ((y - target) ** 2).sum() / ((target - target.mean()) ** 2).sum()
    metric = RSquared()
    for begin in range(0, 200, 7):
        metric.update(1e6 + y[begin : begin + 7], 1e6 + target[begin : begin + 7])
    assert metric.result() == pytest.approx(expected, rel=1e-8)


def test_constant_targets() -> None:
    for y, expected in (([1.0, 1.0], 1.0), ([1.0, 2.0], 0.0)):
        metric = RSquared()
        metric.update(y, [1.0, 1.0])
        assert metric.result() == expected


def test_equal_pictures() -> None:
    metric = PSNR(255)
    metric.update(np.ones((2, 3)), np.ones((2, 3)))
    assert metric.result() == float("inf")


def test_bytes_are_numbers() -> None:
    metric = PSNR(255)
    metric.update(np.zeros((2, 3), np.uint8), np.full((2, 3), 255, np.uint8))
    assert metric.result() == 0
    error = MeanAbsoluteError()
    error.update(np.array([0], np.uint8), np.array([255], np.uint8))
    assert error.result() == 255


def test_bad_range() -> None:
    with pytest.raises(ValueError, match="PSNR: expected data_range above 0, got 0"):
        PSNR(0)
