"""Activation maximization: gradient ascent from faint noise to an input that activates a unit strongly.

    x = (1 - decay) * (x + step * g / |g|)        with  g = d activation / dx

Unconstrained, the ascent converges to high-frequency noise. Three regularizers keep the input close to natural images:
value decay, a random shift by a pixel or two (jitter), so that no single pixel dominates, and a slight blur.

Sources: D. Erhan et al., "Visualizing higher-layer features of a deep network", 2009; K. Simonyan et al., arXiv
1312.6034, section 2; J. Yosinski et al., "Understanding neural networks through deep visualization", arXiv 1506.06579.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from numpycnn._checks import check_int, check_labels, check_unmasked
from numpycnn.inspection.graph import Graph, graph_of
from numpycnn.inspection.traces import check_built, check_layer, follow, follow_back, layer_title
from numpycnn.layers.network import Network
from numpycnn.visualize._types import Figure, FilePath
from numpycnn.visualize.classes import class_name, pick_at
from numpycnn.visualize.panels import draw_input, headline, image_size, note, single_example
from numpycnn.visualize.selection import Choice, blank_inputs, choose_input, choose_output, input_shapes, score_of
from numpycnn.visualize.style import INK, LONGEST_TITLE, escape_text, new_figure, save

LETTER_WIDTH = 0.1  # inches, of the title


def maximize(
    model: Network,
    units: npt.ArrayLike | None = None,
    *,
    at: str | None = None,
    steps: int = 200,
    step: float = 0.1,
    decay: float = 0.05,
    jitter: int = 1,
    blur: float = 0.5,
    seed: int = 0,
    input: str | int | None = None,
    output: str | int | None = None,
    x: Any = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each unit, an input that activates it strongly, and its activation.

    A unit is an output of the layer or, in a layer with maps, the mean over a map.

    Parameters
    ----------
    model : Sequential or Model
        The input takes floats.
    units : array_like of int, optional
        Channels or outputs of the layer; by default at most the first 16.
    at : str, optional
        Key of the layer, as in ``"3"``, or of a further use of a layer, as in ``"conv#2"``; by default the one that
        outputs the scores.
    steps : int
        Number of gradient ascent steps.
    step : float
        Mean absolute change of a pixel per step.
    decay : float
        Share that each step subtracts from all values, from 0 to 1.
    jitter : int
        Maximum random shift in pixels before a step, undone after it.
    blur : float
        Standard deviation, in pixels, of the blur after every fourth step; 0 for none.
    seed : int
        For the initial noise and the jitter.
    input, output : str or int, optional
        Name or number of the input that changes, and of the output of the scores, of a model with several; by default
        the only ones that fit.
    x : tuple of ndarray of shape (1, ...) or (...), optional
        One example of which the other inputs are kept; by default they are zeros.

    Returns
    -------
    x : ndarray of shape (U, *input_shape)
        For the input that changes.
    activations : ndarray of shape (U,)
        Activations of the units for these inputs.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        If the layer or unit does not exist, the model does not take floats, a setting is out of range, or the model has
        not been built.
    """
    from scipy.ndimage import gaussian_filter  # SciPy is loaded on first use

    graph, at = _find(model, at, output, "maximize")
    layer = check_layer(model, at, "maximize")
    number = _changing(model, graph, at, input, "maximize")
    others = blank_inputs(model, 1) if x is None else single_example(model, x, "maximize")
    if layer.output_shape is None or layer.output_count > 1:
        raise ValueError(f"maximize: expected a layer with one output, got {layer_title(at, layer)}")
    channels = layer.output_shape[0]
    units = np.arange(min(channels, 16)) if units is None else np.atleast_1d(check_unmasked(units, "units", "maximize"))
    chosen = check_labels(units, channels, "maximize (units)")
    steps = check_int(steps, "steps", "maximize", minimum=0)
    jitter = check_int(jitter, "jitter", "maximize", minimum=0)
    if not 0 <= decay <= 1 or step < 0 or blur < 0:
        raise ValueError(
            f"maximize: expected decay from 0 to 1, step and blur of at least 0, got {decay}, {step}, {blur}"
        )
    rng = np.random.default_rng(seed)
    found = (0.1 * rng.normal(size=(len(chosen), *input_shapes(model)[number]))).astype(model.dtype)
    rows, axes = np.arange(len(chosen)), tuple(range(2, found.ndim))

    def given(changed: np.ndarray) -> Any:
        fixed = [np.repeat(other, len(chosen), axis=0) for other in others]
        return (*fixed[:number], changed, *fixed[number + 1 :]) if model.several_inputs else changed

    for count in range(steps):
        moves = tuple(int(move) for move in rng.integers(-jitter, jitter + 1, len(axes)))
        dx, _ = follow_back(model, given(np.roll(found, moves, axes)), pick_at(rows, chosen), at=at)
        gradient = np.roll(dx[number] if model.several_inputs else dx, tuple(-move for move in moves), axes)
        size = np.abs(gradient).mean(axis=tuple(range(1, found.ndim)), keepdims=True)
        found = (1 - decay) * (found + step * gradient / np.maximum(size, np.finfo(found.dtype).tiny))
        found = found.astype(model.dtype, copy=False)
        if blur and axes and count % 4 == 3:
            found = gaussian_filter(found, (0, 0, *(blur,) * len(axes)), mode="nearest")
    y = follow(model, given(found))[at].y[rows, chosen]  # (U, ...)
    return found, y.reshape(len(chosen), -1).mean(axis=1)


