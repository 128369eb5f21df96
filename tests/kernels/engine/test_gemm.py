"""The micro-kernels against NumPy's matrix product."""

import numpy as np
import pytest

from numpycnn.kernels.engine import gemm as kernels
from tests.drawn import generators


def shifted_lines(line: np.ndarray, offsets: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return the elements `first` to `last` of each shifted line, (K, last - first)."""
    return line[offsets[:, None] + np.arange(first, last)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weighted_sums(dtype: type) -> None:
    accuracy = 1e-5 if dtype == np.float32 else 1e-13
    for rng in generators(57, count=30):
        room = kernels.lanes(np.dtype(dtype))
        rows, k, length = (int(n) for n in rng.integers([1, 0, 1], [4, 8, 3 * room]) * [4, 1, 1])
        k += kernels.LINES * int(rng.integers(2))
        offsets, line = rng.integers(0, 50, k), rng.normal(size=50 + length + room).astype(dtype)
        weights, start = rng.normal(size=(rows, k + 1)).astype(dtype)[:, :k], rng.normal(size=rows).astype(dtype)
        if rng.random() < 0.5:
            weights = rng.normal(size=(k + 3, rows + 1)).astype(dtype)[:k, :rows].T
        sums = np.full((rows, length + room), np.nan, dtype)
        expected = weights @ shifted_lines(line, offsets, 0, length) + start[:, None]
        if rng.random() < 0.5:  # add to the sums
            sums[:] = rng.normal(size=sums.shape)
            expected += sums[:, :length] - start[:, None]
            start = start[:0]
        before = sums.copy()
        kernels.weighted_sums(line, offsets, weights, start, length, sums)
        np.testing.assert_allclose(sums[:, :length], expected, rtol=accuracy, atol=20 * accuracy)
        np.testing.assert_array_equal(sums[:, length + room // 2 :], before[:, length + room // 2 :])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scalar_products(dtype: type) -> None:
    for rng in generators(58, count=30):
        room = kernels.narrow_lanes(np.dtype(dtype))
        f, k, length = 4 * int(rng.integers(1, 4)), 3 * int(rng.integers(1, 4)), room * int(rng.integers(1, 4))
        first = int(rng.integers(0, 3))
        last = first + length
        offsets, rows = rng.integers(0, 50, k), rng.normal(size=(f, last + int(rng.integers(0, 3)))).astype(dtype)
        line, products = rng.normal(size=50 + last).astype(dtype), rng.normal(size=(f, k)).astype(dtype)
        expected = products + rows[:, first:last] @ shifted_lines(line, offsets, first, last).T
        kernels.scalar_products(line, offsets, rows, first, last, products)
        np.testing.assert_allclose(products, expected, rtol=0, atol=1e-4 if dtype == np.float32 else 1e-12)
