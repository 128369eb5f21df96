"""Checks of arguments, one function for each kind. A message names the owner, the expected and the received value."""

from collections.abc import Mapping, Sequence
from math import inf, isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
MAX_INT = 2**31 - 1  # of a setting, and of the elements of one padded channel
MAX_WEIGHTS = 2**30  # in one array, 4 GiB of float32


def format_shape(shape: Sequence[int | str]) -> str:
    """Format a shape, in which names stand for sizes that are not fixed: ``(2, 3, H, W)``."""
    return "(" + ", ".join(str(size) for size in shape) + ("," if len(shape) == 1 else "") + ")"


# ------------------------------------------------------------------------------------------------------------- settings


def check_int(value: object, name: str, owner: str, *, minimum: int | None = 1, maximum: int = MAX_INT) -> int:
    """Return `value` as an int from `minimum` to `maximum`; with None as minimum, of any size and sign."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(f"{owner}: expected {name} to be an int, got {type(value).__name__} {value!r}")
    if minimum is not None and not minimum <= value <= maximum:
        got = value if abs(int(value)) < 2**128 else f"an int of {int(value).bit_length()} bits"
        raise ValueError(f"{owner}: expected {name} from {minimum} to {maximum}, got {got}")
    return int(value)


def check_number(
    value: object,
    name: str,
    owner: str,
    *,
    minimum: float = -inf,
    maximum: float = inf,
    below: float = inf,
    finite: bool = True,
) -> float:
    """Return a real number as a float, from `minimum` to `maximum`, smaller than `below`, and finite unless waived."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{owner}: expected {name} to be a number, got {type(value).__name__} {value!r}")
    try:
        number = float(value)
    except OverflowError:  # an int of more than 308 digits
        number = inf if value > 0 else -inf
    if finite and not isfinite(number):
        raise ValueError(f"{owner}: expected {name} to be finite, got {number}")
    if number < minimum or number > maximum or number >= below < inf:
        wanted = [f"at least {minimum:g}"] * (minimum > -inf)
        wanted += [f"at most {maximum:g}"] * (maximum < inf) + [f"below {below:g}"] * (below < inf)
        raise ValueError(f"{owner}: expected {name} to be {' and '.join(wanted)}, got {number:g}")
    return number


def to_python(value: Any) -> Any:
    """Return a number of NumPy as one of Python, and anything else unchanged."""
    if isinstance(value, np.floating):
        return float(value)  # item() of a longdouble is a longdouble
    return value.item() if isinstance(value, np.generic) else value


def check_dtype(value: DTypeLike | None, owner: str) -> np.dtype:
    """Return float32 or float64 as a dtype."""
    try:
        dtype = None if value is None else np.dtype(value)  # np.dtype(None) is float64
    except (TypeError, ValueError):
        dtype = None
    if dtype is None or dtype not in FLOATS:
        raise TypeError(f"{owner}: expected dtype float32 or float64, got {repr(value) if dtype is None else dtype}")
    return dtype


def check_flag(value: object, name: str, owner: str) -> bool:
    """Return `value` if it is True or False, and not merely truthy or falsy."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{owner}: expected {name} to be True or False, got {type(value).__name__} {value!r}")
    return bool(value)


def check_choice(value: object, name: str, owner: str, choices: Sequence[str]) -> str:
    """Return `value` if it is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(map(repr, choices[:-1])) + f" or {choices[-1]!r}"
        raise ValueError(f"{owner}: expected {name} {listed}, got {value!r}")
    return value


def per_axis(value: object, rank: int, name: str, owner: str, *, minimum: int = 1) -> tuple[int, ...]:
    """Return an int, or one int for each spatial axis, as a tuple with one int for each axis."""
    if not isinstance(value, tuple | list):
        return (check_int(value, name, owner, minimum=minimum),) * rank
    if len(value) != rank:
        raise ValueError(f"{owner}: expected {name} to be an int or {rank} ints, got {len(value)}: {tuple(value)}")
    return tuple(check_int(size, name, owner, minimum=minimum) for size in value)


def check_per_axis(value: object, rank: int, name: str, owner: str, *, minimum: int = 1) -> int | tuple[int, ...]:
    """Check a setting as `per_axis` does, and keep an int an int."""
    sizes = per_axis(value, rank, name, owner, minimum=minimum)
    return sizes if isinstance(value, tuple | list) else sizes[0]


