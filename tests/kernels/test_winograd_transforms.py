"""The transforms of Winograd's convolution against the products with their matrices."""

import numpy as np
import pytest

from numpycnn.kernels import winograd_transforms as kernels


def at_points(weight, swapped, kernel=kernels.transform_weights):
    rows, columns = weight.shape[:2][::-1] if swapped else weight.shape[:2]
    blocks = -(-rows // 4)
    u = np.zeros((36, kernels.odd_pitch(blocks * kernels.whole_vectors(4 * columns, 8))))
    kernel(0, 0, blocks, weight, swapped, u)
    return u


@pytest.mark.parametrize("shape", [(3, 2), (4, 4), (1, 9), (9, 1)])
def test_weights_to_the_points_and_back(shape, rng):
    weight, blocks = rng.normal(size=(*shape, 9)), -(-shape[0] // 4)
    for swapped in (False, True):
        sizes = shape[::-1] if swapped else shape
        plain = kernels.fours(at_points(weight, swapped, kernels.transform_weights_reference), *sizes)
        np.testing.assert_allclose(kernels.fours(at_points(weight, swapped), *sizes), plain, rtol=0, atol=1e-13)
    width = kernels.whole_vectors(shape[1] + 2, 8)
    du = rng.normal(size=(36, kernels.odd_pitch(4 * blocks * width)))
    plain, fast = np.empty((2, *weight.shape))
    kernels.transform_weights_backward_reference(0, 0, shape[0], du, plain)
    kernels.transform_weights_backward(0, 0, shape[0], du, fast)
    np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-12)
    u = kernels.fours(at_points(weight, False), *shape).reshape(36, 4 * blocks, shape[1])[:, : shape[0]]
    inner = (u * kernels.matrices(du, *shape)).sum()
    assert inner == pytest.approx((weight * fast).sum(), rel=1e-9)  # the one is the adjoint of the other


@pytest.mark.parametrize("numbers", [0, 1, 16, 17, 512 * 512])
def test_an_odd_pitch_is_no_multiple_of_what_caches_are_divided_by(numbers):
    assert kernels.odd_pitch(numbers) >= numbers
    assert kernels.odd_pitch(numbers) % 32 == 16


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
