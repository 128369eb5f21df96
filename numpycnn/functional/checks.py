"""What every function asks of its arguments before a loop sees them, and the words in which it complains."""

from collections.abc import Sequence
from math import inf, isfinite, prod
from typing import Any

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
LARGEST = 2**31 - 1  # of a setting, and of the elements of one padded channel
MOST_WEIGHTS = 2**30  # in one array, 4 GiB of float32


def spell(shape: Sequence[int | str]) -> str:
    """Write a shape as a reader does: ``(2, 3, H, W)``."""
    return "(" + ", ".join(str(size) for size in shape) + ("," if len(shape) == 1 else "") + ")"


def float_array(value: Any, name: str, operation: str, *, like: np.ndarray | None = None) -> np.ndarray:
    """Return `value` as an array of float32 or float64, of the same type as `like` where that is given.

    It comes in C order, copied where it was not: NumPy adds up in the order of memory, so the last bits of a sum would
    otherwise depend on how the caller's array lies there.
    """
    array = np.asarray(value)
    dtype = array.dtype if array.dtype.isnative else array.dtype.newbyteorder("=")
    if dtype not in FLOATS:
        raise TypeError(
            f"{operation}: expected {name} of float32 or float64, got {array.dtype}; "
            f"convert it first, as in {name}.astype(np.float32)"
        )
    if like is not None and dtype != like.dtype:
        raise TypeError(f"{operation}: expected {name} of {like.dtype} like the input, got {array.dtype}")
    return in_order(array if array.dtype is dtype else array.astype(dtype))


def in_order(array: np.ndarray) -> np.ndarray:
    """Return `array` as a plain ndarray in C order, copied where it is not."""
    flags = array.flags  # asked here, since nearly every array is as it should be, and `numpy.require` takes its time
    if type(array) is np.ndarray and flags.c_contiguous and flags.aligned:
        return array
    return np.require(array, requirements=["C", "A"])


def for_kernel(array: np.ndarray) -> np.ndarray:
    """Return `array` in C order, aligned and writable, copied where it is not.

    A kernel is compiled for each kind of array that it meets; this way it meets one.
    """
    if type(array) is np.ndarray and array.flags.carray:
        return array
    return np.require(array, requirements=["C", "A", "W"])


def expect_shape(array: np.ndarray, shape: Sequence[int | str], name: str, operation: str) -> None:
    """Check `array` against `shape`, in which a name stands for any size."""
    fits = array.ndim == len(shape) and all(
        isinstance(wanted, str) or wanted == size for wanted, size in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{operation}: expected {name} {spell(shape)}, got {spell(array.shape)}")


def whole_number(value: Any, name: str, operation: str, *, minimum: int = 1) -> int:
    """Return `value` as an int from `minimum` to 2**31 - 1."""
    value = check_int(value, name, operation)
    if not minimum <= value <= LARGEST:
        raise ValueError(f"{operation}: expected {name} from {minimum} to {LARGEST}, got {value}")
    return value


def per_axis(value: Any, rank: int, name: str, operation: str, *, minimum: int = 1) -> tuple[int, ...]:
    """Return an int, or one int for each spatial axis, as a tuple with one int for each axis."""
    if not isinstance(value, tuple | list):
        return (whole_number(value, name, operation, minimum=minimum),) * rank
    if len(value) != rank:
        raise ValueError(f"{operation}: expected {name} to be an int or {rank} ints, got {len(value)}: {tuple(value)}")
    return tuple(whole_number(size, name, operation, minimum=minimum) for size in value)


def as_given(value: Any, rank: int, name: str, operation: str, *, minimum: int = 1) -> int | tuple[int, ...]:
    """Check a setting as `per_axis` does, and keep an int an int."""
    sizes = per_axis(value, rank, name, operation, minimum=minimum)
    return sizes if isinstance(value, tuple | list) else sizes[0]


def limit_channel(size: Sequence[int], operation: str) -> None:
    """Refuse a channel of more elements than an index of the loops can count."""
    if prod(size) > LARGEST:
        raise ValueError(f"{operation}: expected at most {LARGEST} elements in one channel, got {spell(size)}")


def limit_weights(shape: Sequence[int], dtype: Any, operation: str) -> None:
    """Refuse weights that no sensible layer has, before memory is asked for."""
    if prod(shape) > MOST_WEIGHTS:
        raise ValueError(
            f"{operation}: expected at most {MOST_WEIGHTS} weights, got {spell(shape)}, which would take "
            f"{prod(shape) * np.dtype(dtype).itemsize:,} bytes; make the layer, or its input, smaller"
        )


def check_int(value: Any, name: str, operation: str) -> int:
    """Return `value` as an int, of either sign."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(f"{operation}: expected {name} to be an int, got {type(value).__name__} {value!r}")
    return int(value)


def check_number(value: Any, name: str, operation: str, *, finite: bool = True) -> float:
    """Return `value` as a float, if it is a number, and a finite one unless that does not matter."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number) or np.iscomplexobj(value):
        raise TypeError(f"{operation}: expected {name} to be a number, got {type(value).__name__} {value!r}")
    try:
        number = float(value)
    except OverflowError:  # an int of more than 308 digits
        number = inf
    if finite and not isfinite(number):
        raise ValueError(f"{operation}: expected {name} to be finite, got {value}")
    return number


def check_flag(value: Any, name: str, operation: str) -> bool:
    """Return `value` if it is True or False, and nothing that Python would take for one of them."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{operation}: expected {name} to be True or False, got {type(value).__name__} {value!r}")
    return bool(value)


def normal_axis(axis: Any, ndim: int, operation: str) -> int:
    """Return `axis` counted from the front."""
    axis = check_int(axis, "axis", operation)
    if not -ndim <= axis < ndim:
        raise ValueError(f"{operation}: expected axis from {-ndim} to {ndim - 1} for {ndim} dimensions, got {axis}")
    return axis % ndim


def class_labels(labels: Any, num_classes: int, operation: str) -> np.ndarray:
    """Return `labels` as int64 (N,), each from 0 to ``num_classes - 1``."""
    array = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{operation}: expected labels to be integers, got {array.dtype}")
    expect_shape(array, ("N",), "labels", operation)
    wrong = (array < 0) | (array >= num_classes)
    if wrong.any():
        where = int(wrong.argmax())
        raise ValueError(
            f"{operation}: expected labels from 0 to {num_classes - 1}, got {array[where]} at position {where}"
        )
    return array.astype(np.int64)
