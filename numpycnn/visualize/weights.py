"""Filters: the weights of a layer drawn as images.

A filter of the first layer can be interpreted: it responds most to input that resembles it. Deeper filters act on
feature maps, with one plane of weights for each, and are hard to interpret without `activation_maximization`.
"""

from typing import Literal

import numpy as np

from numpycnn._checks import check_int
from numpycnn.inspection.graph import graph_of
from numpycnn.inspection.traces import check_built, check_layer, layer_title, layers_of
from numpycnn.layers import ConvTranspose1D, ConvTranspose2D, ConvTranspose3D, Dense, Dropout, Flatten, Reshape
from numpycnn.layers.base import Layer, Parameter, Shape
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Axes, Figure, FilePath
from numpycnn.visualize.panels import colour_bar, frame_tiles, max_magnitude, tile
from numpycnn.visualize.selection import input_shapes
from numpycnn.visualize.style import (
    GREY,
    INK,
    LONGEST_TITLE,
    escape_text,
    format_size,
    new_figure,
    save,
    signed_colours,
)


def read_filters(model: Network, at: str | None = None) -> np.ndarray:
    """Return the weights of a convolution or a dense layer, one filter after the other.

    Parameters
    ----------
    model : Sequential or Model
    at : str, optional
        Key of the layer, as in ``"0"`` or ``"3.main.0"``; by default the first convolution, or else the first dense
        layer.

    Returns
    -------
    ndarray of shape (F, C, ...) or (F, D)
        Channels and kernel of a convolution or a transposed convolution. A dense layer on the input itself has
        filters in the shape of the input.

    Raises
    ------
    ValueError, RuntimeError
        If the layer does not exist, it does not have filters, or the model has not been built.
    """
    check_built(model, "read_filters")
    place = filter_layer(model) if at is None else at
    layer = check_layer(model, place, "read_filters")
    weight = layer_filters(layer)
    if weight is None:
        raise ValueError(
            f"read_filters: expected a layer with weights of two axes or more, got {layer_title(place, layer)}"
        )
    shape = _direct_input(model, place)
    return weight if shape is None else weight.reshape(len(weight), *shape)


def filter_layer(model: Network) -> str:
    """Return the key of the first layer with kernels, or else of the first one with a weight matrix."""
    check_built(model, "filters")
    found = {
        key: weight.ndim for key, layer in layers_of(model).items() if (weight := layer_filters(layer)) is not None
    }
    if not found:
        raise ValueError("filters: expected a model with a convolution or a dense layer, got one without")
    return next((key for key, axes in found.items() if axes > 2), next(iter(found)))


def layer_filters(layer: Layer) -> np.ndarray | None:
    """Return the weights (F, C/groups, ...) or (F, D) of a layer, or None if it does not have any of two axes."""
    weight = getattr(layer, "weight", None)
    if not isinstance(weight, Parameter) or weight.value.ndim < 2:
        return None
    if not isinstance(layer, ConvTranspose1D | ConvTranspose2D | ConvTranspose3D):
        return weight.value
    grouped = weight.value.reshape(layer.groups, -1, *weight.value.shape[1:])  # (groups, C/groups, F/groups, ...)
    return grouped.swapaxes(1, 2).reshape(-1, grouped.shape[1], *grouped.shape[3:])


def _direct_input(model: Network, place: str) -> Shape | None:
    """Return the shape of the input that a dense layer acts on, reshaped at most; None if it acts on other layers."""
    graph = graph_of(model)
    use = graph.uses.get(place)
    if use is None or not isinstance(use.layer, Dense):
        return None
    while use is not None:
        source = use.sources[0][0]
        if isinstance(source, int):
            return input_shapes(model)[source]
        use = graph.uses[source] if isinstance(graph.uses[source].layer, Dropout | Flatten | Reshape) else None
    return None


