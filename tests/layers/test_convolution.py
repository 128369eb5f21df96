"""Convolution layers: they are the functions of the same name, with weights of their own."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import Conv1D, Conv2D, Conv3D, ConvTranspose2D, Layer
from numpycnn import functional as F
from tests.helpers import assert_same_bits
from tests.layers.bad_calls import Bad, bad_sizes, refuse

CASES: list[tuple[str, dict[str, Any], tuple[int, ...], Any]] = [
    ("Conv1D", {"stride": 2, "padding": "same", "groups": 2}, (4, 9), F.conv1d),
    ("Conv2D", {"padding": ((1, 0), (2, 1)), "dilation": (1, 2)}, (2, 6, 7), F.conv2d),
    ("Conv3D", {"stride": (1, 2, 1)}, (2, 3, 4, 5), F.conv3d),
    ("ConvTranspose1D", {"stride": 3, "output_padding": 2, "padding": 1}, (2, 5), F.conv_transpose1d),
    ("ConvTranspose2D", {"stride": (2, 1), "padding": "full", "groups": 2}, (4, 5, 6), F.conv_transpose2d),
    ("ConvTranspose3D", {"dilation": 2}, (2, 2, 2, 3), F.conv_transpose3d),
]


@pytest.mark.parametrize(("name", "settings", "input_shape", "function"), CASES)
@pytest.mark.parametrize("bias", [True, False])
def test_is_the_function_of_the_same_name(
    name: str,
    settings: dict[str, Any],
    input_shape: tuple[int, ...],
    function: Any,
    bias: bool,
    rng: np.random.Generator,
) -> None:
    layer = getattr(numpycnn, name)(4, 2, bias=bias, **settings)
    layer.build(input_shape, dtype=np.float64)
    if bias:
        layer.bias.value[...] = rng.normal(size=4)
    x = rng.normal(size=(3, *input_shape))
    y = function(x, layer.weight.value, layer.bias.value if bias else None, **settings)
    assert_same_bits(layer.forward(x, training=True), y)
    dy = rng.normal(size=y.shape)
    dx, dweight, dbias = getattr(F, f"{function.__name__}_backward")(dy, x, layer.weight.value, **settings)
    assert_same_bits(layer.backward(dy), dx)
    assert_same_bits(layer.weight.grad, dweight)
    if bias:
        assert_same_bits(layer.bias.grad, dbias)
        assert list(layer.parameters()) == ["weight", "bias"]
    else:
        assert layer.bias is None
        assert list(layer.parameters()) == ["weight"]


def test_weights_have_the_shapes_of_pytorch() -> None:
    conv, transposed = Conv2D(6, (3, 2), groups=2), ConvTranspose2D(6, (3, 2), groups=2)
    conv.build((4, 5, 5))
    transposed.build((4, 5, 5))
    assert conv.weight.value.shape == (6, 2, 3, 2)
    assert transposed.weight.value.shape == (4, 3, 3, 2)
    assert conv.bias.value.shape == transposed.bias.value.shape == (6,)


def test_weights_begin_with_the_variance_of_the_initializer_and_biases_with_0() -> None:
    for name, variance in (("he_normal", 2 / 400), ("glorot_uniform", 2 / (400 + 1600))):
        layer = Conv2D(256, 5, groups=4, initializer=name)
        layer.build((64, 5, 5), rng=0)
        assert layer.weight.value.var() == pytest.approx(variance, rel=0.05)
        assert layer.weight.value.mean() == pytest.approx(0, abs=1e-3)
        assert not layer.bias.value.any()


@pytest.mark.parametrize(
    ("name", "size", "settings"),
    [
        ("ConvTranspose1D", (200,), {"kernel_size": 6, "stride": 3}),
        ("ConvTranspose2D", (16, 17), {"kernel_size": 3, "stride": 1}),
        ("ConvTranspose2D", (16, 17), {"kernel_size": 4, "stride": 2, "groups": 2}),
        ("ConvTranspose2D", (16, 17), {"kernel_size": 3, "stride": 2}),
        ("ConvTranspose2D", (16, 17), {"kernel_size": (4, 2), "stride": (4, 1)}),
        ("ConvTranspose3D", (7, 8, 6), {"kernel_size": 2, "stride": 2}),
    ],
)
@pytest.mark.parametrize("initializer", ["he_normal", "he_uniform"])
def test_transposed_convolution_begins_with_outputs_of_variance_1(
    name: str, size: tuple[int, ...], settings: dict[str, Any], initializer: str, rng: np.random.Generator
) -> None:
    layer = getattr(numpycnn, name)(32, initializer=initializer, **settings)
    layer.build((64, *size))
    x = np.maximum(rng.normal(size=(2, 64, *size)), 0).astype(np.float32)  # as a ReLU gives them
    inner = tuple(slice(4, -4) for _ in size)  # less is summed at the border
    assert layer.forward(x)[(..., *inner)].var() == pytest.approx(1, rel=0.2)


def test_multiply_adds() -> None:
    layer = Conv2D(8, 3, groups=2)
    assert layer.multiply_adds() == 0
    layer.build((4, 10, 9))
    assert layer.multiply_adds() == 8 * (8 * 7) * (4 // 2) * 9
    transposed = ConvTranspose2D(8, 3, stride=2)
    transposed.build((4, 5, 6))
    assert transposed.multiply_adds() == (4 * 5 * 6) * 8 * 9


def test_window() -> None:
    assert Conv2D(1, 3, stride=(1, 2), dilation=2).window() == ((3, 3), (1, 2), (2, 2))
    assert ConvTranspose2D(1, (3, 4), stride=2).window() == ((2, 2), (Fraction(1, 2), Fraction(1, 2)), (1, 1))


def make(**settings: Any) -> Layer:
    return Conv2D(**{"out_channels": 4, "kernel_size": 3} | settings)


BAD = [
    *(
        bad
        for name in ("out_channels", "kernel_size", "stride", "dilation", "groups")
        for bad in bad_sizes(make, "Conv2D", name)
    ),
    *bad_sizes(make, "Conv2D", "padding", 0),
    *(bad for bad in bad_sizes(make, "Conv2D", "in_channels") if "NoneType" not in bad.text),
    *bad_sizes(lambda **s: ConvTranspose2D(4, 3, **s), "ConvTranspose2D", "output_padding", 0),
    *bad_sizes(lambda **s: Conv1D(4, **s), "Conv1D", "kernel_size"),
    *bad_sizes(lambda **s: Conv3D(4, 3, **s), "Conv3D", "stride"),
    Bad(lambda: make(kernel_size=(3, 3, 3)), ValueError, "Conv2D: expected kernel_size to be an int or 2 ints, got 3"),
    Bad(lambda: make(stride=()), ValueError, "Conv2D: expected stride to be an int or 2 ints, got 0: ()"),
    Bad(lambda: make(kernel_size=(3, 0)), ValueError, "Conv2D: expected kernel_size from 1 to 2147483647, got 0"),
    Bad(lambda: make(bias=1), TypeError, "Conv2D: expected bias to be True or False, got int 1"),
    Bad(lambda: make(bias=None), TypeError, "Conv2D: expected bias to be True or False, got NoneType None"),
    Bad(
        lambda: Conv2D(2**31 - 1, 3),
        ValueError,
        "Conv2D: expected at most 1073741824 weights, got (2147483647, 3, 3, 3), which would take 231,928,233",
        (3, 8, 9),
    ),
    Bad(lambda: make(padding="half"), ValueError, "Conv2D: expected padding 'valid', 'same' or 'full', got 'half'"),
    Bad(lambda: make(padding=((1, 2), 3)), ValueError, "Conv2D: expected padding as 2 (before, after) pairs"),
    Bad(lambda: make(padding=((1, -2), (3, 4))), ValueError, "Conv2D: expected padding from 0 to 2147483647, got -2"),
    Bad(
        lambda: make(initializer="ones"),
        ValueError,
        "Conv2D: expected initializer he_normal, he_uniform, glorot_normal",
    ),
    Bad(make, ValueError, "Conv2D: expected inputs (C, H, W), got (4, 5)", (4, 5)),
    Bad(make, ValueError, "Conv2D: expected inputs (C, H, W), got (1, 4, 5, 6)", (1, 4, 5, 6)),
    Bad(
        make,
        ValueError,
        "Conv2D: kernel 3 does not fit into height 2 + padding 0 + 0 = 2",
        (1, 2, 5),
    ),
    Bad(
        lambda: make(dilation=(1, 3), name="stem"),
        ValueError,
        "Conv2D 'stem': kernel 3 with dilation 3 is 7 long and does not fit into width 5 + padding 0 + 0 = 5",
        (1, 3, 5),
    ),
    Bad(lambda: make(groups=3), ValueError, "Conv2D: expected groups to divide the 4 input channels, got 3", (4, 5, 5)),
    Bad(
        lambda: make(groups=3), ValueError, "Conv2D: expected groups to divide the 4 output channels, got 3", (6, 5, 5)
    ),
    Bad(
        lambda: make(in_channels=3),
        ValueError,
        "Conv2D: expected 3 channels (in_channels), got 4 in (4, 5, 5)",
        (4, 5, 5),
    ),
    Bad(make, ValueError, "Conv2D: expected input_shape from 1 to 2147483647, got 0", (0, 5, 5)),
    Bad(make, ValueError, "expected at most 2147483647 elements in one padded channel", (1, 65536, 65536)),
    Bad(lambda: make(padding=2**31 - 1), ValueError, "expected at most 2147483647 elements in one padded", (1, 5, 5)),
    Bad(lambda: make(kernel_size=2**31 - 1), ValueError, "kernel 2147483647 does not fit into height 5", (1, 5, 5)),
    Bad(lambda: make(dilation=2**31 - 1), ValueError, "is 4294967295 long and does not fit into height 5", (1, 5, 5)),
    Bad(
        lambda: ConvTranspose2D(4, 3, output_padding=1),
        ValueError,
        "ConvTranspose2D: expected output_padding smaller than stride or dilation, got 1 with stride 1 and dilation 1",
        (1, 5, 5),
    ),
    Bad(
        lambda: ConvTranspose2D(4, 1, padding=1),
        ValueError,
        "ConvTranspose2D: no height is left: 1 * (2 - 1) + 1 * (1 - 1) + 1 + 0 - 1 - 1 = 0",
        (1, 2, 2),
    ),
    Bad(lambda: ConvTranspose2D(4, 3, stride=2**31 - 1), ValueError, "expected at most 2147483647 elements", (1, 5, 5)),
    Bad(
        lambda: ConvTranspose2D(4, 3, groups=2), ValueError, "expected groups to divide the 3 input channels", (3, 5, 5)
    ),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_calls(bad: Bad) -> None:
    refuse(bad)


def test_settings_after_the_kernel_size_go_by_name() -> None:
    with pytest.raises(TypeError, match=r"got 3 arguments; the size of the input is inferred"):
        Conv2D(4, 3, 2)  # type: ignore[misc]
    with pytest.raises(TypeError, match="strides"):
        Conv2D(4, 3, strides=2)  # type: ignore[call-arg]