def _find(model: Network, at: str | None, output: Choice, operation: str) -> tuple[Graph, str]:
    """Return the graph, and the key of the layer with the units: by default the one that outputs the scores."""
    check_built(model, operation)
    graph = graph_of(model)
    return graph, score_of(graph, choose_output(model, graph, output, operation))[0] if at is None else at


def _changing(model: Network, graph: Graph, at: str, asked: Choice, operation: str) -> int:
    """Return the number of the input of floats that changes."""
    kinds = [batch.dtype.kind for batch in blank_inputs(model, 0)]
    fits = [number for number in graph.inputs_of(at) if kinds[number] == "f"]
    return choose_input(graph, asked, operation, fits, f"of floats that {at} depends on")


def activation_maximization(
    model: Network,
    units: npt.ArrayLike | None = None,
    *,
    at: str | None = None,
    steps: int = 200,
    step: float = 0.1,
    decay: float = 0.05,
    jitter: int = 1,
    blur: float = 0.5,
    seed: int = 0,
    input: str | int | None = None,
    output: str | int | None = None,
    x: Any = None,
    class_names: Sequence[str] | None = None,
    path: FilePath = None,
) -> "Figure":
    """Draw inputs that activate the units of a layer strongly: the features they have learned.

    Other arguments and errors as for `maximize`, which computes the inputs.

    Parameters
    ----------
    class_names : sequence of str, optional
        Names for the outputs of the last layer.
    path : path_like, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    graph, place = _find(model, at, output, "activation_maximization")
    layer = check_layer(model, place, "activation_maximization")
    settings: dict[str, Any] = {"steps": steps, "step": step, "decay": decay, "jitter": jitter, "blur": blur}
    number = _changing(model, graph, place, input, "activation_maximization")
    inputs, activations = maximize(model, units, at=place, seed=seed, input=number, x=x, **settings)
    chosen = np.arange(len(inputs)) if units is None else np.atleast_1d(np.asarray(units))
    columns = min(5, len(chosen))
    rows = -(-len(chosen) // columns)
    width, height = image_size(inputs.shape[2:], 1.55, least=1.55)
    is_score = place in [score_of(graph, end)[0] for end in range(len(graph.ends))]
    unit = "outputs" if len(layer.output_shape or ()) == 1 else "channels"
    title = escape_text(layer_title(place, layer), LONGEST_TITLE)
    head = f"inputs that maximize {unit} of {title}"
    figure = new_figure(max((width + 0.2) * columns, LETTER_WIDTH * len(head)), (height + 0.6) * rows + 0.5)
    figure.suptitle(head, color=INK, fontsize=11, fontweight="bold")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, example, channel, activation in zip(grid, inputs, chosen, activations, strict=False):
        draw_input(axes, example)
        headline(axes, class_name(int(channel), class_names) if is_score else f"{unit[:-1]} {channel}", 9)
        note(axes, f"{'score' if is_score else 'activation'} {activation:.3g}")
    for axes in grid[len(chosen) :]:
        axes.set_axis_off()
    return save(figure, path)
