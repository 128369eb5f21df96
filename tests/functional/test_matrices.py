"""Products of matrices of any size and layout against NumPy's."""

import numpy as np
import pytest

from numpycnn.functional.matrices import multiply, multiply_transposed

SIZES = [(1, 1, 1), (3, 5, 7), (4, 64, 128), (33, 17, 10), (2, 130, 65), (0, 3, 4), (3, 4, 0), (40, 300, 120)]


@pytest.mark.parametrize(("m", "k", "n"), SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products(m, k, n, dtype, rng):
    a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
    start = rng.normal(size=n).astype(dtype)
    accuracy = {"rtol": 0, "atol": 1e-4 if dtype == np.float32 else 1e-12}
    found = multiply(a, b)
    assert (found.shape, found.dtype) == ((m, n), np.dtype(dtype))
    np.testing.assert_allclose(found, a @ b, **accuracy)
    np.testing.assert_allclose(multiply(a.T.copy().T, b), a @ b, **accuracy)
    out = np.full((m, n), np.nan, dtype)
    assert multiply(a, b, out) is out or np.shares_memory(multiply(a, b, out), out) or not out.size
    np.testing.assert_allclose(out, a @ b, **accuracy)
    np.testing.assert_allclose(multiply_transposed(a, b.T.copy()), a @ b, **accuracy)
    np.testing.assert_allclose(multiply_transposed(a, b.T.copy(), start), a @ b + start, **accuracy)


def test_nan_stays_in_its_row(rng):
    a, b = rng.normal(size=(6, 21)), rng.normal(size=(9, 21))
    a[2, 20] = b[4, 0] = np.nan
    expected = np.isnan(a @ b.T)
    np.testing.assert_array_equal(np.isnan(multiply_transposed(a, b)), expected)
    np.testing.assert_array_equal(np.isnan(multiply(a, b.T)), expected)
