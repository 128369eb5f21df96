"""Recurrent networks as a function: layouts, types, special numbers, wrong arguments."""

from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from numpycnn.functional._recurrent import GATES
from tests.helpers import assert_close, assert_same_bits, layouts


def draw(rng: np.random.Generator, cell: str, n: int = 3) -> list[np.ndarray]:
    """Return dy, x, the weights and the biases."""
    rows = 4 * GATES[cell]
    shapes = ((n, 6, 4), (n, 6, 2), (rows, 2), (rows, 4), (rows,), (rows,))
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("cell", list(GATES))
def test_layouts_types_and_empty_batches(cell: str, rng: np.random.Generator) -> None:
    dy, *arrays = draw(rng, cell)
    expected = [F.recurrent(*arrays, cell=cell), *F.recurrent_backward(dy, *arrays, cell=cell)]
    for kind in layouts(dy):
        other_dy, *others = (layouts(array)[kind] for array in (dy, *arrays))
        got = [F.recurrent(*others, cell=cell), *F.recurrent_backward(other_dy, *others, cell=cell)]
        for array, wanted in zip(got, expected, strict=True):
            assert_same_bits(array, wanted)
        for other, original in zip((other_dy, *others), (dy, *arrays), strict=True):
            np.testing.assert_array_equal(other, original)
    single_dy, *single = (array.astype(np.float32) for array in (dy, *arrays))
    got = [F.recurrent(*single, cell=cell), *F.recurrent_backward(single_dy, *single, cell=cell)]
    for array, wanted in zip(got, expected, strict=True):
        assert array.dtype == np.float32
        assert_close(array, wanted, 1e-4)
    dy, *empty = draw(rng, cell, n=0)
    assert F.recurrent(*empty, cell=cell).shape == (0, 6, 4)
    dx, *others = F.recurrent_backward(dy, *empty, cell=cell)
    assert dx.shape == (0, 6, 2)
    assert not any(gradient.any() for gradient in others)


@pytest.mark.parametrize("cell", list(GATES))
@pytest.mark.parametrize("reverse", [False, True])
def test_nan_stays_in_its_example_and_after_its_step(cell: str, reverse: bool, rng: np.random.Generator) -> None:
    _, x, *weights = draw(rng, cell)
    x[1, 2, 0] = np.nan
    wrong = np.isnan(F.recurrent(x, *weights, cell=cell, reverse=reverse)).any(axis=2)
    assert not wrong[[0, 2]].any()
    np.testing.assert_array_equal(wrong[1], [True] * 3 + [False] * 3 if reverse else [False] * 2 + [True] * 4)


@pytest.mark.parametrize("cell", list(GATES))
def test_huge_inputs_saturate_without_a_warning(cell: str, rng: np.random.Generator) -> None:
    dy, x, *weights = draw(rng, cell)
    y = F.recurrent(1e4 * np.sign(x), *weights, cell=cell)
    assert np.abs(y).max() <= 1
    for gradient in F.recurrent_backward(dy, 1e4 * np.sign(x), *weights, cell=cell):
        assert np.isfinite(gradient).all()


def arguments(**change: Any) -> dict[str, Any]:
    names = ("x", "weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return dict(zip(names, draw(np.random.default_rng(0), "lstm")[1:], strict=True)) | {"cell": "lstm"} | change


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"x": np.zeros((3, 2))}, ValueError, r"recurrent: expected x \(N, L, C\), got \(3, 2\)"),
        (
            {"x": np.zeros((3, 0, 2))},
            ValueError,
            r"expected sequences of at least one element, got \(3, 0, 2\)",
        ),
        ({"x": np.zeros((3, 5, 2), int)}, TypeError, "recurrent: expected x of float32 or float64, got int64"),
        ({"x": np.zeros((3, 5, 3))}, ValueError, r"recurrent: expected weight_ih \(16, 3\), got \(16, 2\)"),
        ({"weight_hh": np.zeros((12, 4))}, ValueError, r"expected weight_hh \(4 H, H\) for cell 'lstm', got \(12, 4\)"),
        ({"cell": "gru"}, ValueError, r"expected weight_hh \(3 H, H\) for cell 'gru', got \(16, 4\)"),
        ({"weight_ih": np.zeros((16, 2), np.float32)}, TypeError, "expected weight_ih of float64 like the input"),
        ({"bias_ih": np.zeros(4)}, ValueError, r"recurrent: expected bias_ih \(16,\), got \(4,\)"),
        ({"bias_hh": None}, TypeError, "recurrent: expected bias_hh of float32 or float64, got object"),
        ({"cell": "LSTM"}, ValueError, "recurrent: expected cell 'rnn', 'lstm' or 'gru', got 'LSTM'"),
        ({"reverse": 1}, TypeError, "recurrent: expected reverse to be True or False, got int 1"),
    ],
)
def test_bad_calls(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        F.recurrent(**arguments(**change))


def test_a_bad_gradient() -> None:
    with pytest.raises(ValueError, match=r"recurrent_backward: expected dy \(3, 6, 4\), got \(3, 4\)"):
        F.recurrent_backward(np.zeros((3, 4)), **arguments())
