"""The transforms of Winograd's convolution against the products with their matrices."""

import numpy as np
import pytest

from numpycnn.kernels import winograd_transforms as kernels

F64 = np.dtype(np.float64)


def at_points(weight, swapped, kernel=kernels.transform_weights):
    """The 36 matrices, (36, F, C) if swapped and else (36, C, F), and what is said of the weights."""
    rows, columns = weight.shape[:2] if swapped else weight.shape[1::-1]
    pitch, moderate = kernels.row_pitch(columns, 8), np.ones(1, bool)
    u = kernels.empty_at_points(rows, columns, F64)[0]
    kernel(0, 0, rows, weight, swapped, pitch, u, moderate)
    return u, moderate[0]


def view(u, weight, swapped):
    rows, columns = weight.shape[:2] if swapped else weight.shape[1::-1]
    return kernels.matrices(u, rows, kernels.row_pitch(columns, 8))[..., :columns]


@pytest.mark.parametrize("shape", [(3, 2), (4, 4), (1, 9), (9, 1), (18, 5)])
def test_weights_to_the_points_and_back(shape, rng):
    weight = rng.normal(size=(*shape, 9))
    for swapped in (False, True):
        plain, fine = at_points(weight, swapped, kernels.transform_weights_reference)
        fast, also_fine = at_points(weight, swapped)
        np.testing.assert_allclose(view(fast, weight, swapped), view(plain, weight, swapped), rtol=0, atol=1e-13)
        assert fine
        assert also_fine
    pitch = kernels.row_pitch(shape[1], 8)
    du = rng.normal(size=kernels.empty_at_points(shape[0], shape[1], F64, 2).shape)
    plain, fast = np.empty((2, *weight.shape))
    kernels.transform_weights_backward_reference(0, 0, shape[0], du, pitch, plain)
    kernels.transform_weights_backward(0, 0, shape[0], du, pitch, fast)
    np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-12)
    u = view(at_points(weight, True)[0], weight, True)
    inner = (u * kernels.matrices(du.sum(axis=0), shape[0], pitch)[..., : shape[1]]).sum()
    assert inner == pytest.approx((weight * fast).sum(), rel=1e-9)  # the one is the adjoint of the other


@pytest.mark.parametrize("special", [np.nan, np.inf, 1e200])
def test_weights_that_are_too_large_are_found(special, rng):
    weight = rng.normal(size=(9, 5, 9))
    weight[7, 3, 4] = special
    for kernel in (kernels.transform_weights, kernels.transform_weights_reference):
        with np.errstate(all="ignore"):
            assert not at_points(weight, False, kernel)[1]
            assert not at_points(weight, True, kernel)[1]


@pytest.mark.parametrize("special", [None, np.nan, np.inf, -np.inf, 1e200])
def test_all_moderate(special, rng):
    x = rng.normal(size=100) * 1e28
    if special is not None:
        x[60] = special
    for kernel in (kernels.all_moderate, kernels.all_moderate_reference):
        with np.errstate(over="ignore"):
            assert kernel(x[:60])
            assert kernel(x[50:]) == (special is None)


@pytest.mark.parametrize("itemsize", [4, 8])
def test_rows_have_room_for_whole_tiles_and_powers_of_two_are_avoided(itemsize):
    half = kernels.FOUR // 2 // itemsize
    for count in [1, 15, 16, 17, 24, 32, 33, 64, 100, 512]:
        pitch = kernels.row_pitch(count, itemsize)
        assert pitch >= -(-count // half) * half
        assert pitch * itemsize // 64 % 2 == 1
        assert pitch * itemsize % 64 == 0
        assert kernels.empty_at_points(7, count, f"f{itemsize}").shape[2] * itemsize // 64 % 2 == 1


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
def test_what_is_written_out_is_the_product_with_the_matrix(function, matrix, rng):
    vector = rng.normal(size=matrix.shape[1])
    np.testing.assert_allclose(function(1.0, *vector), matrix @ vector, rtol=1e-12, atol=1e-13)


def test_the_matrices_multiply_polynomials():
    """A one-dimensional correlation of six inputs with three weights, for all unit vectors."""
    for d in np.eye(6):
        for w in np.eye(3):
            y = kernels.AT @ ((kernels.G @ w) * (kernels.BT @ d))
            np.testing.assert_allclose(y, np.correlate(d, w), atol=1e-14)
