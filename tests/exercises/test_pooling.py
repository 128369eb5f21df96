"""Max pooling, forward and backward: correct solutions and recognized mistakes."""

import numpy as np
import pytest

from numpycnn.exercises.pooling import max_pool, max_pool_backward
from tests.exercises.answers import assert_exercise, first_lines


@pytest.mark.parametrize("name", ["max_pool", "max_pool_backward"])
def test_the_solution_is_correct_and_each_mistake_is_recognized(name: str) -> None:
    assert_exercise(name)


def test_a_maximum_that_starts_at_zero() -> None:
    def answer(x: np.ndarray, kernel_size: int, stride: int | None = None, padding: int = 0) -> np.ndarray:
        y = np.zeros_like(max_pool(x, kernel_size, stride, padding))
        for i, j in np.ndindex(y.shape[2:]):
            for u, v in np.ndindex(kernel_size, kernel_size):
                y[:, :, i, j] = np.maximum(y[:, :, i, j], x[:, :, kernel_size * i + u, kernel_size * j + v])
        return y

    failed, report = first_lines("max_pool", answer)
    assert failed == "negative values only"
    assert "likely: a negative value is never the maximum: the search starts at 0" in report
    assert "by hand: the window (0, 0) starts at row 0, column 0 of x[0, 0] and contains -1, -2, -5, -6" in report


def test_a_window_in_the_padding_is_shown_without_it() -> None:
    def answer(x: np.ndarray, kernel_size: int, stride: int | None = None, padding: int = 0) -> np.ndarray:
        return max_pool(x, kernel_size, stride, padding) + padding

    failed, report = first_lines("max_pool", answer)
    assert failed == "padding 1"
    assert "likely: every value of y is 1 too large" in report
    assert "the window (0, 0) starts at row -1, column -1 of x[0, 0] and contains " in report


def test_the_maximum_of_several_windows() -> None:
    def answer(
        dy: np.ndarray, x: np.ndarray, kernel_size: int, stride: int | None = None, padding: int = 0
    ) -> np.ndarray:
        stride = stride or kernel_size
        dx = np.zeros_like(x)
        for n, c, i, j in np.ndindex(dy.shape):
            a, b = stride * i, stride * j
            u, v = np.unravel_index(x[n, c, a : a + kernel_size, b : b + kernel_size].argmax(), (kernel_size,) * 2)
            dx[n, c, a + u, b + v] = dy[n, c, i, j]
        return dx

    failed, report = first_lines("max_pool_backward", answer)
    assert failed == "overlapping windows: 3x3, stride 1"
    assert "likely: a value that is the maximum of several windows keeps only the last dy: add (+=)" in report
    assert " is the maximum of the windows (" in report


def test_values_that_are_not_a_maximum() -> None:
    _, report = first_lines("max_pool_backward", lambda dy, x, **settings: max_pool_backward(dy, x, **settings) + 1)
    assert report.endswith("is not the maximum of any window")
