"""Paths of optimizers down a surface over two parameters."""

import copy
from collections.abc import Mapping, Sequence

import numpy as np

from numpycnn._checks import check_int
from numpycnn.layers.base import Parameter
from numpycnn.optim import Optimizer
from numpycnn.visualize._types import Axes, Figure, FilePath
from numpycnn.visualize.style import GREY, INK, LINE_STYLES, escape_text, new_figure, quiet, save
from numpycnn.visualize.surfaces import SURFACES, Surface

MAX_COORDINATE, MIN_HEIGHT = 1e4, 1e-12  # limits of what is drawn


def descend(
    optimizer: Optimizer, surface: str | Surface = "ravine", *, start: Sequence[float] | None = None, steps: int = 60
) -> np.ndarray:
    """Return the points that an optimizer visits on a surface.

    Parameters
    ----------
    optimizer : Optimizer
        Not modified; a copy is stepped.
    surface : {"ravine", "saddle", "banana"} or Surface
    start : sequence of 2 float, optional
        By default the start of the surface.
    steps : int

    Returns
    -------
    ndarray of shape (steps + 1, 2)
        The first point is the start.

    Raises
    ------
    TypeError, ValueError
        If `optimizer` is not an Optimizer, the surface is unknown, or `start` is not a pair of numbers.

    Examples
    --------
    >>> from numpycnn import SGD
    >>> descend(SGD(lr=0.5), "ravine", start=(10, 1), steps=2)
    array([[10.   ,  1.   ],
           [ 9.5  ,  0.   ],
           [ 9.025,  0.   ]])
    """
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"descend: expected an Optimizer, got {optimizer!r}")
    ground = surface_of(surface)
    steps = check_int(steps, "steps", "descend", minimum=0)
    place = np.array(ground.start if start is None else start, np.float64)
    if place.shape != (2,):
        raise ValueError(f"descend: expected start to be a pair of numbers, got {start!r}")
    stepper, point = copy.deepcopy(optimizer), Parameter(place)
    path = [point.value.copy()]
    for _ in range(steps):
        with np.errstate(over="ignore", invalid="ignore"):  # a diverging optimizer
            point.grad[...] = ground.slope(point.value[0], point.value[1])
        stepper.step({"point": point})
        path.append(point.value.copy())
    return np.array(path)


def surface_of(surface: str | Surface) -> Surface:
    """Return a surface by its name."""
    if isinstance(surface, Surface):
        return surface
    if surface not in SURFACES:
        raise ValueError(f"descend: expected surface to be one of {', '.join(SURFACES)}, got {surface!r}")
    return SURFACES[surface]


def optimizer_paths(
    optimizers: Mapping[str, Optimizer],
    surface: str | Surface = "ravine",
    *,
    start: Sequence[float] | None = None,
    steps: int = 60,
    path: FilePath = None,
) -> "Figure":
    """Draw the paths of optimizers over the contour lines of a surface, and their height after each step.

    Other arguments and errors as for `descend`, which computes the paths.

    Parameters
    ----------
    optimizers : dict of str to Optimizer
        By name, as in ``{"SGD": SGD(0.1), "Adam": Adam(0.3)}``.
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not isinstance(optimizers, Mapping) or not optimizers:
        raise ValueError("optimizer_paths: expected optimizers by name, as in {'SGD': SGD(0.1)}, got none")
    ground = surface_of(surface)
    paths = {name: descend(optimizer, ground, start=start, steps=steps) for name, optimizer in optimizers.items()}
    figure = new_figure(10.0, 4.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.35, 1))
    _contours(left, ground)
    lowest = min(float(ground.value(*np.array(place))) for place in ground.lowest)
    for number, (name, points) in enumerate(paths.items()):
        colour, marker = LINE_STYLES[number % len(LINE_STYLES)]
        every = {"marker": marker, "markersize": 3.2, "markevery": max(1, steps // 40)}
        near = np.where(np.abs(points) <= MAX_COORDINATE, points, np.nan)  # a diverged path ends
        left.plot(near[:, 0], near[:, 1], color=colour, linewidth=1.5, label=escape_text(name), **every)
        height = ground.value(near[:, 0], near[:, 1]) - lowest
        right.plot(np.maximum(height, MIN_HEIGHT), color=colour, linewidth=1.5, label=escape_text(name), **every)
    left.plot(*next(iter(paths.values()))[0], "o", color=INK, markersize=7, zorder=5)
    title = f"{escape_text(ground.name)}: ${ground.formula}$"
    left.set_title(title, color=INK, fontsize=10.5, fontweight="bold", loc="left")
    right.set_yscale("log")
    quiet(right, "height above the minimum", "step")
    right.legend(labelcolor=INK, edgecolor="none", framealpha=1, fontsize=9)
    return save(figure, path)


def _contours(axes: "Axes", ground: Surface) -> None:
    """Draw contour lines, denser near the minimum, and the minima as stars."""
    (x0, x1), (y0, y1) = ground.limits
    x, y = np.meshgrid(np.linspace(x0, x1, 200), np.linspace(y0, y1, 200))
    height = ground.value(x, y)
    levels = height.min() + np.ptp(height) * np.linspace(0.02, 1, 16) ** 2
    axes.contourf(x, y, height, levels=np.r_[height.min(), levels], cmap="Greys", alpha=0.35)
    axes.contour(x, y, height, levels=levels, colors="#aaaaaa", linewidths=0.6)
    for place in ground.lowest:
        axes.plot(*place, "*", color=GREY, markersize=13, zorder=4)
    axes.set(xlim=(x0, x1), ylim=(y0, y1))
    axes.set_xlabel("x", color=INK)
    axes.set_ylabel("y", color=INK)
    axes.tick_params(colors=INK, labelsize=8.5)
    axes.spines[:].set_color(GREY)
