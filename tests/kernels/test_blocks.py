"""Blocks of channels against their plain versions, and these against NumPy's transposition."""

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
            expected = np.zeros((whole, lanes), dtype)
            expected[:size, :channels] = x[5 : 5 + channels * size].reshape(channels, size).T
            for beside, apart in (
                (kernels.beside, kernels.apart),
                (kernels.beside_reference, kernels.apart_reference),
            ):
                lines, pixels, back = (np.full(n, np.nan, dtype) for n in (whole * lanes, whole * lanes, len(x)))
                beside(x, 5, channels, size, lines, pixels)
                np.testing.assert_array_equal(pixels.reshape(whole, lanes), expected)
                apart(pixels, channels, size, lines, back, 5)
                np.testing.assert_array_equal(back[5 : 5 + channels * size], x[5 : 5 + channels * size])
                assert np.isnan(back[:5]).all()
                assert np.isnan(back[5 + channels * size :]).all()


def test_blocks_of():
    lanes = narrow_lanes(np.dtype(np.float64))
    assert [kernels.blocks_of(n, 8) for n in (1, lanes, lanes + 1, 3 * lanes)] == [1, 1, 2, 3]


def test_copy_rows(rng):
    source, expected = rng.normal(size=40), np.zeros(60)
    for row in range(3):
        expected[20 * row : 4 + 20 * row] = source[10 * row : 4 + 10 * row]
    for copy_rows in (kernels.copy_rows, kernels.copy_rows_reference):
        target = np.zeros(60)
        copy_rows(3, 4, source, 10, target, 20)
        np.testing.assert_array_equal(target, expected)
