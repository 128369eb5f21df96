"""Convolution backward: correct solution, and separate diagnoses of the three gradients."""

import numpy as np

from numpycnn.exercises.convolution_gradient import conv2d_backward
from tests.exercises.answers import assert_exercise, first_lines

Gradients = tuple[np.ndarray, np.ndarray, np.ndarray]


def test_the_solution_is_correct_and_each_mistake_is_recognized() -> None:
    assert_exercise("conv2d_backward")


def test_a_gradient_that_is_not_summed_over_the_batch() -> None:
    def answer(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0) -> Gradients:
        dx, _, dbias = conv2d_backward(dy, x, weight, stride, padding)
        dweight = np.zeros_like(weight)
        for n in range(len(x)):
            dweight = conv2d_backward(dy[n : n + 1], x[n : n + 1], weight, stride, padding)[1]
        return dx, dweight, dbias

    failed, report = first_lines("conv2d_backward", answer)
    assert failed == "a batch of two images"
    assert report.startswith("dweight[0, 0, 0, 0] is ")
    assert "correct: dx, dbias" in report
    assert "dweight has the last image only: it is the sum over the whole batch, so add (+=)" in report


def test_results_in_another_order() -> None:
    def answer(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, stride: int = 1, padding: int = 0) -> Gradients:
        dx, dweight, dbias = conv2d_backward(dy, x, weight, stride, padding)
        return dbias, dx, dweight

    _, report = first_lines("conv2d_backward", answer)
    assert "likely: the result returned as dx is dbias: the order is dx, dweight, dbias" in report
