"""Translation invariance: how sure a network stays of a picture that moves.

A convolution moves its maps along with the picture; pooling and strides forget a part of where things are. What is left
of the dependence on the place is measured: the probability of the right class for each shift.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 9.3.
"""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from numpycnn.functional.checks import check_int, class_labels, normal_axis, spell
from numpycnn.sequential import Sequential
from numpycnn.visualize.classes import class_probabilities, expect_classifier
from numpycnn.visualize.panels import bare, draw_input, examples_of, headline, note, room_for
from numpycnn.visualize.style import BLUE, GREEN, GREY, INK, ORANGE, VERMILION, new_figure, plain, quiet, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THUMBNAILS = 5
LOOKS = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (ORANGE, "D"), (GREY, "v"), (INK, "P"))


def shift(x: np.ndarray, by: int, axis: int = -1) -> np.ndarray:
    """Return pictures moved along an axis; what is left behind is filled with the border that is nearest.

    Parameters
    ----------
    x : ndarray of any shape
    by : int
        Pixels, to the right or down if positive.
    axis : int

    Returns
    -------
    ndarray of the shape of `x`

    Raises
    ------
    ValueError
        If there is no such axis.
    TypeError
        If `by` or `axis` is not an int.

    Examples
    --------
    >>> shift(np.array([[1, 2, 3, 4]]), 2)
    array([[1, 1, 1, 2]])
    >>> shift(np.array([[1, 2, 3, 4]]), -1)
    array([[2, 3, 4, 4]])
    """
    axis = normal_axis(axis, x.ndim, "shift")
    from_where = np.clip(np.arange(x.shape[axis]) - check_int(by, "by", "shift"), 0, x.shape[axis] - 1)
    return np.take(x, from_where, axis)


def _spread(values: list[int], most: int) -> list[int]:
    """Return so many of the values at most, evenly chosen, with the first and the last."""
    if len(values) <= most:
        return values
    return [values[i] for i in np.linspace(0, len(values) - 1, most).round().astype(int)]


def measure_shifts(
    model: Sequential, x: Any, labels: npt.ArrayLike, shifts: Sequence[int], *, axis: int = -1
) -> np.ndarray:
    """Return the probability of the right class of each picture, moved by each of the shifts.

    Parameters
    ----------
    model : Sequential
        A classifier.
    x : ndarray of shape (N, C, ...) or (C, ...)
        Pictures as the model gets them, or a single one.
    labels : array_like of int, shape (N,), or int
        True classes.
    shifts : sequence of int
        Pixels, to the right or down if positive.
    axis : int
        Of `x`, with its batch axis: -1 to move to the right, -2 down.

    Returns
    -------
    ndarray of shape (S, N)

    Raises
    ------
    TypeError, ValueError
        If `x` is no batch for the model, has no such axis to move along, or the labels are no classes.
    RuntimeError
        If the model has not been built.
    """
    x = examples_of(model, x, "measure_shifts")
    axis = normal_axis(axis, x.ndim, "measure_shifts")
    if axis < 2:
        raise ValueError(f"measure_shifts: expected axis to be one of places, 2 to {x.ndim - 1} of {spell(x.shape)}")
    classes = expect_classifier(model, "measure_shifts")
    given = np.asarray(labels)
    right = class_labels(np.full(len(x), given) if given.ndim == 0 else given, classes, "measure_shifts")
    if len(right) != len(x):
        raise ValueError(f"measure_shifts: expected one label for each of {len(x)} pictures, got {len(right)}")
    rows = np.arange(len(x))
    return np.stack([class_probabilities(model, shift(x, by, axis))[rows, right] for by in shifts])


def translation_curves(
    models: Mapping[str, Sequential],
    x: Any,
    labels: npt.ArrayLike,
    *,
    shifts: Sequence[int] | None = None,
    axis: int = -1,
    path: str | os.PathLike[str] | None = None,
) -> "Figure":
    """Draw the mean probability of the right class over the shift, a curve for each model; and a picture that moves.

    Parameters
    ----------
    models : dict of str to Sequential
        By name, as in ``{"max pooling": ..., "average pooling": ...}``.
    x, labels, axis
        As for `measure_shifts`, which does the computing.
    shifts : sequence of int, optional
        A third of the side to either side if not given.
    path : path_like, optional
        Where to save a PNG.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError, ValueError
        As `measure_shifts`, and if there is no model or no shift.
    RuntimeError
        If the model has not been built.
    """
    from matplotlib.ticker import MaxNLocator

    if not isinstance(models, Mapping) or not models:
        raise ValueError("translation_curves: expected models by name, as in {'max pooling': model}, got none")
    pictures = examples_of(next(iter(models.values())), x, "translation_curves")
    axis = normal_axis(axis, pictures.ndim, "translation_curves")
    most = max(1, pictures.shape[axis] // 3)
    steps = list(range(-most, most + 1)) if shifts is None else [check_int(by, "shifts", "shift") for by in shifts]
    if not steps:
        raise ValueError("translation_curves: expected at least one shift, got none")
    curves = {name: measure_shifts(model, pictures, labels, steps, axis=axis) for name, model in models.items()}
    shown = _spread(sorted(set(steps)), THUMBNAILS)
    height = max(0.35, room_for(pictures.shape[2:], 0.9)[1])
    figure = new_figure(7.6, height + 3.7)
    grid = figure.add_gridspec(2, len(shown), height_ratios=(height, 3.2))
    for column, by in enumerate(shown):
        axes = figure.add_subplot(grid[0, column])
        draw_input(axes, shift(pictures[:1], by, axis)[0])
        bare(axes)
        note(axes, "")
        headline(axes, f"{by:+d}" if by else "0", 8.5)
    axes = figure.add_subplot(grid[1, :])
    order = np.argsort(steps, kind="stable")
    steps = [steps[i] for i in order]
    for number, (name, values) in enumerate(curves.items()):
        colour, marker = LOOKS[number % len(LOOKS)]
        mean = 100 * values.mean(axis=1)
        axes.plot(steps, mean[order], color=colour, marker=marker, markersize=4.5, linewidth=1.6, label=plain(name))
    quiet(axes)
    axes.set_ylim(-3, 103)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    way = "to the right" if axis == pictures.ndim - 1 else "down"
    axes.set_xlabel(f"shift {way} in pixels", color=INK)
    axes.set_ylabel("probability of the right class in %", color=INK)
    count = f", mean of {len(pictures)} pictures" if len(pictures) > 1 else ""
    axes.set_title(f"what a shift costs{count}", color=INK, fontsize=10.5, fontweight="bold", loc="left")
    axes.legend(labelcolor=INK, edgecolor="none", framealpha=1, fontsize=9)
    save(figure, path)
    return figure
