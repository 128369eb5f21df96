"""The curve of a learning-rate finder: the loss at each learning rate."""

from collections.abc import Sequence

import numpy as np

from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.style import BLUE, INK, VERMILION, new_figure, quiet, save


def learning_rate_curve(
    rates: Sequence[float], losses: Sequence[float], suggestion: float | None = None, path: FilePath = None
) -> "Figure":
    """Draw the loss over the learning rate, which grows from step to step.

    Parameters
    ----------
    rates, losses : sequence of float
        One value per step, as `numpycnn.training.find_learning_rate` returns them.
    suggestion : float, optional
        A rate to mark.
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the lengths differ, the sequences are empty, or a rate is not positive.
    """
    x, y = np.asarray(rates, np.float64), np.asarray(losses, np.float64)
    if x.ndim != 1 or x.shape != y.shape or not x.size:
        raise ValueError(f"learning_rate_curve: expected as many losses as rates, got {x.shape} and {y.shape}")
    if not (x > 0).all() or (suggestion is not None and not suggestion > 0):
        raise ValueError("learning_rate_curve: expected positive rates, as the axis is logarithmic")
    figure = new_figure(5.6, 3.8)
    axes = figure.subplots()
    axes.plot(x, y, color=BLUE, linewidth=1.8, label="running mean of the loss")
    if suggestion is not None:
        axes.axvline(suggestion, color=VERMILION, linestyle="--", linewidth=1.5, label=f"suggestion {suggestion:.2g}")
    axes.set_xscale("log")
    quiet(axes)
    axes.set_title("loss", color=INK, loc="left", fontweight="bold")
    axes.set_xlabel("learning rate", color=INK)
    axes.legend(loc="best", labelcolor=INK, edgecolor="none", framealpha=1)
    return save(figure, path)
