"""The words in which arguments are refused, and how arrays are taken in."""

from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import Conv2D, Dense, Flatten, Sequential
from numpycnn import functional as F
from numpycnn._checks import (
    as_contiguous,
    check_array,
    check_axis,
    check_flag,
    check_int,
    check_labels,
    check_num_weights,
    check_number,
    check_per_axis,
    check_shape,
    check_unmasked,
    format_shape,
    per_axis,
)
from tests.helpers import layouts
from tests.mutations import bounded_memory


def test_spell() -> None:
    assert format_shape(()) == "()"
    assert format_shape((3,)) == "(3,)"
    assert format_shape(("N", 3, "H")) == "(N, 3, H)"


def test_float_array_comes_in_order_and_native_and_is_not_copied_without_need(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4))
    assert np.shares_memory(check_array(x, "x", "f"), x)
    for array in layouts(x).values():
        taken = check_array(array, "x", "f")
        assert taken.flags.c_contiguous
        assert taken.flags.aligned
        assert taken.dtype == np.float64
        np.testing.assert_array_equal(taken, x)
    assert check_array([1.0, 2.0], "x", "f").shape == (2,)
    assert check_array(np.float32(1), "x", "f").shape == ()


def test_for_kernel_gives_one_kind_of_array(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4))
    assert np.shares_memory(as_contiguous(x), x)
    for array in [*layouts(x).values(), np.broadcast_to(x[:1], (3, 4))]:
        taken = as_contiguous(array)
        assert taken.flags.c_contiguous
        assert taken.flags.aligned
        assert taken.flags.writeable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros(2, np.float16), "f: expected x of float32 or float64, got float16; convert it first, as in x.astype"),
        (np.zeros(2, np.longdouble), "f: expected x of float32 or float64, got "),
        ([1, 2], "got int64"),
        ([[1.0], ["a"]], "got <U32"),
        (object(), "got object"),
    ],
)
def test_other_types_are_refused(value: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        check_array(value, "x", "f")


def test_types_must_agree() -> None:
    with pytest.raises(TypeError, match="f: expected w of float32 like the input, got float64"):
        check_array(np.zeros(2), "w", "f", like=np.zeros(2, np.float32))


def test_expect_shape() -> None:
    check_shape(np.zeros((2, 3)), ("N", 3), "x", "f")
    for shape in (("N", 4), ("N",), ("N", 3, "W"), ()):
        with pytest.raises(ValueError, match=r"f: expected x .*, got \(2, 3\)"):
            check_shape(np.zeros((2, 3)), shape, "x", "f")


@pytest.mark.parametrize("value", [1, np.int8(1), np.uint64(1), 2**31 - 1])
def test_whole_numbers(value: Any) -> None:
    assert check_int(value, "n", "f") == int(value)
    assert type(check_int(value, "n", "f")) is int


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0, ValueError, "f: expected n from 1 to 2147483647, got 0"),
        (2**31, ValueError, "f: expected n from 1 to 2147483647, got 2147483648"),
        (2**63 - 1, ValueError, "got 9223372036854775807"),
        (10**30, ValueError, f"got {10**30}"),
        (np.uint64(2**64 - 1), ValueError, "got 18446744073709551615"),
        (1.0, TypeError, "f: expected n to be an int, got float 1.0"),
        (np.float64(1), TypeError, "f: expected n to be an int, got float64"),
        (True, TypeError, "f: expected n to be an int, got bool True"),
        (np.True_, TypeError, "f: expected n to be an int, got bool"),
        ("1", TypeError, "f: expected n to be an int, got str '1'"),
        (None, TypeError, "f: expected n to be an int, got NoneType None"),
        (np.array(1), TypeError, "f: expected n to be an int, got ndarray"),
    ],
)
def test_other_numbers_are_refused(value: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        check_int(value, "n", "f")


def test_per_axis_and_as_given() -> None:
    assert per_axis(2, 3, "n", "f") == (2, 2, 2)
    assert per_axis([1, 2], 2, "n", "f") == (1, 2)
    assert check_per_axis(np.int32(2), 3, "n", "f") == 2
    assert check_per_axis([1, 2], 2, "n", "f") == (1, 2)
    with pytest.raises(ValueError, match=r"f: expected n to be an int or 2 ints, got 1: \(1,\)"):
        per_axis((1,), 2, "n", "f")
    with pytest.raises(TypeError, match="f: expected n to be an int, got tuple"):
        per_axis(((1, 2), 3), 2, "n", "f")


def test_check_number() -> None:
    for value in (2, 2.0, np.float32(2), np.int8(2)):
        assert check_number(value, "n", "f") == 2.0
        assert type(check_number(value, "n", "f")) is float
    assert check_number(10**30, "n", "f") == 1e30
    assert np.isnan(check_number(np.nan, "n", "f", finite=False))
    for value in (np.nan, np.inf, -np.inf, np.float32("inf"), 10**400):
        with pytest.raises(ValueError, match=r"^f: expected n to be finite, got "):
            check_number(value, "n", "f")
    for value in ("2", None, True, np.True_, 2j, np.complex64(2), [2], np.array(2)):
        with pytest.raises(TypeError, match=r"^f: expected n to be a number, got "):
            check_number(value, "n", "f")


def test_check_flag() -> None:
    assert check_flag(True, "n", "f") is check_flag(np.True_, "n", "f") is True
    assert check_flag(False, "n", "f") is check_flag(np.bool_(0), "n", "f") is False
    for value, spelled in ((1, "int 1"), (0, "int 0"), ("no", "str 'no'"), (None, "NoneType None"), ([], r"list \[\]")):
        with pytest.raises(TypeError, match=f"^f: expected n to be True or False, got {spelled}$"):
            check_flag(value, "n", "f")


def test_limit_weights() -> None:
    check_num_weights((2**15, 2**15), np.float32, "f")
    check_num_weights((), np.float32, "f")
    with pytest.raises(
        ValueError,
        match=r"^f: expected at most 1073741824 weights, got \(65536, 32768\), which would "
        r"take 17,179,869,184 bytes; make the layer, or its input, smaller$",
    ):
        check_num_weights((2**16, 2**15), np.float64, "f")
    with pytest.raises(ValueError, match=r"got .* which would take 36,893,488,147,419,103,232 bytes"):
        check_num_weights((2**31, 2**31), np.float64, "f")  # no wrapped size


def test_normal_axis() -> None:
    assert [check_axis(axis, 3, "f") for axis in range(-3, 3)] == [0, 1, 2, 0, 1, 2]
    with pytest.raises(ValueError, match="f: expected axis from -3 to 2 for 3 dimensions, got -4"):
        check_axis(-4, 3, "f")


def test_class_labels() -> None:
    labels = check_labels([0, 2], 3, "f")
    assert labels.dtype == np.int64
    with pytest.raises(ValueError, match="f: expected labels from 0 to 2, got 3 at position 1"):
        check_labels([0, 3], 3, "f")


def huge(*shape: int) -> np.ndarray:
    """An array of 4 bytes that would take a gigabyte if it were copied."""
    return np.broadcast_to(np.float32(0), shape)


N = 2**28


@pytest.mark.parametrize("backend", ["plain", "fast"])
def test_shapes_are_compared_before_arrays_are_copied(backend: str) -> None:
    x, w, ones = np.ones((2, 4, 5, 5), np.float32), np.ones((4, 4, 3, 3), np.float32), np.ones(4, np.float32)
    model = Sequential([Conv2D(2, 3), Flatten(), Dense(2)], input_shape=(1, 5, 5))
    model.forward(np.ones((2, 1, 5, 5), np.float32), differentiable=True)
    rows = np.ones((3, 4), np.float32)
    with numpycnn.backend(backend), bounded_memory(200):  # type: ignore[arg-type]
        for call, text in (
            (lambda: F.conv2d(x, w, huge(N)), r"expected bias \(4,\)"),
            (lambda: F.conv2d(huge(1, 2, N // 4, 2), w), r"expected x with 4 \* 1 = 4 channels"),
            (lambda: F.conv2d(x, huge(4, N // 4, 1, 1)), "expected x with"),
            (lambda: F.conv2d_backward(huge(N), x, w), r"expected dy \(2, 4, 3, 3\)"),
            (lambda: F.conv2d_backward(x, huge(1, 4, N // 32, 8), w), r"expected dy \(1, 4,"),
            (lambda: F.conv_transpose2d(x, w, huge(N)), r"expected bias \(4,\)"),
            (lambda: F.linear(rows, rows, huge(N)), r"expected bias \(3,\)"),
            (lambda: F.linear(huge(1, N), rows), r"expected x \(\.\.\., 4\)"),
            (lambda: F.linear(rows, huge(1, N)), r"expected x \(\.\.\., "),
            (lambda: F.linear_backward(rows, huge(N, 1), np.ones((3, 1), np.float32)), "expected dy"),
            (lambda: F.batch_norm(x, huge(N), ones, ones, ones, training=True), r"expected weight \(4,\)"),
            (lambda: F.batch_norm(x, ones, ones, ones, huge(N), training=False), r"expected running_var \(4,\)"),
            (lambda: F.layer_norm(x, huge(N)), r"expected weight \(5,\)"),
            (lambda: F.relu_backward(huge(N), rows), r"expected dy \(3, 4\)"),
            (lambda: F.max_pool2d_backward(huge(N), x, 2), "expected dy"),
            (lambda: F.mean_squared_error(rows, huge(N)), r"\(3, 4\)"),
            (lambda: F.cross_entropy(rows, np.broadcast_to(0, (N,))), "labels"),
            (lambda: model.forward(huge(1, N)), r"expected \(N, 1, H, W\)"),
            (lambda: model.predict(huge(1, N)), r"expected \(N, 1, H, W\)"),
            (lambda: model.backward(huge(N)), r"expected dy \(2, 2\)"),
            (lambda: model.load_state(model.state() | {"0.bias": huge(N)}), r"expected 0.bias \(2,\)"),
            (lambda: setattr(model.layers[0].bias, "value", huge(N)), r"expected a value \(2,\)"),
        ):
            with pytest.raises(ValueError, match=text):
                call()


def test_a_mask_in_a_list_is_refused() -> None:
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    for value in ([masked, masked], (np.ones(2), [masked]), [np.ma.masked, 1.0]):
        with pytest.raises(
            TypeError, match=r"f: expected x without a mask, got a (list|tuple) of masked arrays; fill it"
        ):
            check_unmasked(value, "x", "f")


def test_an_error_of_an_array_of_ones_own_is_not_replaced() -> None:
    class Own:
        def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
            raise ValueError("the file is closed")

    with pytest.raises(ValueError, match=r"^the file is closed$"):
        check_unmasked(Own(), "x", "f")


def test_a_huge_int_is_not_printed() -> None:
    for value, bits in ((10**400, 1329), (-(10**5000), 16610)):
        with pytest.raises(ValueError, match=f"^f: expected n from 1 to 2147483647, got an int of {bits} bits$"):
            check_int(value, "n", "f")
