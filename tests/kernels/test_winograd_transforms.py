"""The transforms of Winograd's convolution against the products with their matrices."""

import numpy as np
import pytest

from numpycnn.kernels import winograd_transforms as kernels
from numpycnn.kernels.products import narrow_lanes

F64 = np.dtype(np.float64)


def at_points(weight, swapped, kernel=kernels.transform_weights):
    filters, channels = weight.shape[:2][::-1] if swapped else weight.shape[:2]
    unit = max(narrow_lanes(F64) // 4, 1)
    u = np.zeros((36, -(-filters // 4), -(-channels // unit) * unit, 4))
    kernel(0, 0, u.shape[1], weight, swapped, u)
    return u


@pytest.mark.parametrize("shape", [(3, 2), (4, 4), (1, 9), (9, 1)])
def test_weights_to_the_points_and_back(shape, rng):
    weight = rng.normal(size=(*shape, 9))
    for swapped in (False, True):
        plain = at_points(weight, swapped, kernels.transform_weights_reference)
        u = at_points(weight, swapped)[:, :, : shape[0] if swapped else shape[1]]
        np.testing.assert_allclose(u, plain[:, :, : u.shape[2]], rtol=0, atol=1e-13)
    du = rng.normal(size=(36, 4 * -(-shape[0] // 4), shape[1] + narrow_lanes(F64)))
    plain, fast = np.empty((2, *weight.shape))
    kernels.transform_weights_backward_reference(0, 0, shape[0], du, plain)
    kernels.transform_weights_backward(0, 0, shape[0], du, fast)
    np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-12)
    u = at_points(weight, False).transpose(0, 1, 3, 2).reshape(36, -1, at_points(weight, False).shape[2])
    inner = (u[:, : shape[0], : shape[1]] * du[:, : shape[0], : shape[1]]).sum()
    assert inner == pytest.approx((weight * fast).sum(), rel=1e-9)  # the one is the adjoint of the other


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
