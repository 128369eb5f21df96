"""Weight-update ratios: the norm of each training step relative to the norm of the weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.style import GREY, INK, escape_text, new_figure, quiet, save

HEALTHY = 1e-3  # a rule of thumb


def running_median(values: npt.ArrayLike, window: int) -> np.ndarray:
    """Return the median of a window around each value; the window is shorter at the ends.

    Examples
    --------
    >>> running_median([1, 9, 2, 3, 30], window=3)
    array([ 5. ,  2. ,  3. ,  3. , 16.5])
    """
    array, half = np.asarray(values), window // 2
    return np.array([np.median(array[max(0, i - half) : i + half + 1]) for i in range(len(array))])


def update_ratios(ratios: Mapping[str, Sequence[float]], path: FilePath = None) -> "Figure":
    """Draw the norm of each step over the norm of the weights, one line per parameter, on a logarithmic scale.

    The faint line shows each step, the strong one the running median. Dark lines belong to the first layers, bright
    ones to the last. The dashed line marks 1e-3, a typical ratio of a healthy training run.

    Parameters
    ----------
    ratios : dict of sequences of float
        As recorded by `numpycnn.training.UpdateRatios`.
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no step yet.
    """
    from matplotlib import colormaps

    if not ratios or not all(len(values) for values in ratios.values()):
        raise ValueError("update_ratios: expected ratios of at least one step, got none")
    figure = new_figure(7.6, 3.9)
    axes = figure.subplots()
    shades = colormaps["viridis"](np.linspace(0, 0.88, len(ratios)))
    for colour, (name, values) in zip(shades, ratios.items(), strict=True):
        steps = np.arange(1, len(values) + 1)
        drawn = np.where(np.isfinite(values) & (np.asarray(values) > 0), values, np.nan)  # for the log scale
        if len(values) > 20:
            axes.plot(steps, drawn, color=colour, linewidth=0.5, alpha=0.3)
            smooth = running_median(drawn, max(5, len(values) // 25))
            axes.plot(steps, smooth, color=colour, linewidth=1.7, label=escape_text(name))
        else:
            axes.plot(steps, drawn, color=colour, linewidth=1.7, marker="o", markersize=4, label=escape_text(name))
    axes.axhline(HEALTHY, color=GREY, linewidth=1.0, linestyle="--", zorder=1)
    axes.set_yscale("log")
    quiet(axes)
    axes.set_xlabel("step", color=INK)
    axes.set_ylabel("|change of w| / |w|", color=INK)
    axes.set_title("size of each step relative to the weights", color=INK, fontsize=10.5, fontweight="bold", loc="left")
    columns = 1 + (len(ratios) - 1) // 14
    legend: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "frameon": False, "ncols": columns}
    axes.legend(fontsize=8.5, labelcolor=INK, **legend)
    return save(figure, path)
