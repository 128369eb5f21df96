"""Matrix products of any size and layout against NumPy's."""

import numpy as np
import pytest

from numpycnn.fast.matrices import multiply, multiply_transposed, pad_to_multiple
from numpycnn.kernels.engine.matrices import BLOCK

SIZES = [(1, 1, 1), (3, 5, 7), (4, 64, 128), (33, 17, 10), (2, 130, 65), (0, 3, 4), (3, 4, 0), (40, 300, 120)]
SIZES += [(5, BLOCK + 9, 4)]  # two passes


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
    np.testing.assert_allclose(multiply_transposed(a, b.T.copy()), a @ b, **accuracy)
    np.testing.assert_allclose(multiply_transposed(a, b.T.copy(), start), a @ b + start, **accuracy)


def test_pad_to_multiple(rng):
    matrices = rng.normal(size=(2, 5, 7))
    padded = pad_to_multiple(matrices, 4, 3)
    np.testing.assert_array_equal(padded, np.pad(matrices, ((0, 0), (0, 3), (0, 2))))
    assert pad_to_multiple(matrices, 5, 7) is matrices
    assert pad_to_multiple(matrices.transpose(0, 2, 1), 7, 5).flags.c_contiguous


def test_nan_stays_in_its_row(rng):
    a, b = rng.normal(size=(6, 21)), rng.normal(size=(9, 21))
    a[2, 20] = b[4, 0] = np.nan
    expected = np.isnan(a @ b.T)
    np.testing.assert_array_equal(np.isnan(multiply_transposed(a, b)), expected)
    np.testing.assert_array_equal(np.isnan(multiply(a, b.T)), expected)
