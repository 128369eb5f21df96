"""The two products against their plain versions."""

import numpy as np
import pytest

from numpycnn.kernels import products as kernels
from tests.helpers import generators


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weighted_sums(dtype: type) -> None:
    for rng in generators(57, count=30):
        room = kernels.lanes(np.dtype(dtype))
        rows, k, length = (int(n) for n in rng.integers([1, 0, 1], [4, 8, 3 * room]) * [4, 1, 1])
        k += kernels.LINES * int(rng.integers(2))
        offsets, line = rng.integers(0, 50, k), rng.normal(size=50 + length + room).astype(dtype)
        weights, start = rng.normal(size=(rows, k + 1)).astype(dtype)[:, :k], rng.normal(size=rows).astype(dtype)
        if rng.random() < 0.5:
            weights = rng.normal(size=(k + 3, rows + 1)).astype(dtype)[:k, :rows].T
        if rng.random() < 0.5:
            start = start[:0]  # what is there is added to
        fast = rng.normal(size=(rows, length + room)).astype(dtype)
        if len(start):
            fast[:] = np.nan
        plain = fast.copy()
        kernels.weighted_sums(line, offsets, weights, start, length, fast)
        kernels.weighted_sums_reference(line, offsets, weights, start, length, plain)
        accuracy = 1e-5 if dtype == np.float32 else 1e-13
        np.testing.assert_allclose(fast[:, :length], plain[:, :length], rtol=accuracy, atol=20 * accuracy)
        np.testing.assert_array_equal(fast[:, length + room // 2 :], plain[:, length + room // 2 :])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scalar_products(dtype: type) -> None:
    for rng in generators(58, count=30):
        room = kernels.narrow_lanes(np.dtype(dtype))
        f, k, length = 4 * int(rng.integers(1, 4)), 3 * int(rng.integers(1, 4)), room * int(rng.integers(1, 4))
        first = int(rng.integers(0, 3))
        span = (first, first + length)
        offsets, rows = rng.integers(0, 50, k), rng.normal(size=(f, span[1] + int(rng.integers(0, 3)))).astype(dtype)
        line = rng.normal(size=50 + span[1]).astype(dtype)
        fast = rng.normal(size=(f, k)).astype(dtype)
        plain = fast.copy()
        kernels.scalar_products(line, offsets, rows, *span, fast)
        kernels.scalar_products_reference(line, offsets, rows, *span, plain)
        np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-4 if dtype == np.float32 else 1e-12)
