"""Grad-CAM: the positions of the last feature maps that support a class.

With the maps ``A[k]`` of a layer and the score ``S`` of the class, each map is weighted by its mean gradient,

    a[k] = mean over the positions of dS / dA[k]            L = max(0, sum over k of a[k] A[k])

and only positive evidence is kept. Late layers have maps that are specific to classes and still have a resolution.

Source: R. R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization",
arXiv 1610.02391, equations 1 and 2.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn.inspection.traces import check_layer, layer_title
from numpycnn.layers.base import Layer
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.panels import (
    colour_bar,
    draw_heat,
    draw_input,
    example_rows,
    headline,
    is_pooling,
    map_extent,
    max_magnitude,
    middle_slice,
)
from numpycnn.visualize.selection import Choice, Selection, select
from numpycnn.visualize.style import LONGEST_TITLE, escape_text, glowing_colours, save


def last_maps(chosen: Selection) -> str | None:
    """Return the key of the last layer between input and output that has maps and is not a pooling; None without one.

    It is the default layer of Grad-CAM.
    """
    between = chosen.graph.path(chosen.input, chosen.output)
    found = [use.key for use in between if _has_maps(use.layer) and not is_pooling(use.layer)]
    return found[-1] if found else None


def _has_maps(layer: Layer) -> bool:
    return layer.output_count == 1 and layer.output_shape is not None and len(layer.output_shape) > 1


def compute_grad_cam(
    model: Network,
    x: Any,
    targets: npt.ArrayLike | None = None,
    *,
    at: str | None = None,
    input: str | int | None = None,
    output: str | int | None = None,
) -> np.ndarray:
    """Return the class activation maps, at the resolution of the layer.

    Parameters
    ----------
    model : Sequential or Model
        A classifier.
    x : ndarray of shape (N, C, ...) or (C, ...), or a tuple of them for several inputs
        Examples, preprocessed as for the model, or a single one.
    targets : array_like of int, optional
        One class for each example, or one for all; by default the predicted ones.
    at : str, optional
        Key of the layer, as in ``"8"`` or ``"3.main.0"``, or of a further use of a layer, as in ``"conv#2"``; by
        default the last one between the input and the output that outputs maps and is not a pooling.
    input, output : str or int, optional
        Name or number of the input that is explained, and of the output with the classes, of a model with several
        (`Input` has names, an output has that of its layer); by default the only ones that fit.

    Returns
    -------
    ndarray of shape (N, ...)
        Values of at least 0, over the positions of the layer's maps.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        If `x` is not a batch for the model, a target is not a class, the layer does not output maps, several inputs or
        outputs fit and none is given, or the model has not been built.
    """
    chosen, at = _select(model, x, at, input, output, "compute_grad_cam")
    return _class_activation(chosen, chosen.targets(targets, "compute_grad_cam"), at)


def _select(
    model: Network, x: Any, at: str | None, input: Choice, output: Choice, operation: str
) -> tuple[Selection, str]:
    """Return the selection, and the layer with the maps."""

    def fits(chosen: Selection) -> bool:
        if at is None:
            return last_maps(chosen) is not None
        check_layer(model, at, operation)
        return chosen.input in chosen.graph.inputs_of(at)

    wanted = "with a layer of maps (C, ...)" if at is None else f"that {at} depends on"
    chosen = select(model, x, operation, input, output, fits, wanted)
    place = last_maps(chosen) if at is None else at
    if place is None:
        raise ValueError(f"{operation}: expected a model with a layer whose outputs are maps (C, ...), got one without")
    layer = check_layer(model, place, operation)
    if not _has_maps(layer):
        raise ValueError(
            f"{operation}: expected a layer whose outputs are maps (C, ...), got {layer_title(place, layer)}"
        )
    return chosen, place


def _class_activation(chosen: Selection, classes: np.ndarray, at: str) -> np.ndarray:
    passage = chosen.differentiate(classes)[1][at]
    maps, gradients = passage.y, np.asarray(passage.dy)  # (N, K, ...)
    axes = tuple(range(2, maps.ndim))
    weights = gradients.mean(axis=axes, keepdims=True)  # (N, K, 1, ...)
    return np.maximum((weights * maps).sum(axis=1), 0)


def grad_cam(
    model: Network,
    x: Any,
    targets: npt.ArrayLike | None = None,
    *,
    at: str | None = None,
    input: str | int | None = None,
    output: str | int | None = None,
    class_names: Sequence[str] | None = None,
    path: FilePath = None,
) -> "Figure":
    """Draw images, the class activation map of each, and the map overlaid on the image.

    Other arguments and errors as for `compute_grad_cam`, which computes the maps.

    Parameters
    ----------
    class_names : sequence of str, optional
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    chosen, at = _select(model, x, at, input, output, "grad_cam")
    classes = chosen.targets(targets, "grad_cam")
    maps = _class_activation(chosen, classes, at)
    title = escape_text(layer_title(at, check_layer(model, at, "grad_cam")), LONGEST_TITLE)
    figure, grid = example_rows(chosen, classes, class_names, columns=3)
    for row, example, cam in zip(grid, chosen.x, maps, strict=True):
        values = middle_slice(cam)
        extent = map_extent(example if example.ndim == 1 else example[0], 1)  # of the image, which has more pixels
        image = draw_heat(row[1], values, max_magnitude(values), extent)
        headline(row[1], f"evidence at {title}" if cam.any() else "no positive evidence here", 8.5)
        if image is None:
            continue
        colour_bar(image, "weighted activation")
        draw_input(row[2], example.mean(axis=0, keepdims=True))  # in grey, since colour shows the map
        strength = values / max_magnitude(values)
        glow = {"cmap": glowing_colours(), "vmin": 0, "vmax": 1, "alpha": 0.8 * strength}
        row[2].imshow(strength, extent=extent, interpolation="bilinear", **glow)
        headline(row[2], "map over the image")
    return save(figure, path)
