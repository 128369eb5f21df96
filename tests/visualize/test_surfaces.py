"""Gradients against differences, minima against their neighborhood."""

import ast
import operator

import numpy as np
import pytest

from numpycnn.visualize import SURFACES, Surface

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


@pytest.mark.parametrize("surface", SURFACES.values(), ids=list(SURFACES))
def test_slopes_and_minima(surface: Surface, rng: np.random.Generator) -> None:
    (x0, x1), (y0, y1) = surface.limits
    x, y = rng.uniform(x0, x1, 50), rng.uniform(y0, y1, 50)
    h = 1e-6
    by_x, by_y = surface.slope(x, y)
    np.testing.assert_allclose(by_x, (surface.value(x + h, y) - surface.value(x - h, y)) / (2 * h), atol=1e-5)
    np.testing.assert_allclose(by_y, (surface.value(x, y + h) - surface.value(x, y - h)) / (2 * h), atol=1e-5)
    depth = surface.value(*np.array(surface.lowest[0]))
    assert np.all(surface.value(x, y) > depth)
    for place in surface.lowest:
        np.testing.assert_allclose(surface.slope(*np.array(place)), (0, 0), atol=1e-12)
        assert surface.value(*np.array(place)) == pytest.approx(depth)
    assert x0 < surface.start[0] < x1
    assert y0 < surface.start[1] < y1


@pytest.mark.parametrize("surface", SURFACES.values(), ids=list(SURFACES))
def test_formula_matches_the_function(surface: Surface, rng: np.random.Generator) -> None:
    """The formulas are sums, products and powers, which the parser of Python reads."""
    text = surface.formula.split("= ")[1].replace("^", "**").replace("10 (", "10 * (")
    for x, y in rng.normal(size=(5, 2)):
        assert evaluate(ast.parse(text, mode="eval").body, x, y) == pytest.approx(surface.value(x, y))


def evaluate(node: ast.expr, x: float, y: float) -> float:
    match node:
        case ast.BinOp(left, kind, right):
            return OPERATORS[type(kind)](evaluate(left, x, y), evaluate(right, x, y))
        case ast.Constant(float() | int() as value):
            return value
        case ast.Name(name):
            return {"x": x, "y": y}[name]
    raise AssertionError(ast.dump(node))
