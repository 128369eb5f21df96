"""Each step of Winograd's convolution against its plain version, and the plain versions against the convolution."""

from typing import NamedTuple

import numpy as np
import pytest

from numpycnn.functional import conv2d, conv2d_backward
from numpycnn.kernels import winograd as kernels
from numpycnn.kernels.blocks import blocks_of
from numpycnn.kernels.products import narrow_lanes
from numpycnn.kernels.winograd_transforms import (
    empty_at_points,
    matrices,
    row_pitch,
    transform_weights_backward,
    whole_tiles,
)
from tests.kernels.test_winograd_transforms import at_points

F64 = np.dtype(np.float64)
LANES, IMAGES = narrow_lanes(F64), 5
CHANNELS, FILTERS = LANES + 3, 2 * LANES + 1
PITCHES = row_pitch(CHANNELS, 8), row_pitch(FILTERS, 8)

# output height and width, padding before (top, left): sizes that four does not divide, and pads wider than the input
SHAPES = [((4, 4), (0, 0)), ((7, 5), (1, 0)), ((8, 9), (2, 1)), ((1, 12), (1, 2)), ((3, 3), (0, 2)), ((8, 8), (1, 1))]


class Case(NamedTuple):
    patches: kernels.Patches
    x: np.ndarray
    weight: np.ndarray  # (F, C, 9)
    bias: np.ndarray
    dy: np.ndarray
    padding: tuple[tuple[int, int], tuple[int, int]]

    @property
    def count(self) -> int:
        return IMAGES * self.patches.down * self.patches.across

    @property
    def sizes(self) -> tuple[int, int, int, tuple[int, int]]:
        return CHANNELS, FILTERS, self.count, PITCHES

    @property
    def kernels(self) -> np.ndarray:
        return self.weight.reshape(FILTERS, CHANNELS, 3, 3)

    def seen(self, v: np.ndarray, channels: int = CHANNELS) -> np.ndarray:
        """The numbers of all patches, without what is between them."""
        return matrices(v, self.count, row_pitch(channels, 8))[..., :channels]


