"""Arrays with a mask of NumPy are refused on every way into a figure: the masked elements would be used."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn import Conv2D, Dense, Flatten, ReLU, Sequential, visualize
from numpycnn.data.augment import Flip
from numpycnn.visualize import classes, mistakes, shifts

MODEL = Sequential([Conv2D(2, 3), ReLU(), Flatten(), Dense(3)], input_shape=(1, 6, 6), seed=0)
X = np.random.default_rng(0).normal(size=(3, 1, 6, 6)).astype(np.float32)
MASKED, LABELS = np.ma.masked_greater(X, 0), np.ma.masked_equal([0, 1, 2], 1)
SHARES = np.ma.masked_equal(np.eye(3), 1)

CALLS: dict[str, Callable[[], Any]] = {
    "class_probabilities": lambda: classes.class_probabilities(MODEL, MASKED),
    "collect_activations": lambda: visualize.collect_activations(MODEL, MASKED),
    "collect_gradients": lambda: visualize.collect_gradients(MODEL, MASKED, [0, 1, 2]),
    "collect_gradients, labels": lambda: visualize.collect_gradients(MODEL, X, LABELS),
    "compute_grad_cam": lambda: visualize.compute_grad_cam(MODEL, MASKED),
    "compute_grad_cam, targets": lambda: visualize.compute_grad_cam(MODEL, X, LABELS),
    "measure_saliency": lambda: visualize.measure_saliency(MODEL, MASKED),
    "occlude": lambda: visualize.occlude(MODEL, MASKED),
    "occlude, targets": lambda: visualize.occlude(MODEL, X, LABELS),
    "measure_field": lambda: visualize.measure_field(MODEL, MASKED, "0"),
    "measure_shifts": lambda: shifts.measure_shifts(MODEL, MASKED, [0, 1, 2], [1]),
    "measure_shifts, labels": lambda: shifts.measure_shifts(MODEL, X, LABELS, [1]),
    "count_confusions": lambda: visualize.count_confusions(LABELS, [0, 1, 2], 3),
    "count_confusions, predictions": lambda: visualize.count_confusions([0, 1, 2], LABELS, 3),
    "rank_doubts": lambda: mistakes.rank_doubts(SHARES),
    "worst_mistakes": lambda: mistakes.worst_mistakes([0, 1, 2], SHARES),
    "misclassified": lambda: visualize.misclassified(X, LABELS, np.eye(3), list("abc")),
    "misclassified, images": lambda: visualize.misclassified(MASKED, [0, 1, 2], np.eye(3), list("abc")),
    "least_certain": lambda: visualize.least_certain(MASKED, np.eye(3), list("abc")),
    "least_certain, labels": lambda: visualize.least_certain(X, np.eye(3), list("abc"), labels=LABELS),
    "augmentations": lambda: visualize.augmentations(MASKED, [Flip()]),
    "maximize": lambda: visualize.maximize(MODEL, LABELS, steps=1),
    "learning_rate_curve": lambda: visualize.learning_rate_curve(LABELS + 1, [1, 2, 3]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_arrays_with_a_mask_are_refused(call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match=r"expected \w+ without a mask, got a masked array; fill it first"):
        call()
