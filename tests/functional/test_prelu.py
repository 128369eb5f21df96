"""The PReLU as a function: its two forms of the slope, special numbers, layouts, wrong arguments."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.helpers import assert_close, assert_same_bits, layouts


@pytest.mark.parametrize("slopes", [1, 5])
def test_layouts_types_and_empty_arrays(slopes: int, rng: np.random.Generator) -> None:
    x, dy, weight = rng.normal(size=(4, 5, 6)), rng.normal(size=(4, 5, 6)), rng.normal(size=slopes)
    expected = [F.prelu(x, weight), *F.prelu_backward(dy, x, weight)]
    for kind in layouts(x):
        other_dy, other_x, other_weight = (layouts(array)[kind] for array in (dy, x, weight))
        got = [F.prelu(other_x, other_weight), *F.prelu_backward(other_dy, other_x, other_weight)]
        for array, wanted in zip(got, expected, strict=True):
            assert_same_bits(array, wanted)
        np.testing.assert_array_equal(other_x, x)
    single = [array.astype(np.float32) for array in (dy, x, weight)]
    for array, wanted in zip([F.prelu(*single[1:]), *F.prelu_backward(*single)], expected, strict=True):
        assert array.dtype == np.float32
        assert_close(array, wanted, 1e-5)
    empty = np.empty((0, 5))
    assert F.prelu(empty, weight).shape == (0, 5)
    dx, dweight = F.prelu_backward(empty, empty, weight)
    assert dx.shape == (0, 5)
    assert_same_bits(dweight, np.zeros(slopes))


def test_one_slope_fits_any_shape_and_is_the_leaky_relu() -> None:
    for shape in ((), (4,), (2, 3, 4)):
        x = np.full(shape, -2.0)
        y, (dx, dweight) = F.prelu(x, np.array([0.3])), F.prelu_backward(np.ones(shape), x, np.array([0.3]))
        np.testing.assert_allclose(y, F.leaky_relu(x, negative_slope=0.3))
        np.testing.assert_allclose(dx, F.leaky_relu_backward(np.ones(shape), x, negative_slope=0.3))
        np.testing.assert_allclose(dweight, [-2.0 * x.size])
        assert isinstance(y, np.ndarray)
        assert isinstance(dx, np.ndarray)


def test_a_kink_and_special_numbers_are_those_of_pytorch(torch: Any) -> None:
    numbers = [np.nan, np.inf, -np.inf, 0.0, -3.0]
    x, weight = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (numbers, [0.25]))
    y = torch.nn.functional.prelu(x, weight)
    y.backward(torch.ones(5, dtype=torch.float64))
    np.testing.assert_array_equal(F.prelu(np.array(numbers), np.array([0.25])), y.detach())
    dx, dweight = F.prelu_backward(np.ones(5), np.array(numbers), np.array([0.25]))
    np.testing.assert_array_equal(dx, x.grad)
    np.testing.assert_array_equal(dweight, weight.grad)


@pytest.mark.parametrize(
    ("x", "weight", "error", "text"),
    [
        (np.zeros((2, 3), int), np.ones(1), TypeError, "prelu: expected x of float32 or float64, got int64"),
        (
            np.zeros((2, 3)),
            np.ones(2),
            ValueError,
            r"prelu: expected weight \(1,\) or \(3,\), one for each channel",
        ),
        (np.zeros(3), np.ones(3), ValueError, r"prelu: expected weight \(1,\) or \(1,\)"),
        (np.zeros((2, 3)), np.ones(()), ValueError, r"prelu: expected weight \(C,\), got \(\)"),
        (np.zeros((2, 3)), np.ones(0), ValueError, r"prelu: expected weight \(1,\) or \(3,\)"),
        (np.zeros((2, 3)), np.ones(3, np.float32), TypeError, "prelu: expected weight of float64 like the input"),
    ],
)
def test_bad_calls(x: Any, weight: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.prelu(x, weight)


def test_a_bad_gradient() -> None:
    with pytest.raises(ValueError, match=r"prelu_backward: expected dy \(2, 3\), got \(3,\)"):
        F.prelu_backward(np.zeros(3), np.zeros((2, 3)), np.ones(1))
