"""Pooling of the fast backend gives what the textbook's does."""

import numpy as np
import pytest

import numpycnn
from tests.drawn import generators
from tests.fast.agreement import agree
from tests.operations import call, call_backward, draw_pooling

NAMES = [f"{kind}_pool{rank}d" for kind in ("max", "avg", "lp") for rank in (1, 2, 3)]


@pytest.mark.parametrize("name", NAMES)
def test_equals_the_textbook(name: str) -> None:
    agree(name)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_nan_and_infinity_reach_the_windows_that_see_them(kind: str, special: float) -> None:
    name = f"{kind}_pool2d"
    for rng in generators(90):
        arguments, _ = draw_pooling(rng, 2, kind)
        arguments["x"][tuple(rng.integers(arguments["x"].shape))] = special
        results = []
        for backend in ("plain", "fast"):
            with numpycnn.backend(backend):
                y = call(name, arguments)
                dy = np.ones_like(y)
                dy.flat[0] = special
                results.append((y, *call_backward(name, arguments, dy)))
        for textbook, fast in zip(*results, strict=True):
            np.testing.assert_allclose(fast, textbook, rtol=1e-12)
