"""The transforms of Winograd's convolution against the products with their matrices."""

import numpy as np
import pytest

from numpycnn.kernels import winograd_transforms as kernels


def transformed(weight, swapped):
    """Return the 36 matrices, (36, F, C) if swapped, else (36, C, F), their memory, and the flag of the weights."""
    rows, columns = weight.shape[:2] if swapped else weight.shape[1::-1]
    pitch, moderate = kernels.row_pitch(columns, 8), np.ones(1, bool)
    memory = np.full(kernels.matrices_shape(rows, columns, 8), np.nan)
    kernels.transform_weights(0, 0, rows, weight, swapped, pitch, memory, moderate)
    return memory[:, : rows * pitch].reshape(36, rows, pitch), moderate[0]


@pytest.mark.parametrize("shape", [(3, 2), (4, 4), (1, 9), (9, 1), (18, 5)])
@pytest.mark.parametrize("swapped", [False, True])
def test_the_transform_of_weights(shape, swapped, rng):
    weight = rng.normal(size=(*shape, 9))
    found, moderate = transformed(weight, swapped)
    expected = (kernels.G @ weight.reshape(*shape, 3, 3) @ kernels.G.T).reshape(*shape, 36).transpose(2, 0, 1)
    expected = expected if swapped else expected.swapaxes(1, 2)
    columns = expected.shape[2]
    np.testing.assert_allclose(found[..., :columns], expected, rtol=0, atol=1e-13)
    assert not found[..., columns : kernels.padded_columns(columns, 8)].any()
    assert moderate


@pytest.mark.parametrize("shape", [(3, 2), (4, 4), (1, 9), (9, 1), (18, 5)])
def test_the_gradient_of_weights_is_the_adjoint_of_their_transform_summed_over_the_parts(shape, rng):
    pitch = kernels.row_pitch(shape[1], 8)
    du = rng.normal(size=(2, *kernels.matrices_shape(*shape, 8)))
    dweight = np.empty((*shape, 9))
    kernels.transform_weights_backward(0, 0, shape[0], du, pitch, dweight)
    total = du.sum(axis=0)[:, : shape[0] * pitch].reshape(6, 6, shape[0], pitch)[..., : shape[1]].transpose(2, 3, 0, 1)
    np.testing.assert_allclose(dweight.reshape(*shape, 3, 3), kernels.G.T @ total @ kernels.G, rtol=0, atol=1e-12)


@pytest.mark.parametrize("special", [np.nan, np.inf, 1e200])
@pytest.mark.parametrize("swapped", [False, True])
def test_very_large_weights_are_found(special, swapped, rng):
    weight = rng.normal(size=(9, 5, 9))
    weight[7, 3, 4] = special
    with np.errstate(all="ignore"):
        assert not transformed(weight, swapped)[1]


@pytest.mark.parametrize("special", [None, np.nan, np.inf, -np.inf, 1e200])
def test_all_moderate(special, rng):
    x = rng.normal(size=100) * 1e28
    if special is not None:
        x[60] = special
    with np.errstate(over="ignore"):
        assert kernels.all_moderate(x[:60])
        assert kernels.all_moderate(x[50:]) == (special is None)


@pytest.mark.parametrize("itemsize", [4, 8])
def test_rows_have_room_for_half_tiles_and_are_an_odd_number_of_cache_lines(itemsize):
    half = kernels.FOUR // 2 // itemsize
    for count in [1, 15, 16, 17, 24, 32, 33, 64, 100, 512]:
        pitch = kernels.row_pitch(count, itemsize)
        assert pitch >= -(-count // half) * half
        assert pitch * itemsize // 64 % 2 == 1
        assert pitch * itemsize % 64 == 0
        points, size = kernels.matrices_shape(7, count, itemsize)
        assert points == 36
        assert size >= 8 * pitch
        assert size * itemsize // 64 % 2 == 1


@pytest.mark.parametrize(
    ("function", "matrix"),
    [
        (kernels.times_bt, kernels.BT),
        (kernels.times_b, kernels.BT.T),
        (kernels.times_at, kernels.AT),
        (kernels.times_a, kernels.AT.T),
        (kernels.times_g, kernels.G),
        (kernels.times_gt, kernels.G.T),
    ],
)
def test_an_unrolled_product_is_the_product_with_the_matrix(function, matrix, rng):
    vector = rng.normal(size=matrix.shape[1])
    np.testing.assert_allclose(function(1.0, *vector), matrix @ vector, rtol=1e-12, atol=1e-13)


def test_the_matrices_multiply_polynomials():
    """A one-dimensional correlation of six inputs with three weights, for all unit vectors."""
    for d in np.eye(6):
        for w in np.eye(3):
            y = kernels.AT @ ((kernels.G @ w) * (kernels.BT @ d))
            np.testing.assert_allclose(y, np.correlate(d, w), atol=1e-14)
