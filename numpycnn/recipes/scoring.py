"""The score of a model on a data set, from one forward pass: loss, accuracy, probabilities and predictions."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from numpycnn._checks import format_shape
from numpycnn.data import Dataset
from numpycnn.inspection.graph import graph_of
from numpycnn.inspection.outputs import to_logits, to_probabilities
from numpycnn.inspection.traces import check_one_input
from numpycnn.layers.checking import format_shapes
from numpycnn.layers.network import Network
from numpycnn.losses import CrossEntropy
from numpycnn.recipes.errors import Setting, SettingError
from numpycnn.recipes.settings import KEY
from numpycnn.recipes.tables import VIEWS
from numpycnn.training import TestTimeAugmentation

BATCH = 256


@dataclass(frozen=True)
class Score:
    """Loss, accuracy from 0 to 1, class probabilities (N, K), predicted classes (N,)."""

    loss: float
    accuracy: float
    probabilities: np.ndarray
    predictions: np.ndarray


def expect_classifier(model: Network, dataset: Dataset, who: str, output: str | None = None) -> int:
    """Check that the model has the input shape and the classes of a data set, and return the number of the output.

    Of several outputs with a value for each class, `output` is the name of one.
    """
    try:
        check_one_input(model, who)
    except ValueError as error:
        raise SettingError(str(error)) from None
    image, classes = dataset.images.shape[1:], len(dataset.class_names)
    if model.input_shape != image:
        raise SettingError(
            f"{who}: expected a model for inputs of shape {format_shape(image)}, those of {dataset.name}, "
            f"got one for {format_shape(model.input_shape or ())}"
        )
    shapes: Any = model.output_shape if model.output_count > 1 else (model.output_shape,)
    fits = {name: i for i, (name, shape) in enumerate(zip(graph_of(model).outputs, shapes, strict=True))}
    if output is not None and output not in fits:
        raise SettingError(f"{who}: expected the name of an output, {' or '.join(map(repr, fits))}, got {output!r}")
    fits = {name: i for name, i in fits.items() if shapes[i] == (classes,) and output in (None, name)}
    if not fits:
        raise SettingError(
            f"{who}: expected a model with {classes} outputs, one per class of {dataset.name}, "
            f"got one with outputs of shape {format_shapes(model.output_shape or ())}"
        )
    if len(fits) > 1:
        named = " or ".join(map(repr, fits))
        raise SettingError(f"{who}: several outputs have {classes} values; give ", Setting("output"), f" {named}")
    return next(iter(fits.values()))


def views_for(model: Network, asked: str | None) -> TestTimeAugmentation | None:
    """Return the requested views, or those of the test after the model's training."""
    settings = model.metadata.get(KEY) if isinstance(model.metadata, dict) else None
    name = asked or (settings.get("views") if isinstance(settings, dict) else None)
    return VIEWS.get(name) if isinstance(name, str) else None


def score(model: Network, dataset: Dataset, views: TestTimeAugmentation | None = None, output: int = 0) -> Score:
    """Score an output of a classifier on a data set, with several views of each image if requested.

    Raises
    ------
    FloatingPointError
        If an output is infinite or NaN.
    """
    assert model.dtype is not None
    pieces = []
    with np.errstate(all="ignore"):  # checked below
        for start in range(0, len(dataset), BATCH):
            x, _ = dataset.batch(slice(start, start + BATCH), model.dtype)
            y = model.forward(x) if views is None else views(model, x)
            pieces.append(y[output] if model.output_count > 1 else y)
    y = np.concatenate(pieces)  # (N, K)
    wrong = int((~np.isfinite(y)).any(axis=1).sum())
    if wrong:
        raise FloatingPointError(
            f"expected finite outputs of the model, got infinity or NaN for {wrong:,} of {len(y):,} "
            f"{dataset.noun}s: its weights, or the mean and std of its inputs, are too large"
        )
    predictions = y.argmax(axis=1)  # (N,)
    loss, accuracy = (
        CrossEntropy().value(to_logits(model, y, output), dataset.labels),
        (predictions == dataset.labels).mean(),
    )
    return Score(float(loss), float(accuracy), to_probabilities(model, y, output), predictions)
