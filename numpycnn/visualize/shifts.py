"""Translation invariance: the confidence of a network in shifted images.

Convolution is equivariant to shifts; pooling and strides discard a part of the position. The remaining dependence on
the position is measured: the probability of the true class for each shift.

Source: I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 9.3.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_axis, check_int, format_shape
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.panels import draw_input, headline, hide_ticks, image_size, note, spread
from numpycnn.visualize.selection import Choice, Selection, select
from numpycnn.visualize.style import INK, LINE_STYLES, escape_text, new_figure, quiet, save

THUMBNAILS = 5


def shift(x: np.ndarray, by: int, axis: int = -1) -> np.ndarray:
    """Return images shifted along an axis; the gap is filled with the nearest edge value.

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
    TypeError, ValueError
        If `by` or `axis` is not an int, or the axis does not exist.

    Examples
    --------
    >>> shift(np.array([[1, 2, 3, 4]]), 2)
    array([[1, 1, 1, 2]])
    >>> shift(np.array([[1, 2, 3, 4]]), -1)
    array([[2, 3, 4, 4]])
    """
    axis = check_axis(axis, x.ndim, "shift")
    source = np.clip(np.arange(x.shape[axis]) - check_int(by, "by", "shift", minimum=None), 0, x.shape[axis] - 1)
    return np.take(x, source, axis)


def measure_shifts(
    model: Network,
    x: Any,
    labels: npt.ArrayLike,
    shifts: Sequence[int],
    *,
    axis: int = -1,
    input: str | int | None = None,
    output: str | int | None = None,
) -> np.ndarray:
    """Return the probability of the true class of each image for each shift.

    Other arguments and errors as for `compute_grad_cam`.

    Parameters
    ----------
    labels : array_like of int, shape (N,), or int
        True classes.
    shifts : sequence of int
        Pixels, to the right or down if positive.
    axis : int
        Axis of `x`, batch axis included: -1 shifts to the right, -2 down.

    Returns
    -------
    ndarray of shape (S, N)
    """
    chosen = _select(model, x, input, output, "measure_shifts")
    axis = check_axis(axis, chosen.x.ndim, "measure_shifts")
    if axis < 2:
        raise ValueError(
            f"measure_shifts: expected axis to be a spatial axis, 2 to {chosen.x.ndim - 1} of "
            f"{format_shape(chosen.x.shape)}"
        )
    true = chosen.targets(labels, "measure_shifts")
    rows = np.arange(len(chosen.x))
    return np.stack([chosen.probabilities(shift(chosen.x, by, axis))[rows, true] for by in shifts])


def _select(model: Network, x: Any, input: Choice, output: Choice, operation: str) -> Selection:
    return select(model, x, operation, input, output, lambda chosen: chosen.x.ndim > 2, "of images (C, ...)")


def translation_curves(
    models: Mapping[str, Network],
    x: Any,
    labels: npt.ArrayLike,
    *,
    shifts: Sequence[int] | None = None,
    axis: int = -1,
    input: str | int | None = None,
    output: str | int | None = None,
    path: FilePath = None,
) -> "Figure":
    """Draw the mean probability of the true class over the shift, one curve per model, and a shifted image.

    Other arguments and errors as for `measure_shifts`, which computes the probabilities.

    Parameters
    ----------
    models : dict of str to Sequential or Model
        By name, as in ``{"max pooling": ..., "average pooling": ...}``.
    shifts : sequence of int, optional
        By default up to a third of the image in both directions.
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.ticker import MaxNLocator

    if not isinstance(models, Mapping) or not models:
        raise ValueError("translation_curves: expected models by name, as in {'max pooling': model}, got none")
    images = _select(next(iter(models.values())), x, input, output, "translation_curves").x
    axis = check_axis(axis, images.ndim, "translation_curves")
    most = max(1, images.shape[axis] // 3)
    steps = (
        list(range(-most, most + 1))
        if shifts is None
        else [check_int(by, "shifts", "shift", minimum=None) for by in shifts]
    )
    if not steps:
        raise ValueError("translation_curves: expected at least one shift, got none")
    chosen: dict[str, Any] = {"axis": axis, "input": input, "output": output}
    curves = {name: measure_shifts(model, x, labels, steps, **chosen) for name, model in models.items()}
    different = sorted(set(steps))
    shown = [different[i] for i in spread(len(different), THUMBNAILS)]
    height = max(0.35, image_size(images.shape[2:], 0.9)[1])
    figure = new_figure(7.6, height + 3.7)
    grid = figure.add_gridspec(2, len(shown), height_ratios=(height, 3.2))
    for column, by in enumerate(shown):
        axes = figure.add_subplot(grid[0, column])
        draw_input(axes, shift(images[:1], by, axis)[0])
        hide_ticks(axes)
        note(axes, "")
        headline(axes, f"{by:+d}" if by else "0", 8.5)
    axes = figure.add_subplot(grid[1, :])
    order = np.argsort(steps, kind="stable")
    steps = [steps[i] for i in order]
    for number, (name, values) in enumerate(curves.items()):
        colour, marker = LINE_STYLES[number % len(LINE_STYLES)]
        mean = 100 * values.mean(axis=1)
        axes.plot(
            steps, mean[order], color=colour, marker=marker, markersize=4.5, linewidth=1.6, label=escape_text(name)
        )
    direction = "to the right" if axis == images.ndim - 1 else "down"
    count = f", mean of {len(images)} images" if len(images) > 1 else ""
    title, across = f"confidence over shift{count}", f"shift {direction} in pixels"
    quiet(axes, title, across, "probability of the true class in %")
    axes.set_ylim(-3, 103)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(labelcolor=INK, edgecolor="none", framealpha=1, fontsize=9)
    return save(figure, path)
