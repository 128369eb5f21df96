"""The cost of each layer of a network: parameters, multiply-adds and activations."""

from collections.abc import Sequence
from typing import Any

from numpycnn.inspection.summary import Row
from numpycnn.inspection.traces import layer_title, layers_of
from numpycnn.layers.base import Layer
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.panels import format_short, kind_colour
from numpycnn.visualize.style import INK, LONGEST_TITLE, escape_text, format_size, new_figure, quiet, save


def layer_costs(model: Network, path: FilePath = None) -> "Figure":
    """Draw the table of `model.summary()` as bars, one row per layer.

    In most convolutional networks the multiply-adds and the activations are in the first layers, where the maps are
    large, and the parameters in the last ones, which are fully connected.

    Parameters
    ----------
    model : Sequential or Model
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure
        Blue: layers with weights; green: pooling; red: others.

    Raises
    ------
    TypeError, RuntimeError
        If `model` is not a model, or has not been built.
    """
    from matplotlib.ticker import MaxNLocator

    if not isinstance(model, Network):
        raise TypeError(f"layer_costs: expected a Sequential or a Model, got {type(model).__name__}")
    summary, layers = model.summary(), layers_of(model)
    rows = [(key, row) for key, row in zip(layers, summary.rows, strict=True) if not layers[key].chained]
    colours = [kind_colour(layers[key]) for key, _ in rows]
    figure = new_figure(10.0, 0.27 * len(rows) + 1.0)
    panels: tuple[tuple[str, Sequence[float]], ...] = (
        ("parameters", [row.parameters for _, row in rows]),
        ("multiply-adds", [row.multiply_adds for _, row in rows]),
        ("activations in KiB", [row.activation_bytes / 1024 for _, row in rows]),
    )
    beside: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": 8, "color": INK}
    for axes, (name, values) in zip(figure.subplots(1, 3, sharey=True), panels, strict=True):
        axes.barh(range(len(rows)), values, color=colours, height=0.7)
        for line, value in enumerate(values):
            if value:
                axes.annotate(format_short(value), (value, line), (3, 0), **beside)
        quiet(axes, f"{name}: {format_short(sum(values))}")
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_formatter(lambda value, _: format_short(value))
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.tick_params(axis="x", labelsize=8)
        axes.set_xlim(0, 1.22 * max([*values, 0.1]))
        axes.set_yticks(range(len(rows)), [_name(key, layers[key], row) for key, row in rows], fontsize=8.5)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(rows) - 0.4, -0.6)
    return save(figure, path)


def _name(key: str, layer: Layer, row: Row) -> str:
    """Return the label of a row: the layer, its output shape and its receptive field."""
    sees = "all" if row.receptive_field is None else format_size(row.receptive_field)
    title, shape = escape_text(layer_title(key, layer), LONGEST_TITLE), format_size(row.output_shape)
    return f"{title}: {shape}, sees {sees}"