def filters(model: Network, *, at: str | None = None, limit: int = 32, path: FilePath = None) -> "Figure":
    """Draw the filters of a layer: white is zero, red a positive weight, blue a negative one.

    Filters over the three channels of an RGB image are drawn in colour, where grey is zero. A filter over more channels
    is a row with a plane for each channel. Filters over volumes are drawn as their middle slice.

    Other arguments and errors as for `read_filters`, which returns the weights.

    Parameters
    ----------
    limit : int
        Maximum number of filters, and of channels.
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError
        If `limit` is not an int.
    """
    limit = check_int(limit, "limit", "filters")
    place = filter_layer(model) if at is None else at
    every = read_filters(model, place)
    weight = every[:limit]
    layer = check_layer(model, place, "filters")
    size = format_size(every.shape[1:])
    counted = f"{len(every)} of {size}" if every.ndim > 2 else f"{len(every)} rows of {size} weights"
    head = f"filters of {escape_text(layer_title(place, layer), LONGEST_TITLE)}: {counted}"
    head += f", the first {limit}" * (len(every) > limit)
    if weight.ndim == 5:
        weight = weight[:, :, weight.shape[2] // 2]  # (F, C, H, W)
    shapes, numbers = input_shapes(model), graph_of(model).inputs_of(place)
    if weight.ndim == 4 and weight.shape[1] == 3 and all(shapes[number][0] == 3 for number in numbers):
        figure = _in_colours(weight)
    elif weight.ndim == 4 and weight.shape[1] > 1:
        figure = _in_rows(weight[:, :limit])
    elif weight.ndim > 2:
        figure = _side_by_side(weight.reshape(len(weight), *weight.shape[-2:]))
    else:
        figure = _as_matrix(weight)
    figure.suptitle(head, color=INK, fontsize=10.5, fontweight="bold")
    return save(figure, path)


def _sheet(count: int, height: int, width: int) -> tuple[int, float, float]:
    """Return the number of filters per row, and the size of the figure in inches."""
    widest = max(1, min(8, round(8 * height / width)))
    rows = -(-count // widest)
    columns = -(-count // rows)  # balances the last row
    side = min(0.9 if width <= 2 * height else 2.0, 6.4 / columns)
    return columns, max(side * columns + 1.2, 4.6), max(side * rows * height / width + 0.7, 1.5)


def _side_by_side(planes: np.ndarray) -> "Figure":
    """Draw filters of one plane (F, H, W): kernels, templates in the input's shape, or channels by taps of a signal."""
    columns, *full = _sheet(*planes.shape)
    figure = new_figure(*full)
    _draw_tiles(figure.subplots(), planes, columns)
    return figure


def _in_colours(weight: np.ndarray) -> "Figure":
    """Draw filters (F, 3, H, W) as colours around grey, which is zero."""
    columns, width, height = _sheet(len(weight), *weight.shape[2:])
    figure = new_figure(width, height)
    axes = figure.subplots()
    shades = 0.5 + 0.5 * weight / max_magnitude(weight)
    sheet = np.stack([tile(shades[:, channel], columns, _gap(weight)) for channel in range(3)], axis=-1)
    axes.imshow(np.nan_to_num(sheet, nan=1.0), interpolation="nearest")
    frame_tiles(axes, weight[:, 0], columns, _gap(weight))
    return figure


def _in_rows(weight: np.ndarray) -> "Figure":
    """Draw filters (F, C, H, W) as rows of planes."""
    count, channels, height, width = weight.shape
    side = min(0.42, 8.0 / channels)
    figure = new_figure(max(side * channels + 1.6, 4.6), max(side * count * height / width + 1.0, 1.6))
    axes = figure.subplots()
    _draw_tiles(axes, weight.reshape(-1, height, width), channels)
    for axis, number, length in ((axes.xaxis, channels, width), (axes.yaxis, count, height)):
        every = max(1, number // 8)
        shown = range(0, number, every)
        axis.set_ticks([i * (length + _gap(weight)) + (length - 1) / 2 for i in shown], [str(i) for i in shown])
    axes.tick_params(length=0, colors=INK, labelsize=8)
    axes.set_xlabel("input channel", color=INK, fontsize=9)
    axes.set_ylabel("filter", color=INK, fontsize=9)
    return figure


def _as_matrix(weight: np.ndarray) -> "Figure":
    """Draw a matrix (F, D), a row for each output."""
    figure = new_figure(7.5, min(max(0.16 * len(weight) + 1.1, 1.9), 6.0))
    axes = figure.subplots()
    _draw(axes, weight, max_magnitude(weight), "auto")
    axes.set_xlabel("input", color=INK, fontsize=9)
    axes.set_ylabel("output", color=INK, fontsize=9)
    axes.tick_params(colors=GREY, labelcolor=INK, labelsize=8, length=2)
    return figure


def _gap(planes: np.ndarray) -> int:
    return max(1, max(planes.shape[-2:]) // 10)


def _draw_tiles(axes: "Axes", planes: np.ndarray, columns: int) -> None:
    _draw(axes, tile(planes, columns, _gap(planes)), max_magnitude(planes))
    frame_tiles(axes, planes, columns, _gap(planes))


def _draw(axes: "Axes", sheet: np.ndarray, limit: float, aspect: Literal["equal", "auto"] = "equal") -> None:
    image = axes.imshow(sheet, cmap=signed_colours(), vmin=-limit, vmax=limit, interpolation="nearest", aspect=aspect)
    colour_bar(image, "weight", low=0.0)
