"""What the outputs of a network say about classes: scores, as they are before the softmax, and probabilities."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from numpycnn.functional import sigmoid, softmax
from numpycnn.functional.checks import class_labels, spell
from numpycnn.layers import LogSoftmax, Sigmoid, Softmax
from numpycnn.sequential import Sequential
from numpycnn.visualize.activations import chain_of, expect_batch

_SQUASHING = (LogSoftmax, Sigmoid, Softmax)


def score_layer(model: Sequential) -> str:
    """Return the place of the layer that gives the scores (logits): the last, or the one before a softmax at the end.

    To explain a class, its score is the better quantity: a probability may also rise because the other scores fall.

    Source: K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks", arXiv 1312.6034, section 2.
    """
    chain = chain_of(model)
    places = [key for key, layer in chain.items() if not isinstance(layer, _SQUASHING)]
    last = list(chain)[-1]
    return places[-1] if isinstance(chain[last], _SQUASHING) and places else last


def class_probabilities(model: Sequential, x: Any, *, batch_size: int = 256) -> np.ndarray:
    """Return the probability of each class, by the model's own softmax where it ends with one.

    Of a model with a single output, the only class is "yes", and its probability the sigmoid of the score.

    Parameters
    ----------
    model : Sequential
        A classifier.
    x : ndarray of shape (N, *input_shape)
    batch_size : int
        How many at a time.

    Returns
    -------
    ndarray of shape (N, K)

    Raises
    ------
    TypeError, ValueError
        If `x` is no batch for the model, or the model gives no row of scores.
    RuntimeError
        If the model has not been built.
    """
    x = expect_batch(model, x, "class_probabilities")
    expect_classifier(model, "class_probabilities")
    y = model.predict(x, batch_size=batch_size)
    last = list(chain_of(model).values())[-1]
    if isinstance(last, LogSoftmax):
        return np.exp(y)
    if isinstance(last, _SQUASHING):
        return y
    return sigmoid(y) if y.shape[1] == 1 else softmax(y)


def expect_classifier(model: Sequential, operation: str) -> int:
    """Return how many classes a model tells apart, and refuse one whose output is no row of numbers."""
    if model.output_shape is None or len(model.output_shape) != 1:
        shape = "nothing" if model.output_shape is None else spell(model.output_shape)
        raise ValueError(f"{operation}: expected a model that gives one number for each class, (K,), got {shape}")
    return model.output_shape[0]


def targets_of(model: Sequential, x: np.ndarray, targets: Any, operation: str) -> np.ndarray:
    """Return one class for each example: those given, or the predicted ones."""
    classes = expect_classifier(model, operation)
    if targets is None:
        return class_probabilities(model, x).argmax(axis=1)  # (N,)
    targets = np.asarray(targets)
    each = class_labels(np.full(len(x), targets) if targets.ndim == 0 else targets, classes, operation)
    if len(each) != len(x):
        raise ValueError(f"{operation}: expected one target for each of {len(x)} examples, got {len(each)}")
    return each


def pick_classes(classes: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return what `follow_back` needs for the gradient of the score of a class, of one in each row."""

    def pick(scores: np.ndarray) -> np.ndarray:
        dy = np.zeros_like(scores)
        dy[np.arange(len(scores)), classes] = 1
        return dy

    return pick


def class_name(target: int, class_names: Sequence[str] | None) -> str:
    """Return the name of a class, or its number where there are no names."""
    return f"class {target}" if class_names is None else class_names[target]
