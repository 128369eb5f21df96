"""The fast backend against the textbook one, through the public functions, over drawn arguments.

Half of the draws use float32, and compare with the textbook's result in float64. Half of them use another memory
layout (reversed, strided, read-only, unaligned, of the other byte order). Some batches are empty.
"""

import zlib
from typing import Any

import numpy as np

import numpycnn
from tests.drawn import generators
from tests.helpers import layouts
from tests.operations import DRAW, Arguments, call, call_backward

SINGLE = 2e-5  # relative to the largest number of the result and of dy
DOUBLE = 1e-10


def each_array(arguments: Arguments, change: Any) -> Arguments:
    """Change the arrays of floats; integers (labels, indices) and settings stay."""
    return {
        name: change(value) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for name, value in arguments.items()
    }


def results(name: str, arguments: Arguments, dy: Any) -> list[Any]:
    """Return output, gradients and running statistics."""
    arguments = {key: value.copy() if "running" in key else value for key, value in arguments.items()}
    y = getattr(numpycnn.functional, name)(**arguments)
    running = [value for key, value in arguments.items() if "running" in key]
    return [y, *call_backward(name, arguments, dy), *running]


def empty_batch(arguments: Arguments) -> Arguments:
    return arguments | {"x": arguments["x"][:0]}


def compare(
    name: str, arguments: Arguments, rng: np.random.Generator, *, single: float | None, kind: str | None
) -> None:
    """Compare both backends on the same numbers; `single` is the tolerance in float32, None for float64."""
    with numpycnn.backend("plain"):
        shape = np.shape(call(name, arguments))
    dy: Any = np.asarray(rng.normal(size=shape)) if shape or "x" in arguments else float(rng.normal())
    if single is not None:
        arguments = each_array(arguments, lambda array: array.astype(np.float32))
        dy = np.asarray(dy).astype(np.float32) if isinstance(dy, np.ndarray) else dy
    exact = each_array(arguments, lambda array: array.astype(np.float64))
    exact_dy = np.asarray(dy).astype(np.float64) if isinstance(dy, np.ndarray) else dy
    with numpycnn.backend("plain"):
        expected = results(name, exact, exact_dy)
    if kind is not None:
        arguments = each_array(arguments, lambda array: layouts(array)[kind] if array.ndim else array)
        dy = layouts(dy)[kind] if np.ndim(dy) else dy
    given = {key: np.array(value) for key, value in arguments.items() if isinstance(value, np.ndarray)}
    with numpycnn.backend("fast"):
        actual = results(name, arguments, dy)
    for got, wanted in zip(actual, expected, strict=True):
        # The gradient of a normalization is a small difference of numbers as large as dy.
        finite = [np.asarray(array)[np.isfinite(array)] for array in (wanted, exact_dy)]
        size = max(np.abs(numbers).max(initial=0) for numbers in finite)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=(DOUBLE if single is None else single) * size)
        if isinstance(got, np.ndarray):
            assert got.dtype.newbyteorder("=") == (np.float64 if single is None else np.float32)
    for key, value in given.items():
        np.testing.assert_array_equal(arguments[key], value)  # the caller's arrays stay as they are


def agree(name: str, draw: Any = None, *, single: float = SINGLE) -> None:
    """Both backends give the same for drawn arguments of an operation."""
    for i, rng in enumerate(generators(zlib.crc32(name.encode()))):
        arguments = (draw or DRAW[name])(rng)
        can_be_empty = "x" in arguments and np.ndim(arguments["x"]) > 1 and not arguments.get("training")
        if i % 8 == 7 and can_be_empty and arguments.get("axis", -1) % np.ndim(arguments["x"]):
            arguments = empty_batch(arguments)
        kinds = list(layouts(np.zeros(2)))
        kind = kinds[rng.integers(len(kinds))] if i % 2 else None
        compare(name, arguments, rng, single=single if i % 4 >= 2 else None, kind=kind)
