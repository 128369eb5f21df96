"""Class probabilities from the outputs of a network, and names of classes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from numpycnn.inspection.graph import Graph, graph_of
from numpycnn.inspection.outputs import to_probabilities
from numpycnn.inspection.traces import check_batch
from numpycnn.layers.network import Network
from numpycnn.visualize.selection import choose_output
from numpycnn.visualize.style import escape_text

ClassNames = Sequence[str] | Mapping[str, Sequence[str]] | None  # of the only output, or by the name of the output


def class_probabilities(
    model: Network, x: Any, *, batch_size: int = 256, output: str | int | None = None
) -> np.ndarray:
    """Return the probability of each class, from the model's own softmax if it ends with one.

    A model with a single output has one class, the positive one; its probability is the sigmoid of the score.

    Parameters
    ----------
    model : Sequential or Model
        A classifier.
    x : ndarray of shape (N, *input_shape), or a tuple of them for several inputs
    batch_size : int
        Number of examples per forward pass.
    output : str or int, optional
        Name or number of the output, of a model with several; by default the only one of shape (K,).

    Returns
    -------
    ndarray of shape (N, K)

    Raises
    ------
    TypeError, ValueError, RuntimeError
        If `x` is not a batch for the model, the model does not return a row of scores per example, or has several such
        outputs and none is given, or the model has not been built.
    """
    x = check_batch(model, x, "class_probabilities")
    number = choose_output(model, graph_of(model), output, "class_probabilities")
    y = model.predict(x, batch_size=batch_size)
    return to_probabilities(model, y[number] if isinstance(y, tuple) else y, number)


def names_by_output(graph: Graph, class_names: ClassNames, operation: str) -> dict[int, Sequence[str]]:
    """Return the names of the classes by the number of the output; a plain list is that of the only output."""
    if class_names is None:
        return {}
    if not isinstance(class_names, Mapping):
        if len(graph.outputs) > 1:
            listed = " and ".join(map(repr, graph.outputs))
            raise ValueError(f"{operation}: expected class_names as a dict by output, {listed}, got {class_names!r}")
        return {0: class_names}
    unknown = [name for name in class_names if name not in graph.outputs]
    if unknown:
        listed = " and ".join(map(repr, graph.outputs))
        raise ValueError(f"{operation}: expected class_names of the outputs {listed}, got {unknown[0]!r}")
    return {graph.outputs.index(name): names for name, names in class_names.items()}


def pick_at(*place: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Return the `pick` argument of `follow_back` for the sum of the outputs at an index."""

    def pick(y: np.ndarray) -> np.ndarray:
        dy = np.zeros_like(y)
        dy[place] = 1
        return dy

    return pick


def class_name(target: int, class_names: Sequence[str] | None) -> str:
    """Return the name of a class for a figure, or its number without names."""
    return f"class {target}" if class_names is None else escape_text(class_names[target])