def check_axis(axis: object, ndim: int, owner: str) -> int:
    """Return `axis` counted from the front."""
    axis = check_int(axis, "axis", owner, minimum=None)
    if not -ndim <= axis < ndim:
        raise ValueError(f"{owner}: expected axis from {-ndim} to {ndim - 1} for {ndim} dimensions, got {axis}")
    return axis % ndim


def check_channel_size(size: Sequence[int], owner: str) -> None:
    """Refuse a channel of more elements than an index of the loops can count."""
    if prod(size) > MAX_INT:
        raise ValueError(f"{owner}: expected at most {MAX_INT} elements in one channel, got {format_shape(size)}")


def check_num_weights(shape: Sequence[int], dtype: DTypeLike, owner: str) -> None:
    """Refuse weights that no sensible layer has, before memory is asked for."""
    if prod(shape) > MAX_WEIGHTS:
        raise ValueError(
            f"{owner}: expected at most {MAX_WEIGHTS} weights, got {format_shape(shape)}, which would take "
            f"{prod(shape) * np.dtype(dtype).itemsize:,} bytes; make the layer, or its input, smaller"
        )


# --------------------------------------------------------------------------------------------------------------- arrays


def check_array(
    value: object, name: str, owner: str, *, like: np.ndarray | None = None, shape: Sequence[int | str] | None = None
) -> np.ndarray:
    """Return `value` as a contiguous array of float32 or float64, checked as by `check_floats` before it is copied."""
    return as_contiguous(check_floats(value, name, owner, like=like, shape=shape))


def check_floats(
    value: object, name: str, owner: str, *, like: np.ndarray | None = None, shape: Sequence[int | str] | None = None
) -> np.ndarray:
    """Return `value` as an array of float32 or float64, of the dtype of `like` and of a shape, without a copy.

    In the shape, names stand for any size. The byte order may be any.
    """
    array = check_unmasked(value, name, owner)
    dtype = array.dtype if array.dtype.isnative else array.dtype.newbyteorder("=")
    if dtype not in FLOATS:
        raise TypeError(
            f"{owner}: expected {name} of float32 or float64, got {array.dtype}; "
            f"convert it first, as in {name}.astype(np.float32)"
        )
    if like is not None and dtype != like.dtype.newbyteorder("="):
        raise TypeError(f"{owner}: expected {name} of {like.dtype} like the input, got {array.dtype}")
    if shape is not None:
        check_shape(array, shape, name, owner)
    return array


def check_unmasked(value: object, name: str, owner: str) -> np.ndarray:
    """Return `value` as an array, if it has no mask: masked elements would be used."""
    if type(value) is not np.ndarray and _is_masked(value):
        got = "a masked array" if isinstance(value, np.ma.MaskedArray) else f"a {type(value).__name__} of masked arrays"
        raise TypeError(f"{owner}: expected {name} without a mask, got {got}; fill it first, as in a.filled(0)")
    try:
        return np.asarray(value)
    except ValueError as error:
        if "inhomogeneous" not in str(error):  # raised by an __array__ of one's own
            raise
        raise ValueError(
            f"{owner}: expected {name} as an array, got {type(value).__name__} with rows of different lengths"
        ) from None


def _is_masked(value: object) -> bool:
    if isinstance(value, tuple | list):
        return any(map(_is_masked, value))
    return isinstance(value, np.ma.MaskedArray)


def as_contiguous(array: np.ndarray) -> np.ndarray:
    """Return `array` in C order and native byte order, aligned and writable, copied where it is not.

    A kernel is compiled for each kind of array that it meets; this way it meets one. The order matters to NumPy as
    well: it sums in the order of memory, on which the last bits of a sum depend.
    """
    if type(array) is np.ndarray and array.flags.carray and array.dtype.isnative:
        return array
    return np.require(array, array.dtype.newbyteorder("="), ["C", "A", "W"])


def check_shape(array: np.ndarray, shape: Sequence[int | str], name: str, owner: str) -> None:
    """Compare the shape of `array` with `shape`, in which names stand for any size."""
    if not fits_shape(array.shape, shape):
        raise ValueError(f"{owner}: expected {name} {format_shape(shape)}, got {format_shape(array.shape)}")


