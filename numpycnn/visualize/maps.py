"""Feature maps: the output of each layer for one image."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn._checks import check_int
from numpycnn.inspection.graph import graph_of
from numpycnn.inspection.traces import Passage, follow
from numpycnn.layers.network import Network
from numpycnn.layers.recurrent import Recurrent
from numpycnn.visualize._types import Axes, Figure, FilePath
from numpycnn.visualize.classes import ClassNames, names_by_output
from numpycnn.visualize.panels import (
    draw_bars,
    draw_input,
    draw_signed,
    format_short,
    frame_tiles,
    layers_at,
    max_magnitude,
    middle_slice,
    single_example,
    tile,
)
from numpycnn.visualize.style import (
    GREY,
    INK,
    LONGEST_TITLE,
    escape_text,
    format_size,
    new_figure,
    save,
)

MAPS_WIDTH = 7.4  # inches for the maps of a layer
MAX_BARS = 40  # a longer row of values is drawn as a strip of colours


def feature_maps(
    model: Network,
    x: Any,
    *,
    at: Sequence[str] | None = None,
    channels: int = 10,
    class_names: ClassNames = None,
    path: FilePath = None,
) -> "Figure":
    """Draw the feature maps of an image, one row per layer: white is zero, orange positive, blue negative.

    Each layer has its own scale, up to the largest magnitude of its outputs. Of a recurrent layer, the hidden state is
    drawn over time: a row for each unit, a column for each step.

    Parameters
    ----------
    model : Sequential or Model
    x : ndarray of shape (C, ...) or (1, C, ...), or a tuple of them for several inputs
        One example, preprocessed as for the model.
    at : sequence of str, optional
        As for `collect_activations`.
    channels : int
        Maximum number of maps of a layer; the first ones are drawn.
    class_names : sequence of str, or a dict of str to them, optional
        Names for the values of the model's output, or of several outputs by the names of these.
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError, ValueError, RuntimeError
        If `x` is not an example for the model, the layer does not exist, or the model has not been built.
    """
    batches = single_example(model, x, "feature_maps")
    channels = check_int(channels, "channels", "feature_maps")
    passages = follow(model, batches if model.several_inputs else batches[0])
    places = layers_at(model, at, passages, "feature_maps")
    graph = graph_of(model)
    names = names_by_output(graph, class_names, "feature_maps")
    by_place = {graph.ends[number][0]: found for number, found in names.items()}
    inputs = [batch[0] for batch in batches]
    shown = {place: _maps(passages[place]) for place in places}
    heights = [*(_height(x, 1) for x in inputs), *(_height(shown[place], channels) for place in places)]
    figure = new_figure(MAPS_WIDTH + 2.0, sum(heights) + 0.18 * len(heights) + 0.2)
    rows = figure.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, name, example in zip(rows, graph.inputs, inputs, strict=False):
        draw_input(axes, example)
        axes.set_anchor("W")
        _label(axes, escape_text(name, LONGEST_TITLE), example)
    for axes, place in zip(rows[len(inputs) :], places, strict=True):
        _draw(axes, shown[place], passages[place].title, channels, by_place.get(place))
    return save(figure, path)


def _maps(passage: Passage) -> np.ndarray:
    """Return the output of a layer for one example, (C, ...); of a recurrent layer the hidden state, (H, L)."""
    if isinstance(passage.layer, Recurrent):
        return passage.layer.hidden_states(passage.x)[0].T
    return passage.y[0]


def sheet_of(y: np.ndarray, channels: int) -> np.ndarray:
    """Return the first channels of one example's output (C, ...) as one array of two axes: maps side by side.

    Signals become rows; a single row of values is returned as one row.
    """
    if y.ndim == 1:
        return y[np.newaxis]
    if y.ndim == 2:
        return y[:channels]
    planes = np.stack([middle_slice(plane) for plane in y[:channels]])  # (n, H, W)
    return tile(planes, len(planes), _gap(planes))


def _gap(planes: np.ndarray) -> int:
    return max(1, planes.shape[-1] // 9)


def _height(y: np.ndarray, channels: int) -> float:
    """Return the height of a row in inches."""
    if y.ndim == 1:
        return 0.75 if len(y) <= MAX_BARS else 0.3
    if y.ndim == 2:
        return 0.8 if channels == 1 else float(np.clip(0.09 * min(len(y), channels), 0.4, 1.2))
    height, width = sheet_of(y, channels).shape
    return min(0.95, MAPS_WIDTH * height / width)


def _draw(axes: "Axes", y: np.ndarray, title: str, channels: int, names: Sequence[str] | None) -> None:
    if y.ndim == 1 and len(y) <= MAX_BARS:
        draw_bars(axes, y)
        axes.set_xlabel("")
        if names is not None:
            axes.set_xticks(range(len(y)), [escape_text(name) for name in names], fontsize=8)
    else:
        draw_signed(axes, sheet_of(y, channels), max_magnitude(y))
        axes.set_aspect("equal" if y.ndim > 2 else "auto")
        if y.ndim > 2:
            planes = np.stack([middle_slice(plane) for plane in y[:channels]])
            frame_tiles(axes, planes, len(planes), _gap(planes))
            axes.set_anchor("W")
    _label(axes, escape_text(title, LONGEST_TITLE), y, f", up to {format_short(max_magnitude(y))}")


def _label(axes: "Axes", words: str, y: np.ndarray, more: str = "") -> None:
    """Write the layer and the shape of its output at the left of a row."""
    beside: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "ha": "right",
        "annotation_clip": False,
    }
    axes.annotate(words, (0, 0.5), (-30, 1), va="bottom", color=INK, fontsize=9, fontweight="bold", **beside)
    axes.annotate(format_size(y.shape) + more, (0, 0.5), (-30, -2), va="top", color=GREY, fontsize=8, **beside)
