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
from numpycnn.inspection.traces import follow_back
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.classes import pick_at, score_layer, targets_of
from numpycnn.visualize.panels import colour_bar, draw_heat, example_rows, examples_of, headline, max_magnitude, note
from numpycnn.visualize.style import save


def measure_saliency(
    model: Network,
    x: Any,
    targets: npt.ArrayLike | None = None,
    *,
    smooth: int = 0,
    noise: float = 0.15,
    seed: int = 0,
) -> np.ndarray:
    """Return the magnitude of the gradient of a class score at each position, the maximum over the channels.

    Other arguments and errors as for `compute_grad_cam`; the model takes floats.

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
    x = examples_of(model, x, "measure_saliency")
    if x.dtype.kind != "f":
        raise TypeError(f"measure_saliency: expected floats, which have a gradient, got {x.dtype}")
    smooth = check_int(smooth, "smooth", "measure_saliency", minimum=0)
    classes = targets_of(model, x, targets, "measure_saliency")
    at, pick = score_layer(model), pick_at(np.arange(len(x)), classes)
    if not smooth:
        gradient, _ = follow_back(model, x, pick, at=at)
    else:
        rng, axes = np.random.default_rng(seed), tuple(range(1, x.ndim))
        spread = noise * (x.max(axis=axes, keepdims=True) - x.min(axis=axes, keepdims=True))
        gradient = np.zeros_like(x)
        for _ in range(smooth):
            copies = x + (spread * rng.normal(size=x.shape)).astype(x.dtype)
            gradient += follow_back(model, copies, pick, at=at)[0] / smooth
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
    x = examples_of(model, x, "saliency_map")
    classes = targets_of(model, x, targets, "saliency_map")
    maps = measure_saliency(model, x, classes, smooth=smooth, noise=noise, seed=seed)
    figure, grid = example_rows(model, x, classes, class_names)
    for right, values in zip(grid[:, 1], maps, strict=True):
        image = draw_heat(right, values, max_magnitude(values))
        headline(right, "|gradient of its score|")
        if image is not None:
            colour_bar(image, "score per unit of input")
        elif x.ndim == 2:
            note(right, "feature")
    return save(figure, path)
