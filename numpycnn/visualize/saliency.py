"""Saliency: how much the score of a class changes with each pixel.

    M[i] = max over the channels c of |dS / dx[c, i]|

for the score ``S`` of the class, before the softmax. One backward pass gives it for all pixels. A single gradient is
noisy; averaging over noisy copies of the image (SmoothGrad) reduces the noise.

Sources: K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks", arXiv 1312.6034;
D. Smilkov et al., "SmoothGrad: removing noise by adding noise", arXiv 1706.03825.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_int
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.panels import colour_bar, draw_heat, example_rows, headline, max_magnitude, note
from numpycnn.visualize.selection import Choice, Selection, select
from numpycnn.visualize.style import save


def measure_saliency(
    model: Network,
    x: Any,
    targets: npt.ArrayLike | None = None,
    *,
    smooth: int = 0,
    noise: float = 0.15,
    seed: int = 0,
    input: str | int | None = None,
    output: str | int | None = None,
) -> np.ndarray:
    """Return the magnitude of the gradient of a class score at each position, the maximum over the channels.

    Other arguments and errors as for `compute_grad_cam`; the input takes floats.

    Parameters
    ----------
    smooth : int
        Number of noisy copies to average the gradient over; 0 for the gradient at `x` itself.
    noise : float
        Standard deviation of the noise, as a share of each example's range.
    seed : int
        For the noise.

    Returns
    -------
    ndarray of shape (N, ...)
        Without the channel axis; of shape (N, D) for rows of features.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn import Dense, Flatten, Sequential
    >>> model = Sequential([Flatten(), Dense(2)], input_shape=(1, 2, 2), seed=0)
    >>> saliency = measure_saliency(model, np.zeros((1, 2, 2), np.float32), 1)
    >>> bool(np.allclose(saliency.ravel(), np.abs(model[1].weight.value[1])))  # a linear score: its weights
    True
    """
    smooth = check_int(smooth, "smooth", "measure_saliency", minimum=0)
    chosen = _select(model, x, input, output, "measure_saliency")
    return _saliency(chosen, chosen.targets(targets, "measure_saliency"), smooth, noise, seed)


def _select(model: Network, x: Any, input: Choice, output: Choice, operation: str) -> Selection:
    chosen = select(model, x, operation, input, output, lambda chosen: chosen.x.dtype.kind == "f", "of floats")
    if chosen.x.dtype.kind != "f":
        raise TypeError(f"{operation}: expected floats, which have a gradient, got {chosen.x.dtype}")
    return chosen


def _saliency(chosen: Selection, classes: np.ndarray, smooth: int, noise: float, seed: int) -> np.ndarray:
    x = chosen.x
    if not smooth:
        gradient, _ = chosen.differentiate(classes)
    else:
        rng, axes = np.random.default_rng(seed), tuple(range(1, x.ndim))
        spread = noise * (x.max(axis=axes, keepdims=True) - x.min(axis=axes, keepdims=True))
        gradient = np.zeros_like(x)
        for _ in range(smooth):
            copies = x + (spread * rng.normal(size=x.shape)).astype(x.dtype)
            gradient += chosen.differentiate(classes, copies)[0] / smooth
    size = np.abs(gradient)
    return size if x.ndim == 2 else size.max(axis=1)


def saliency_map(
    model: Network,
    x: Any,
    targets: npt.ArrayLike | None = None,
    *,
    smooth: int = 0,
    noise: float = 0.15,
    seed: int = 0,
    input: str | int | None = None,
    output: str | int | None = None,
    class_names: Sequence[str] | None = None,
    path: FilePath = None,
) -> "Figure":
    """Draw images and, beside each, how much the score of its class changes with each pixel.

    Other arguments and errors as for `measure_saliency`, which computes the maps.

    Parameters
    ----------
    class_names : sequence of str, optional
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    smooth = check_int(smooth, "smooth", "saliency_map", minimum=0)
    chosen = _select(model, x, input, output, "saliency_map")
    classes = chosen.targets(targets, "saliency_map")
    maps = _saliency(chosen, classes, smooth, noise, seed)
    figure, grid = example_rows(chosen, classes, class_names)
    for right, values in zip(grid[:, 1], maps, strict=True):
        image = draw_heat(right, values, max_magnitude(values))
        headline(right, "|gradient of its score|")
        if image is not None:
            colour_bar(image, "score per unit of input")
        elif chosen.x.ndim == 2:
            note(right, "feature")
    return save(figure, path)
