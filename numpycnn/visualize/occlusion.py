"""Occlusion: cover a part of the image and measure the drop of the class probability.

The method needs neither gradients nor hidden activations, so it is an independent check of the methods that use them.

Source: M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", arXiv 1311.2901, section
4.2.
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_int, format_shape
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.panels import (
    colour_bar,
    draw_heat,
    example_rows,
    frame_region,
    headline,
    map_extent,
    middle_slice,
)
from numpycnn.visualize.selection import Choice, Selection, select
from numpycnn.visualize.style import INK, VERMILION, save


def occlude(
    model: Network,
    x: Any,
    targets: npt.ArrayLike | None = None,
    *,
    size: int | None = None,
    stride: int | None = None,
    fill: float = 0.0,
    batch_size: int = 256,
    input: str | int | None = None,
    output: str | int | None = None,
) -> np.ndarray:
    """Return the probability of a class while a patch covers part of the image, for each position of the patch.

    The image is divided into squares of `stride` pixels, and the patch is centered on each square in turn; at the
    border it is clipped.

    Other arguments and errors as for `compute_grad_cam`; the input takes images of floats.

    Parameters
    ----------
    size : int, optional
        Side of the patch in pixels; by default a quarter of the longest side of the image.
    stride : int, optional
        Step between positions in pixels; by default such that there are at most 32 along each axis.
    fill : float
        Value of the patch, on the scale of `x`. For normalized inputs, 0 is the mean grey.
    batch_size : int
        Number of covered images per forward pass.

    Returns
    -------
    ndarray of shape (N, ...)
        ``ceil(side / stride)`` positions along each axis.
    """
    chosen = _select(model, x, input, output, "occlude")
    size, stride = patch_settings(chosen.x.shape[2:], size, stride)
    batch_size = check_int(batch_size, "batch_size", "occlude")
    return _cover(chosen, chosen.targets(targets, "occlude"), size, stride, fill, batch_size)


def _is_image(chosen: Selection) -> bool:
    return chosen.x.ndim > 2 and chosen.x.dtype.kind == "f"


def _select(model: Network, x: Any, input: Choice, output: Choice, operation: str) -> Selection:
    chosen = select(model, x, operation, input, output, _is_image, "of images of floats (C, ...)")
    if not _is_image(chosen):
        found = f"{chosen.x.dtype} {format_shape(chosen.x.shape)}"
        raise ValueError(f"{operation}: expected images of floats (N, C, ...), got {found}")
    return chosen


def _cover(
    chosen: Selection, classes: np.ndarray, size: int, stride: int, fill: float, batch_size: int = 256
) -> np.ndarray:
    """Return the probabilities of the classes for each example and position of the patch."""
    x = chosen.x
    grid = tuple(-(-side // stride) for side in x.shape[2:])
    patches = [(slice(None), *(slice(*ends) for ends in patch)) for patch in _patches(x.shape[2:], size, stride)]
    found = np.empty((len(x), len(patches)), x.dtype)
    for number, (example, target, row) in enumerate(zip(x, classes, found, strict=True)):
        for start in range(0, len(patches), batch_size):
            part = patches[start : start + batch_size]
            covered = np.repeat(example[np.newaxis], len(part), axis=0)  # (B, C, ...)
            for image, patch in zip(covered, part, strict=True):
                image[patch] = fill
            same = np.full(len(part), number)  # with the other inputs of this example
            row[start : start + len(part)] = chosen.probabilities(covered, same)[:, target]
    return found.reshape(len(x), *grid)


def patch_settings(sides: Sequence[int], size: int | None, stride: int | None) -> tuple[int, int]:
    """Return the side and stride of the patch, with defaults filled in."""
    size = max(1, max(sides) // 4) if size is None else check_int(size, "size", "occlude")
    stride = -(-max(sides) // 32) if stride is None else check_int(stride, "stride", "occlude")
    return size, stride


def _patches(sides: Sequence[int], size: int, stride: int) -> list[tuple[tuple[int, int], ...]]:
    """Return the region that the patch covers at each position, as (first, end) on each axis."""
    axes = []
    for side in sides:
        first = [middle - size // 2 for middle in range(stride // 2, side + stride // 2, stride)]
        axes.append([(max(0, begin), min(max(0, begin + size), side)) for begin in first])
    return list(product(*axes))


def occlusion_map(
    model: Network,
    x: Any,
    targets: npt.ArrayLike | None = None,
    *,
    size: int | None = None,
    stride: int | None = None,
    fill: float = 0.0,
    input: str | int | None = None,
    output: str | int | None = None,
    class_names: Sequence[str] | None = None,
    path: FilePath = None,
) -> "Figure":
    """Draw images and, beside each, the probability of its class while a patch covers each position.

    The outline on the image marks the patch with the lowest probability.

    Other arguments and errors as for `occlude`, which computes the probabilities.

    Parameters
    ----------
    class_names : sequence of str, optional
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    chosen = _select(model, x, input, output, "occlusion_map")
    classes = chosen.targets(targets, "occlusion_map")
    size, stride = patch_settings(chosen.x.shape[2:], size, stride)
    maps = _cover(chosen, classes, size, stride, fill)
    patches = _patches(chosen.x.shape[2:], size, stride)
    figure, grid = example_rows(chosen, classes, class_names)
    for (left, right), values in zip(grid, maps, strict=True):
        frame_region(left, patches[values.argmin()], VERMILION)
        headline(right, "its probability while covered", 8.5)
        image = draw_heat(right, 100 * middle_slice(values), 100.0, map_extent(values, stride))
        if image is None:
            right.set_ylabel("probability in %", fontsize=8.5, color=INK)
        else:
            colour_bar(image, "probability in %")
    return save(figure, path)
