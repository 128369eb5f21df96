"""Flatten, Reshape and Permute."""

import numpy as np
import pytest

from numpycnn import Flatten, Permute, Reshape
from tests.helpers import assert_same_bits
from tests.layers.bad_calls import Bad, refuse


def test_flatten_reads_in_c_order(rng: np.random.Generator) -> None:
    layer = Flatten()
    assert layer.build((2, 3, 4), dtype=np.float64) == (24,)
    x = rng.normal(size=(5, 2, 3, 4))
    y = layer.forward(x, training=True)
    assert_same_bits(
        y, np.array([[x[n, c, h, w] for c in range(2) for h in range(3) for w in range(4)] for n in range(5)])
    )
    assert_same_bits(layer.backward(y), x)


@pytest.mark.parametrize("shape", [(4, 6), (-1,), (2, -1, 3), (24,), (1, 24), (-1, 2)])
def test_reshape_keeps_the_order(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    layer = Reshape(shape)
    x = rng.normal(size=(5, 2, 3, 4))
    assert layer.build((2, 3, 4), dtype=np.float64) == x.reshape(5, *shape).shape[1:]
    y = layer.forward(x, training=True)
    assert_same_bits(y, x.reshape(5, *shape))
    assert_same_bits(layer.backward(y), x)


def test_reshape_of_an_empty_batch() -> None:
    layer = Reshape((-1, 2))
    layer.build((4,))
    assert layer.forward(np.empty((0, 4), np.float32)).shape == (0, 2, 2)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0), [2, 1, 0]])
def test_permute_is_a_transpose_and_its_backward_the_inverse(axes: tuple[int, ...], rng: np.random.Generator) -> None:
    layer = Permute(axes)
    x = rng.normal(size=(5, 2, 3, 4))
    expected = np.moveaxis(x, [axis + 1 for axis in axes], [1, 2, 3])
    assert layer.build((2, 3, 4), dtype=np.float64) == expected.shape[1:]
    y = layer.forward(x, training=True)
    assert_same_bits(y, expected.copy())
    assert_same_bits(layer.backward(y), x)


BAD = [
    Bad(lambda: Permute(1), TypeError, "Permute: expected axes to be a tuple of ints, got int 1"),
    Bad(lambda: Permute((0, 2)), ValueError, "Permute: expected each axis from 0 to 1 once, got (0, 2)"),
    Bad(lambda: Permute((0, 0)), ValueError, "Permute: expected each axis from 0 to 1 once, got (0, 0)"),
    Bad(lambda: Permute((-1, 0)), ValueError, "Permute: expected axes from 0 to 2147483647, got -1"),
    Bad(lambda: Permute((1.0, 0)), TypeError, "Permute: expected axes to be an int, got float 1.0"),
    Bad(
        lambda: Permute((1, 0), name="turn"),
        ValueError,
        "Permute 'turn': expected 2 axes for the permutation (1, 0), got (2, 3, 4)",
        (2, 3, 4),
    ),
    Bad(lambda: Reshape(6), TypeError, "Reshape: expected shape to be a tuple of ints, got int 6"),
    Bad(lambda: Reshape("23"), TypeError, "Reshape: expected shape to be a tuple of ints, got str '23'"),
    Bad(lambda: Reshape(None), TypeError, "Reshape: expected shape to be a tuple of ints, got NoneType None"),
    Bad(lambda: Reshape((-1, -1)), ValueError, "Reshape: expected at most one -1, got (-1, -1)"),
    Bad(lambda: Reshape((2, -2)), ValueError, "Reshape: expected shape from 1 to 2147483647, got -2"),
    Bad(lambda: Reshape((0, 3)), ValueError, "Reshape: expected shape from 1 to 2147483647, got 0"),
    Bad(lambda: Reshape((2**31,)), ValueError, "Reshape: expected shape from 1 to 2147483647, got 2147483648"),
    Bad(lambda: Reshape((2**63 - 1,)), ValueError, "Reshape: expected shape from 1 to 2147483647"),
    Bad(lambda: Reshape((2.0, 3)), TypeError, "Reshape: expected shape to be an int, got float 2.0"),
    Bad(lambda: Reshape((True, 6)), TypeError, "Reshape: expected shape to be an int, got bool True"),
    Bad(lambda: Reshape((4,)), ValueError, "Reshape: expected 4 elements for (4,), got (2, 3) = 6", (2, 3)),
    Bad(
        lambda: Reshape((2**31 - 1,) * 3), ValueError, "Reshape: expected 9903520300447984150353281023 elements", (2, 3)
    ),
    Bad(lambda: Reshape((4, -1), name="cut"), ValueError, "Reshape 'cut': expected", (2, 3)),
    Bad(
        lambda: Reshape((7, -1)),
        ValueError,
        "Reshape: expected a multiple of 7 elements for (7, -1), got (2, 3) = 6",
        (2, 3),
    ),
    Bad(Flatten, ValueError, "Flatten: expected input_shape from 1 to 2147483647, got 0", (0, 2)),
]


@pytest.mark.parametrize("bad", BAD)
def test_bad_calls(bad: Bad) -> None:
    refuse(bad)
