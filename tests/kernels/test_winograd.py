"""Winograd's convolution against its plain version, and against the convolution that it is."""

import numpy as np
import pytest

from numpycnn.functional import conv2d
from numpycnn.kernels import winograd as kernels

# output height and width, padding (top, left), whether the last rows and columns of the input go unseen
SHAPES = [((4, 4), (0, 0)), ((7, 5), (1, 0)), ((8, 9), (2, 1)), ((1, 12), (1, 2)), ((3, 3), (0, 2))]


def arguments(output, padding, channels, filters, images, together, rng):
    patches = kernels.cut(output, *padding)
    size, rows = patches.down * patches.pitch, patches.down + 1
    scratch = [
        np.kron(kernels.BT, kernels.BT),
        np.kron(kernels.AT, kernels.AT),
        np.zeros((1, 3, 4 * rows, 4 * patches.pitch)),
        np.zeros((1, 16, rows * patches.pitch + 1)),
        np.zeros((1, 36, channels, together * size)),
        np.zeros((1, 36, channels, together * size)),
        np.zeros((1, 36, filters, together * size)),
        np.zeros((1, 16, filters, together * size)),
    ]
    height, width = (max(o + 2 - 2 * p, 1) for o, p in zip(output, padding, strict=True))
    x = rng.normal(size=(images, channels, height, width))
    weight = rng.normal(size=(filters, channels, 3, 3))
    return x, weight, patches, scratch


@pytest.mark.parametrize(("output", "padding"), SHAPES)
@pytest.mark.parametrize("together", [1, 2])
def test_the_fast_version_does_what_the_plain_one_does(output, padding, together, rng):
    x, weight, patches, scratch = arguments(output, padding, 2, 3, 3, together, rng)
    u, bias = kernels.transform_weights(weight), rng.normal(size=3)
    plain, fast = np.empty((3, 3, *output)), np.empty((3, 3, *output))
    kernels.winograd_reference(0, 0, 3, x, u, bias, patches, *scratch, plain)
    kernels.winograd(0, 0, 3, x, u, bias, patches, *scratch, fast)
    np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-11)

    dy = rng.normal(size=plain.shape)
    gradients = []
    for kernel in (kernels.winograd_backward_reference, kernels.winograd_backward):
        x, weight, patches, scratch = arguments(output, padding, 2, 3, 3, together, np.random.default_rng(1))
        dx, du = np.full(x.shape, np.nan), np.zeros((1, *u.shape))
        kernel(0, 0, 3, dy, x, u, patches, *scratch, dx, du)
        gradients.append((dx, du))
    for plain_one, fast_one in zip(*gradients, strict=True):
        np.testing.assert_allclose(fast_one, plain_one, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("output", "padding"), SHAPES)
def test_it_is_the_convolution(output, padding, rng):
    (top, left), (height, width) = padding, output
    x = rng.normal(size=(2, 2, height + 2 - top, width + 2 - left))  # padded before, not after
    weight, bias = rng.normal(size=(3, 2, 3, 3)), rng.normal(size=3)
    _, _, patches, scratch = arguments(output, padding, 2, 3, 2, 1, rng)
    y = np.empty((2, 3, *output))
    kernels.winograd(0, 0, 2, x, kernels.transform_weights(weight), bias, patches, *scratch, y)
    np.testing.assert_allclose(y, conv2d(x, weight, bias, padding=((top, 0), (left, 0))), rtol=0, atol=1e-11)


def test_the_gradient_of_the_transformed_weights_is_the_adjoint(rng):
    weight, du = rng.normal(size=(3, 2, 3, 3)), rng.normal(size=(36, 3, 2))
    left = (kernels.transform_weights(weight) * du).sum()
    right = (weight * kernels.transform_weights_backward(du)).sum()
    assert left == pytest.approx(right, rel=1e-12)


def test_the_matrices_multiply_polynomials():
    """A one-dimensional correlation of six inputs with three weights, for all unit vectors."""
    for d in np.eye(6):
        for w in np.eye(3):
            y = kernels.AT @ ((kernels.G @ w) * (kernels.BT @ d))
            np.testing.assert_allclose(y, np.correlate(d, w), atol=1e-14)
