"""How a model does on a data set: one pass through it, and everything that can be said about the outputs."""

from dataclasses import dataclass

import numpy as np

from numpycnn.cli.console import CommandError
from numpycnn.data import Dataset
from numpycnn.functional import softmax
from numpycnn.functional.checks import spell
from numpycnn.losses import CrossEntropy
from numpycnn.sequential import Sequential
from numpycnn.visualize import count_confusions

BATCH = 256


@dataclass(frozen=True)
class Score:
    """Loss, accuracy from 0 to 1, class probabilities (N, K), predicted classes (N,), confusions (K, K)."""

    loss: float
    accuracy: float
    probabilities: np.ndarray
    predictions: np.ndarray
    confusions: np.ndarray


def expect_classifier(model: Sequential, dataset: Dataset, who: str) -> None:
    """Check that the model takes these images and knows these classes."""
    image, classes = dataset.images.shape[1:], len(dataset.class_names)
    if model.input_shape != image:
        raise CommandError(
            f"{who}: expected a model for inputs of shape {spell(image)}, those of {dataset.name}, "
            f"got one for {spell(model.input_shape or ())}"
        )
    if model.output_shape != (classes,):
        raise CommandError(
            f"{who}: expected a model with {classes} outputs, one per class of {dataset.name}, "
            f"got one with outputs of shape {spell(model.output_shape or ())}"
        )


def score(model: Sequential, dataset: Dataset) -> Score:
    """Return how a model with logits as its outputs does on a data set."""
    assert model.dtype is not None
    pieces = []
    for start in range(0, len(dataset), BATCH):
        x, _ = dataset.batch(slice(start, start + BATCH), model.dtype)
        pieces.append(model.forward(x))
    logits = np.concatenate(pieces)  # (N, K)
    predictions = logits.argmax(axis=1)  # (N,)
    return Score(
        loss=float(CrossEntropy().value(logits, dataset.labels)),
        accuracy=float((predictions == dataset.labels).mean()),
        probabilities=softmax(logits),
        predictions=predictions,
        confusions=count_confusions(dataset.labels, predictions, logits.shape[1]),
    )
