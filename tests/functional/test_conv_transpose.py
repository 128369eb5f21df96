"""Transposed convolutions against the sum that defines them, against PyTorch, and as the adjoint of the convolution."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.drawn import draw_case, generators
from tests.helpers import INT32_OVERFLOW, INT64_LARGEST, assert_close, assert_same_bits, layouts

TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
BACKWARD = {1: F.conv_transpose1d_backward, 2: F.conv_transpose2d_backward, 3: F.conv_transpose3d_backward}


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_is_the_adjoint_of_the_convolution(rank: int) -> None:
    """<conv(x), z> = <x, conv_transpose(z)> with the same weights, once the output padding brings back the size."""
    conv = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]
    for rng in generators(5, rank):
        case = draw_case(rng, rank, words=("valid", "full"))
        extra = tuple(room % s for room, s in zip(case.room, case.stride, strict=True))
        settings = {name: value for name, value in case.settings.items() if name != "kernel_size"}
        x, weight = rng.normal(size=(2, 3, *case.size)), rng.normal(size=(4, 3, *case.kernel))
        y = conv(x, weight, **settings)
        z = rng.normal(size=y.shape)
        back = TRANSPOSED[rank](z, weight, output_padding=extra, **settings)
        assert_close((y * z).sum(), (x * back).sum())


def test_same_multiplies_the_size_by_the_stride() -> None:
    for kernel, stride, dilation in np.ndindex(5, 4, 3):
        settings = {"stride": stride + 1, "dilation": dilation + 1, "padding": "same"}
        y = F.conv_transpose1d(np.ones((1, 1, 5)), np.ones((1, 1, kernel + 1)), **settings)
        assert y.shape == (1, 1, 5 * (stride + 1))
        assert F.conv_output_size(y.shape[2], kernel + 1, **settings) == 5


def test_any_layout_gives_the_same_bits_and_stays_as_it_is(rng: np.random.Generator) -> None:
    x, weight, bias = rng.normal(size=(3, 4, 5, 6)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=6)
    settings = {"stride": (1, 2), "padding": ((1, 0), (0, 2)), "groups": 2}
    y = F.conv_transpose2d(x, weight, bias, **settings)
    dy = rng.normal(size=y.shape)
    gradients = F.conv_transpose2d_backward(dy, x, weight, **settings)
    for kind in layouts(x):
        arrays = [layouts(array)[kind] for array in (x, weight, bias, dy)]
        assert_same_bits(F.conv_transpose2d(*arrays[:3], **settings), y)
        actual = F.conv_transpose2d_backward(arrays[3], arrays[0], arrays[1], **settings)
        for got, wanted in zip(actual, gradients, strict=True):
            assert_same_bits(got, wanted)
        for array, original in zip(arrays, (x, weight, bias, dy), strict=True):
            np.testing.assert_array_equal(array, original)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_an_empty_batch(rank: int) -> None:
    x, weight = np.empty((0, 2, *(4,) * rank)), np.ones((2, 3, *(2,) * rank))
    y = TRANSPOSED[rank](x, weight, np.ones(3))
    assert y.shape == (0, 3, *(5,) * rank)
    dx, dweight, dbias = BACKWARD[rank](y, x, weight)
    assert dx.shape == x.shape
    assert_same_bits(dweight, np.zeros_like(weight))
    assert_same_bits(dbias, np.zeros(3))


X, W = np.zeros((2, 4, 6, 5)), np.zeros((4, 3, 3, 3))
BAD_CALLS = [
    ({"x": X[0]}, ValueError, r"conv_transpose2d: expected x \(N, C, H, W\), got \(4, 6, 5\)"),
    ({"x": X[:, :3]}, ValueError, r"expected weight \(3, F/groups, KH, KW\), got \(4, 3, 3, 3\)"),
    ({"weight": W[0]}, ValueError, r"expected weight \(4, F/groups, KH, KW\), got \(3, 3, 3\)"),
    ({"groups": 3}, ValueError, "expected groups to divide the 4 channels of x, got 3"),
    ({"groups": INT64_LARGEST}, ValueError, "expected groups from 1 to 2147483647, got 9223372036854775807"),
    ({"bias": np.zeros(4)}, ValueError, r"expected bias \(3,\), got \(4,\)"),
    ({"stride": 0}, ValueError, "expected stride from 1"),
    ({"stride": INT32_OVERFLOW}, ValueError, "expected stride from 1 to 2147483647, got 2147483648"),
    ({"stride": 2**31 - 1}, ValueError, "expected at most 2147483647 elements in one padded channel"),
    ({"output_padding": 1}, ValueError, "expected output_padding smaller than stride or dilation, got 1 with stride 1"),
    ({"output_padding": -1}, ValueError, "expected output_padding from 0 to 2147483647, got -1"),
    ({"output_padding": INT64_LARGEST}, ValueError, "expected output_padding from 0 to 2147483647"),
    ({"output_padding": 0.5}, TypeError, "expected output_padding to be an int, got float"),
    ({"padding": 4}, ValueError, r"no height is left: 1 \* \(6 - 1\) \+ 1 \* \(3 - 1\) \+ 1 \+ 0 - 4 - 4 = 0"),
    ({"padding": INT32_OVERFLOW}, ValueError, "expected padding from 0 to 2147483647"),
    ({"padding": "around"}, ValueError, "expected padding 'valid', 'same' or 'full', got 'around'"),
    ({"dilation": INT32_OVERFLOW}, ValueError, "expected dilation from 1 to 2147483647"),
    ({"dilation": 2**31 - 1}, ValueError, "expected at most 2147483647 elements in one padded channel"),
    ({"x": X.astype(np.float16)}, TypeError, "expected x of float32 or float64, got float16"),
    ({"x": X.astype(np.uint8)}, TypeError, "expected x of float32 or float64, got uint8"),
    ({"weight": W.astype(np.float32)}, TypeError, "expected weight of float64 like the input, got float32"),
]


@pytest.mark.parametrize(("change", "error", "text"), BAD_CALLS)
def test_bad_calls(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.conv_transpose2d(**{"x": X, "weight": W} | change)


def test_a_gradient_of_the_wrong_shape() -> None:
    with pytest.raises(ValueError, match=r"conv_transpose2d_backward: expected dy \(2, 3, 8, 7\), got \(2, 3, 8, 8\)"):
        F.conv_transpose2d_backward(np.zeros((2, 3, 8, 8)), X, W)


def test_a_weight_that_is_not_finite_reaches_only_what_it_touches() -> None:
    one = F.conv_transpose1d(np.array([[[1.0, 2, 3]]]), np.array([[[1.0, np.inf]]]))
    np.testing.assert_array_equal(one, [[[1, np.inf, np.inf, np.inf]]])
    two = F.conv_transpose2d(np.ones((1, 1, 2, 2)), np.array([[[[1.0, np.nan], [1, 1]]]]))
    np.testing.assert_array_equal(np.isnan(two[0, 0]), [[False, True, True], [False, True, True], [False] * 3])
