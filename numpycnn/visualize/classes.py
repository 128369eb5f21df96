"""Class scores (logits) and probabilities from the outputs of a network."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from numpycnn._checks import check_labels, check_unmasked
from numpycnn.inspection.outputs import ACTIVATIONS, to_probabilities
from numpycnn.inspection.traces import chain_of, check_batch, output_key
from numpycnn.layers.checking import format_shapes
from numpycnn.layers.network import Network
from numpycnn.visualize.style import escape_text


def score_layer(model: Network) -> str:
    """Return the key of the layer that outputs the scores (logits): the last one before any final softmax.

    Explanations use the score of a class, since its probability also rises when the other scores fall. A layer with
    ``activation="softmax"`` outputs probabilities only, which are then the scores.

    Source: K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks", arXiv 1312.6034, section 2.
    """
    chain = chain_of(model)
    places = [key for key, layer in chain.items() if not isinstance(layer, ACTIVATIONS)]
    last = output_key(model)
    return places[-1] if isinstance(chain.get(last), ACTIVATIONS) and places else last


def class_probabilities(model: Network, x: Any, *, batch_size: int = 256) -> np.ndarray:
    """Return the probability of each class, from the model's own softmax if it ends with one.

    A model with a single output has one class, the positive one; its probability is the sigmoid of the score.

    Parameters
    ----------
    model : Sequential or Model
        A classifier.
    x : ndarray of shape (N, *input_shape)
    batch_size : int
        Number of examples per forward pass.

    Returns
    -------
    ndarray of shape (N, K)

    Raises
    ------
    TypeError, ValueError, RuntimeError
        If `x` is not a batch for the model, the model does not return a row of scores per example, or the model has not
        been built.
    """
    x = check_batch(model, x, "class_probabilities")
    check_classifier(model, "class_probabilities")
    return to_probabilities(model, model.predict(x, batch_size=batch_size))


def check_classifier(model: Network, operation: str) -> int:
    """Return the number of classes of a model; raise if its output is not one value per class."""
    if model.output_shape is None or model.output_count > 1 or len(model.output_shape) != 1:
        shape = "nothing" if model.output_shape is None else format_shapes(model.output_shape)
        raise ValueError(f"{operation}: expected a model with one output per class, (K,), got {shape}")
    return model.output_shape[0]


def targets_of(model: Network, x: np.ndarray, targets: Any, operation: str) -> np.ndarray:
    """Return one class for each example: the given ones, or by default the predicted ones."""
    classes = check_classifier(model, operation)
    if targets is None:
        return class_probabilities(model, x).argmax(axis=1)  # (N,)
    targets = check_unmasked(targets, "targets", operation)
    each = check_labels(np.full(len(x), targets) if targets.ndim == 0 else targets, classes, operation)
    if len(each) != len(x):
        raise ValueError(f"{operation}: expected one target for each of {len(x)} examples, got {len(each)}")
    return each


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
