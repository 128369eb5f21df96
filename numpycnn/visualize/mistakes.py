"""The most confident errors of a network."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_int, check_labels, check_shape, format_shape
from numpycnn.visualize.panels import image_size
from numpycnn.visualize.style import GREEN, INK, NARROW, VERMILION, escape_text, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LETTER_WIDTH = 0.063  # inches, of the text above an image
MAX_WIDTH = 9.6  # inches, of a row of images


def worst_mistakes(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> np.ndarray:
    """Return the indices of the errors, in decreasing order of the probability of the wrong class.

    Parameters
    ----------
    labels : array_like of int, shape (N,)
    probabilities : array_like of float, shape (N, K)
        For each class.

    Returns
    -------
    ndarray of int64, shape (M,)
        Ties keep their order.

    Examples
    --------
    >>> worst_mistakes([0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.8, 0.2]])
    array([2, 1])
    """
    probabilities = np.asarray(probabilities)
    check_shape(probabilities, ("N", "K"), "probabilities", "misclassified")
    labels = np.asarray(labels)
    labels = check_labels(labels if labels.size else labels.astype(np.int64), probabilities.shape[1], "misclassified")
    if len(labels) != len(probabilities):
        raise ValueError(
            f"misclassified: expected a row of probabilities for each label, got {len(probabilities)} for {len(labels)}"
        )
    if not probabilities.size:
        return np.zeros(0, np.int64)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]


def misclassified(
    images: np.ndarray,
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    class_names: Sequence[str],
    path: str | os.PathLike[str] | None = None,
    limit: int = 25,
) -> "Figure":
    """Draw the misclassified images, the most confident errors first.

    Parameters
    ----------
    images : ndarray of shape (N, C, H, W)
        One channel is drawn in grey, three in colour; uint8, or floats from 0 to 1.
    labels : array_like of int, shape (N,)
        True classes.
    probabilities : array_like of float, shape (N, K)
        For each class.
    class_names : sequence of K str
    path : path_like, optional
        Where to save a PNG.
    limit : int
        Maximum number of images.

    Returns
    -------
    matplotlib.figure.Figure
        Without errors, a figure that says so.

    Raises
    ------
    ValueError
        If the shapes do not match, or the images do not have one or three channels.
    TypeError
        If `limit` is not an int.
    """
    images, labels, probabilities = np.asarray(images), np.asarray(labels), np.asarray(probabilities)
    limit = check_int(limit, "limit", "misclassified")
    worst = worst_mistakes(labels, probabilities)
    if images.ndim != 4 or len(images) != len(labels) or images.shape[1] not in (1, 3):
        raise ValueError(
            f"misclassified: expected images of shape ({len(labels)}, 1 or 3, H, W), got {format_shape(images.shape)}"
        )
    if len(class_names) != probabilities.shape[1]:
        raise ValueError(
            f"misclassified: expected {probabilities.shape[1]} class names, one per column of the probabilities, "
            f"got {len(class_names)}"
        )
    shown = worst[:limit]
    words = {int(i): _words(class_names, int(labels[i]), probabilities[i]) for i in shown}
    longest = max((len(line) for lines in words.values() for line in lines), default=0)
    width, height = image_size(images.shape[2:], 1.5, least=max(1.5, LETTER_WIDTH * longest))
    columns = max(1, min(5, len(shown), int(MAX_WIDTH / (width + 0.2))))
    rows = max(1, -(-len(shown) // columns))
    full = (max((width + 0.2) * columns, 4.4), (height + 0.55) * rows + 0.6) if len(shown) else (4.4, 1.8)
    figure = new_figure(*full)
    _head(figure, len(worst), len(labels), len(shown))
    if len(shown):
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.ravel():
            axes.set_axis_off()
        for axes, i in zip(grid.ravel(), shown, strict=False):
            _draw(axes, images[i], *words[int(i)])
    save(figure, path)
    return figure


def _head(figure: "Figure", wrong: int, examples: int, shown: int) -> None:
    if not wrong:
        axes = figure.subplots()
        axes.set_axis_off()
        message = f"All {examples:,} images are classified correctly." if examples else "There are no images."
        axes.text(0.5, 0.5, message, ha="center", va="center", fontsize=13, color=GREEN, transform=axes.transAxes)
        return
    these = f", the {shown} most confident" if shown < wrong else ""
    figure.suptitle(f"{wrong:,} of {examples:,} misclassified{these}", color=INK, fontsize=12, fontweight="bold")


def _words(class_names: Sequence[str], label: int, probabilities: np.ndarray) -> tuple[str, str]:
    """Return the two lines above an image: the true and the predicted class."""
    predicted = int(probabilities.argmax())
    predicted_line = f"predicted: {escape_text(class_names[predicted], NARROW)}, {100 * probabilities[predicted]:.1f} %"
    return f"true: {escape_text(class_names[label], NARROW)}", predicted_line


def _draw(axes: "Axes", image: np.ndarray, true_line: str, predicted_line: str) -> None:
    pixels = image[0] if image.shape[0] == 1 else np.moveaxis(image, 0, -1)  # (H, W) or (H, W, 3)
    top = 255 if image.dtype == np.uint8 else 1
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=top, interpolation="nearest")
    axes.set_title(true_line, color=INK, fontsize=9.5, pad=17)
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center"}
    axes.annotate(predicted_line, (0.5, 1), (0, 4), va="bottom", fontsize=8, color=VERMILION, **above)
