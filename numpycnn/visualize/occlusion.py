"""Occlusion: cover a part of the picture, and see how sure the network still is. What it needs is where it is lost.

It uses no gradient and looks at nothing inside of the network, so it is a check on the methods that do.

Source: M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", arXiv 1311.2901, section
4.2.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from numpycnn.functional.checks import spell, whole_number
from numpycnn.sequential import Sequential
from numpycnn.visualize.classes import class_name, class_probabilities, targets_of
from numpycnn.visualize.panels import (
    colour_bar,
    draw_heat,
    draw_input,
    examples_of,
    flat_slice,
    frame_patch,
    headline,
    places_of,
    room_for,
    scale_room,
)
from numpycnn.visualize.style import INK, NARROW, new_figure, plain, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def occlude(
    model: Sequential,
    x: Any,
    targets: npt.ArrayLike | None = None,
    *,
    size: int | None = None,
    stride: int | None = None,
    fill: float = 0.0,
    batch_size: int = 256,
) -> np.ndarray:
    """Return the probability of a class while a patch covers the picture, for each place of the patch.

    The places divide the picture into squares of `stride` pixels, and the patch lies with its middle on that of a
    square; at the border it hangs over.

    Parameters
    ----------
    model : Sequential
        A classifier.
    x : ndarray of shape (N, C, ...) or (C, ...)
        Examples as the model gets them, or a single one.
    targets : array_like of int, optional
        One class for each example, or one for all; the predicted ones if not given.
    size : int, optional
        Side of the patch in pixels; a quarter of the longest side of the picture if not given.
    stride : int, optional
        From one place to the next; if not given, such that there are at most 32 along each axis.
    fill : float
        What the patch is made of, on the scale of `x`. Where inputs were normalised, 0 is the mean grey.
    batch_size : int
        How many covered pictures at a time.

    Returns
    -------
    ndarray of shape (N, ...)
        ``ceil(side / stride)`` places along each axis.

    Raises
    ------
    TypeError, ValueError
        If `x` is no batch for the model, has no places to cover, the targets are no classes, or a setting is out of
        range.
    RuntimeError
        If the model has not been built.
    """
    x = examples_of(model, x, "occlude")
    if x.ndim < 3 or x.dtype.kind != "f":
        raise ValueError(f"occlude: expected pictures of floats (N, C, ...), got {x.dtype} {spell(x.shape)}")
    classes = targets_of(model, x, targets, "occlude")
    size, stride = patch_settings(x.shape[2:], size, stride)
    grid = tuple(-(-side // stride) for side in x.shape[2:])
    patches = list(_patches(x.shape[2:], size, stride))
    batch_size = whole_number(batch_size, "batch_size", "occlude")
    found = np.empty((len(x), len(patches)), x.dtype)
    for example, target, row in zip(x, classes, found, strict=True):
        for start in range(0, len(patches), batch_size):
            part = patches[start : start + batch_size]
            covered = np.repeat(example[np.newaxis], len(part), axis=0)  # (B, C, ...)
            for picture, patch in zip(covered, part, strict=True):
                picture[(slice(None), *patch)] = fill
            row[start : start + len(part)] = class_probabilities(model, covered)[:, target]
    return found.reshape(len(x), *grid)


def patch_settings(sides: Sequence[int], size: int | None, stride: int | None) -> tuple[int, int]:
    """Return side and stride of the patch, chosen where they were not given."""
    size = max(1, max(sides) // 4) if size is None else whole_number(size, "size", "occlude")
    stride = -(-max(sides) // 32) if stride is None else whole_number(stride, "stride", "occlude")
    return size, stride


def _patches(sides: Sequence[int], size: int, stride: int) -> Iterator[tuple[slice, ...]]:
    """Go through what the patch covers, in the order of the places."""
    axes = []
    for side in sides:
        first = [middle - size // 2 for middle in range(stride // 2, side + stride // 2, stride)]
        axes.append([slice(max(0, begin), max(0, begin + size)) for begin in first])
    return product(*axes)


def occlusion_map(
    model: Sequential,
    x: Any,
    targets: npt.ArrayLike | None = None,
    *,
    size: int | None = None,
    stride: int | None = None,
    fill: float = 0.0,
    class_names: Sequence[str] | None = None,
    path: str | os.PathLike[str] | None = None,
) -> "Figure":
    """Draw pictures and, beside each, the probability of its class while a patch covers that place.

    Each picture carries the patch where it does most harm.

    Parameters
    ----------
    model, x, targets, size, stride, fill
        As for `occlude`, which does the computing.
    class_names : sequence of str, optional
    path : path_like, optional
        Where to save a PNG.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As `occlude`.
    """
    x = examples_of(model, x, "occlusion_map")
    classes = targets_of(model, x, targets, "occlusion_map")
    maps = occlude(model, x, classes, size=size, stride=stride, fill=fill)
    probabilities = class_probabilities(model, x)
    sides = x.shape[2:]
    size, stride = patch_settings(sides, size, stride)
    width, height = room_for(sides, 2.15, least=1.9)
    full = (8.4, 1.9) if x.ndim < 4 else (2 * width + 1.5, height + scale_room(sides) + 0.4)
    figure = new_figure(full[0], full[1] * len(x) + 0.3)
    grid = figure.subplots(len(x), 2, squeeze=False)
    for (left, right), example, values, target, shares in zip(grid, x, maps, classes, probabilities, strict=True):
        draw_input(left, example)
        name = plain(class_name(target, class_names), NARROW)
        headline(left, f"{name}, {100 * shares[target]:.1f} %")
        worst = np.unravel_index(values.argmin(), values.shape)
        middle = [stride * int(place) + stride // 2 for place in worst]
        frame_patch(left, middle, size, sides)
        headline(right, f"{name} while covered there", 8.5)
        image = draw_heat(right, 100 * flat_slice(values), 100.0, places_of(values, stride))
        if image is None:
            right.set_ylabel("probability in %", fontsize=8.5, color=INK)
        else:
            colour_bar(image, "probability in %")
    save(figure, path)
    return figure
