"""Each step of Winograd's convolution against its plain version, and the plain versions against the convolution."""

from typing import NamedTuple

import numpy as np
import pytest

from numpycnn.functional import conv2d, conv2d_backward
from numpycnn.kernels import winograd as kernels
from numpycnn.kernels.products import lanes, narrow_lanes
from numpycnn.kernels.winograd_transforms import matrices, odd_pitch, whole_vectors
from tests.kernels.test_winograd_transforms import at_points

F64 = np.dtype(np.float64)
CHANNELS, FILTERS, IMAGES = 5, 6, 3

# output height and width, padding before (top, left): sizes that four does not divide, and a pad that hides the input
SHAPES = [((4, 4), (0, 0)), ((7, 5), (1, 0)), ((8, 9), (2, 1)), ((1, 12), (1, 2)), ((3, 3), (0, 2))]


class Case(NamedTuple):
    patches: kernels.Patches
    count: int  # patches of a channel
    x: np.ndarray
    weight: np.ndarray  # (F, C, 9)
    bias: np.ndarray
    dy: np.ndarray
    padding: tuple[tuple[int, int], tuple[int, int]]


def draw(output: tuple[int, int], padding: tuple[int, int], rng: np.random.Generator) -> Case:
    patches = kernels.cut(output, *padding, IMAGES, lanes(F64))
    x = rng.normal(size=(IMAGES, CHANNELS, *(max(o + 2 - 2 * p, 1) for o, p in zip(output, padding, strict=True))))
    after = [o + 2 - p - size for o, p, size in zip(output, padding, x.shape[2:], strict=True)]
    return Case(
        patches,
        IMAGES * patches.down * patches.across,
        x,
        rng.normal(size=(FILTERS, CHANNELS, 9)),
        rng.normal(size=FILTERS),
        rng.normal(size=(IMAGES, FILTERS, *output)),
        ((padding[0], after[0]), (padding[1], after[1])),
    )


