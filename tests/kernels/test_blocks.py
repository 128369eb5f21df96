"""Blocks of channels against NumPy's transposition."""

import numpy as np
import pytest

from numpycnn.kernels import blocks as kernels
from numpycnn.kernels.products import narrow_lanes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_beside_each_other_and_apart_again(dtype, rng):
    lanes = narrow_lanes(np.dtype(dtype))
    for channels in (1, lanes - 1, lanes):
        for size in (1, lanes - 1, lanes, 3 * lanes, 3 * lanes + 1):
            whole = -(-size // lanes) * lanes
            x = rng.normal(size=5 + channels * size + 3).astype(dtype)
            lines, pixels = (np.full(whole * lanes, np.nan, dtype) for _ in range(2))
            kernels.beside(x, 5, channels, size, lines, pixels)
            expected = np.zeros((whole, lanes), dtype)
            expected[:size, :channels] = x[5 : 5 + channels * size].reshape(channels, size).T
            np.testing.assert_array_equal(pixels.reshape(whole, lanes), expected)

            back = np.full(len(x), np.nan, dtype)
            kernels.apart(pixels, channels, size, np.full(whole * lanes, np.nan, dtype), back, 5)
            np.testing.assert_array_equal(back[5 : 5 + channels * size], x[5 : 5 + channels * size])
            assert np.isnan(back[:5]).all()
            assert np.isnan(back[5 + channels * size :]).all()


def test_blocks_of():
    lanes = narrow_lanes(np.dtype(np.float64))
    assert [kernels.blocks_of(n, 8) for n in (1, lanes, lanes + 1, 3 * lanes)] == [1, 1, 2, 3]


def test_copy_rows(rng):
    source, target = rng.normal(size=40), np.zeros(60)
    kernels.copy_rows(3, 4, source, 2, 10, target, 5, 20)
    expected = np.zeros(60)
    for row in range(3):
        expected[5 + 20 * row : 9 + 20 * row] = source[2 + 10 * row : 6 + 10 * row]
    np.testing.assert_array_equal(target, expected)
