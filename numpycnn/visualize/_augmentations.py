"""Augmented images and spectrograms: one row per transform, below the originals."""

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Any

import numpy as np

from numpycnn._checks import check_unmasked, format_shape
from numpycnn.visualize._types import Axes, Figure, FilePath
from numpycnn.visualize.style import HEAT, INK, escape_text, new_figure, save

LABEL, GAP = 1.9, 0.07  # inches: left of the images, and between them
Transform = Callable[[np.ndarray, Any, Any], tuple[np.ndarray, Any]]


def augmentations(
    images: np.ndarray, transforms: Sequence[Transform], path: FilePath = None, *, seed: int = 0
) -> "Figure":
    """Draw examples and the output of each transform for them.

    Parameters
    ----------
    images : ndarray of shape (N, C, H, W)
        One column each: uint8 pixels, grey or colour, or floats of one channel (spectrograms, drawn with the lowest
        band at the bottom).
    transforms : sequence of Transform
        One row each, see `numpycnn.data.augment`.
    path : path_like, optional
    seed : int
        For the random transforms.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are no images or transforms, or `images` has another shape or type.
    TypeError
        If `images` has a mask of NumPy.
    """
    images = check_unmasked(images, "images", "augmentations")
    pixels = images.dtype == np.uint8
    if images.ndim != 4 or not images.size or images.shape[1] not in ((1, 3) if pixels else (1,)):
        raise ValueError(
            "augmentations: expected images (N, C, H, W) of one or three channels of uint8, or of one channel of "
            f"floats, got {format_shape(images.shape)} of {images.dtype}"
        )
    if not transforms:
        raise ValueError("augmentations: expected at least one transform, got none")
    labels = np.zeros(len(images), np.int64)
    rows = [("original", images)]
    rows += [
        (_format_transform(transform), transform(images, labels, np.random.default_rng(seed))[0])
        for transform in transforms
    ]
    across = 0.8 * np.sqrt(images.shape[3] / images.shape[2])  # inches
    down = across * images.shape[2] / images.shape[3]
    full = LABEL + (across + GAP) * len(images), GAP + (down + GAP) * len(rows)
    figure = new_figure(*full)
    figure.set_layout_engine("none")  # it does not keep the gaps equal
    limits = (0.0, 255.0) if pixels else (float(images.min()), float(images.max()))
    for row, (name, row_images) in enumerate(rows):
        bottom = full[1] - (row + 1) * (down + GAP)
        figure.text(
            (LABEL - GAP) / full[0], (bottom + down / 2) / full[1], name, ha="right", va="center", color=INK, fontsize=9
        )
        for column, image in enumerate(row_images):
            left = LABEL + column * (across + GAP)
            place = (left / full[0], bottom / full[1], across / full[0], down / full[1])
            _draw(figure.add_axes(place), image, limits)
    return save(figure, path)


def _format_transform(transform: Transform) -> str:
    """Return the repr, wrapped to the space beside an image."""
    words = repr(transform)
    lines = wrap(words, 26, break_long_words=False)
    lines = lines if max(map(len, lines)) <= 26 else wrap(words.replace("(", "( ", 1), 26)
    return "\n".join(escape_text(line.replace("( ", "("), 26) for line in lines)


def _draw(axes: "Axes", image: np.ndarray, limits: tuple[float, float]) -> None:
    features = image.dtype != np.uint8
    shown = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)  # (H, W) or (H, W, 3)
    colours: dict[str, Any] = {"cmap": HEAT if features else "gray", "vmin": limits[0], "vmax": limits[1]}
    axes.imshow(shown, origin="lower" if features else "upper", interpolation="nearest", aspect="auto", **colours)
    axes.set_axis_off()
