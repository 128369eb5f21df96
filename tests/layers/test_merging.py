"""Layers that merge several inputs."""

from typing import Any

import numpy as np
import pytest

from numpycnn import Add, Concatenate, Multiply
from tests.helpers import assert_same_bits


def test_add(rng: np.random.Generator) -> None:
    layer, x, dy = Add(), tuple(rng.normal(size=(3, 2, 5, 4))), rng.normal(size=(2, 5, 4))
    assert layer.build(((5, 4),) * 3, dtype=np.float64) == (5, 4)
    assert_same_bits(layer.forward(x, training=True), x[0] + x[1] + x[2])
    for gradient in layer.backward(dy):
        assert_same_bits(gradient, dy)


def test_multiply(rng: np.random.Generator) -> None:
    layer, x, dy = Multiply(), tuple(rng.normal(size=(3, 2, 5))), rng.normal(size=(2, 5))
    assert layer.build(((5,),) * 3, dtype=np.float64) == (5,)
    np.testing.assert_allclose(layer.forward(x, training=True), x[0] * x[1] * x[2], rtol=1e-14)
    gradients = layer.backward(dy)
    for gradient, expected in zip(gradients, (x[1] * x[2], x[0] * x[2], x[0] * x[1]), strict=True):
        np.testing.assert_allclose(gradient, dy * expected, rtol=1e-14)


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -2, -3])
def test_concatenate(axis: int, rng: np.random.Generator) -> None:
    sizes = [[2, 3, 4], [2, 3, 4]]
    sizes[1][axis - 1 if axis > 0 else axis] = 5
    x = tuple(rng.normal(size=(3, *size)) for size in sizes)
    layer, expected = Concatenate(axis=axis), np.concatenate(x, axis=axis)
    assert layer.build(tuple(map(tuple, sizes)), dtype=np.float64) == expected.shape[1:]
    assert_same_bits(layer.forward(x, training=True), expected)
    for gradient, array in zip(layer.backward(expected), x, strict=True):
        assert_same_bits(gradient, array)


def test_other_spatial_sizes_than_those_at_build(rng: np.random.Generator) -> None:
    layer = Add()
    layer.build(((2, 4, 4), (2, 4, 4)), dtype=np.float64)
    x = tuple(rng.normal(size=(2, 1, 2, 6, 3)))
    assert_same_bits(layer.forward(x), x[0] + x[1])
    with pytest.raises(ValueError, match=r"expected inputs of the same shape, got \(1, 2, 6, 3\) and \(1, 2, 6, 1\)"):
        layer.forward((x[0], x[1][..., :1]))


@pytest.mark.parametrize(
    ("layer", "shapes", "text"),
    [
        (Add(), ((3,), (4,)), r"Add: expected inputs of the same shape, got \(3,\) and \(4,\)"),
        (Multiply(), ((3,), (3, 1)), "Multiply: expected inputs of the same shape"),
        (
            Concatenate(),
            ((3, 4), (3, 5)),
            r"that differ in axis 1 alone, got \(N, 3, 4\) and \(N, 3, 5\)",
        ),
        (Concatenate(), ((3,), (3, 5)), "expected inputs that differ in axis 1 alone"),
        (Concatenate(axis=0), ((3,), (3,)), "expected an axis after the batch axis, got 0"),
        (Concatenate(axis=3), ((3,), (3,)), "expected axis from -2 to 1 for 2 dimensions, got 3"),
    ],
)
def test_shapes_that_do_not_fit(layer: Any, shapes: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        layer.build(shapes)
