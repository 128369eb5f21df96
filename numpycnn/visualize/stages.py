"""Filter, detect, condense: the three stages of a convolutional network, in one figure.

A convolution filters: its output is large where the image resembles the kernel. An activation detects: it keeps large
values and suppresses the rest. A pooling condenses: it summarizes the map at a lower resolution.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from numpycnn._checks import check_int
from numpycnn.inspection.traces import chain_of, check_layer, follow
from numpycnn.layers import (
    ELU,
    GELU,
    SELU,
    BatchNorm,
    Dropout,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LeakyReLU,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.model import Model
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Axes, Figure, FilePath
from numpycnn.visualize.panels import (
    draw_input,
    draw_signed,
    frame_tiles,
    headline,
    image_size,
    is_pooling,
    max_magnitude,
    middle_slice,
    note,
    single_example,
    tile,
)
from numpycnn.visualize.style import GREY, INK, LONGEST_TITLE, escape_text, format_size, new_figure, save
from numpycnn.visualize.weights import read_filters

_DETECTORS = (ELU, GELU, SELU, LeakyReLU, PReLU, ReLU, SiLU, Sigmoid, Softplus, Tanh)
MIN_HEIGHT = 0.8  # inches for the height of a panel
_BETWEEN = (BatchNorm, Dropout, GroupNorm, InstanceNorm, LayerNorm)  # may come between a convolution and its activation


@dataclass(frozen=True)
class Stages:
    """Three consecutive stages and their outputs for one example.

    Attributes
    ----------
    filter, detect, condense : str
        Names of the layers, as in ``"2 Conv2D"``; `condense` is empty if no pooling follows.
    kernels : ndarray of shape (F, C, ...)
    x : ndarray of shape (C, ...)
        Input of the convolution.
    filtered, detected : ndarray of shape (F, ...)
    condensed : ndarray of shape (F, ...) or None
    """

    filter: str
    detect: str
    condense: str
    kernels: np.ndarray
    x: np.ndarray
    filtered: np.ndarray
    detected: np.ndarray
    condensed: np.ndarray | None


def find_stages(model: Network, x: Any, *, at: str | None = None) -> Stages:
    """Return the outputs of a convolution, its activation and its pooling for an example.

    Other arguments and errors as for `feature_maps`.

    Parameters
    ----------
    at : str, optional
        Key of a convolution, which may be inside a branch. By default the first one followed by an activation and a
        pooling; without one, the first followed by an activation.

    Returns
    -------
    Stages
    """
    batches = single_example(model, x, "find_stages")
    triples = _triples(model)
    if at is None:
        if not triples:
            raise ValueError("find_stages: expected a model with a convolution followed by an activation, got none")
        at = next((place for place, (_, _, condense) in triples.items() if condense), next(iter(triples)))
    check_layer(model, at, "find_stages")
    if at not in triples:
        which = f"one of {', '.join(triples)}" if triples else "but the model has none"
        raise ValueError(f"find_stages: expected a convolution followed by an activation, {which}, got {at!r}")
    last, detect, condense = triples[at]
    passages = follow(model, batches if model.several_inputs else batches[0])
    name = passages[at].title + (f", {passages[last].title}" if last != at else "")
    return Stages(
        filter=name,
        detect=passages[detect].title,
        condense=passages[condense].title if condense else "",
        kernels=read_filters(model, at),
        x=passages[at].x[0],
        filtered=passages[detect].x[0],
        detected=passages[detect].y[0],
        condensed=passages[condense].y[0] if condense else None,
    )


def _triples(model: Network) -> dict[str, tuple[str, str, str]]:
    """Map each convolution to the last layer before the activation, the activation, and the pooling or ""."""
    found = {}
    for chain in _chains(model, ""):
        for i, (place, layer) in enumerate(chain):
            weight = getattr(layer, "weight", None)
            if not isinstance(weight, Parameter) or weight.value.ndim < 3:
                continue
            after = [j for j in range(i + 1, len(chain)) if not isinstance(chain[j][1], _BETWEEN)]
            if after and isinstance(chain[after[0]][1], _DETECTORS):
                pooled = len(after) > 1 and is_pooling(chain[after[1]][1])
                found[place] = (chain[after[0] - 1][0], chain[after[0]][0], chain[after[1]][0] if pooled else "")
    return found


def _chains(layer: Layer, place: str) -> Iterator[list[tuple[str, Layer]]]:
    """Yield the chains of consecutive layers in a layer, then those in its branches."""
    chains = _chains_of_graph(layer, place) if isinstance(layer, Model) else [_in_line(place, layer)]
    for chain in chains:
        yield chain
        for key, inner in chain:
            if isinstance(inner, Model):
                yield from _chains(inner, key)
            elif inner.is_container():
                for name, child in inner.children().items():
                    yield from _chains(child, f"{key}.{name}")


def _in_line(place: str, layer: Layer) -> list[tuple[str, Layer]]:
    """Return a layer, the layers of a sequence, or a layer and its activation function."""
    if layer.chained:
        chain = [(f"{place}.{key}" if place else key, inner) for key, inner in chain_of(layer).items()]
        return [part for key, inner in chain for part in _in_line(key, inner)]
    activation = getattr(layer, "activation", None)
    return [(place, layer)] if activation is None else [(place, layer), (f"{place}.activation", activation)]


def _chains_of_graph(model: Model, place: str) -> list[list[tuple[str, Layer]]]:
    """Return the chains of a graph; each layer is followed by the first one that takes its output alone."""
    chains: dict[str, list[tuple[str, Layer]]] = {}  # by their last step
    for use, layer, inputs in model.uses():
        line = [] if "#" in use else _in_line(f"{place}.{use}" if place else use, layer)
        chains[use] = [*chains.pop(inputs[0], []), *line] if len(inputs) == 1 else line
    return list(chains.values())


def filter_detect_condense(
    model: Network, x: Any, *, at: str | None = None, channels: int = 3, path: FilePath = None
) -> "Figure":
    """Draw the output of each stage for some filters: orange positive, blue negative.

    Other arguments and errors as for `find_stages`, which computes the outputs.

    Parameters
    ----------
    channels : int
        Maximum number of filters, in decreasing order of the contrast of their detections.
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    stages = find_stages(model, x, at=at)
    channels = check_int(channels, "channels", "filter_detect_condense")
    contrast = stages.detected.reshape(len(stages.detected), -1).std(axis=1)
    chosen = np.argsort(-contrast, kind="stable")[:channels]
    columns = 4 + (stages.condensed is not None)
    if stages.x.ndim == 2:  # a signal is wide: draw its stages below each other
        figure = new_figure(min(4.2 * len(chosen), 10.0), 1.5 * columns + 0.3)
        grid = figure.subplots(columns, len(chosen), squeeze=False).T
    else:
        width, height = image_size(stages.x.shape[1:], 1.7, least=1.7)
        figure = new_figure((width + 0.2) * columns + 0.2, (max(height, MIN_HEIGHT) + 0.55) * len(chosen) + 0.3)
        grid = figure.subplots(len(chosen), columns, squeeze=False)
    for axes, channel in zip(grid, chosen, strict=True):
        _draw(axes, stages, int(channel))
    return save(figure, path)


