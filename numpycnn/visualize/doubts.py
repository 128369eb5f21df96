"""The images of which a network is least certain: often a person hesitates between the same two classes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_int, check_labels, check_shape
from numpycnn.visualize._types import Axes, Figure, FilePath
from numpycnn.visualize.panels import check_pictures, draw_message, draw_picture, hide_ticks, image_size
from numpycnn.visualize.style import BLUE, GREEN, INK, NARROW, VERMILION, escape_text, new_figure, save

NUM_BARS = 3  # classes shown per image
PERCENT = 135  # end of the axes of the bars, which leaves space for the text after a bar of 100 %


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

    Examples
    --------
    >>> rank_doubts([[0.9, 0.1], [0.45, 0.55], [0.7, 0.3]])
    array([1, 2, 0])
    """
    shares = np.asarray(probabilities, np.float64)
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
    images, shares = np.asarray(images), np.asarray(probabilities)
    limit = check_int(limit, "limit", "least_certain")
    order = rank_doubts(shares)
    check_pictures(images, shares, class_names, "least_certain")
    true = None if labels is None else check_labels(labels, shares.shape[1], "least_certain")
    if true is not None and len(true) != len(shares):
        raise ValueError(f"least_certain: expected one label for each of {len(shares)} images, got {len(true)}")
    shown = order[:limit]
    if not len(shown):
        return save(draw_message("There are no images."), path)
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
        draw_picture(above, images[i])
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