def fits_shape(shape: Sequence[int], expected: Sequence[int | str]) -> bool:
    """Return whether a shape is the expected one, in which names stand for any size."""
    if len(shape) != len(expected):
        return False
    for size, wanted in zip(shape, expected, strict=True):
        if size != wanted and not isinstance(wanted, str):
            return False
    return True


def check_batch_statistics(x: np.ndarray, owner: str) -> None:
    """Refuse a batch (N, C, ...) with fewer than two values for each channel: it has no variance."""
    if x.size == 0:
        raise ValueError(f"{owner}: expected a batch that is not empty in training, got {format_shape(x.shape)}")
    if x.size == x.shape[1]:
        raise ValueError(
            f"{owner}: expected more than one value for each channel in training, got {format_shape(x.shape)}; "
            "use a larger batch"
        )


def check_groups(shape: Sequence[int], num_groups: int, owner: str) -> None:
    """Refuse groups that do not divide the channels of (C, *size), or that have a single value and so no variance."""
    if shape[0] % num_groups:
        raise ValueError(f"{owner}: expected num_groups to divide the {shape[0]} channels, got {num_groups}")
    if prod(shape) <= num_groups:
        raise ValueError(
            f"{owner}: expected more than one value in each group, got {num_groups} groups for {format_shape(shape)}"
        )


def check_indices(indices: np.ndarray, count: int, owner: str) -> np.ndarray:
    """Return `indices`, integers, if each is from 0 to ``count - 1``."""
    if indices.size and not (indices.min() >= 0 and indices.max() < count):
        wrong = indices.min() if indices.min() < 0 else indices.max()
        raise ValueError(f"{owner}: expected indices from 0 to {count - 1}, got {wrong}")
    return indices


def check_labels(labels: object, num_classes: int, owner: str) -> np.ndarray:
    """Return `labels` as int64 (N,), each from 0 to ``num_classes - 1``."""
    array = check_unmasked(labels, "labels", owner)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{owner}: expected labels to be integers, got {array.dtype}")
    check_shape(array, ("N",), "labels", owner)
    wrong = (array < 0) | (array >= num_classes)
    if wrong.any():
        where = int(wrong.argmax())
        raise ValueError(
            f"{owner}: expected labels from 0 to {num_classes - 1}, got {array[where]} at position {where}"
        )
    return array.astype(np.int64)


def check_one_output(y: Any, owner: str) -> None:
    """Refuse the outputs of a model with several of them where a loss takes one."""
    if isinstance(y, tuple) and any(isinstance(item, np.ndarray) for item in y):
        raise TypeError(
            f"{owner}: expected one output, got a tuple of {len(y)}; give a loss for each, as in SumOfLosses([...]) or "
            "Trainer(loss=[...])"
        )


def check_pair(y: Any, target: Any, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """Return outputs and their targets, numbers of the same shape, in the dtype of the outputs.

    For outputs ``(N, 1)`` the targets may be ``(N,)``.
    """
    check_one_output(y, owner)
    y = check_array(y, "y", owner)
    target = check_unmasked(target, "target", owner)
    if target.dtype.kind not in "biuf":
        raise TypeError(f"{owner}: expected target to hold numbers, got {target.dtype}")
    if y.ndim > 1 and y.shape == (*target.shape, 1):
        target = target.reshape(y.shape)
    check_shape(target, y.shape, "target", owner)
    if not y.size:
        raise ValueError(f"{owner}: expected a batch that is not empty, got {format_shape(y.shape)}")
    return y, as_contiguous(target.astype(y.dtype))


def check_weights(value: Any, shape: Sequence[int | str], name: str, owner: str) -> np.ndarray:
    """Return weights of a shape as float64, each finite and at least 0."""
    if isinstance(value, Mapping):
        raise TypeError(f"{owner}: expected {name} to be a list or an array, got a {type(value).__name__}")
    weights = check_unmasked(value, name, owner)
    if weights.dtype.kind not in "iuf":
        raise TypeError(f"{owner}: expected {name} to hold numbers, got {weights.dtype}")
    check_shape(weights, shape, name, owner)
    weights = weights.astype(np.float64)
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"{owner}: expected {name} to be finite and at least 0, got {weights.min():g}")
    return weights
