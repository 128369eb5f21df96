"""Correlation and convolution: correct solutions and recognized mistakes."""

from typing import Any

import numpy as np
import pytest
from scipy.signal import correlate2d

from numpycnn.exercises.convolution import correlate
from tests.exercises.answers import assert_exercise, first_lines


@pytest.mark.parametrize("name", ["correlate", "conv2d"])
def test_the_solution_is_correct_and_each_mistake_is_recognized(name: str) -> None:
    assert_exercise(name)


def test_correlate_matches_scipy() -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(6, 5)), rng.normal(size=(3, 2))
    np.testing.assert_allclose(correlate(x, kernel, 2), correlate2d(x, kernel, "valid")[::2, ::2])


def test_a_flipped_kernel() -> None:
    def answer(x: np.ndarray, kernel: np.ndarray, stride: int = 1) -> np.ndarray:
        (h, w), (kh, kw) = x.shape, kernel.shape
        y = np.zeros(((h - kh) // stride + 1, (w - kw) // stride + 1))
        for i, j in np.ndindex(y.shape):
            for u, v in np.ndindex(kh, kw):
                y[i, j] += x[stride * i + u, stride * j + v] * kernel[kh - 1 - u, kw - 1 - v]
        return y

    failed, report = first_lines("correlate", answer)
    assert failed == "a 2x2 kernel on a 3x3 matrix"
    assert report.startswith(
        "y[0, 0] is -1, expected -26; all values of y differ, this is the first likely: the kernel is"
    )
    assert "cross-correlation" in report
    assert report.endswith("by hand: y[0, 0] = -2*4 + 7*3 + 1*6 - 9*5, the window that starts at x[0, 0]")


def test_the_window_of_a_stride_is_worked_out_by_hand() -> None:
    def answer(x: np.ndarray, kernel: np.ndarray, stride: int = 1) -> np.ndarray:
        y = correlate(x, kernel, stride)
        y[-1, -1] += stride > 1
        return y

    failed, report = first_lines("correlate", answer)
    assert failed == "stride 2"
    assert "y[1, 2] is" in report
    assert "the window that starts at x[2, 4]" in report


@pytest.mark.parametrize(
    ("add", "what"), [(False, "only the last channel remains"), (True, "the bias is added once per")]
)
def test_channels_in_a_loop(add: bool, what: str) -> None:
    def answer(
        x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int = 1, padding: int = 0, **more: Any
    ) -> np.ndarray:
        y: Any = 0
        for c in range(x.shape[1]):
            planes = [[correlate(image[c], kernels[c], stride) for kernels in weight] for image in x]
            y = (y if add else 0) + np.array(planes) + bias[:, None, None]
        return np.asarray(y)

    failed, report = first_lines("conv2d", answer)
    assert failed == "two channels"
    assert what in report
    assert "by hand: y[0, 0, 0, 0] = " in report
    assert "the window that starts at row 0, column 0 of the padded x" in report
