"""The two products against their plain versions."""

import numpy as np
import pytest

from numpycnn.kernels import products as kernels
from tests.helpers import generators


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weighted_sums(dtype: type) -> None:
    for rng in generators(57, count=30):
        room = kernels.lanes(np.dtype(dtype))
        blocks, k, first, length = (int(n) for n in rng.integers([1, 1, 0, 1], [4, 8, 9, 3 * room]))
        offsets = rng.integers(0, 50, k)
        span, taps = (first, first + length), (0, k) if rng.random() < 0.5 else (k // 3, k - k // 3)
        line = rng.normal(size=50 + span[1] + room).astype(dtype)
        rows = 4 * blocks
        weights, start = rng.normal(size=(rows, k)).astype(dtype), rng.normal(size=rows).astype(dtype)
        if rng.random() < 0.5:  # of other strides
            weights = rng.normal(size=(k + 3, rows + 1)).astype(dtype)[:k, :rows].T
        more = bool(rng.random() < 0.5)
        fast = np.full((rows, span[1] + room), np.nan, dtype)
        fast[:, slice(*span)] = rng.normal(size=(rows, length)) if more else np.nan
        plain = fast.copy()
        kernels.weighted_sums(line, offsets, weights, *taps, more, start, *span, fast)
        kernels.weighted_sums_reference(line, offsets, weights, *taps, more, start, *span, plain)
        accuracy = 1e-5 if dtype == np.float32 else 1e-13
        np.testing.assert_allclose(fast[:, slice(*span)], plain[:, slice(*span)], rtol=accuracy, atol=20 * accuracy)
        assert np.isnan(fast[:, :first]).all()


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
