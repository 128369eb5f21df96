"""Panels shared by several figures: the input of the network, and maps of values over its positions.

An input has one spatial axis (a signal), two (an image), or three (a volume, drawn as its middle slice).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn._checks import format_shape
from numpycnn.inspection.graph import graph_of
from numpycnn.inspection.traces import Passage, check_layer
from numpycnn.layers import Flatten, Reshape
from numpycnn.layers.base import Layer
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Axes, Figure
from numpycnn.visualize.classes import class_name
from numpycnn.visualize.selection import Selection, batches_of
from numpycnn.visualize.style import BLUE, GREEN, GREY, HEAT, INK, VERMILION, new_figure, quiet, signed_colours

if TYPE_CHECKING:
    from matplotlib.image import AxesImage

LOW = 0.4  # height over width of an image, below which its colour bar is drawn below it
SIGNAL_COLOURS = (BLUE, VERMILION, GREEN, GREY)


def single_example(model: Network, x: Any, operation: str) -> tuple[np.ndarray, ...]:
    """Return a batch of one example for each input of a model, given with or without the batch axis."""
    batches = batches_of(model, x, operation)
    if len(batches[0]) != 1:
        raise ValueError(
            f"{operation}: expected one example {format_shape(batches[0].shape[1:])}, got {len(batches[0])}"
        )
    return batches


def example_rows(
    chosen: Selection, classes: np.ndarray, class_names: Sequence[str] | None, columns: int = 2
) -> tuple["Figure", np.ndarray]:
    """Return a figure with a row of axes for each example, which is drawn in the first with its class.

    A row has two axes for signals and features, and `columns` for images. Of several inputs or outputs, the selected
    ones are named above the class.
    """
    x, names = chosen.x, chosen.names
    width, height = image_size(x.shape[2:], 2.15, least=1.6)
    full = (8.4, 1.9) if x.ndim < 4 else (columns * (width + 0.65), height + colour_bar_height(x.shape[2:]) + 0.45)
    figure = new_figure(full[0], (full[1] + 0.15 * bool(names)) * len(x) + 0.3)
    grid = figure.subplots(len(x), 2 if x.ndim < 4 else columns, squeeze=False)
    shares = chosen.probabilities()[np.arange(len(x)), classes]
    for axes, example, target, share in zip(grid[:, 0], x, classes, shares, strict=True):
        draw_input(axes, example)
        headline(axes, "\n".join([*names, f"{class_name(target, class_names)}, {100 * share:.1f} %"]))
    return figure, grid


def layers_at(model: Network, at: Sequence[str] | None, passages: Mapping[str, Passage], operation: str) -> list[str]:
    """Return the keys of the layers to show: by default all that ran except `Flatten` and `Reshape`, in their order."""
    if at is None:
        shown = [use for use in graph_of(model).steps() if not isinstance(use.layer, Flatten | Reshape)]
        return [use.key for use in shown if use.key in passages and use.layer.output_count == 1]
    for key in at:
        check_layer(model, key, operation)
    return list(at)


def spread(count: int, most: int) -> list[int]:
    """Return at most `most` evenly spaced indices below `count`, with the first and the last."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()