def _draw(row: np.ndarray, stages: Stages, channel: int) -> None:
    """Draw the stages of one filter."""
    width, height = image_size(stages.x.shape[1:], 1.7, least=1.7)
    shape = max(height, MIN_HEIGHT) / width
    _draw_maps(row[0], stages.x, shape)
    headline(row[0], "input")
    kernel = stages.kernels[channel]
    _draw_maps(row[1], kernel, shape, signed=True)
    headline(row[1], f"kernel {channel}")
    note(row[1], format_size(kernel.shape))
    steps = [("filter", stages.filter, stages.filtered[channel]), ("detect", stages.detect, stages.detected[channel])]
    if stages.condensed is not None:
        steps.append(("condense", stages.condense, stages.condensed[channel]))
    for axes, (verb, layer, values) in zip(row[2:], steps, strict=True):
        draw_signed(axes, values, max_magnitude(values if verb == "filter" else stages.detected[channel]))
        axes.set_title(f"{verb}\n", color=INK, fontsize=10, fontweight="bold")
        name = escape_text(layer, LONGEST_TITLE)
        axes.text(0.5, 1.03, name, ha="center", va="bottom", fontsize=8, color=GREY, transform=axes.transAxes)
        note(axes, f"{format_size(values.shape)}, {values.min():.2g} to {values.max():.2g}")
    note(row[0], format_size(stages.x.shape))


def _draw_maps(axes: "Axes", values: np.ndarray, shape: float, *, signed: bool = False) -> None:
    """Draw an image or a signal (C, ...) unchanged, a kernel with its signs, and many maps side by side.

    `shape` is the ratio of the panel's height to its width.
    """
    if values.ndim == 2 and signed:
        draw_signed(axes, values)  # channels by taps
    elif values.ndim == 2 or (len(values) in (1, 3) and not signed):
        draw_input(axes, values)
    else:
        planes = np.stack([middle_slice(plane) for plane in values])  # (C, H, W)
        ratio = planes.shape[1] / planes.shape[2] / shape  # of a map to the panel
        columns = min(len(planes), int(np.ceil(np.sqrt(len(planes) * ratio))))
        draw_signed(axes, tile(planes, columns))
        frame_tiles(axes, planes, columns)
