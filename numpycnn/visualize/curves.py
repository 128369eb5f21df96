"""Curves of a training run: losses and accuracies, a search for a learning rate, and the size of each step."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_unmasked
from numpycnn.visualize._types import Axes, Figure, FilePath
from numpycnn.visualize.style import BLUE, GREY, INK, VERMILION, escape_text, new_figure, quiet, save

Records = list[Mapping[str, float]]
HEALTHY = 1e-3  # a rule of thumb for the size of a step relative to the weights


def learning_curves(history: Iterable[Mapping[str, float]], path: FilePath = None) -> "Figure":
    """Draw loss and accuracy over the epochs.

    Training values are means over an epoch while the network still learns; validation values are measured at its end.
    Early in training the validation values are therefore often better.

    Parameters
    ----------
    history : History, or iterable of mappings
        One record per epoch, with ``loss`` and optionally ``accuracy``, ``val_loss``, ``val_accuracy`` and ``epoch``.
        Accuracies are between 0 and 1.
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the history is empty, or no record has a loss.
    """
    records = list(history)
    if not records:
        raise ValueError("learning_curves: expected a history of at least one epoch, got an empty one")
    if not any("loss" in record for record in records):
        raise ValueError(f"learning_curves: expected records with a loss, got {', '.join(records[0]) or 'empty ones'}")
    panels = ["loss"] + ["accuracy"] * any("accuracy" in r or "val_accuracy" in r for r in records)
    figure = new_figure(4.8 * len(panels), 3.8)
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, name in zip(row, panels, strict=True):
        _draw(axes, records, name)
    return save(figure, path)


def _draw(axes: "Axes", records: Records, name: str) -> None:
    """Draw one quantity, training and validation."""
    from matplotlib.ticker import MaxNLocator

    scale = 100.0 if name == "accuracy" else 1.0
    for key, label, colour, marker in ((name, "training", BLUE, "o"), (f"val_{name}", "validation", VERMILION, "s")):
        points = [(r.get("epoch", i + 1), scale * r[key]) for i, r in enumerate(records) if key in r]
        if not points:
            continue
        epochs, values = zip(*points, strict=True)
        last = f"{values[-1]:.2f} %" if name == "accuracy" else f"{values[-1]:.3f}"
        text = f"{label}, final {last}"
        axes.plot(epochs, values, color=colour, marker=marker, markersize=5, linewidth=1.8, label=text)
    quiet(axes, "accuracy in %" if name == "accuracy" else name, "epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.margins(x=0.06, y=0.12)
    axes.legend(loc="best" if len(records) > 1 else "center left", labelcolor=INK, edgecolor="none", framealpha=1)


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
    TypeError
        If a sequence has a mask of NumPy.
    """
    x = check_unmasked(rates, "rates", "learning_rate_curve").astype(np.float64)
    y = check_unmasked(losses, "losses", "learning_rate_curve").astype(np.float64)
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
    quiet(axes, "loss", "learning rate")
    axes.legend(loc="best", labelcolor=INK, edgecolor="none", framealpha=1)
    return save(figure, path)


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
    quiet(axes, "size of each step relative to the weights", "step", "|change of w| / |w|")
    columns = 1 + (len(ratios) - 1) // 14
    legend: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "frameon": False, "ncols": columns}
    axes.legend(fontsize=8.5, labelcolor=INK, **legend)
    return save(figure, path)
