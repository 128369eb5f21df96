"""The loops of convolution against their plain versions, and the plain versions against the definition."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from numpycnn.functional.windows import Windows
from numpycnn.kernels import convolution as kernels
from tests.helpers import Case, assert_close, bilinear, convolution_terms, draw_case, generators
from tests.kernels.pairs import compare, scratch, windows_of

COUNT = 40  # few and small: without the compiler, these loops are slow


class Drawn(NamedTuple):
    case: Case
    windows: Windows
    groups: int
    x: np.ndarray  # (N, C, *size)
    weight: np.ndarray  # (F, C/G, *kernel)
    dy: np.ndarray  # (N, F, *output)

    @property
    def rows(self) -> np.ndarray:
        n, c, *size = self.x.shape
        return self.x.reshape(n, c, int(np.prod(size[:-1])), size[-1])

    @property
    def matrices(self) -> np.ndarray:
        return self.weight.reshape(self.groups, len(self.weight) // self.groups, -1)

    @property
    def flat_dy(self) -> np.ndarray:
        return self.dy.reshape(*self.dy.shape[:2], -1)

    def scratch(self, tile: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Working memory for tiles of some output rows; what is in it at first must not matter, but for the padding."""
        _, filters, k = self.matrices.shape
        positions = min(tile, len(self.windows.flat.origins)) * self.windows.flat.width
        return (
            scratch(1, self.x.shape[1], self.windows.flat.plane),
            scratch(1, k * positions, fill=np.nan),
            scratch(1, filters * positions, fill=np.nan),
        )


def draw(rng: np.random.Generator, rank: int) -> Drawn:
    case = draw_case(rng, rank)
    groups, channels, filters = (int(n) for n in rng.integers(1, 3, 3))
    x = rng.normal(size=(2, groups * channels, *case.size))
    weight = rng.normal(size=(groups * filters, channels, *case.kernel))
    return Drawn(case, windows_of(case), groups, x, weight, rng.normal(size=(2, groups * filters, *case.output)))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_correlate(rank: int) -> None:
    for tile, rng in enumerate(generators(50, rank, count=COUNT)):
        d = draw(rng, rank)
        bias = rng.normal(size=len(d.weight))

        def arguments(d: Drawn = d, bias: np.ndarray = bias, tile: int = tile % 3 + 1) -> tuple[Any, ...]:
            return (d.rows, d.matrices, bias, d.windows.flat, *d.scratch(tile), np.full(d.flat_dy.shape, np.nan))

        compare(kernels.correlate, kernels.correlate_reference, 2, arguments)
        *_, y = call = arguments()
        kernels.correlate_reference(0, 0, 2, *call)
        expected, *_ = bilinear(
            convolution_terms(d.x.shape, d.weight.shape, d.case, d.groups), d.x, d.weight, bias, d.dy
        )
        assert_close(y, expected.reshape(y.shape))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_input_gradient(rank: int) -> None:
    for tile, rng in enumerate(generators(51, rank, count=COUNT)):
        d = draw(rng, rank)

        def arguments(d: Drawn = d, tile: int = tile % 3 + 1) -> tuple[Any, ...]:
            return (d.flat_dy, d.matrices, d.windows.flat, *d.scratch(tile), np.full(d.rows.shape, np.nan))

        compare(kernels.input_gradient, kernels.input_gradient_reference, 2, arguments)
        *_, dx = call = arguments()
        kernels.input_gradient_reference(0, 0, 2, *call)
        terms = convolution_terms(d.x.shape, d.weight.shape, d.case, d.groups)
        assert_close(dx.reshape(d.x.shape), bilinear(terms, d.x, d.weight, None, d.dy)[1])


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_weight_gradient(rank: int) -> None:
    for tile, rng in enumerate(generators(52, rank, count=COUNT)):
        d = draw(rng, rank)

        def arguments(d: Drawn = d, tile: int = tile % 3 + 1) -> tuple[Any, ...]:
            return (d.flat_dy, d.rows, d.windows.flat, *d.scratch(tile), np.zeros((1, *d.matrices.shape)))

        compare(kernels.weight_gradient, kernels.weight_gradient_reference, 2, arguments)
        *_, dweight = call = arguments()
        kernels.weight_gradient_reference(0, 0, 2, *call)
        terms = convolution_terms(d.x.shape, d.weight.shape, d.case, d.groups)
        assert_close(dweight.reshape(d.weight.shape), bilinear(terms, d.x, d.weight, None, d.dy)[2])


def test_im2col_and_its_adjoint() -> None:
    for rng in generators(53, count=COUNT):
        d = draw(rng, 2)
        flat = d.windows.flat
        padded = np.zeros((d.x.shape[1], flat.plane))
        kernels.pad(d.rows[0], flat, padded)
        rows = len(flat.origins)
        columns = np.full((d.x.shape[1] * len(flat.taps), rows * flat.width), np.nan)
        kernels.im2col(padded, flat, 0, rows, columns)
        reference = kernels.window_columns(d.rows[0], flat, d.groups)
        np.testing.assert_array_equal(columns, reference.reshape(columns.shape))
        other = rng.normal(size=columns.shape)
        back = np.zeros_like(padded)
        kernels.col2im(other, flat, 0, rows, back)
        assert_close((columns * other).sum(), (padded * back).sum())
        image = np.full(d.rows[0].shape, np.nan)
        kernels.crop(padded, flat, image)
        np.testing.assert_array_equal(image, d.rows[0])


def test_a_tile_has_at_least_one_row_and_fits_its_memory() -> None:
    for rng in generators(54, count=COUNT):
        flat = draw(rng, 2).windows.flat
        for k in (1, 9, 1_000_000):
            rows = kernels.tile_rows(k, flat, 4)
            assert 1 <= rows <= len(flat.origins)
            assert rows == 1 or rows * k * flat.width * 4 <= kernels.TILE_BYTES