def numbers(patches: kernels.Patches, channels: int, rng: np.random.Generator) -> np.ndarray:
    """Room for the 36 numbers of all patches, with anything in it."""
    return rng.normal(size=(36, -(-channels // 4) * 4 * patches.pitch + lanes(F64)))


def scratch(patches: kernels.Patches, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Planes, lines and work for two chunks; only the planes must begin as zeros."""
    width = narrow_lanes(F64)
    length = max((patches.down + 1) * patches.across, patches.down * patches.across) + 2 * width
    planes = np.zeros((2, (4 * patches.down + 2) * (4 * patches.across + 4) + 8 * width))
    return planes, rng.normal(size=(2, 36 * length)), rng.normal(size=(2, 36 * width))


def both(fast, plain, n, make):
    """Run a kernel in two chunks and its plain version in one, and return the arguments as each has left them."""
    results = []
    for kernel, chunks in ((fast, [(0, 0, n // 2), (1, n // 2, n)]), (plain, [(0, 0, n)])):
        arguments = make()
        for chunk in chunks:
            kernel(*chunk, *arguments)
        results.append(arguments)
    return results


@pytest.mark.parametrize(("output", "padding"), SHAPES)
def test_forward(output, padding, rng):
    case = draw(output, padding, rng)
    planes, lines, work = scratch(case.patches, rng)
    v, m = numbers(case.patches, CHANNELS, rng), numbers(case.patches, FILTERS, rng)
    u = at_points(case.weight, False)

    seen = both(
        kernels.see_images,
        kernels.see_images_reference,
        CHANNELS,
        lambda: (case.x, case.patches, planes, lines, work, v.copy()),
    )
    views = [kernels.of_patches(call[-1], CHANNELS, case.patches, IMAGES) for call in seen]
    np.testing.assert_allclose(*views, rtol=0, atol=1e-12)

    v = seen[1][-1]
    products = both(
        kernels.multiply_points,
        kernels.multiply_points_reference,
        36,
        lambda: (v, u, CHANNELS, FILTERS, case.count, case.patches, m.copy()),
    )
    views = [kernels.of_patches(call[-1], FILTERS, case.patches, IMAGES) for call in products]
    np.testing.assert_allclose(*views, rtol=0, atol=1e-10)

    m = products[1][-1]
    answers = both(
        kernels.answer_images,
        kernels.answer_images_reference,
        FILTERS,
        lambda: (m, case.bias, case.patches, lines, work, np.full(case.dy.shape, np.nan)),
    )
    np.testing.assert_allclose(answers[0][-1], answers[1][-1], rtol=0, atol=1e-10)
    weight = case.weight.reshape(FILTERS, CHANNELS, 3, 3)
    expected = conv2d(case.x, weight, case.bias, padding=case.padding)
    np.testing.assert_allclose(answers[1][-1], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("output", "padding"), SHAPES)
def test_backward(output, padding, rng):
    case = draw(output, padding, rng)
    planes, lines, work = scratch(case.patches, rng)
    v, m = numbers(case.patches, CHANNELS, rng), numbers(case.patches, FILTERS, rng)
    u = at_points(case.weight, True)
    kernels.see_images_reference(0, 0, CHANNELS, case.x, case.patches, planes, lines, work, v)

    gradients = both(
        kernels.answer_images_backward,
        kernels.answer_images_backward_reference,
        FILTERS,
        lambda: (case.dy, case.patches, planes, lines, work, m.copy()),
    )
    views = [kernels.of_patches(call[-1], FILTERS, case.patches, IMAGES) for call in gradients]
    np.testing.assert_allclose(*views, rtol=0, atol=1e-12)

    m = gradients[1][-1]
    start = rng.normal(size=(36, odd_pitch(8 * whole_vectors(CHANNELS + 2, 8))))
    products = both(
        kernels.multiply_points_backward,
        kernels.multiply_points_backward_reference,
        36,
        lambda: (m.copy(), u, CHANNELS, FILTERS, case.count, case.patches, v.copy(), start.copy()),
    )
    views = [matrices(call[-1], FILTERS, CHANNELS) for call in products]
    np.testing.assert_allclose(*views, rtol=0, atol=1e-10)
    views = [kernels.of_patches(call[-2], CHANNELS, case.patches, IMAGES) for call in products]
    np.testing.assert_allclose(*views, rtol=0, atol=1e-10)

    v = products[1][-2]
    planes, lines, work = scratch(case.patches, rng)
    back = both(
        kernels.see_images_backward,
        kernels.see_images_backward_reference,
        CHANNELS,
        lambda: (v, case.patches, planes, lines, work, np.full(case.x.shape, np.nan)),
    )
    np.testing.assert_allclose(back[0][-1], back[1][-1], rtol=0, atol=1e-10)
    weight = case.weight.reshape(FILTERS, CHANNELS, 3, 3)
    expected = conv2d_backward(case.dy, case.x, weight, padding=case.padding)[0]
    np.testing.assert_allclose(back[1][-1], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("special", [None, np.nan, np.inf, -np.inf, 1e31])
def test_all_moderate(special, rng):
    x = rng.normal(size=100) * 1e28
    if special is not None:
        x[60] = special
    for kernel in (kernels.all_moderate, kernels.all_moderate_reference):
        moderate = np.zeros(2, bool)
        kernel(0, 0, 50, x, moderate)
        kernel(1, 50, 100, x, moderate)
        np.testing.assert_array_equal(moderate, [True, special is None])


@pytest.mark.parametrize("lanes", [2, 8, 16, 32, 64])
def test_there_is_room_for_what_a_last_vector_writes(lanes):
    for side in range(1, 200, 3):
        patches = kernels.cut((4, 4 * side), 0, 0, 1, lanes)
        assert patches.pitch >= max(side + 16, -(-side // lanes) * lanes)
        assert patches.pitch % 32 == 16
