"""Sigmoid and tanh of the compiled loops against NumPy in extended precision."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn.kernels.elementary import INTEGERS, constants, sigmoids, tanhs

SIGMOID: tuple[Any, Any] = (sigmoids, lambda x: 1 / (1 + np.exp(-x)))
TANH: tuple[Any, Any] = (tanhs, np.tanh)


def apply(kernel: Callable[..., None], x: np.ndarray) -> np.ndarray:
    y, power = x.copy(), np.empty_like(x)
    kernel(y, constants(x.dtype), power, power.view(INTEGERS[x.itemsize]))
    return y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("kernel", "exact"), [SIGMOID, TANH], ids=["sigmoid", "tanh"])
def test_accurate_to_two_units_in_the_last_place(
    kernel: Any, exact: Any, dtype: type, rng: np.random.Generator
) -> None:
    x = np.concatenate([np.linspace(-30, 30, 20_001), rng.normal(size=20_000) * 10.0 ** rng.uniform(-9, 1, 20_000)])
    y, wanted = apply(kernel, x.astype(dtype)), exact(x.astype(dtype).astype(np.longdouble))
    assert y.dtype == dtype
    assert np.abs(y - wanted).max() <= 2 * np.finfo(dtype).eps
    assert (np.abs(y - wanted) <= 2 * np.finfo(dtype).eps * np.abs(wanted)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_numbers(dtype: type) -> None:
    x = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 800, -800], dtype)
    np.testing.assert_array_equal(apply(tanhs, x), [0, 0, 1, -1, np.nan, 1, -1, 1, -1])
    np.testing.assert_allclose(apply(sigmoids, x), [0.5, 0.5, 1, 0, np.nan, 1, 0, 1, 0], atol=1e-30)


def test_an_empty_array() -> None:
    assert apply(tanhs, np.empty(0)).size == 0
