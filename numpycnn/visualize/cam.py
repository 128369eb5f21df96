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

from numpycnn.inspection.traces import chain_of, check_layer, follow_back, layer_title
from numpycnn.layers.base import Layer
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.classes import pick_at, score_layer, targets_of
from numpycnn.visualize.panels import (
    colour_bar,
    draw_heat,
    draw_input,
    example_rows,
    examples_of,
    headline,
    is_pooling,
    map_extent,
    max_magnitude,
    middle_slice,
)
from numpycnn.visualize.style import LONGEST_TITLE, escape_text, glowing_colours, save


def last_maps(model: Network) -> str:
    """Return the key of the last layer that outputs maps and is not a pooling, the default layer of Grad-CAM."""
    for key, layer in reversed(chain_of(model).items()):
        if _has_maps(layer) and not is_pooling(layer):
            return key
    raise ValueError("Grad-CAM: expected a model with a layer whose outputs are maps (C, ...), got one without")


def _has_maps(layer: Layer) -> bool:
    return layer.output_shape is not None and len(layer.output_shape) > 1


def compute_grad_cam(
    model: Network, x: Any, targets: npt.ArrayLike | None = None, *, at: str | None = None
) -> np.ndarray:
    """Return the class activation maps, at the resolution of the layer.

    Parameters
    ----------
    model : Sequential or Model
        A classifier.
    x : ndarray of shape (N, C, ...) or (C, ...)
        Examples, preprocessed as for the model, or a single one.
    targets : array_like of int, optional
        One class for each example, or one for all; by default the predicted ones.
    at : str, optional
        Key of the layer, as in ``"8"`` or ``"3.main.0"``; by default that of `last_maps`.

    Returns
    -------
    ndarray of shape (N, ...)
        Values of at least 0, over the positions of the layer's maps.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        If `x` is not a batch for the model, a target is not a class, the layer does not output maps, or the model has
        not been built.
    """
    x = examples_of(model, x, "compute_grad_cam")
    at = last_maps(model) if at is None else at
    layer = check_layer(model, at, "compute_grad_cam")
    if not _has_maps(layer):
        raise ValueError(
            f"compute_grad_cam: expected a layer whose outputs are maps (C, ...), got {layer_title(at, layer)}"
        )
    classes = targets_of(model, x, targets, "compute_grad_cam")
    passage = follow_back(model, x, pick_at(np.arange(len(x)), classes), at=score_layer(model))[1][at]
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
    x = examples_of(model, x, "grad_cam")
    at = last_maps(model) if at is None else at
    classes = targets_of(model, x, targets, "grad_cam")
    maps = compute_grad_cam(model, x, classes, at=at)
    title = escape_text(layer_title(at, check_layer(model, at, "grad_cam")), LONGEST_TITLE)
    figure, grid = example_rows(model, x, classes, class_names, columns=3)
    for row, example, cam in zip(grid, x, maps, strict=True):
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