def draw(output: tuple[int, int], padding: tuple[int, int], rng: np.random.Generator) -> Case:
    patches = kernels.Patches(*padding, *(-(-size // 4) for size in output))
    x = rng.normal(size=(IMAGES, CHANNELS, *(max(o + 2 - 2 * p, 1) for o, p in zip(output, padding, strict=True))))
    after = [o + 2 - p - size for o, p, size in zip(output, padding, x.shape[2:], strict=True)]
    return Case(
        patches,
        x,
        rng.normal(size=(FILTERS, CHANNELS, 9)),
        rng.normal(size=PITCHES[1]),
        rng.normal(size=(IMAGES, FILTERS, *output)),
        ((padding[0], after[0]), (padding[1], after[1])),
    )


def numbers(case: Case, channels: int, rng: np.random.Generator, times: int = 1) -> np.ndarray:
    """Room for the 36 numbers of all patches, with anything in it but for where there are zeros."""
    found, pitch = empty_at_points(case.count, channels, F64, times), row_pitch(channels, 8)
    inside = found[..., : -(-case.count // 4) * 4 * pitch].reshape(times, 36, -1, pitch)
    behind = slice(kernels.blocks_of(channels, 8) * LANES, whole_tiles(channels, 8))
    assert not inside[..., behind].any()
    found[:] = rng.normal(size=found.shape)
    inside[..., behind] = 0
    return found


def scratch(case: Case, rng: np.random.Generator) -> kernels.Scratch:
    """Working memory for two chunks; only the planes must begin as zeros."""
    pixels = (max(case.x[0, 0].size, case.dy[0, 0].size) + LANES) * LANES
    planes = np.zeros((2, (4 * case.patches.down + 2) * (4 * case.patches.across + 2) * LANES))
    return kernels.Scratch(planes, *rng.normal(size=(2, 2, pixels)), rng.normal(size=(2, 36 * LANES)))


def both(fast, plain, n, make):
    """Run a kernel in two chunks and its plain version in one, and return the arguments as each has left them."""
    results = []
    for kernel, chunks in ((fast, [(0, 0, n // 2), (1, n // 2, n)]), (plain, [(0, 0, n)])):
        arguments = make()
        for chunk in chunks:
            kernel(*chunk, *arguments)
        results.append(arguments)
    return results


def blocks(channels: int) -> int:
    return IMAGES * blocks_of(channels, 8)


@pytest.mark.parametrize(("output", "padding"), SHAPES)
def test_forward(output, padding, rng):
    case = draw(output, padding, rng)
    v, m, u = numbers(case, CHANNELS, rng)[0], numbers(case, FILTERS, rng)[0], at_points(case.weight, False)[0]

    seen = both(
        kernels.see_images,
        kernels.see_images_reference,
        blocks(CHANNELS),
        lambda: (case.x, case.patches, PITCHES[0], scratch(case, rng), v.copy(), np.ones(2, bool)),
    )
    np.testing.assert_allclose(*(case.seen(call[-2]) for call in seen), rtol=0, atol=1e-12)

    v = seen[1][-2]
    products = both(
        kernels.multiply_points, kernels.multiply_points_reference, 36, lambda: (v, u, *case.sizes, m.copy())
    )
    np.testing.assert_allclose(*(case.seen(call[-1], FILTERS) for call in products), rtol=0, atol=1e-10)
    behind = matrices(products[0][-1], -(-case.count // 4) * 4, PITCHES[1])[:, case.count :, :FILTERS]
    assert not behind.any()  # the rows there, which held anything, were made zeros

    m = products[1][-1]
    answers = both(
        kernels.answer_images,
        kernels.answer_images_reference,
        blocks(FILTERS),
        lambda: (m, PITCHES[1], case.bias, case.patches, scratch(case, rng), np.full(case.dy.shape, np.nan)),
    )
    np.testing.assert_allclose(answers[0][-1], answers[1][-1], rtol=0, atol=1e-10)
    expected = conv2d(case.x, case.kernels, case.bias[:FILTERS], padding=case.padding)
    np.testing.assert_allclose(answers[1][-1], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("output", "padding"), SHAPES)
@pytest.mark.parametrize("more", [False, True])
def test_backward(output, padding, more, rng):
    case = draw(output, padding, rng)
    v, m, u = numbers(case, CHANNELS, rng)[0], numbers(case, FILTERS, rng)[0], at_points(case.weight, True)[0]
    kernels.see_images_reference(0, 0, blocks(CHANNELS), case.x, case.patches, PITCHES[0], None, v, np.ones(1, bool))

    gradients = both(
        kernels.answer_images_backward,
        kernels.answer_images_backward_reference,
        blocks(FILTERS),
        lambda: (
            *(case.dy, case.patches, PITCHES[1], scratch(case, rng)),
            *(m.copy(), np.full((IMAGES, PITCHES[1]), np.nan), np.ones(2, bool)),
        ),
    )
    np.testing.assert_allclose(*(case.seen(call[-3], FILTERS) for call in gradients), rtol=0, atol=1e-12)
    np.testing.assert_allclose(*(call[-2][:, :FILTERS] for call in gradients), rtol=0, atol=1e-12)

    m = gradients[1][-3]
    start = rng.normal(size=empty_at_points(FILTERS, CHANNELS, F64)[0].shape)
    products = both(
        kernels.multiply_points_backward,
        kernels.multiply_points_backward_reference,
        36,
        lambda: (m.copy(), u, *case.sizes, more, v.copy(), start.copy()),
    )
    views = [matrices(call[-1], FILTERS, PITCHES[0])[..., :CHANNELS] for call in products]
    np.testing.assert_allclose(*views, rtol=0, atol=1e-10)
    np.testing.assert_allclose(*(case.seen(call[-2]) for call in products), rtol=0, atol=1e-10)

    v = products[1][-2]
    back = both(
        kernels.see_images_backward,
        kernels.see_images_backward_reference,
        blocks(CHANNELS),
        lambda: (v, PITCHES[0], case.patches, scratch(case, rng), np.full(case.x.shape, np.nan)),
    )
    np.testing.assert_allclose(back[0][-1], back[1][-1], rtol=0, atol=1e-10)
    expected = conv2d_backward(case.dy, case.x, case.kernels, padding=case.padding)[0]
    np.testing.assert_allclose(back[1][-1], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("special", [np.nan, -np.inf, 1e200])
def test_what_is_too_large_is_found(special, rng):
    case = draw((7, 5), (1, 0), rng)
    for array, channels in ((case.x, CHANNELS), (case.dy, FILTERS)):
        array[-1, -1, -1, -1] = special
        of, (first, last) = scratch(case, rng), (0, blocks(channels))
        v, bias = numbers(case, channels, rng)[0], np.empty((IMAGES, PITCHES[1]))
        for suffix in ("", "_reference"):
            for end, expected in ((last - 1, True), (last, False)):
                moderate = np.ones(1, bool)
                step = getattr(kernels, ("see_images" if channels == CHANNELS else "answer_images_backward") + suffix)
                more = () if channels == CHANNELS else (bias,)
                with np.errstate(all="ignore"):
                    step(0, first, end, array, case.patches, row_pitch(channels, 8), of, v, *more, moderate)
                assert moderate[0] == expected


@pytest.mark.parametrize(("output", "padding"), SHAPES)
@pytest.mark.parametrize("together", [1, 2, 3])
def test_the_whole_way_at_once(output, padding, together, rng):
    case = draw(output, padding, rng)
    way = case.patches, PITCHES, (0, 36), together
    u, bias = at_points(case.weight, False)[0], case.bias[:FILTERS]

    def room_for_both():
        return numbers(case, CHANNELS, rng, 2), numbers(case, FILTERS, rng, 2), np.ones(2, bool)

    answers = both(
        kernels.convolve_images,
        kernels.convolve_images_reference,
        IMAGES,
        lambda: (case.x, u, case.bias, *way, scratch(case, rng), *room_for_both(), np.full(case.dy.shape, np.nan)),
    )
    expected = conv2d(case.x, case.kernels, bias, padding=case.padding)
    for call in answers:
        np.testing.assert_allclose(call[-1], expected, rtol=0, atol=1e-10)
        assert call[-2].all()

    u = at_points(case.weight, True)[0]
    gradients = both(
        kernels.convolve_images_backward,
        kernels.convolve_images_backward_reference,
        IMAGES,
        lambda: (
            *(case.dy, case.x, u, *way, *(scratch(case, rng) for _ in range(3)), *room_for_both()),
            np.full(empty_at_points(FILTERS, CHANNELS, F64, 2).shape, np.nan),
            *(np.full((IMAGES, PITCHES[1]), np.nan), np.full(case.x.shape, np.nan)),
        ),
    )
    expected = conv2d_backward(case.dy, case.x, case.kernels, padding=case.padding)
    for *_, moderate, du, dbias, dx in gradients:
        dweight = np.empty(case.weight.shape)
        parts = du[:, :, : FILTERS * PITCHES[0]].reshape(2, 36, FILTERS, -1)[..., :CHANNELS]
        assert np.isfinite(parts[0]).all()
        du[np.isnan(du)] = 0  # of the plain version's second chunk, which had no images
        transform_weights_backward(0, 0, FILTERS, du, PITCHES[0], dweight)
        found = dx, dweight.reshape(case.kernels.shape), dbias[:, :FILTERS].sum(axis=0)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
        assert moderate.all()
