"""Average pooling against its definition and PyTorch."""

import numpy as np
import pytest

from numpycnn import functional as F


def test_what_counts_in_an_incomplete_window() -> None:
    """Windows of 3 every 2 over 4 elements with one zero on each side: the last one hangs over the padding by one."""
    x = np.array([[[1.0, 2.0, 3.0, 4.0]]])
    settings = {"stride": 3, "padding": 1, "ceil_mode": True}
    np.testing.assert_allclose(F.avg_pool1d(x, 3, **settings), [[[(0 + 1 + 2) / 3, (3 + 4 + 0) / 3]]])
    settings = {"stride": 2, "padding": 1, "ceil_mode": True}
    np.testing.assert_allclose(F.avg_pool1d(x, 3, **settings), [[[1, 3, 4 / 2]]])
    np.testing.assert_allclose(F.avg_pool1d(x, 3, **settings, count_include_pad=False), [[[1.5, 3, 4]]])


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity(special: float) -> None:
    y = F.avg_pool1d(np.array([[[1.0, 3.0, special, 1.0, 5.0, 7.0]]]), 2)
    np.testing.assert_array_equal(y, [[[2.0, special, 6.0]]])


def test_count_include_pad_is_a_flag() -> None:
    for call in (
        lambda **s: F.avg_pool1d(np.ones((1, 1, 4)), 2, **s),
        lambda **s: F.avg_pool1d_backward(np.ones((1, 1, 2)), np.ones((1, 1, 4)), 2, **s),
    ):
        with pytest.raises(
            TypeError, match=r"^avg_pool1d.*: expected count_include_pad to be True or False, got int 0"
        ):
            call(count_include_pad=0)
