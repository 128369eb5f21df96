"""Recurrent networks of the fast backend give what the textbook's do."""

import numpy as np
import pytest

import numpycnn
from numpycnn import functional as F
from numpycnn.functional._recurrent import GATES
from tests.fast.agreement import agree
from tests.helpers import assert_same_bits
from tests.operations import Arguments


def test_equals_the_textbook() -> None:
    agree("recurrent")


def draw_large(rng: np.random.Generator) -> Arguments:
    """Batches and sizes that are not a multiple of a tile, and several tiles."""
    n, length, channels, hidden = (int(rng.integers(low, high)) for low, high in ((1, 40), (1, 12), (1, 30), (1, 40)))
    cell = str(rng.choice(list(GATES)))
    rows, scale = GATES[cell] * hidden, hidden**-0.5
    return {
        "x": rng.normal(size=(n, length, channels)),
        "weight_ih": 0.3 * rng.normal(size=(rows, channels)),
        "weight_hh": scale * rng.normal(size=(rows, hidden)),
        "bias_ih": rng.normal(size=rows),
        "bias_hh": rng.normal(size=rows),
        "cell": cell,
        "reverse": bool(rng.random() < 0.5),
    }


def test_large_ones_equal_the_textbook() -> None:
    agree("recurrent", draw_large, single=1e-4)


@pytest.mark.parametrize("cell", list(GATES))
def test_the_number_of_threads_does_not_change_the_outputs(cell: str, rng: np.random.Generator) -> None:
    n, hidden = 25, 64
    rows = hidden * GATES[cell]
    x, dy = rng.normal(size=(n, 9, 5)), rng.normal(size=(n, 9, hidden))
    weights = [rng.normal(size=shape) / 8 for shape in ((rows, 5), (rows, hidden), (rows,), (rows,))]
    before, results = numpycnn.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            numpycnn.set_num_threads(threads)
            results.append((F.recurrent(x, *weights, cell=cell), F.recurrent_backward(dy, x, *weights, cell=cell)[0]))
    finally:
        numpycnn.set_num_threads(before)
    for y, dx in results[1:]:
        assert_same_bits(y, results[0][0])
        np.testing.assert_allclose(dx, results[0][1], rtol=1e-12, atol=1e-14)
