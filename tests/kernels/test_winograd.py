"""Winograd's convolution against its plain version, and against the convolution that it is."""

import numpy as np
import pytest

from numpycnn.functional import conv2d
from numpycnn.kernels import winograd as kernels
from numpycnn.kernels.products import lanes, narrow_lanes
from tests.kernels.test_winograd_transforms import at_points

F64 = np.dtype(np.float64)

# output height and width, padding (top, left), whether the last rows and columns of the input go unseen
SHAPES = [((4, 4), (0, 0)), ((7, 5), (1, 0)), ((8, 9), (2, 1)), ((1, 12), (1, 2)), ((3, 3), (0, 2))]


def arguments(output, padding, channels, filters, images, together, rng):
    """Input, weights, patches and working memory, which holds anything at first where it need not be zero."""
    patches = kernels.cut(output, *padding, together, lanes(F64))
    size, width = patches.down * patches.across, narrow_lanes(F64)
    scratch = [
        np.zeros((1, 3, (4 * patches.down + 4) * (4 * patches.across + 4) + 8 * width)),
        rng.normal(size=(1, 36 * (max((patches.down + 1) * patches.across, size) + 2 * width))),
        rng.normal(size=(1, 36 * width)),
        rng.normal(size=(1, 36 * (-(-channels // 4) * 4 * patches.pitch + lanes(F64)))),
        rng.normal(size=(1, 36 * (-(-filters // 4) * 4 * patches.pitch + lanes(F64)))),
    ]
    height, width = (max(o + 2 - 2 * p, 1) for o, p in zip(output, padding, strict=True))
    x = rng.normal(size=(images, channels, height, width))
    return x, rng.normal(size=(filters, channels, 9)), patches, scratch


@pytest.mark.parametrize(("output", "padding"), SHAPES)
@pytest.mark.parametrize("together", [1, 2])
def test_the_fast_version_does_what_the_plain_one_does(output, padding, together, rng):
    x, weight, patches, scratch = arguments(output, padding, 2, 3, 3, together, rng)
    bias, results = rng.normal(size=3), []
    for kernel in (kernels.winograd_reference, kernels.winograd):
        y = np.full((3, 3, *output), np.nan)
        kernel(0, 0, 3, x, at_points(weight, False), bias, patches, *scratch, y)
        results.append(y)
    np.testing.assert_allclose(*results, rtol=0, atol=1e-11)

    dy, gradients = rng.normal(size=y.shape), []
    for kernel in (kernels.winograd_backward_reference, kernels.winograd_backward):
        dx, du = np.full(x.shape, np.nan), np.zeros((1, 36, 4, 4 + narrow_lanes(F64)))
        kernel(0, 0, 3, dy, x, at_points(weight, True), patches, *scratch, dx, du)
        gradients.append((dx, du[:, :, :3, :2]))
    for plain, fast in zip(*gradients, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("output", "padding"), SHAPES)
def test_it_is_the_convolution(output, padding, rng):
    (top, left), (height, width) = padding, output
    x = rng.normal(size=(2, 2, height + 2 - top, width + 2 - left))  # padded before, not after
    bias = rng.normal(size=3)
    _, weight, patches, scratch = arguments(output, padding, 2, 3, 2, 1, rng)
    y = np.empty((2, 3, *output))
    kernels.winograd(0, 0, 2, x, at_points(weight, False), bias, patches, *scratch, y)
    np.testing.assert_allclose(
        y, conv2d(x, weight.reshape(3, 2, 3, 3), bias, padding=((top, 0), (left, 0))), rtol=0, atol=1e-11
    )


@pytest.mark.parametrize("special", [None, np.nan, np.inf, -np.inf])
def test_all_finite(special, rng):
    x = rng.normal(size=100) * 1e300
    if special is not None:
        x[60] = special
    for kernel in (kernels.all_finite, kernels.all_finite_reference):
        finite = np.zeros(2, bool)
        with np.errstate(invalid="ignore"):
            kernel(0, 0, 50, x, finite)
            kernel(1, 50, 100, x, finite)
        np.testing.assert_array_equal(finite, [True, special is None])
