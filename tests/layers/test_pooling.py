"""Pooling layers: they are the functions of the same name."""

from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import AvgPool2D, GlobalAvgPool, GlobalMaxPool, Layer, LpPool2D, MaxPool1D, MaxPool2D, MaxPool3D
from numpycnn import functional as F
from tests.helpers import assert_same_bits
from tests.layers.bad_calls import Bad, bad_sizes, refuse

CASES: list[tuple[str, dict[str, Any], tuple[int, ...], Any]] = [
    ("MaxPool1D", {"kernel_size": 3, "stride": 2, "padding": 1}, (2, 8), F.max_pool1d),
    ("MaxPool2D", {"kernel_size": 2, "ceil_mode": True, "dilation": 2}, (2, 6, 7), F.max_pool2d),
    ("MaxPool3D", {"kernel_size": (1, 2, 2)}, (2, 3, 4, 5), F.max_pool3d),
    ("AvgPool1D", {"kernel_size": 3, "padding": ((1, 2),), "stride": 1}, (2, 8), F.avg_pool1d),
    ("AvgPool2D", {"kernel_size": 3, "padding": 1, "count_include_pad": False}, (2, 6, 7), F.avg_pool2d),
    ("AvgPool3D", {"kernel_size": 2, "ceil_mode": True}, (2, 3, 4, 5), F.avg_pool3d),
    ("LpPool1D", {"kernel_size": 3, "p": 1}, (2, 8), F.lp_pool1d),
    ("LpPool2D", {"kernel_size": (2, 3), "padding": "same"}, (2, 6, 7), F.lp_pool2d),
    ("LpPool3D", {"kernel_size": 2, "p": 3.5, "stride": 1}, (2, 3, 4, 5), F.lp_pool3d),
    ("GlobalAvgPool", {}, (3, 4, 5), F.global_avg_pool),
    ("GlobalMaxPool", {}, (3, 4, 5), F.global_max_pool),
]


@pytest.mark.parametrize(("name", "settings", "input_shape", "function"), CASES)
def test_is_the_function_of_the_same_name(
    name: str, settings: dict[str, Any], input_shape: tuple[int, ...], function: Any, rng: np.random.Generator
) -> None:
    layer = getattr(numpycnn, name)(**settings)
    layer.build(input_shape, dtype=np.float64)
    x = rng.normal(size=(3, *input_shape))
    y = function(x, **settings)
    assert_same_bits(layer.forward(x, training=True), y)
    dy = rng.normal(size=y.shape)
    assert_same_bits(layer.backward(dy), getattr(F, f"{function.__name__}_backward")(dy, x, **settings))
    assert layer.parameters() == layer.state() == {}
    assert layer.multiply_adds() == 0


def test_window() -> None:
    assert MaxPool2D((3, 2), dilation=2).window() == ((3, 2), (3, 2), (2, 2))
    assert AvgPool2D(3, stride=2).window() == ((3, 3), (2, 2), (1, 1))
    assert GlobalAvgPool().window() is None


def test_nan_and_infinity_pass_through() -> None:
    layer = MaxPool2D(2)
    layer.build((1, 2, 6))
    x = np.array([[[[1, np.nan, 2, np.inf, -np.inf, -np.inf], [1, 1, 2, 2, -np.inf, -np.inf]]]], np.float32)
    np.testing.assert_array_equal(layer.forward(x, training=True), [[[[np.nan, np.inf, -np.inf]]]])
    dx = layer.backward(np.ones((1, 1, 1, 3), np.float32))
    np.testing.assert_array_equal(dx, [[[[0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]]]])


def make(**settings: Any) -> Layer:
    return MaxPool2D(**{"kernel_size": 2} | settings)


def make_average(**settings: Any) -> Layer:
    return AvgPool2D(**{"kernel_size": 2} | settings)


BAD = [
    *(bad for name in ("kernel_size", "dilation") for bad in bad_sizes(make, "MaxPool2D", name)),
    *(bad for bad in bad_sizes(make, "MaxPool2D", "stride") if "NoneType" not in bad.text),
    *bad_sizes(make, "MaxPool2D", "padding", 0),
    *bad_sizes(make_average, "AvgPool2D", "kernel_size"),
    *bad_sizes(make_average, "AvgPool2D", "padding", 0),
    *bad_sizes(lambda **s: LpPool2D(**s), "LpPool2D", "kernel_size"),
    *bad_sizes(lambda **s: MaxPool1D(**s), "MaxPool1D", "kernel_size"),
    Bad(
        lambda: make(kernel_size=(2, 2, 2)), ValueError, "MaxPool2D: expected kernel_size to be an int or 2 ints, got 3"
    ),
    Bad(lambda: MaxPool3D((2, 2)), ValueError, "MaxPool3D: expected kernel_size to be an int or 3 ints, got 2"),
    Bad(
        lambda: make(padding="around"),
        ValueError,
        "MaxPool2D: expected padding 'valid', 'same' or 'full', got 'around'",
    ),
    Bad(lambda: make(padding=(1, 2, 3)), ValueError, "MaxPool2D: expected padding to be an int or 2 ints, got 3"),
    Bad(lambda: make(ceil_mode="no"), TypeError, "MaxPool2D: expected ceil_mode to be True or False, got str 'no'"),
    Bad(lambda: make(ceil_mode=None), TypeError, "MaxPool2D: expected ceil_mode to be True or False, got NoneType"),
    Bad(
        lambda: make_average(count_include_pad=1),
        TypeError,
        "AvgPool2D: expected count_include_pad to be True or False, got int 1",
    ),
    Bad(lambda: LpPool2D(2, p=0.5), ValueError, "LpPool2D: expected p to be at least 1, got 0.5"),
    Bad(lambda: LpPool2D(2, p=np.inf), ValueError, "LpPool2D: expected p to be finite, got inf"),
    Bad(lambda: LpPool2D(2, p=None), TypeError, "LpPool2D: expected p to be a number, got NoneType None"),
    Bad(make, ValueError, "MaxPool2D: expected inputs (C, H, W), got (4, 5)", (4, 5)),
    Bad(make, ValueError, "MaxPool2D: kernel 2 does not fit into height 1 + padding 0 + 0 = 1", (3, 1, 5)),
    Bad(
        lambda: make(padding=(0, 2)),
        ValueError,
        "MaxPool2D: expected padding smaller than the window, so that each window overlaps the input; "
        "got 2 for width with a window of 2",
        (3, 5, 5),
    ),
    Bad(lambda: make(padding=2**31 - 1), ValueError, "MaxPool2D: expected", (3, 5, 5)),
    Bad(make_average, ValueError, "AvgPool2D: expected inputs (C, H, W), got (5,)", (5,)),
    Bad(lambda: make_average(kernel_size=6), ValueError, "AvgPool2D: kernel 6 does not fit into height 5", (3, 5, 5)),
    Bad(
        GlobalAvgPool,
        ValueError,
        "GlobalAvgPool: expected inputs (C, ...) with at least one spatial axis, got (5,)",
        (5,),
    ),
    Bad(
        GlobalMaxPool, ValueError, "GlobalMaxPool: expected inputs (C, ...) with at least one spatial axis, got ()", ()
    ),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_calls(bad: Bad) -> None:
    refuse(bad)


def test_arguments_as_in_pytorch_are_explained() -> None:
    text = r"^MaxPool2D: expected MaxPool2D\(kernel_size\), got 2 arguments; all settings are given by name"
    with pytest.raises(TypeError, match=text):
        MaxPool2D(2, 2)
