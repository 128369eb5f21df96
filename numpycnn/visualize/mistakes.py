"""The images that a network gets wrong with the most confidence, and those of which it is least certain."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_int, check_labels, check_shape, check_unmasked, format_shape
from numpycnn.visualize._types import Axes, Figure, FilePath
from numpycnn.visualize.panels import hide_ticks, image_size
from numpycnn.visualize.style import BLUE, GREEN, INK, NARROW, VERMILION, escape_text, new_figure, save

LETTER_WIDTH = 0.063  # inches, of the text above an image
MAX_WIDTH = 9.6  # inches, of a row of images
NUM_BARS = 3  # classes shown per image
PERCENT = 135  # end of the axes of the bars, which leaves space for the text after a bar of 100 %


def worst_mistakes(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> np.ndarray:
    """Return the indices of the errors by the probability of the wrong class, the highest first; ties keep their order.

    Examples
    --------
    >>> worst_mistakes([0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.8, 0.2]])
    array([2, 1])
    """
    probabilities = check_unmasked(probabilities, "probabilities", "misclassified")
    check_shape(probabilities, ("N", "K"), "probabilities", "misclassified")
    labels = check_unmasked(labels, "labels", "misclassified")
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
    images = check_unmasked(images, "images", "misclassified")
    labels = check_unmasked(labels, "labels", "misclassified")
    probabilities = check_unmasked(probabilities, "probabilities", "misclassified")
    limit = check_int(limit, "limit", "misclassified")
    worst = worst_mistakes(labels, probabilities)
    _check_pictures(images, probabilities, class_names, "misclassified")
    shown = worst[:limit]
    if not len(shown):
        all_right = f"All {len(labels):,} images are classified correctly."
        return save(_message(all_right if len(labels) else "There are no images.", GREEN), path)
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
    _draw_picture(axes, image)
    axes.set_title(true_line, color=INK, fontsize=9.5, pad=17)
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center"}
    axes.annotate(predicted_line, (0.5, 1), (0, 4), va="bottom", fontsize=8, color=VERMILION, **above)


def rank_doubts(probabilities: npt.ArrayLike) -> np.ndarray:
    """Return the indices of all examples, in increasing order of the margin between the two most probable classes.

    Parameters
    ----------
    probabilities : array_like of float, shape (N, K)
        For two or more classes.

    Returns
    -------
    ndarray of int64, shape (N,)
        Ties keep their order.

    Raises
    ------
    ValueError
        If there are not at least two classes.
    TypeError
        If `probabilities` has a mask of NumPy.

    Examples
    --------
    >>> rank_doubts([[0.9, 0.1], [0.45, 0.55], [0.7, 0.3]])
    array([1, 2, 0])
    """
    shares = check_unmasked(probabilities, "probabilities", "least_certain").astype(np.float64)
    check_shape(shares, ("N", "K"), "probabilities", "least_certain")
    if shares.shape[1] < 2:
        raise ValueError(f"least_certain: expected probabilities of at least two classes, got {shares.shape[1]}")
    two = np.sort(shares, axis=1)[:, -2:]  # (N, 2)
    return np.argsort(two[:, 1] - two[:, 0], kind="stable")


def least_certain(
    images: np.ndarray,
    probabilities: npt.ArrayLike,
    class_names: Sequence[str],
    path: FilePath = None,
    *,
    labels: npt.ArrayLike | None = None,
    limit: int = 15,
) -> "Figure":
    """Draw the images of which a network is least certain, with the highest probabilities as bars.

    Other arguments and errors as for `misclassified`.

    Parameters
    ----------
    labels : array_like of int, shape (N,), optional
        True classes. If given, the bar of the true class is green, the others red.

    Returns
    -------
    matplotlib.figure.Figure
    """
    images = check_unmasked(images, "images", "least_certain")
    shares = check_unmasked(probabilities, "probabilities", "least_certain")
    limit = check_int(limit, "limit", "least_certain")
    order = rank_doubts(shares)
    _check_pictures(images, shares, class_names, "least_certain")
    true = None if labels is None else check_labels(labels, shares.shape[1], "least_certain")
    if true is not None and len(true) != len(shares):
        raise ValueError(f"least_certain: expected one label for each of {len(shares)} images, got {len(true)}")
    shown = order[:limit]
    if not len(shown):
        return save(_message("There are no images."), path)
    columns = min(5, len(shown))
    rows = -(-len(shown) // columns)
    width, height = image_size(images.shape[2:], 1.7, least=1.7)
    figure = new_figure(max((width + 0.2) * columns, 4.4), (height + 1.05) * rows + 0.5)
    head = f"the {len(shown)} of {len(shares):,} images with the smallest margin"
    figure.suptitle(head, color=INK, fontsize=12, fontweight="bold")
    grid = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[height, 0.65] * rows)
    for axes in grid.ravel():
        axes.set_axis_off()
    for number, i in enumerate(shown):
        above, below = (grid[2 * (number // columns) + k, number % columns] for k in (0, 1))
        above.set_axis_on()
        _draw_picture(above, images[i])
        hide_ticks(above)
        _draw_bars(below, shares[i], class_names, None if true is None else int(true[i]))
    return save(figure, path)


def _draw_bars(axes: "Axes", shares: np.ndarray, class_names: Sequence[str], true: int | None) -> None:
    """Draw the most probable classes; the true one replaces the last of them if it is missing."""
    best = np.argsort(-shares, kind="stable")[:NUM_BARS].tolist()
    if true is not None and true not in best:
        best[-1] = true
    colours = [BLUE if true is None else GREEN if k == true else VERMILION for k in best]
    axes.set_axis_on()
    axes.barh(range(len(best)), 100 * shares[best], color=colours, height=0.72)
    for line, k in enumerate(best):
        axes.text(100 * shares[k] + 2, line, f"{100 * shares[k]:.0f} %", va="center", fontsize=7.5, color=INK)
    names = [escape_text(class_names[k], NARROW) for k in best]
    axes.set_yticks(range(len(best)), names, fontsize=8.5, color=INK)
    axes.spines["left"].set_position(("data", 0))  # the names are inside, below their image
    share = 0.05 + 0.042 * max(map(len, names))  # of the width, for the longest
    axes.set_xlim(-PERCENT * share / (1 - share), PERCENT)
    axes.set_ylim(NUM_BARS - 0.5, -0.5)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _check_pictures(images: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str], operation: str) -> None:
    """Check for an image of one or three channels for each row of probabilities, and a name for each column."""
    count, classes = probabilities.shape
    if images.ndim != 4 or len(images) != count or images.shape[1] not in (1, 3):
        raise ValueError(
            f"{operation}: expected images of shape ({count}, 1 or 3, H, W), got {format_shape(images.shape)}"
        )
    if len(class_names) != classes:
        raise ValueError(
            f"{operation}: expected {classes} class names, one per column of the probabilities, got {len(class_names)}"
        )


def _draw_picture(axes: "Axes", image: np.ndarray) -> None:
    """Draw pixels (C, H, W) of uint8, or from 0 to 1, in grey or in colour."""
    pixels = image[0] if image.shape[0] == 1 else np.moveaxis(image, 0, -1)  # (H, W) or (H, W, 3)
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255 if image.dtype == np.uint8 else 1, interpolation="nearest")


def _message(words: str, colour: str = INK) -> "Figure":
    """Return a figure with a sentence instead of images."""
    figure = new_figure(4.4, 1.8)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", fontsize=13, color=colour, transform=axes.transAxes)
    return figure
