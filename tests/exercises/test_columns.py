"""im2col: its product with the weight is a convolution, and a wrong order of axes is recognized."""

import numpy as np

from numpycnn.exercises.columns import im2col
from numpycnn.functional import conv2d
from tests.exercises.answers import assert_exercise, first_lines


def test_the_solution_is_correct_and_each_mistake_is_recognized() -> None:
    assert_exercise("im2col")


def test_a_product_with_the_columns_is_a_convolution() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(4, 3, 3, 2))
    y = conv2d(x, weight, stride=2, padding=1)
    columns = im2col(x, (3, 2), stride=2, padding=1)
    np.testing.assert_allclose((weight.reshape(4, -1) @ columns).reshape(y.shape), y)


def test_windows_as_rows_of_one_matrix() -> None:
    def answer(x: np.ndarray, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> np.ndarray:
        return im2col(x, kernel_size, stride, padding).swapaxes(1, 2)

    failed, report = first_lines("im2col", answer)
    assert failed == "one channel, a 2x2 window on a 3x4 image"
    assert report.startswith(
        "columns has the shape (1, 6, 4), expected (1, 4, 6), that is (N, K, P) likely: the axes K and P"
    )


def test_the_origin_of_a_value() -> None:
    def answer(x: np.ndarray, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> np.ndarray:
        columns = im2col(x, kernel_size, stride, padding)
        columns[0, 5:, 3:] *= 10
        return columns

    failed, report = first_lines("im2col", answer)
    assert failed == "a window that is not square"
    assert "columns[0, 5, 3] is 120, expected 12; the only value that differs" in report
    assert "row 5 is channel 0 at (2, 1) of the window, column 3 is the window (1, 1): padded[0, 0, 3, 2]" in report
