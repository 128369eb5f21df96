"""The worst mistakes of a network, to look at: often one would not have done better."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from numpycnn.functional.checks import class_labels, expect_shape, spell, whole_number
from numpycnn.visualize.panels import room_for
from numpycnn.visualize.style import GREEN, INK, NARROW, VERMILION, new_figure, plain, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LETTER = 0.063  # inches of one above a picture
WIDEST = 9.6  # inches for pictures that stand side by side


def worst_mistakes(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> np.ndarray:
    """Return where the network was wrong, and the surer it was of the wrong class, the earlier.

    Parameters
    ----------
    labels : array_like of int, shape (N,)
    probabilities : array_like of float, shape (N, K)
        For each class.

    Returns
    -------
    ndarray of int64, shape (M,)
        Positions; equally bad mistakes in their own order.

    Examples
    --------
    >>> worst_mistakes([0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.8, 0.2]])
    array([2, 1])
    """
    probabilities = np.asarray(probabilities)
    expect_shape(probabilities, ("N", "K"), "probabilities", "misclassified")
    labels = np.asarray(labels)
    labels = class_labels(labels if labels.size else labels.astype(np.int64), probabilities.shape[1], "misclassified")
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
    """Draw the pictures that a network got wrong, those first of which it was surest.

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
        Pictures at most.

    Returns
    -------
    matplotlib.figure.Figure
        Where nothing was wrong, one that says so.

    Raises
    ------
    ValueError
        If the shapes do not fit each other, or the images have neither one channel nor three.
    TypeError
        If `limit` is not an int.
    """
    images, labels, probabilities = np.asarray(images), np.asarray(labels), np.asarray(probabilities)
    limit = whole_number(limit, "limit", "misclassified")
    worst = worst_mistakes(labels, probabilities)
    if images.ndim != 4 or len(images) != len(labels) or images.shape[1] not in (1, 3):
        raise ValueError(
            f"misclassified: expected images of shape ({len(labels)}, 1 or 3, H, W), got {spell(images.shape)}"
        )
    if len(class_names) != probabilities.shape[1]:
        raise ValueError(
            f"misclassified: expected {probabilities.shape[1]} class names, one per column of the probabilities, "
            f"got {len(class_names)}"
        )
    shown = worst[:limit]
    words = {int(i): _words(class_names, int(labels[i]), probabilities[i]) for i in shown}
    longest = max((len(line) for lines in words.values() for line in lines), default=0)
    width, height = room_for(images.shape[2:], 1.5, least=max(1.5, LETTER * longest))
    columns = max(1, min(5, len(shown), int(WIDEST / (width + 0.2))))
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
        said = f"All {examples:,} pictures are recognised." if examples else "There are no pictures."
        axes.text(0.5, 0.5, said, ha="center", va="center", fontsize=13, color=GREEN, transform=axes.transAxes)
        return
    these = f", the surest {shown}" if shown < wrong else ""
    figure.suptitle(f"{wrong:,} of {examples:,} misclassified{these}", color=INK, fontsize=12, fontweight="bold")


def _words(class_names: Sequence[str], label: int, probabilities: np.ndarray) -> tuple[str, str]:
    """Return what stands above a picture: what is right, and what was said."""
    predicted = int(probabilities.argmax())
    said = f"predicted: {plain(class_names[predicted], NARROW)}, {100 * probabilities[predicted]:.1f} %"
    return f"true: {plain(class_names[label], NARROW)}", said


def _draw(axes: "Axes", image: np.ndarray, right: str, said: str) -> None:
    picture = image[0] if image.shape[0] == 1 else np.moveaxis(image, 0, -1)  # (H, W) or (H, W, 3)
    top = 255 if image.dtype == np.uint8 else 1
    axes.imshow(picture, cmap="gray", vmin=0, vmax=top, interpolation="nearest")
    axes.set_title(right, color=INK, fontsize=9.5, pad=17)
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center"}
    axes.annotate(said, (0.5, 1), (0, 4), va="bottom", fontsize=8, color=VERMILION, **above)
