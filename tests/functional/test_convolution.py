"""Convolutions against the sum that defines them, against SciPy, and against PyTorch."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.signal import correlate

from numpycnn import functional as F
from tests.drawn import Case, draw_case, generators, pairs_of
from tests.helpers import INT32_OVERFLOW, INT64_LARGEST, assert_close, assert_same_bits, layouts

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
BACKWARD = {1: F.conv1d_backward, 2: F.conv2d_backward, 3: F.conv3d_backward}


class Drawn(NamedTuple):
    case: Case
    groups: int
    settings: dict[str, Any]
    x: np.ndarray
    weight: np.ndarray
    bias: np.ndarray | None
    dy: np.ndarray


def draw(rng: np.random.Generator, rank: int) -> Drawn:
    case = draw_case(rng, rank)
    groups, channels = (int(n) for n in rng.integers(1, 4, 2))
    filters = int(rng.integers(1, 7 if groups == 1 else 4))  # of one group
    settings = {name: value for name, value in case.settings.items() if name != "kernel_size"} | {"groups": groups}
    x = rng.normal(size=(rng.integers(1, 4), groups * channels, *case.size))
    weight = rng.normal(size=(groups * filters, channels, *case.kernel))
    bias = rng.normal(size=groups * filters) if rng.random() < 0.7 else None
    dy = rng.normal(size=(len(x), groups * filters, *case.output))
    return Drawn(case, groups, settings, x, weight, bias, dy)


# ---------------------------------------------------------------------------------------------------------- properties


def test_float32_is_close_to_float64() -> None:
    for rng in generators(3):
        drawn = draw(rng, 2)
        x, weight, dy = (array.astype(np.float32) for array in (drawn.x, drawn.weight, drawn.dy))
        y = F.conv2d(x, weight, **drawn.settings)
        gradients = F.conv2d_backward(dy, x, weight, **drawn.settings)
        exact = F.conv2d(drawn.x, drawn.weight, **drawn.settings)
        exact_gradients = F.conv2d_backward(drawn.dy, drawn.x, drawn.weight, **drawn.settings)
        for single, double in zip((y, *gradients), (exact, *exact_gradients), strict=True):
            assert single.dtype == np.float32
            assert_close(single, double, 1e-5)


def test_any_layout_gives_the_same_bits_and_stays_as_it_is(rng: np.random.Generator) -> None:
    x, weight, bias = rng.normal(size=(3, 4, 5, 6)), rng.normal(size=(6, 2, 3, 2)), rng.normal(size=6)
    settings = {"stride": (1, 2), "padding": ((1, 0), (0, 2)), "groups": 2}
    y = F.conv2d(x, weight, bias, **settings)
    dy = rng.normal(size=y.shape)
    gradients = F.conv2d_backward(dy, x, weight, **settings)
    for kind in layouts(x):
        other_x, other_weight, other_bias, other_dy = (layouts(array)[kind] for array in (x, weight, bias, dy))
        assert_same_bits(F.conv2d(other_x, other_weight, other_bias, **settings), y)
        for actual, wanted in zip(
            F.conv2d_backward(other_dy, other_x, other_weight, **settings), gradients, strict=True
        ):
            assert_same_bits(actual, wanted)
        for other, original in ((other_x, x), (other_weight, weight), (other_bias, bias), (other_dy, dy)):
            np.testing.assert_array_equal(other, original)


def test_broadcast_arrays(rng: np.random.Generator) -> None:
    x = np.broadcast_to(rng.normal(size=(1, 2, 5, 1)), (3, 2, 5, 4))
    weight = np.broadcast_to(rng.normal(size=(3, 1, 1, 2)), (3, 2, 3, 2))
    dy = np.broadcast_to(1.0, (3, 3, 3, 3))
    assert_same_bits(F.conv2d(x, weight), F.conv2d(x.copy(), weight.copy()))
    copies = F.conv2d_backward(dy.copy(), x.copy(), weight.copy())
    for actual, wanted in zip(F.conv2d_backward(dy, x, weight), copies, strict=True):
        assert_same_bits(actual, wanted)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_an_empty_batch(rank: int) -> None:
    x, weight = np.empty((0, 2, *(4,) * rank)), np.ones((3, 2, *(2,) * rank))
    y = CONV[rank](x, weight)
    assert y.shape == (0, 3, *(3,) * rank)
    dx, dweight, dbias = BACKWARD[rank](y, x, weight)
    assert dx.shape == x.shape
    assert_same_bits(dweight, np.zeros_like(weight))
    assert_same_bits(dbias, np.zeros(3))


# Large enough for every way in which a convolution can be made fast: shapes of x and weight, and the settings.
LARGE: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 8, 70, 60), (3, 8, 3, 3), {}),
    ((3, 16, 30, 29), (16, 16, 3, 3), {"padding": 1}),
    ((2, 16, 31, 33), (12, 16, 3, 3), {"padding": 1, "stride": 2}),
    ((2, 4, 33, 40), (8, 4, 5, 4), {"padding": ((2, 1), (0, 1))}),
    ((3, 32, 14, 15), (64, 32, 3, 3), {"padding": 1}),
    ((2, 64, 17, 12), (32, 64, 3, 3), {"padding": ((0, 2), (1, 0))}),
]


def large(rng: np.random.Generator, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
    x_shape, weight_shape, settings = LARGE[number]
    x, weight = rng.normal(size=x_shape), rng.normal(size=weight_shape)
    size = F.conv_output_size(x_shape[2:], weight_shape[2:], **settings)
    return x, weight, rng.normal(size=(len(x), len(weight), *size)), settings


@pytest.mark.parametrize("number", range(len(LARGE)))
def test_large_images_equal_scipy(number: int, rng: np.random.Generator) -> None:
    x, weight, dy, settings = large(rng, number)
    (n, c, *size), (f, _, *kernel) = x.shape, weight.shape
    pairs = pairs_of(settings.get("padding", 0), tuple(size), tuple(kernel), (1, 1), (1, 1))
    s = settings.get("stride", 1)
    padded = np.pad(x, ((0, 0), (0, 0), *pairs))
    spread = np.zeros((n, f, *(p - k + 1 for p, k in zip(padded.shape[2:], kernel, strict=True))))
    spread[:, :, ::s, ::s] = dy  # one gradient for each place of the window, 0 where the stride steps over it
    turned = weight[:, :, ::-1, ::-1]

    def total(first: Any, second: Any, mode: str) -> np.ndarray:
        return sum(correlate(a, b, mode=mode, method="direct") for a, b in zip(first, second, strict=True))

    y = np.array([[total(image, w, "valid") for w in weight] for image in padded])
    dx = np.array([[total(spread[i], turned[:, j], "full") for j in range(c)] for i in range(n)])
    dweight = np.array([[total(padded[:, j], spread[:, i], "valid") for j in range(c)] for i in range(f)])
    inside = tuple(slice(before, before + i) for i, (before, _) in zip(size, pairs, strict=True))
    assert_close(F.conv2d(x, weight, **settings), y[:, :, ::s, ::s])
    gradients = F.conv2d_backward(dy, x, weight, **settings)
    for got, wanted in zip(gradients, (dx[:, :, *inside], dweight, dy.sum(axis=(0, 2, 3))), strict=True):
        assert_close(got, wanted)


@pytest.mark.parametrize("number", range(len(LARGE)))
def test_large_images_in_float32_are_close_to_float64(number: int, rng: np.random.Generator) -> None:
    x, weight, dy, settings = large(rng, number)
    single = [array.astype(np.float32) for array in (x, weight, dy)]
    double = [array.astype(np.float64) for array in single]
    assert_close(F.conv2d(*single[:2], **settings), F.conv2d(*double[:2], **settings), 1e-5)
    gradients = [F.conv2d_backward(dy, x, weight, **settings) for x, weight, dy in (single, double)]
    for got, wanted in zip(*gradients, strict=True):
        assert got.dtype == np.float32
        assert_close(got, wanted, 1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("number", range(len(LARGE)))
def test_nan_and_infinity_reach_the_windows_that_see_them_and_no_others(
    number: int, special: float, dtype: type, rng: np.random.Generator
) -> None:
    x, weight, dy, settings = (
        array if isinstance(array, dict) else array.astype(dtype) for array in large(rng, number)
    )
    tolerance = 1e-5 if dtype is np.float32 else 1e-10
    channels, mark = slice(0, 1), np.zeros_like(x[:, :1])
    mark[1, 0, 7, 9] = 1
    ones = np.ones_like(weight[:1, channels])
    seen = F.conv2d(mark, ones, **settings) > 0.5  # (N, 1, OH, OW)
    assert 0 < seen.sum() < seen.size
    damaged = np.where(mark > 0, dtype(special), x)  # in every channel of one image
    with np.errstate(invalid="ignore"):
        y = F.conv2d(damaged, weight, **settings)
        np.testing.assert_array_equal(np.isfinite(y), np.broadcast_to(~seen, y.shape))
        assert_close(np.where(seen, 0, y), np.where(seen, 0, F.conv2d(x, weight, **settings)), tolerance)

    mark = np.zeros_like(dy[:, :1])
    mark[1, 0, 5, 6] = 1
    seen = F.conv2d_backward(mark, x[:, channels], ones, **settings)[0] > 0.5  # (N, 1, H, W)
    damaged = dy.copy()
    damaged[1, 2, 5, 6] = special
    with np.errstate(invalid="ignore"):
        dx, dweight, dbias = F.conv2d_backward(damaged, x, weight, **settings)
    np.testing.assert_array_equal(np.isfinite(dx), np.broadcast_to(~seen, dx.shape))
    for gradient in (dweight, dbias):
        finite = np.isfinite(gradient).reshape(len(gradient), -1)
        np.testing.assert_array_equal(finite.all(axis=1), np.arange(len(gradient)) != 2)
        np.testing.assert_array_equal(finite.any(axis=1), np.arange(len(gradient)) != 2)


# ---------------------------------------------------------------------------------------------------------- bad calls

X, W = np.zeros((2, 4, 6, 5)), np.zeros((6, 2, 3, 3))
BAD_CALLS = [
    ({"x": X[0]}, ValueError, r"conv2d: expected x \(N, C, H, W\), got \(4, 6, 5\)"),
    ({"x": X[:, :3]}, ValueError, r"expected x with 2 \* 2 = 4 channels \(weight \(6, 2, 3, 3\), groups 2\), got 3"),
    ({"weight": W[0]}, ValueError, r"expected weight \(4?F?, C/groups, KH, KW\), got \(2, 3, 3\)"),
    ({"weight": W[:5]}, ValueError, "expected groups to divide the 5 output channels, got 2"),
    ({"weight": np.zeros((6, 2, 7, 3))}, ValueError, r"kernel 7 does not fit into height 6 \+ padding 0 \+ 0 = 6"),
    ({"dilation": 4}, ValueError, r"kernel 3 with dilation 4 is 9 long and does not fit into height 6"),
    ({"bias": np.zeros(5)}, ValueError, r"expected bias \(6,\), got \(5,\)"),
    ({"groups": 0}, ValueError, "expected groups from 1 to 2147483647, got 0"),
    ({"groups": 3}, ValueError, r"expected x with 2 \* 3 = 6 channels"),
    ({"groups": 2.0}, TypeError, "expected groups to be an int, got float 2.0"),
    ({"groups": INT32_OVERFLOW}, ValueError, "expected groups from 1 to 2147483647, got 2147483648"),
    ({"stride": 0}, ValueError, "expected stride from 1 to 2147483647, got 0"),
    ({"stride": -1}, ValueError, "expected stride from 1 to 2147483647, got -1"),
    ({"stride": (1, 2, 3)}, ValueError, r"expected stride to be an int or 2 ints, got 3: \(1, 2, 3\)"),
    ({"stride": INT64_LARGEST}, ValueError, "expected stride from 1 to 2147483647, got 9223372036854775807"),
    ({"stride": True}, TypeError, "expected stride to be an int, got bool True"),
    ({"dilation": 0}, ValueError, "expected dilation from 1"),
    ({"dilation": INT32_OVERFLOW}, ValueError, "expected dilation from 1 to 2147483647, got 2147483648"),
    ({"dilation": 2**31 - 1}, ValueError, "does not fit into height 6"),
    ({"padding": -1}, ValueError, "expected padding from 0 to 2147483647, got -1"),
    ({"padding": INT32_OVERFLOW}, ValueError, "expected padding from 0 to 2147483647, got 2147483648"),
    ({"padding": INT64_LARGEST}, ValueError, "expected padding from 0 to 2147483647"),
    ({"padding": 2**31 - 1}, ValueError, "expected at most 2147483647 elements in one padded channel"),
    ({"padding": "half"}, ValueError, "expected padding 'valid', 'same' or 'full', got 'half'"),
    ({"padding": ((1, 2),)}, ValueError, r"expected padding as 2 \(before, after\) pairs"),
    ({"padding": ((1, 2), 3)}, ValueError, r"expected padding as 2 \(before, after\) pairs"),
    ({"padding": 0.5}, TypeError, "expected padding to be an int, got float 0.5"),
    ({"x": X.astype(np.float16)}, TypeError, r"expected x of float32 or float64, got float16; convert it first"),
    ({"x": X.astype(np.int64)}, TypeError, "expected x of float32 or float64, got int64"),
    ({"x": X.astype(complex)}, TypeError, "expected x of float32 or float64, got complex128"),
    ({"x": "picture"}, TypeError, "expected x of float32 or float64, got <U7"),
    ({"x": None}, TypeError, "expected x of float32 or float64, got object"),
    ({"weight": W.astype(np.float32)}, TypeError, "expected weight of float64 like the input, got float32"),
    ({"bias": np.zeros(6, np.float32)}, TypeError, "expected bias of float64 like the input, got float32"),
]


@pytest.mark.parametrize(("change", "error", "text"), BAD_CALLS)
def test_bad_calls(change: dict[str, Any], error: type[Exception], text: str) -> None:
    arguments = {"x": X, "weight": W, "groups": 2} | change
    with pytest.raises(error, match=text):
        F.conv2d(**arguments)


@pytest.mark.parametrize(
    ("dy", "error", "text"),
    [
        (np.zeros((2, 6, 4, 4)), ValueError, r"conv2d_backward: expected dy \(2, 6, 4, 3\), got \(2, 6, 4, 4\)"),
        (np.zeros((2, 6, 4, 3), np.float32), TypeError, "expected dy of float64 like the input, got float32"),
    ],
)
def test_bad_gradients(dy: np.ndarray, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.conv2d_backward(dy, X, W, groups=2)


@pytest.mark.parametrize(("x", "weight"), [((2, 0, 5, 5), (3, 0, 3, 3)), ((2, 4, 5, 5), (0, 4, 3, 3))])
def test_weights_without_channels_are_refused(x: tuple[int, ...], weight: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="conv2d: expected a weight without empty axes, got"):
        F.conv2d(np.zeros(x), np.zeros(weight))
