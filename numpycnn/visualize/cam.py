"""Grad-CAM: which places of the last maps speak for a class.

With the maps ``A[k]`` of a layer and the score ``S`` of the class, a map counts as much as the score changes with it,

    a[k] = mean over the places of dS / dA[k]            L = max(0, sum over k of a[k] A[k])

and only what speaks for the class is kept. A late layer has maps that know what they see, and still where.

Source: R. R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization",
arXiv 1610.02391, equations 1 and 2.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from numpycnn.layers.base import Layer
from numpycnn.sequential import Sequential
from numpycnn.visualize.activations import chain_of, expect_layer, follow_back, layer_title
from numpycnn.visualize.classes import class_name, class_probabilities, pick_classes, score_layer, targets_of
from numpycnn.visualize.panels import (
    colour_bar,
    draw_heat,
    draw_input,
    examples_of,
    flat_slice,
    headline,
    is_pooling,
    reach,
    room_for,
    scale_room,
)
from numpycnn.visualize.style import LONGEST_TITLE, glowing_colours, new_figure, plain, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def last_maps(model: Sequential) -> str:
    """Return the place of the last layer whose output has places, and which is no pooling: what Grad-CAM looks at.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    for key, layer in reversed(chain_of(model).items()):
        if _has_maps(layer) and not is_pooling(layer):
            return key
    raise ValueError("Grad-CAM: expected a model with a layer whose outputs are maps (C, ...), got one without")


def _has_maps(layer: Layer) -> bool:
    return layer.output_shape is not None and len(layer.output_shape) > 1


def compute_grad_cam(
    model: Sequential, x: Any, targets: npt.ArrayLike | None = None, *, at: str | None = None
) -> np.ndarray:
    """Return the class activation maps, at the resolution of the layer.

    Parameters
    ----------
    model : Sequential
        A classifier.
    x : ndarray of shape (N, C, ...) or (C, ...)
        Examples as the model gets them, or a single one.
    targets : array_like of int, optional
        One class for each example, or one for all; the predicted ones if not given.
    at : str, optional
        Place of the layer, as in ``"8"`` or ``"3.main.0"``; see `last_maps` for the one that is taken otherwise.

    Returns
    -------
    ndarray of shape (N, ...)
        From 0 on, over the places of the layer's maps.

    Raises
    ------
    TypeError, ValueError
        If `x` is no batch for the model, the targets are no classes, or the layer has no maps.
    RuntimeError
        If the model has not been built.
    """
    x = examples_of(model, x, "compute_grad_cam")
    at = last_maps(model) if at is None else at
    layer = expect_layer(model, at, "compute_grad_cam")
    if not _has_maps(layer):
        raise ValueError(
            f"compute_grad_cam: expected a layer whose outputs are maps (C, ...), got {layer_title(at, layer)}"
        )
    classes = targets_of(model, x, targets, "compute_grad_cam")
    passage = follow_back(model, x, pick_classes(classes), at=score_layer(model))[1][at]
    maps, gradients = passage.y, np.asarray(passage.dy)  # (N, K, ...)
    places = tuple(range(2, maps.ndim))
    weights = gradients.mean(axis=places, keepdims=True)  # (N, K, 1, ...)
    return np.maximum((weights * maps).sum(axis=1), 0)


def grad_cam(
    model: Sequential,
    x: Any,
    targets: npt.ArrayLike | None = None,
    *,
    at: str | None = None,
    class_names: Sequence[str] | None = None,
    path: str | os.PathLike[str] | None = None,
) -> "Figure":
    """Draw pictures, the class activation map of each, and the map laid over the picture.

    Parameters
    ----------
    model, x, targets, at
        As for `compute_grad_cam`, which does the computing.
    class_names : sequence of str, optional
    path : path_like, optional
        Where to save a PNG.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError, ValueError, RuntimeError
        As `compute_grad_cam`.
    """
    x = examples_of(model, x, "grad_cam")
    at = last_maps(model) if at is None else at
    classes = targets_of(model, x, targets, "grad_cam")
    maps = compute_grad_cam(model, x, classes, at=at)
    probabilities = class_probabilities(model, x)
    layer = expect_layer(model, at, "grad_cam")
    flat = x.ndim < 4
    columns = 2 if flat else 3
    width, height = room_for(x.shape[2:], 2.15, least=1.6)
    full = (8.4, 1.9) if flat else (3 * width + 1.95, height + scale_room(x.shape[2:]) + 0.45)
    figure = new_figure(full[0], full[1] * len(x) + 0.3)
    grid = figure.subplots(len(x), columns, squeeze=False)
    for row, example, cam, target, shares in zip(grid, x, maps, classes, probabilities, strict=True):
        draw_input(row[0], example)
        headline(row[0], f"{plain(class_name(target, class_names))}, {100 * shares[target]:.1f} %")
        values, extent = flat_slice(cam), _extent(example)
        image = draw_heat(row[1], values, reach(values), extent)
        title = plain(layer_title(at, layer), LONGEST_TITLE)
        headline(row[1], f"evidence at {title}" if cam.any() else "nothing speaks for it here", 8.5)
        if image is None:
            continue
        colour_bar(image, "weighted activation")
        draw_input(row[2], example.mean(axis=0, keepdims=True))  # in grey, which leaves colour to the map
        strength = values / reach(values)
        glow = {"cmap": glowing_colours(), "vmin": 0, "vmax": 1, "alpha": 0.8 * strength}
        row[2].imshow(strength, extent=extent, interpolation="bilinear", **glow)
        headline(row[2], "laid over the picture")
    save(figure, path)
    return figure


def _extent(example: np.ndarray) -> tuple[float, ...]:
    """Return the edges of the picture, so that maps of fewer places lie on it as they belong."""
    size = example.shape if example.ndim == 1 else flat_slice(example[0]).shape
    if len(size) == 1:
        return (-0.5, size[0] - 0.5)
    return (-0.5, size[1] - 0.5, size[0] - 0.5, -0.5)
