"""The layout in blocks of channels against NumPy's transposition."""

import numpy as np
import pytest

from numpycnn.kernels.engine import blocks as kernels
from numpycnn.kernels.engine.gemm import narrow_lanes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_to_channel_blocks_and_back(dtype, rng):
    lanes = narrow_lanes(np.dtype(dtype))
    for channels in (1, lanes - 1, lanes):
        for size in (1, lanes - 1, lanes, 3 * lanes, 3 * lanes + 1):
            padded = -(-size // lanes) * lanes
            x = rng.normal(size=5 + channels * size + 3).astype(dtype)
            expected = np.zeros((padded, lanes), dtype)
            expected[:size, :channels] = x[5 : 5 + channels * size].reshape(channels, size).T
            lines, pixels, back = (np.full(n, np.nan, dtype) for n in (padded * lanes, padded * lanes, len(x)))
            kernels.to_channel_blocks(x, 5, channels, size, lines, pixels)
            np.testing.assert_array_equal(pixels.reshape(padded, lanes), expected)
            kernels.from_channel_blocks(pixels, channels, size, lines, back, 5)
            np.testing.assert_array_equal(back[5 : 5 + channels * size], x[5 : 5 + channels * size])
            assert np.isnan(back[:5]).all()
            assert np.isnan(back[5 + channels * size :]).all()


def test_blocks_of():
    lanes = narrow_lanes(np.dtype(np.float64))
    assert [kernels.blocks_of(n, 8) for n in (1, lanes, lanes + 1, 3 * lanes)] == [1, 1, 2, 3]


def test_copy_rows(rng):
    source, target, expected = rng.normal(size=40), np.zeros(60), np.zeros(60)
    for row in range(3):
        expected[20 * row : 4 + 20 * row] = source[10 * row : 4 + 10 * row]
    kernels.copy_rows(3, 4, source, 10, target, 20)
    np.testing.assert_array_equal(target, expected)
