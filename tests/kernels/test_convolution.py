"""The loops of convolution against their plain versions, and the plain versions against the definition."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from numpycnn.functional.matrices import filled_up
from numpycnn.functional.windows import Windows
from numpycnn.kernels import convolution as kernels
from numpycnn.kernels.products import lanes
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
    def flat_dy(self) -> np.ndarray:
        return self.dy.reshape(*self.dy.shape[:2], -1)

    @property
    def laid_out(self) -> np.ndarray:
        return filled_up(self.weight.reshape(self.groups, len(self.weight) // self.groups, -1), 4, 1)

    @property
    def laid_out_back(self) -> np.ndarray:
        filters, channels = len(self.weight) // self.groups, self.weight.shape[1]
        blocks = self.weight.reshape(self.groups, filters, channels, -1)[..., self.windows.flat.order]
        return filled_up(blocks.transpose(0, 2, 3, 1).reshape(self.groups, channels, -1), 4, 1)

    def line(self, size: int) -> np.ndarray:
        return scratch(1, size + lanes(self.x.dtype))

    def sums(self, rows: int, together: int, fill: float = np.nan) -> np.ndarray:
        """What is in it at first must not matter."""
        return scratch(1, rows, together * self.windows.flat.plane + lanes(self.x.dtype), fill=fill)


def draw(rng: np.random.Generator, rank: int) -> Drawn:
    case = draw_case(rng, rank)
    groups, channels, filters = int(rng.integers(1, 3)), int(rng.integers(1, 4)), int(rng.integers(1, 7))
    x = rng.normal(size=(3, groups * channels, *case.size))
    weight = rng.normal(size=(groups * filters, channels, *case.kernel))
    return Drawn(case, windows_of(case), groups, x, weight, rng.normal(size=(3, groups * filters, *case.output)))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_correlate(rank: int) -> None:
    for number, rng in enumerate(generators(50, rank, count=COUNT)):
        d, together = draw(rng, rank), number % 3 + 1
        bias = rng.normal(size=(d.groups, d.laid_out.shape[1]))

        def arguments(d: Drawn = d, bias: np.ndarray = bias, together: int = together) -> tuple[Any, ...]:
            flat = d.windows.flat
            line = d.line(d.x.shape[1] * flat.phases * together * flat.plane)
            sums = d.sums(bias.shape[1], together)
            return (d.rows, d.laid_out, bias, flat, together, line, sums, np.full(d.flat_dy.shape, np.nan))

        compare(kernels.correlate, kernels.correlate_reference, 3, arguments)
        *_, y = call = arguments()
        kernels.correlate_reference(0, 0, 3, *call)
        each = bias[:, : len(d.weight) // d.groups].ravel()
        expected, *_ = bilinear(
            convolution_terms(d.x.shape, d.weight.shape, d.case, d.groups), d.x, d.weight, each, d.dy
        )
        assert_close(y, expected.reshape(y.shape))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_input_gradient(rank: int) -> None:
    for number, rng in enumerate(generators(51, rank, count=COUNT)):
        d, together = draw(rng, rank), number % 3 + 1

        def arguments(d: Drawn = d, together: int = together) -> tuple[Any, ...]:
            flat, weights = d.windows.flat, d.laid_out_back
            reach = flat.plane - int(flat.origins[-1]) - flat.width
            line = d.line(len(d.weight) // d.groups * (reach + together * flat.plane))
            sums = d.sums(weights.shape[1], together)
            return (d.flat_dy, weights, flat, together, line, sums, np.zeros(d.rows.shape))

        compare(kernels.input_gradient, kernels.input_gradient_reference, 3, arguments)
        *_, dx = call = arguments()
        kernels.input_gradient_reference(0, 0, 3, *call)
        terms = convolution_terms(d.x.shape, d.weight.shape, d.case, d.groups)
        assert_close(dx.reshape(d.x.shape), bilinear(terms, d.x, d.weight, None, d.dy)[1])


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_weight_gradient(rank: int) -> None:
    for number, rng in enumerate(generators(52, rank, count=COUNT)):
        d, together = draw(rng, rank), number % 3 + 1
        filters, k = len(d.weight) // d.groups, int(np.prod(d.weight.shape[1:]))

        def arguments(d: Drawn = d, together: int = together, filters: int = filters, k: int = k) -> tuple[Any, ...]:
            flat, room = d.windows.flat, lanes(d.x.dtype)
            line = d.line(d.x.shape[1] * flat.phases * together * flat.plane)
            positions = (together - 1) * flat.plane + int(flat.origins[-1]) + flat.width
            spread = scratch(1, -(-filters // 4) * 4, -(-positions // room) * room)
            gradients = (
                np.zeros((1, d.groups, spread.shape[1], -(-k // 3) * 3)),
                np.zeros((1, d.groups, spread.shape[1])),
            )
            return (d.flat_dy, d.rows, flat, together, line, spread, *gradients)

        def call(kernel: Any, make: Any = arguments, filters: int = filters, k: int = k) -> tuple[Any, Any]:
            *_, dweight, dbias = arrays = make()
            kernel(0, 0, 1, *arrays)
            kernel(0, 1, 3, *arrays)
            return dweight[0, :, :filters, :k], dbias[0, :, :filters]  # what is rounded up holds anything

        got, wanted = call(kernels.weight_gradient), call(kernels.weight_gradient_reference)
        assert_close(got[0], wanted[0])
        assert_close(got[1], wanted[1])
        terms = convolution_terms(d.x.shape, d.weight.shape, d.case, d.groups)
        _, _, dweight, dbias = bilinear(terms, d.x, d.weight, None, d.dy)
        assert_close(wanted[0].reshape(d.weight.shape), dweight)
        assert_close(wanted[1].ravel(), dbias)


def test_laying_out_and_taking_back() -> None:
    """Every element that some tap sees lies in the line once, and comes back from there."""
    for number, rng in enumerate(generators(53, count=COUNT)):
        d, together = draw(rng, 2), number % 3 + 1
        flat, place = d.windows.flat, number % together
        line = np.zeros((d.x.shape[1], flat.phases, together, flat.plane))
        kernels.deal_out(d.rows[0], flat, together, place, line.reshape(-1))
        plain = kernels.lay_out(d.rows[0], flat).reshape(-1, flat.phases, flat.plane)
        np.testing.assert_array_equal(line[:, :, place], plain)
        image = np.zeros(d.rows[0].shape)
        for phase in range(flat.phases):
            sums = line[:, phase].reshape(len(line), -1)[:, flat.first :].copy()
            kernels.take_back(sums, flat, phase, place, image)
        np.testing.assert_array_equal(image, np.where(image == 0, 0, d.rows[0]))
        assert d.windows.covers == bool((image != 0).all())
        assert np.count_nonzero(line) == np.count_nonzero(image)
