"""Lp pooling against its definition and PyTorch."""

import numpy as np
import pytest

from numpycnn import functional as F


def test_an_incomplete_window_is_scaled_up_to_a_whole_one() -> None:
    x = np.array([[[3.0, 4.0, -6.0]]])
    np.testing.assert_allclose(F.lp_pool1d(x, 2, ceil_mode=True), [[[5, 6 * np.sqrt(2)]]])
    np.testing.assert_allclose(F.lp_pool1d(x, 2, p=1, ceil_mode=True), [[[7, 12]]])
    np.testing.assert_allclose(F.lp_pool1d(x, 2, p=1, stride=2, padding=((0, 1),)), [[[7, 6]]])  # zeros count


def test_a_window_of_zeros_has_no_slope_and_no_warning() -> None:
    x = np.zeros((1, 1, 4))
    for p in (1, 1.5, 2, 3):
        np.testing.assert_array_equal(F.lp_pool1d(x, 2, p=p), np.zeros((1, 1, 2)))
        np.testing.assert_array_equal(F.lp_pool1d_backward(np.ones((1, 1, 2)), x, 2, p=p), x)


def test_nan_and_infinity() -> None:
    x = np.array([[[1.0, np.nan, 1.0, -np.inf, 3.0, 4.0]]])
    np.testing.assert_array_equal(F.lp_pool1d(x, 2), [[[np.nan, np.inf, 5.0]]])


@pytest.mark.parametrize(
    ("p", "error", "text"),
    [
        (0, ValueError, "lp_pool2d: expected p to be at least 1, got 0"),
        (0.5, ValueError, "expected p to be at least 1, got 0.5"),
        (np.inf, ValueError, "expected p to be finite, got inf"),
        (np.nan, ValueError, "expected p to be finite, got nan"),
        ("2", TypeError, "expected p to be a number, got str '2'"),
        (True, TypeError, "expected p to be a number, got bool True"),
    ],
)
def test_bad_powers(p: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.lp_pool2d(np.zeros((1, 1, 6, 5)), 2, p=p)


@pytest.mark.parametrize("size", [1e-6, 100.0, 1e30])
def test_large_powers_do_not_overflow(size):
    x = np.full((1, 1, 2, 2), size, np.float32)
    assert F.lp_pool2d(x, 2, p=20)[0, 0, 0, 0] == pytest.approx(size * 4 ** (1 / 20), rel=1e-6)
    dx = F.lp_pool2d_backward(np.ones((1, 1, 1, 1), np.float32), x, 2, p=20)
    np.testing.assert_allclose(dx, 4 ** (1 / 20 - 1), rtol=1e-5)