def middle_slice(values: np.ndarray) -> np.ndarray:
    """Return values over one or two axes unchanged, and the middle slice of a volume."""
    return values[len(values) // 2] if values.ndim == 3 else values


def image_size(sides: Sequence[int], side: float, least: float = 0.0) -> tuple[float, float]:
    """Return the width and the height in inches of an image; a square one is `side` by `side`.

    A wide image keeps the width and is lower. A tall one is narrower and higher, by half at most. The width is at least
    `least`, the space that the text above it needs.

    Examples
    --------
    >>> [image_size(sides, 2.0) for sides in ((28, 28), (10, 40), (40, 10))]
    [(2.0, 2.0), (2.0, 0.5), (0.75, 3.0)]
    >>> image_size((40, 10), 2.0, least=1.5)
    (1.5, 3.0)
    """
    ratio = sides[-2] / sides[-1] if len(sides) > 1 else 1.0
    if ratio <= 1:
        return max(side, least), side * ratio
    height = side * min(ratio, 1.5)
    return max(height / ratio, least), height


def colour_bar_height(sides: Sequence[int]) -> float:
    """Return the inches that an image needs below itself for its colour bar, see `colour_bar`."""
    return 0.5 if sides[-2] / sides[-1] < LOW else 0.0


def tile(maps: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """Return maps (n, H, W) side by side, in rows of `columns`, with NaN between them.

    Examples
    --------
    >>> tile(np.ones((3, 1, 2)), columns=2)
    array([[ 1.,  1., nan,  1.,  1.],
           [nan, nan, nan, nan, nan],
           [ 1.,  1., nan, nan, nan]])
    """
    count, height, width = maps.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan, maps.dtype)
    for i, plane in enumerate(maps):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = plane
    return sheet


def frame_tiles(axes: "Axes", maps: np.ndarray, columns: int, gap: int = 1) -> None:
    """Draw a thin frame around each of the maps arranged by `tile`, and hide the ticks."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    count, height, width = maps.shape
    corners = (((i % columns) * (width + gap) - 0.5, (i // columns) * (height + gap) - 0.5) for i in range(count))
    frames = [Rectangle(corner, width, height) for corner in corners]
    axes.add_collection(PatchCollection(frames, facecolor="none", edgecolor="#999999", linewidth=0.5, clip_on=False))
    hide_ticks(axes)
    axes.spines[:].set_visible(False)


def draw_input(axes: "Axes", example: np.ndarray) -> None:
    """Draw a preprocessed example: in grey or colour, as lines of a signal, or as bars of features.

    Normalized values are rescaled for display: the smallest is black, the largest white.
    """
    if example.ndim == 1:
        draw_bars(axes, example)
        return
    if example.ndim == 2:
        for channel, line in enumerate(example):
            axes.plot(line, color=SIGNAL_COLOURS[channel % 4], linewidth=0.9, label=f"channel {channel}")
        axes.margins(x=0)
        label_axis(axes, "position")
        return
    planes = np.stack([middle_slice(channel) for channel in example])  # (C, H, W)
    low, high = float(planes.min()), float(planes.max())
    if len(planes) == 3:
        shown = (np.moveaxis(planes, 0, -1) - low) / (high - low if high > low else 1)  # (H, W, 3)
        axes.imshow(shown, interpolation="nearest")
    else:
        axes.imshow(planes.mean(axis=0), cmap="gray", interpolation="nearest")
    hide_ticks(axes)
    if example.ndim == 4:
        note(axes, f"slice {example.shape[1] // 2} of {example.shape[1]}")


def draw_bars(axes: "Axes", values: np.ndarray) -> None:
    """Draw a row of values as bars, orange above zero and blue below."""
    from matplotlib.ticker import MaxNLocator

    colours = [VERMILION if value > 0 else BLUE for value in values]
    axes.bar(np.arange(len(values)), values, color=colours, width=0.8 if len(values) < 40 else 1.0)
    axes.axhline(0, color=GREY, linewidth=0.6)
    axes.margins(x=0.01)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    label_axis(axes, "feature")


def draw_signed(axes: "Axes", values: np.ndarray, limit: float | None = None) -> "AxesImage | None":
    """Draw values over positions with white as zero; a signal as a line filled to zero."""
    values = middle_slice(values)
    limit = max_magnitude(values) if limit is None else limit
    if values.ndim == 1:
        positions = np.arange(len(values))
        for part, colour in ((values > 0, VERMILION), (values < 0, BLUE)):
            axes.fill_between(positions, values, where=part, color=colour, alpha=0.45, linewidth=0, interpolate=True)
        axes.plot(positions, values, color=INK, linewidth=0.8)
        axes.axhline(0, color=GREY, linewidth=0.6)
        axes.margins(x=0)
        axes.set_ylim(-1.05 * limit, 1.05 * limit)
        label_axis(axes, "position")
        return None
    image = axes.imshow(values, cmap=signed_colours(), vmin=-limit, vmax=limit, interpolation="nearest")
    hide_ticks(axes)
    return image


def draw_heat(
    axes: "Axes", values: np.ndarray, top: float | None = None, extent: Sequence[float] | None = None
) -> "AxesImage | None":
    """Draw nonnegative values over positions; a signal as bars. `extent` gives the positions of the edges."""
    values = middle_slice(values)
    top = max_magnitude(values) if top is None else top
    if values.ndim == 1:
        first, last = (-0.5, len(values) - 0.5) if extent is None else extent[:2]
        width = (last - first) / len(values)
        positions = first + width * (np.arange(len(values)) + 0.5)
        axes.bar(positions, values, width=width, color=BLUE, linewidth=0)
        axes.set_ylim(0, 1.05 * top)
        axes.set_xlim(first, last)
        label_axis(axes, "position")
        return None
    box = None if extent is None else (extent[0], extent[1], extent[2], extent[3])
    image = axes.imshow(values, cmap=HEAT, vmin=0, vmax=top, interpolation="nearest", extent=box)
    hide_ticks(axes)
    return image


def map_extent(values: np.ndarray, stride: float) -> tuple[float, ...]:
    """Return the extent, in pixels of the image, of a map with one position every `stride` pixels."""
    size = middle_slice(values).shape
    if len(size) == 1:
        return (-0.5, size[0] * stride - 0.5)
    return (-0.5, size[1] * stride - 0.5, size[0] * stride - 0.5, -0.5)


def frame_region(axes: "Axes", region: Sequence[tuple[int, int]], colour: str) -> None:
    """Draw the outline of a region, (first, end) on each axis, on an image or a volume, or shade it in a signal."""
    from matplotlib.patches import Rectangle

    ends = [(first - 0.5, end - 0.5) for first, end in region[-2:]]
    if len(ends) == 1:
        axes.axvspan(*ends[0], color=colour, alpha=0.25, linewidth=0)
    elif ends:
        (top, bottom), (left, right) = ends
        box = Rectangle((left, top), right - left, bottom - top, facecolor="none", edgecolor=colour, linewidth=2.0)
        axes.add_patch(box)


def max_magnitude(values: np.ndarray) -> float:
    """Return the largest magnitude, or 1 if all values are zero or one is infinite."""
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    return largest if largest > 0 and np.isfinite(largest) else 1.0


def colour_bar(image: "AxesImage", label: str, *, low: float = LOW) -> None:
    """Draw a narrow colour bar beside an image, or below it if its height is less than `low` widths."""
    from matplotlib.ticker import MaxNLocator

    axes, figure = image.axes, image.get_figure()
    assert axes is not None
    assert figure is not None
    left, right, bottom, top = image.get_extent()
    ratio = abs(top - bottom) / abs(right - left) if axes.get_aspect() != "auto" else 0.4
    if ratio < low:
        place, orientation = (0.0, -0.025 / ratio - 0.04, 1.0, 0.025 / ratio), "horizontal"
    else:
        share = min(1.0, ratio)
        place, orientation = (1 + 0.04 * share, 0.0, 0.06 * share, 1.0), "vertical"
    bar = figure.colorbar(image, cax=axes.inset_axes(place), orientation=orientation)
    if orientation == "horizontal":
        bar.locator = MaxNLocator(4)  # as many ticks as fit side by side
    bar.set_label(label, color=INK, fontsize=8.5)
    bar.ax.tick_params(colors=INK, labelsize=8, length=2)
    bar.outline.set_visible(False)


def hide_ticks(axes: "Axes") -> None:
    """Hide the ticks of axes that show an image, and leave a thin frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color("#bbbbbb")
    axes.spines[:].set_linewidth(0.6)


def label_axis(axes: "Axes", name: str) -> None:
    """Apply the style of axes with ticks, and label the horizontal axis."""
    quiet(axes)
    axes.tick_params(labelsize=8)
    note(axes, name)


def headline(axes: "Axes", words: str, size: float = 9.5) -> None:
    """Write a title above axes."""
    axes.set_title(words, color=INK, fontsize=size)


def note(axes: "Axes", words: str) -> None:
    """Write a line below axes."""
    axes.set_xlabel(words, color=INK, fontsize=8.5)


def format_short(value: float) -> str:
    """Format a number to about three significant digits.

    Examples
    --------
    >>> [format_short(value) for value in (0, 0.375, 90, 7740, 1_180_000, 2.5e9)]
    ['0', '0.38', '90', '7.7 k', '1.2 M', '2.5 G']
    """
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:.3g}{unit}" if value >= 100 * size else f"{value / size:.1f}{unit}"
    if value == int(value) or value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def is_pooling(layer: Layer) -> bool:
    """Whether a layer slides a window and has no parameters."""
    return layer.window() is not None and not layer.parameters()


def kind_colour(layer: Layer) -> str:
    """Return the colour of a layer's kind: with parameters, pooling, or other."""
    return BLUE if layer.parameters() else GREEN if is_pooling(layer) else VERMILION
