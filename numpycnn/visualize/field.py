"""Receptive fields: the part of the input that a unit depends on, and the influence of each position in it.

The field is measured. NaN propagates to every value computed from it, so a unit depends on a region if filling that
region with NaN makes the unit NaN. A binary search finds each border in about log2(side) forward passes, for any layer,
branch, padding and stride, without a formula for each.

The influence of a position is the magnitude of the gradient there. It falls off towards the borders, since more paths
lead to the unit from the center of the field than from its corners.

Source: W. Luo et al., "Understanding the effective receptive field in deep convolutional neural networks", arXiv
1701.04128.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn._checks import check_int, format_shape
from numpycnn.inspection.graph import Graph, graph_of
from numpycnn.inspection.traces import check_built, check_layer, follow, follow_back, layer_title
from numpycnn.layers.base import Layer
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.classes import pick_at
from numpycnn.visualize.panels import (
    colour_bar,
    colour_bar_height,
    draw_heat,
    draw_input,
    frame_region,
    headline,
    image_size,
    spread,
)
from numpycnn.visualize.selection import Choice, batches_of, blank_inputs, choose_input, input_shapes
from numpycnn.visualize.style import INK, ORANGE, VERMILION, escape_text, format_size, new_figure, save

Field = tuple[tuple[int, int], ...]
MAX_LAYERS = 7  # in one figure


def find_field(
    model: Network, at: str, unit: Sequence[int] | None = None, *, input: str | int | None = None
) -> Field | None:
    """Return the smallest box of the input that contains every position that a unit depends on.

    Parameters
    ----------
    model : Sequential or Model
        Takes floats.
    at : str
        Key of a layer, as in ``"3"`` or ``"3.main.0"``, or of a further use of a layer, as in ``"conv#2"``.
    unit : sequence of int, optional
        Position of the unit in the maps of the layer; the center by default. It includes all channels.
    input : str or int, optional
        Name or number of the input, of a model with several; by default the only one of images that the layer depends
        on. The others are zeros.

    Returns
    -------
    tuple of (first, end) for each spatial axis, or None
        The pixels from `first` up to, but not including, `end`; None if the unit depends on padding alone.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        If the layer or unit does not exist, the input does not take images of floats, the layer depends on several such
        inputs and none is given, or the model has not been built.

    Examples
    --------
    >>> from numpycnn import Conv2D, MaxPool2D, Sequential
    >>> model = Sequential([Conv2D(4, 3, padding=1), MaxPool2D(2)], input_shape=(1, 8, 6))
    >>> find_field(model, "1", unit=(2, 1))
    ((3, 7), (1, 5))
    >>> find_field(model, "1", unit=(0, 0))
    ((0, 3), (0, 3))
    """
    number = _image_input(model, at, input, "find_field")
    sides = input_shapes(model)[number][1:]
    place: Any = (slice(None), slice(None), *_unit(model, at, unit, "find_field"))

    def reached(hidden: np.ndarray) -> np.ndarray:
        """Return, for each end (of axis 0, 0, 1, 1, ...), whether hiding that many pixels makes the unit NaN."""
        batches = blank_inputs(model, len(hidden))
        x = batches[number]
        for end, count in enumerate(hidden.tolist()):
            axis, is_last = divmod(end, 2)
            part = slice(sides[axis] - count, None) if is_last else slice(count)
            x[end].swapaxes(0, 1 + axis)[part] = np.nan
        with np.errstate(all="ignore"):
            y = follow(model, batches if model.several_inputs else x)[at].y[place]  # (ends, channels)
        return np.isnan(y).reshape(len(hidden), -1).any(axis=1)

    # For each end, low <= the smallest number of hidden pixels that matters <= high.
    low, high = np.ones(2 * len(sides), int), np.repeat(sides, 2)
    if not reached(high).all():
        return None
    while (low < high).any():
        middle = (low + high) // 2
        matters = reached(middle)
        low, high = np.where(matters, low, middle + 1), np.where(matters, middle, high)
    ends = zip(low[::2].tolist(), low[1::2].tolist(), sides, strict=True)
    return tuple((front - 1, side - back + 1) for front, back, side in ends)


def measure_field(
    model: Network, x: Any, at: str, unit: Sequence[int] | None = None, *, input: str | int | None = None
) -> np.ndarray:
    """Return the influence of each position of the input on a unit: the mean magnitude of its gradient.

    Other arguments and errors as for `find_field`.

    Parameters
    ----------
    x : ndarray of shape (N, C, ...) or (C, ...), or a tuple of them for several inputs
        Examples to average over, or a single one.

    Returns
    -------
    ndarray of shape (...)
        The spatial axes of the input. The gradient is that of the sum of the unit's channels; its magnitude is the
        maximum over the input's channels, averaged over the examples.
    """
    batches = batches_of(model, x, "measure_field")
    number = _image_input(model, at, input, "measure_field")
    pick = pick_at(slice(None), slice(None), *_unit(model, at, unit, "measure_field"))
    dx, _ = follow_back(model, batches if model.several_inputs else batches[0], pick, at=at)
    gradient = dx[number] if model.several_inputs else dx
    return np.abs(gradient).max(axis=1).mean(axis=0)


def _image_input(model: Network, at: str, asked: Choice, operation: str) -> int:
    """Return the number of the input of images of floats that a layer depends on."""
    check_built(model, operation)
    layer, graph = check_layer(model, at, operation), graph_of(model)
    if layer.output_count > 1:
        raise ValueError(f"{operation}: expected a layer with one output, got {layer_title(at, layer)}")
    fits = [number for number in graph.inputs_of(at) if _is_image(model, number)]
    number = choose_input(graph, asked, operation, fits, f"of images (C, ...) that {at} depends on")
    if not _is_image(model, number):
        found = format_shape(input_shapes(model)[number])
        raise ValueError(f"{operation}: expected a model for images (C, ...), got one for {found}")
    return number


def _is_image(model: Network, number: int) -> bool:
    """Return whether an input has maps of floats (C, ...)."""
    return len(input_shapes(model)[number]) > 1 and blank_inputs(model, 0)[number].dtype.kind == "f"


def _unit(model: Network, at: str, unit: Sequence[int] | None, operation: str) -> tuple[int, ...]:
    """Return the position of the unit in the maps of its layer; () if the layer does not output maps."""
    size = (check_layer(model, at, operation).output_shape or ())[1:]
    if unit is None:
        return tuple(side // 2 for side in size)
    place = tuple(check_int(i, "unit", operation, minimum=None) for i in unit)
    if len(place) != len(size) or not all(0 <= i < side for i, side in zip(place, size, strict=True)):
        raise ValueError(
            f"{operation}: expected unit to be a position in maps of {format_shape(size)}, got {format_shape(place)}"
        )
    return place


def receptive_fields(
    model: Network,
    x: Any,
    *,
    at: Sequence[str] | None = None,
    unit: Sequence[int] | None = None,
    input: str | int | None = None,
    path: FilePath = None,
) -> "Figure":
    """Draw the receptive field of a unit of each layer, and the influence of each position in it.

    Other arguments and errors as for `find_field`.

    Parameters
    ----------
    x : ndarray of shape (N, C, ...) or (C, ...), or a tuple of them for several inputs
        The first is drawn; the influence is the mean over all.
    at : sequence of str, optional
        Keys of layers; by default up to seven layers that slide a window over the input, including those inside
        branches.
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    batches, graph = batches_of(model, x, "receptive_fields"), graph_of(model)
    windowed = {number: _windowed(graph, number) for number in range(len(batches))}
    if at is None:
        fits = [number for number, places in windowed.items() if places and _is_image(model, number)]
        chosen = choose_input(graph, input, "receptive_fields", fits, "that a layer slides a window over")
    else:
        chosen = _image_input(model, next(iter(at)), input, "receptive_fields")
    places = windowed[chosen] if at is None else list(at)
    if not places:
        raise ValueError("receptive_fields: expected a model with a layer that slides a window, got one without")
    x = batches[chosen]
    flat = x.ndim < 4
    if flat:
        figure = new_figure(8.4, 1.6 * len(places) + 0.3)
        grid = figure.subplots(len(places), 2, squeeze=False)
    else:
        width, height = image_size(x.shape[2:], 1.45, least=1.45)
        figure = new_figure(
            max((width + 0.2) * len(places) + 0.5, 4.2), 2 * height + 1.7 * colour_bar_height(x.shape[2:]) + 0.8
        )
        grid = figure.subplots(2, len(places), squeeze=False).T
    for number, ((above, below), key) in enumerate(zip(grid, places, strict=True)):
        field = find_field(model, key, unit, input=chosen)
        counts = measure_field(model, batches if model.several_inputs else x, key, unit, input=chosen)
        draw_input(above, x[0])
        frame_region(above, field or (), VERMILION)
        headline(above, _head(key, check_layer(model, key, "receptive_fields"), field), 8.5)
        share = np.sqrt(counts / max(float(counts.max()), np.finfo(counts.dtype).tiny))
        image = draw_heat(below, share, 1.0)
        frame_region(below, field or (), ORANGE)
        if flat:
            headline(below, "influence of each position", 8.5)
        elif number == len(places) - 1 and image is not None:
            colour_bar(image, "root of |gradient|,\nshare of the largest")
    if not flat:
        for row, words in enumerate(("receptive field", "influence")):
            grid[0, row].set_ylabel(words, color=INK, fontsize=9.5)
    return save(figure, path)


def _windowed(graph: Graph, number: int) -> list[str]:
    """Return the keys of the layers that slide a window and depend on an input, thinned out evenly to MAX_LAYERS."""
    found = [use.key for use in graph.steps() if use.layer.window() is not None and number in graph.inputs_of(use.key)]
    return [found[i] for i in spread(len(found), MAX_LAYERS)]


def _head(key: str, layer: Layer, field: Field | None) -> str:
    size = "nothing" if field is None else format_size(end - first for first, end in field)
    return f"{escape_text(layer_title(key, layer))}\n{size}"
