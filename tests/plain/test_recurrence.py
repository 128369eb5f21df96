"""Recurrent networks against their formulas, number by number, and against PyTorch."""

import math
from functools import partial
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from numpycnn.functional._recurrent import GATES
from tests.drawn import generators
from tests.helpers import assert_close, numerical_gradient
from tests.operations import Arguments, draw_recurrent

NAMES = ("x", "weight_ih", "weight_hh", "bias_ih", "bias_hh")


def s(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def by_hand(x: np.ndarray, wi: Any, wh: Any, bi: Any, bh: Any, *, cell: str, reverse: bool) -> np.ndarray:
    """Go through each example, each step and each unit."""
    n, length, _ = x.shape
    hidden = wh.shape[1]
    y = np.zeros((n, length, hidden))
    for example in range(n):
        h, m = [0.0] * hidden, [0.0] * hidden
        for t in range(length - 1, -1, -1) if reverse else range(length):
            a = [math.fsum(wi[k] * x[example, t]) + bi[k] for k in range(len(wi))]
            u = [math.fsum(wh[k] * h) + bh[k] for k in range(len(wh))]
            new_h, new_m = [0.0] * hidden, [0.0] * hidden
            for j in range(hidden):
                at = [j + block * hidden for block in range(GATES[cell])]
                if cell == "rnn":
                    new_h[j] = math.tanh(a[j] + u[j])
                elif cell == "lstm":
                    i, f, g, o = (a[k] + u[k] for k in at)
                    new_m[j] = s(f) * m[j] + s(i) * math.tanh(g)
                    new_h[j] = s(o) * math.tanh(new_m[j])
                else:
                    r, z = (s(a[k] + u[k]) for k in at[:2])
                    new = math.tanh(a[at[2]] + r * u[at[2]])
                    new_h[j] = (1 - z) * new + z * h[j]
            h, m = new_h, new_m
            y[example, t] = h
    return y


def settings_of(arguments: Arguments) -> dict[str, Any]:
    return {name: arguments[name] for name in ("cell", "reverse")}


def test_the_outputs_equal_the_formula() -> None:
    for rng in generators(60):
        arguments = draw_recurrent(rng)
        arrays = [arguments[name] for name in NAMES]
        assert_close(F.recurrent(**arguments), by_hand(*arrays, **settings_of(arguments)))


def weighted_sum(arguments: Arguments, dy: np.ndarray, name: str, array: np.ndarray) -> float:
    """Return the sum of all outputs times `dy`, with one of the arrays replaced."""
    return float((dy * F.recurrent(**arguments | {name: array})).sum())


def test_the_gradients_equal_central_differences() -> None:
    for rng in generators(61, count=6):
        arguments = draw_recurrent(rng)
        dy = rng.normal(size=F.recurrent(**arguments).shape)
        gradients = F.recurrent_backward(dy, **arguments)
        for name, gradient in zip(NAMES, gradients, strict=True):
            loss = partial(weighted_sum, arguments, dy, name)
            np.testing.assert_allclose(gradient, numerical_gradient(loss, arguments[name]), atol=1e-8)


@pytest.mark.parametrize("cell", list(GATES))
@pytest.mark.parametrize("reverse", [False, True])
def test_equals_pytorch(cell: str, reverse: bool, torch: Any) -> None:
    for rng in generators(62, count=50):
        n, length, channels, hidden = (int(size) for size in rng.integers(1, 9, 4))
        rows = GATES[cell] * hidden
        x, dy = rng.normal(size=(n, length, channels)), rng.normal(size=(n, length, hidden))
        shapes = ((rows, channels), (rows, hidden), (rows,), (rows,))
        weights = [rng.normal(size=shape) for shape in shapes]
        module = getattr(torch.nn, cell.upper())(channels, hidden, batch_first=True).double()
        names = [f"{name}_l0" for name in NAMES[1:]]
        module.load_state_dict({name: torch.tensor(w) for name, w in zip(names, weights, strict=True)})
        tensor = torch.tensor(x, requires_grad=True)
        y, _ = module(tensor.flip(1) if reverse else tensor)
        y = y.flip(1) if reverse else y
        y.backward(torch.tensor(dy))
        assert_close(F.recurrent(x, *weights, cell=cell, reverse=reverse), y.detach())
        gradients = F.recurrent_backward(dy, x, *weights, cell=cell, reverse=reverse)
        wanted = [tensor.grad, *(getattr(module, name).grad for name in names)]
        for gradient, theirs in zip(gradients, wanted, strict=True):
            assert_close(gradient, theirs)
