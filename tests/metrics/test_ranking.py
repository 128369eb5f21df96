"""The area under the ROC curve counts pairs."""

import numpy as np

from numpycnn import functional as F
from numpycnn.metrics import ROCAUC
from tests.drawn import generators


def test_it_is_the_share_of_pairs_in_the_right_order() -> None:
    for rng in generators(62):
        scores, labels = np.round(rng.normal(size=12), 1), rng.permutation(np.arange(12) % 2)
        pairs = [(p > n) + (p == n) / 2 for p in scores[labels == 1] for n in scores[labels == 0]]
        metric = ROCAUC()
        metric.update(scores, labels)
        assert np.isclose(metric.result(), np.mean(pairs))


def test_logits_and_probabilities_have_the_same_area(rng: np.random.Generator) -> None:
    y, labels = rng.normal(size=(30, 4)), np.arange(30) % 4
    areas = []
    for outputs in (y, F.softmax(y), F.log_softmax(y)):
        metric = ROCAUC()
        metric.update(outputs, labels)
        areas.append(metric.result())
    np.testing.assert_allclose(areas, areas[0], rtol=1e-12)


def test_a_class_without_an_example_has_no_area() -> None:
    y = np.array([[0.5, 0.3, 0.2], [0.2, 0.7, 0.1], [0.4, 0.35, 0.25]])
    metric = ROCAUC()
    metric.update(y, [0, 1, 1])
    assert metric.result() == 1
    one = ROCAUC()
    one.update([0.3, 0.4], [1, 1])
    assert np.isnan(one.result())
