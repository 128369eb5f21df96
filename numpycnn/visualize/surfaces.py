"""Surfaces over two parameters, to compare optimizers on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Function = Callable[[np.ndarray, np.ndarray], np.ndarray]
Slope = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Surface:
    """A function of two variables.

    Attributes
    ----------
    name, formula : str
        The formula as LaTeX.
    value : callable
        ``value(x, y)``, for floats and for arrays.
    slope : callable
        ``slope(x, y)``, the derivatives by `x` and by `y`.
    start : tuple of float
        Starting point.
    limits : ((float, float), (float, float))
        Ranges of `x` and `y` to draw.
    lowest : tuple of (float, float)
        The minima.
    """

    name: str
    formula: str
    value: Function
    slope: Slope
    start: tuple[float, float]
    limits: tuple[tuple[float, float], tuple[float, float]]
    lowest: tuple[tuple[float, float], ...]


RAVINE = Surface(
    name="ravine",
    formula="f(x, y) = x^2 / 20 + y^2",  # 20 times the curvature across as along: gradient descent oscillates
    value=lambda x, y: x**2 / 20 + y**2,
    slope=lambda x, y: (x / 10, 2 * y),
    start=(-7.0, 2.0),
    limits=((-9.0, 9.0), (-4.0, 4.0)),
    lowest=((0.0, 0.0),),
)

SADDLE = Surface(
    name="saddle",
    formula="f(x, y) = x^2 / 2 - y^2 / 2 + y^4 / 8",  # a saddle point at (0, 0)
    value=lambda x, y: x**2 / 2 - y**2 / 2 + y**4 / 8,
    slope=lambda x, y: (x, -y + y**3 / 2),
    start=(-2.0, 0.02),
    limits=((-2.6, 2.6), (-2.4, 2.4)),
    lowest=((0.0, 2**0.5), (0.0, -(2**0.5))),
)

BANANA = Surface(
    name="banana",
    formula="f(x, y) = (1 - x)^2 + 10 (y - x^2)^2",  # a curved valley with a nearly flat floor
    value=lambda x, y: (1 - x) ** 2 + 10 * (y - x**2) ** 2,
    slope=lambda x, y: (-2 * (1 - x) - 40 * x * (y - x**2), 20 * (y - x**2)),
    start=(-1.4, 1.6),
    limits=((-2.0, 2.0), (-0.8, 3.0)),
    lowest=((1.0, 1.0),),
)

#: Surfaces by name; the banana is the function of H. H. Rosenbrock, 1960, with a tenth of its steepness.
SURFACES: dict[str, Surface] = {surface.name: surface for surface in (RAVINE, SADDLE, BANANA)}
