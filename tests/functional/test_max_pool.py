"""Max pooling against its definition and PyTorch, ties and special numbers included."""

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import INT32_OVERFLOW


def test_of_equal_elements_the_first_wins() -> None:
    dx = F.max_pool2d_backward(np.array([[[[5.0]]]]), np.ones((1, 1, 2, 3)), (2, 3))
    np.testing.assert_array_equal(dx, [[[[5.0, 0, 0], [0, 0, 0]]]])


@pytest.mark.parametrize(
    ("x", "y", "dx"),
    [
        ([1.0, np.nan, 3.0], np.nan, [0, 1, 0]),
        ([np.nan, 1.0, 3.0], np.nan, [1, 0, 0]),
        ([1.0, np.inf, np.nan], np.nan, [0, 0, 1]),
        ([1.0, np.inf, 3.0], np.inf, [0, 1, 0]),
        ([-np.inf, -np.inf, -np.inf], -np.inf, [1, 0, 0]),
        ([-np.inf, -1e308, -np.inf], -1e308, [0, 1, 0]),
    ],
)
def test_nan_and_infinity(x: list[float], y: float, dx: list[float]) -> None:
    array = np.array([[x]])
    np.testing.assert_array_equal(F.max_pool1d(array, 3), [[[y]]])
    np.testing.assert_array_equal(F.max_pool1d_backward(np.ones((1, 1, 1)), array, 3), [[dx]])


def test_negative_infinity_wins_over_padding() -> None:
    """The gradient goes to an element of the input even where all of them are -inf."""
    x = np.full((1, 1, 2), -np.inf)
    np.testing.assert_array_equal(F.max_pool1d(x, 2, padding=1), [[[-np.inf, -np.inf]]])
    dx = F.max_pool1d_backward(np.array([[[2.0, 3.0]]]), x, 2, padding=1)
    np.testing.assert_array_equal(dx, [[[2.0, 3.0]]])


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"dilation": 0}, ValueError, "max_pool2d: expected dilation from 1"),
        ({"dilation": INT32_OVERFLOW}, ValueError, "expected dilation from 1 to 2147483647, got 2147483648"),
        ({"dilation": 5}, ValueError, r"kernel 2 with dilation 5 is 6 long and does not fit into width 5"),
        ({"dilation": 1.5}, TypeError, "expected dilation to be an int, got float 1.5"),
    ],
)
def test_bad_dilation(settings: dict[str, object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.max_pool2d(np.zeros((1, 1, 6, 5)), 2, **settings)
