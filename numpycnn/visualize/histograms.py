"""Histograms of the activations and gradients of each layer: whether signals pass through a network.

Forward, the activations should neither grow nor shrink from layer to layer, nor all be zero after a ReLU. Backward, the
magnitude of the gradient matters, on a scale of powers of ten: if it falls from layer to layer towards the input, the
first layers hardly learn.

Source: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn._checks import check_int
from numpycnn.inspection.traces import check_layer, follow, follow_back, layer_title
from numpycnn.layers.network import Network
from numpycnn.losses import CrossEntropy, Loss
from numpycnn.losses.sums import as_loss
from numpycnn.visualize._types import Axes, Figure, FilePath
from numpycnn.visualize.panels import kind_colour, layers_at
from numpycnn.visualize.selection import batches_of
from numpycnn.visualize.style import BLUE, GREEN, GREY, INK, LONGEST_TITLE, VERMILION, escape_text, new_figure, save


def collect_activations(
    model: Network, x: Any, *, at: Sequence[str] | None = None, training: bool = False
) -> dict[str, np.ndarray]:
    """Return all output values of each layer for a batch.

    Parameters
    ----------
    model : Sequential or Model
    x : ndarray of shape (N, *input_shape), or a tuple of them for several inputs
    at : sequence of str, optional
        Keys of layers; by default all except `Flatten` and `Reshape` in order of execution, branches before the layer
        that joins them.
    training : bool
        Switch dropout and batch statistics on.

    Returns
    -------
    dict of ndarray of shape (M,)
        By key of the layer.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        If `x` is not a batch for the model, the layer does not exist, or the model has not been built.
    """
    x = _batch(model, x, "collect_activations")
    passages = follow(model, x, training=training)
    return {key: passages[key].y.ravel() for key in layers_at(model, at, passages, "collect_activations")}


def collect_gradients(
    model: Network,
    x: Any,
    target: Any,
    *,
    loss: Loss | Sequence[Loss] | None = None,
    at: Sequence[str] | None = None,
    training: bool = True,
) -> dict[str, np.ndarray]:
    """Return the gradient of the loss with respect to all output values of each layer for a batch.

    Other arguments and errors as for `collect_activations`.

    Parameters
    ----------
    target : array_like, or a tuple of them for several outputs
        Target of the loss: labels, for the cross-entropy.
    loss : Loss, or list of Loss for several outputs, optional
        By default the cross-entropy of each output.

    Returns
    -------
    dict of ndarray of shape (M,)
        By key of the layer.
    """
    x = _batch(model, x, "collect_gradients")
    each = [CrossEntropy() for _ in range(model.output_count)]
    compare = as_loss(loss or (each if len(each) > 1 else each[0]))

    def pick(y: Any) -> Any:
        compare.forward(y, target)
        return compare.backward()

    passages = follow_back(model, x, pick, training=training)[1]
    places = layers_at(model, at, passages, "collect_gradients")
    return {key: np.asarray(passages[key].dy).ravel() for key in places}


def _batch(model: Network, x: Any, operation: str) -> Any:
    """Return `x` as a batch, or as a tuple of batches for several inputs."""
    batches = batches_of(model, x, operation)
    return batches if model.several_inputs else batches[0]


def activation_histograms(
    model: Network,
    x: Any,
    *,
    at: Sequence[str] | None = None,
    training: bool = False,
    bins: int = 80,
    path: FilePath = None,
) -> "Figure":
    """Draw the distribution of the activations of each layer, one ridge per layer, the first layer at the top.

    All share one scale, which excludes the most extreme 1 %. Zeros are excluded and reported as a share.

    Other arguments and errors as for `collect_activations`, which computes the values.

    Parameters
    ----------
    bins : int
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure
        Blue: layers with weights; red: activations and others; green: pooling.
    """
    collected = collect_activations(model, x, at=at, training=training)
    bins = check_int(bins, "bins", "activation_histograms")
    limit = max(float(np.quantile(np.abs(values), 0.99)) for values in collected.values()) or 1.0
    edges = np.linspace(-limit, limit, bins + 1)
    notes = {place: f"std {values.std():.2g}{_zeros(values)}" for place, values in collected.items()}
    return _ridges(model, collected, edges, notes, "activation", path)


def gradient_histograms(
    model: Network,
    x: Any,
    target: Any,
    *,
    loss: Loss | Sequence[Loss] | None = None,
    at: Sequence[str] | None = None,
    training: bool = True,
    bins: int = 80,
    path: FilePath = None,
) -> "Figure":
    """Draw the magnitudes of the gradients of each layer in powers of ten, one ridge per layer.

    A dot marks the median of the nonzero gradients. Zeros are excluded and reported as a share.

    Other arguments and errors as for `collect_gradients`, which computes the values.

    Parameters
    ----------
    bins : int
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure
        In the colours of `activation_histograms`.
    """
    collected = collect_gradients(model, x, target, loss=loss, at=at, training=training)
    bins = check_int(bins, "bins", "gradient_histograms")
    sizes = {place: np.log10(np.abs(values[values != 0], dtype=np.float64)) for place, values in collected.items()}
    every = np.concatenate([*sizes.values()])
    low, high = np.quantile(every, [0.001, 1.0]) if every.size else (-1.0, 1.0)
    edges = np.linspace(low - 0.2, high + 0.2, bins + 1)
    notes = {}
    for place, values in collected.items():
        found = np.abs(values[values != 0])
        notes[place] = (f"median {np.median(found):.1e}" if found.size else "none") + _zeros(values)
    return _ridges(model, sizes, edges, notes, "|gradient|", path, decades=True)


def _zeros(values: np.ndarray) -> str:
    share = float((values == 0).mean()) if values.size else 0.0
    return f", {100 * share:.0f} % zero" if share >= 0.005 else ""


def _ridges(
    model: Network,
    values: dict[str, np.ndarray],
    edges: np.ndarray,
    notes: dict[str, str],
    name: str,
    path: FilePath,
    *,
    decades: bool = False,
) -> "Figure":
    """Draw one histogram per layer, each on its own line and scaled to the same height."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(7.6, 0.42 * len(values) + 1.1)
    axes = figure.subplots()
    middles = (edges[:-1] + edges[1:]) / 2
    for line, (place, numbers) in enumerate(values.items()):
        layer, base = check_layer(model, place, name), len(values) - 1 - line
        shown = numbers if decades else numbers[numbers != 0]
        counts = np.histogram(shown, edges)[0]
        heights = base + 0.9 * counts / max(1, counts.max())
        colour = kind_colour(layer)
        axes.fill_between(middles, base, heights, color=colour, alpha=0.45, linewidth=0, step="mid")
        axes.step(middles, heights, color=colour, linewidth=0.9, where="mid", label=escape_text(place))
        axes.axhline(base, color="#dddddd", linewidth=0.6, zorder=0)
        if decades and numbers.size:
            axes.plot(np.median(numbers), base + 0.12, "o", color=INK, markersize=3.5)
        beside = (1.01, base + 0.3)
        axes.text(*beside, notes[place], transform=axes.get_yaxis_transform(), va="center", fontsize=8, color=GREY)
    titles = [escape_text(layer_title(place, check_layer(model, place, name)), LONGEST_TITLE) for place in values]
    axes.set_yticks([len(values) - 1 - line + 0.3 for line in range(len(values))], titles, fontsize=8.5, color=INK)
    axes.set_ylim(-0.1, len(values) + 0.05)
    axes.set_xlim(edges[0], edges[-1])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", colors=INK, labelsize=8.5)
    if decades:
        axes.xaxis.set_major_formatter(lambda power, _: f"$10^{{{power:g}}}$")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        axes.axvline(0, color="#dddddd", linewidth=0.6, zorder=0)
    axes.set_xlabel(name, color=INK, fontsize=9.5)
    _legend(axes)
    axes.set_title(f"{name} by layer", color=INK, fontsize=10.5, fontweight="bold", loc="left")
    return save(figure, path)


def _legend(axes: "Axes") -> None:
    """Draw the legend of the colours above the axes at the right."""
    from matplotlib.patches import Patch

    kinds = (("weights", BLUE), ("pooling", GREEN), ("others", VERMILION))
    patches = [Patch(facecolor=colour, alpha=0.45, edgecolor=colour, label=kind) for kind, colour in kinds]
    place: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": 3, "borderpad": 0.1}
    axes.legend(
        handles=patches, fontsize=8, labelcolor=INK, handlelength=1.2, columnspacing=1.2, frameon=False, **place
    )
