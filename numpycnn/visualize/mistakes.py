"""The most confident errors of a network."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_int, check_labels, check_shape
from numpycnn.visualize._types import Axes, Figure, FilePath
from numpycnn.visualize.panels import check_pictures, draw_message, draw_picture, image_size
from numpycnn.visualize.style import GREEN, INK, NARROW, VERMILION, escape_text, new_figure, save

LETTER_WIDTH = 0.063  # inches, of the text above an image
MAX_WIDTH = 9.6  # inches, of a row of images


def worst_mistakes(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> np.ndarray:
    """Return the indices of the errors by the probability of the wrong class, the highest first; ties keep their order.

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
    path: FilePath = None,
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
    limit : int
        Maximum number of images.

    Returns
    -------
    matplotlib.figure.Figure
        Without errors, a figure that says so.

    Raises
    ------
    TypeError, ValueError
        If `limit` is not an int, or the shapes do not match, or the images do not have one or three channels.
    """
    images, labels, probabilities = np.asarray(images), np.asarray(labels), np.asarray(probabilities)
    limit = check_int(limit, "limit", "misclassified")
    worst = worst_mistakes(labels, probabilities)
    check_pictures(images, probabilities, class_names, "misclassified")
    shown = worst[:limit]
    if not len(shown):
        all_right = f"All {len(labels):,} images are classified correctly."
        return save(draw_message(all_right if len(labels) else "There are no images.", GREEN), path)
    words = {int(i): _words(class_names, int(labels[i]), probabilities[i]) for i in shown}
    longest = max(len(line) for lines in words.values() for line in lines)
    width, height = image_size(images.shape[2:], 1.5, least=max(1.5, LETTER_WIDTH * longest))
    columns = max(1, min(5, len(shown), int(MAX_WIDTH / (width + 0.2))))
    rows = -(-len(shown) // columns)
    figure = new_figure(max((width + 0.2) * columns, 4.4), (height + 0.55) * rows + 0.6)
    these = f", the {len(shown)} most confident" if len(shown) < len(worst) else ""
    head = f"{len(worst):,} of {len(labels):,} misclassified{these}"
    figure.suptitle(head, color=INK, fontsize=12, fontweight="bold")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.ravel():
        axes.set_axis_off()
    for axes, i in zip(grid.ravel(), shown, strict=False):
        _draw(axes, images[i], *words[int(i)])
    return save(figure, path)


def _words(class_names: Sequence[str], label: int, probabilities: np.ndarray) -> tuple[str, str]:
    """Return the two lines above an image: the true and the predicted class."""
    predicted = int(probabilities.argmax())
    predicted_line = f"predicted: {escape_text(class_names[predicted], NARROW)}, {100 * probabilities[predicted]:.1f} %"
    return f"true: {escape_text(class_names[label], NARROW)}", predicted_line


def _draw(axes: "Axes", image: np.ndarray, true_line: str, predicted_line: str) -> None:
    draw_picture(axes, image)
    axes.set_title(true_line, color=INK, fontsize=9.5, pad=17)
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center"}
    axes.annotate(predicted_line, (0.5, 1), (0, 4), va="bottom", fontsize=8, color=VERMILION, **above)
