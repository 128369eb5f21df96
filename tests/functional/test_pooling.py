"""What all pools share: oracle and PyTorch over drawn windows, layouts, empty batches, bad calls."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from tests.drawn import draw_pool, generators
from tests.helpers import INT32_OVERFLOW, INT64_LARGEST, assert_close, assert_same_bits, layouts

KINDS = ["max", "avg", "lp"]


def operations(kind: str, rank: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return getattr(F, f"{kind}_pool{rank}d"), getattr(F, f"{kind}_pool{rank}d_backward")


@pytest.mark.parametrize("kind", KINDS)
def test_any_layout_gives_the_same_bits_and_stays_as_it_is(kind: str, rng: np.random.Generator) -> None:
    forward, backward = operations(kind, 2)
    x = rng.normal(size=(3, 4, 5, 6))
    settings = {"stride": (1, 2), "padding": ((1, 0), (0, 1)), "ceil_mode": True}
    y = forward(x, (3, 2), **settings)
    dy = rng.normal(size=y.shape)
    dx = backward(dy, x, (3, 2), **settings)
    for name in layouts(x):
        other_x, other_dy = layouts(x)[name], layouts(dy)[name]
        assert_same_bits(forward(other_x, (3, 2), **settings), y)
        assert_same_bits(backward(other_dy, other_x, (3, 2), **settings), dx)
        np.testing.assert_array_equal(other_x, x)
        np.testing.assert_array_equal(other_dy, dy)
    wide = np.broadcast_to(x[:, :1, :, :1], x.shape)
    assert_same_bits(forward(wide, (3, 2), **settings), forward(wide.copy(), (3, 2), **settings))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_an_empty_batch(kind: str, rank: int) -> None:
    forward, backward = operations(kind, rank)
    x = np.empty((0, 2, *(4,) * rank))
    y = forward(x, 2)
    assert y.shape == (0, 2, *(2,) * rank)
    assert backward(y, x, 2).shape == x.shape


@pytest.mark.parametrize("kind", KINDS)
def test_float32_is_close_to_float64(kind: str) -> None:
    forward, backward = operations(kind, 2)
    for rng in generators(7):
        case = draw_pool(rng, 2)
        x = rng.normal(size=(2, 3, *case.size)).astype(np.float32)
        y = forward(x, **case.settings)
        dy = rng.normal(size=y.shape).astype(np.float32)
        dx = backward(dy, x, **case.settings)
        assert y.dtype == dx.dtype == np.float32
        assert_close(y, forward(x.astype(np.float64), **case.settings), 1e-5)
        assert_close(dx, backward(dy.astype(np.float64), x.astype(np.float64), **case.settings), 1e-5)


X = np.zeros((2, 4, 6, 5))
BAD_CALLS = [
    ({"x": X[0]}, ValueError, r"_pool2d: expected x \(N, C, H, W\), got \(4, 6, 5\)"),
    ({"x": X.astype(np.float16)}, TypeError, "expected x of float32 or float64, got float16; convert it first"),
    ({"x": X.astype(np.int32)}, TypeError, "expected x of float32 or float64, got int32"),
    ({"x": "picture"}, TypeError, "expected x of float32 or float64, got <U7"),
    ({"kernel_size": 0}, ValueError, "expected kernel_size from 1 to 2147483647, got 0"),
    ({"kernel_size": -2}, ValueError, "expected kernel_size from 1 to 2147483647, got -2"),
    ({"kernel_size": 2.0}, TypeError, "expected kernel_size to be an int, got float 2.0"),
    ({"kernel_size": (2, 2, 2)}, ValueError, r"expected kernel_size to be an int or 2 ints, got 3: \(2, 2, 2\)"),
    ({"kernel_size": 6}, ValueError, r"kernel 6 does not fit into width 5 \+ padding 0 \+ 0 = 5"),
    ({"kernel_size": INT32_OVERFLOW}, ValueError, "expected kernel_size from 1 to 2147483647, got 2147483648"),
    ({"kernel_size": INT64_LARGEST}, ValueError, "expected kernel_size from 1 to 2147483647, got 9223372036854775807"),
    ({"stride": 0}, ValueError, "expected stride from 1 to 2147483647, got 0"),
    ({"stride": INT32_OVERFLOW}, ValueError, "expected stride from 1 to 2147483647, got 2147483648"),
    ({"stride": "2"}, TypeError, "expected stride to be an int, got str '2'"),
    ({"padding": 2}, ValueError, "expected padding smaller than the window, .* got 2 for height with a window of 2"),
    ({"padding": (0, (1, 2))}, ValueError, r"expected padding as 2 \(before, after\) pairs"),
    ({"padding": ((0, 0), (0, 2))}, ValueError, "expected padding smaller than the window, .* got 2 for width"),
    ({"padding": INT32_OVERFLOW}, ValueError, "expected padding from 0 to 2147483647, got 2147483648"),
    ({"padding": 2**31 - 1}, ValueError, "in one padded channel|smaller than the window"),
    ({"ceil_mode": "no"}, TypeError, "_pool2d: expected ceil_mode to be True or False, got str 'no'"),
    ({"ceil_mode": 1}, TypeError, "_pool2d: expected ceil_mode to be True or False, got int 1"),
    ({"padding": "around"}, ValueError, "expected padding 'valid', 'same' or 'full', got 'around'"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("change", "error", "text"), BAD_CALLS)
def test_bad_calls(kind: str, change: dict[str, Any], error: type[Exception], text: str) -> None:
    forward, _ = operations(kind, 2)
    with pytest.raises(error, match=text):
        forward(**{"x": X, "kernel_size": 2} | change)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_gradient(kind: str) -> None:
    _, backward = operations(kind, 2)
    with pytest.raises(ValueError, match=rf"{kind}_pool2d_backward: expected dy \(2, 4, 3, 2\), got \(2, 4, 3, 3\)"):
        backward(np.zeros((2, 4, 3, 3)), X, 2)
    with pytest.raises(TypeError, match="expected dy of float64 like the input, got float32"):
        backward(np.zeros((2, 4, 3, 2), np.float32), X, 2)
