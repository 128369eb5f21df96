"""What several test files share: comparisons, and arrays in every layout."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numpycnn import Add, Concat, Concatenate, Layer, Model, Residual, Sequential
from numpycnn.layers.nodes import Input, Node

INT32_OVERFLOW, INT64_LARGEST = 2**31, 2**63 - 1


def assert_close(actual: Any, expected: Any, tolerance: float = 1e-10) -> None:
    """Same shape, NaN and infinities in the same places, and no number further off than `tolerance` of the largest."""
    actual, expected = np.asarray(actual), np.asarray(expected, np.float64)
    assert actual.shape == expected.shape
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite])
    actual, expected = actual[finite], expected[finite]
    if expected.size:
        worst = np.abs(actual.astype(np.float64) - expected).max()
        assert worst <= tolerance * max(np.abs(expected).max(), 1e-3), f"off by {worst:.3g}"


def assert_same_bits(actual: np.ndarray, expected: np.ndarray) -> None:
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    assert actual.tobytes() == expected.tobytes()


def layouts(array: np.ndarray) -> dict[str, np.ndarray]:
    """The same numbers in every way that they can lie in memory."""
    back = tuple(reversed(range(array.ndim)))
    reversed_copy = np.ascontiguousarray(array[tuple(slice(None, None, -1) for _ in array.shape)])
    wide = np.full(tuple(2 * size + 1 for size in array.shape), 99, array.dtype)
    sliced = wide[tuple(slice(1, None, 2) for _ in array.shape)]
    sliced[...] = array
    read_only = array.copy()
    read_only.flags.writeable = False
    unaligned = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    unaligned[...] = array
    return {
        "Fortran": np.asfortranarray(array),
        "transposed": np.ascontiguousarray(array.transpose(back)).transpose(back),
        "negative strides": reversed_copy[tuple(slice(None, None, -1) for _ in array.shape)],
        "sliced": sliced,
        "read-only": read_only,
        "unaligned": unaligned,
        "other byte order": array.astype(array.dtype.newbyteorder()),
    }


def numerical_gradient(function: Callable[[np.ndarray], float], x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences of a function of one array."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] = x[index] + h
        above = function(moved)
        moved[index] = x[index] - h
        gradient[index] = (above - function(moved)) / (2 * h)
    return gradient


def as_graph(model: Sequential) -> Model:
    """The same network as a graph, with new weights from the same seed: skips and merges instead of containers."""
    assert model.input_shape is not None
    x = Input(model.input_shape)
    return Model(x, _call(model, x), seed=model.seed, dtype=model.dtype, name=model.name)


def _call(layer: Layer, x: Node) -> Any:
    if isinstance(layer, Sequential):
        for inner in layer:
            x = _call(inner, x)
        return x
    if isinstance(layer, Residual):
        return Add()([_call(layer.main, x), x if layer.shortcut is None else _call(layer.shortcut, x)])
    if isinstance(layer, Concat):
        return Concatenate()([_call(branch, x) for branch in layer.branches])
    return type(layer).from_config(layer.config())(x)
