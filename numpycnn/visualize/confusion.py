"""The confusion matrix: predicted classes against true classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_int, check_labels, check_unmasked
from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.style import BLUE, INK, ORANGE, escape_text, new_figure, save


def count_confusions(labels: npt.ArrayLike, predictions: npt.ArrayLike, num_classes: int) -> np.ndarray:
    """Count the examples of each true class by predicted class.

    Parameters
    ----------
    labels, predictions : array_like of int, shape (N,)
        True and predicted classes, from 0 to ``num_classes - 1``.
    num_classes : int

    Returns
    -------
    ndarray of int64, shape (K, K)
        Row: true class. Column: predicted class. The diagonal counts the correct predictions.

    Raises
    ------
    TypeError, ValueError
        If the values are not class numbers, one is out of range, or the lengths differ.

    Examples
    --------
    >>> count_confusions([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], num_classes=2)
    array([[1, 1],
           [1, 2]])
    """
    classes = check_int(num_classes, "num_classes", "count_confusions")
    true = _classes(labels, "labels", classes)
    predicted = _classes(predictions, "predictions", classes)
    if len(true) != len(predicted):
        raise ValueError(
            f"count_confusions: expected as many predictions as labels, got {len(predicted)} and {len(true)}"
        )
    return np.bincount(true * classes + predicted, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def _classes(values: npt.ArrayLike, name: str, num_classes: int) -> np.ndarray:
    array = check_unmasked(values, name, "count_confusions")
    return check_labels(array if array.size else array.astype(np.int64), num_classes, f"count_confusions ({name})")


def confusion_matrix(
    labels: npt.ArrayLike,
    predictions: npt.ArrayLike,
    class_names: Sequence[str],
    path: FilePath = None,
    *,
    normalized: bool = False,
) -> "Figure":
    """Draw the counts as a table, with the recall of each class at the right.

    The shade of a cell is its share of the true class, so that a rare class is as visible as a frequent one. Errors
    have a separate colour, scaled to the most frequent error.

    Other arguments and errors as for `count_confusions`.

    Parameters
    ----------
    class_names : sequence of str
    path : path_like, optional
    normalized : bool
        Show the share of the true class in percent instead of the count. The number of examples of each class then
        replaces the recall at the right, since the recall is on the diagonal.

    Returns
    -------
    matplotlib.figure.Figure
    """
    counts = count_confusions(labels, predictions, len(class_names))
    classes = len(counts)
    totals = counts.sum(axis=1)  # (K,)
    recall = np.diag(counts) / np.maximum(totals, 1)
    side = max(3.6, 0.56 * classes)
    figure = new_figure(side + 2.1, side + 1.0)
    axes = figure.subplots()
    axes.imshow(_shades(counts), interpolation="nearest")
    size = 9 if classes <= 12 else 7
    for row, column in np.ndindex(counts.shape):
        count = int(counts[row, column])
        if count:
            colour = "white" if row == column and recall[row] > 0.8 else INK
            text = _percent(count / totals[row]) if normalized else f"{count:,}"
            axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)
    beside: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": size, "color": INK}
    for row in range(classes):
        text = "none" if not totals[row] else f"{totals[row]:,}" if normalized else f"{100 * recall[row]:.1f} %"
        axes.annotate(text, (1, row), (9, 0), xycoords=axes.get_yaxis_transform(), **beside)
    head = "examples" if normalized else "recall"
    axes.annotate(head, (1, 1), (9, 9), xycoords="axes fraction", fontweight="bold", **beside)
    names = [escape_text(name) for name in class_names]
    turn = 45 if max(map(len, names), default=0) > 4 else 0
    axes.set_xticks(range(classes), names, rotation=turn, ha="right" if turn else "center")
    axes.set_yticks(range(classes), names)
    axes.set_xlabel("predicted class", color=INK)
    axes.set_ylabel("true class", color=INK)
    axes.tick_params(length=0, colors=INK, labelsize=size + 1)
    axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    axes.spines[:].set_visible(False)
    right, examples = int(np.trace(counts)), int(counts.sum())
    share = f", {100 * right / examples:.2f} %" if examples else ""
    share += "\ncells in % of the true class" * normalized  # on a separate line, since few classes make a narrow figure
    axes.set_title(f"{right:,} of {examples:,} correct{share}", color=INK, loc="left", fontweight="bold", pad=20)
    return save(figure, path)


def _percent(share: float) -> str:
    """Format a share in percent; only exact 0 and 1 give "0" and "100": ``0.02``, ``3.1``, ``99.8``."""
    value = 100 * share
    if value in (0, 100):
        return f"{value:.0f}"
    return f"{value:.2f}" if value < 0.05 else f"{min(value, 99.9):.1f}"


def _shades(counts: np.ndarray) -> np.ndarray:
    """Return a colour for each cell: blue on the diagonal, orange off it, near white at zero."""
    from matplotlib.colors import to_rgb

    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)  # (K, K)
    wrong = share * ~np.eye(len(counts), dtype=bool)
    strength = np.where(wrong > 0, 0.15 + 0.7 * wrong / max(wrong.max(), 1e-12), 0.0)
    np.fill_diagonal(strength, np.diag(share))
    colour = np.where(np.eye(len(counts), dtype=bool)[..., np.newaxis], to_rgb(BLUE), to_rgb(ORANGE))  # (K, K, 3)
    return strength[..., np.newaxis] * colour + (1 - strength[..., np.newaxis]) * 0.965
