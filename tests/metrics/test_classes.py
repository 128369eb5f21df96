"""How outputs and targets are read, and what is refused."""

from typing import Any

import numpy as np
import pytest

from numpycnn.metrics import F1, ROCAUC, Accuracy, MeanIoU, Precision, TopKAccuracy

ONE = [[1, 0, 0], [0, 1, 0]]
SEVERAL = [[1, 1, 0], [0, 0, 0]]
Y = [[2.0, 1.0, -1.0], [-1.0, 3.0, -2.0]]


def test_the_first_batch_decides_what_targets_of_the_outputs_shape_are() -> None:
    accuracy = Accuracy()
    accuracy.update(Y, ONE)
    assert accuracy.result() == 1
    with pytest.raises(ValueError, match=r"Accuracy: expected one-hot targets .*write Accuracy\(multilabel=True\)"):
        accuracy.update(Y, SEVERAL)
    several = Accuracy()
    several.update(Y, SEVERAL)
    several.update(Y, ONE)
    assert several.result() == 0.5  # the outputs say yes to labels 0 and 1, then to label 1
    accuracy.reset()
    accuracy.update(Y, SEVERAL)
    assert accuracy.result() == 0.5


def test_what_targets_are_may_be_said() -> None:
    for setting, expected in ((True, 0.5), (False, 1.0), (None, 1.0)):
        accuracy = Accuracy(multilabel=setting)
        accuracy.update(Y, ONE)
        assert accuracy.result() == expected


@pytest.mark.parametrize("metric", [Accuracy, F1, MeanIoU, ROCAUC])
def test_a_share_above_one_half_is_a_label(metric: Any) -> None:
    """As those of `MixUp`, or smoothed ones; -1 and 1 are labels as well."""
    y = np.array([[1.0, -2.0, 3.0], [-1.0, 4.0, 2.0], [0.5, 1.0, -1.0], [2.0, -0.5, 0.25]])
    labels = np.array([[1, 0, 0], [0, 1, 1], [1, 0, 0], [0, 1, 0]])
    results = []
    for target in (labels, 2 * labels - 1, 0.9 * labels + 0.05, np.where(labels == 1, 0.6, 0.4)):
        one = metric(multilabel=True)
        one.update(y, target)
        results.append(one.results())
    assert results[1:] == results[:1] * 3


def test_one_logit_is_as_two(rng: np.random.Generator) -> None:
    y, labels = rng.normal(size=50), rng.integers(0, 2, 50)
    for make in (Accuracy, F1, MeanIoU, lambda: F1(None), lambda: Precision("binary")):
        one, two = make(), make()
        one.update(y[:, None], labels)
        two.update(np.stack([np.zeros(50), y], axis=1), labels)
        np.testing.assert_array_equal(one.result(), two.result())


def test_equal_outputs_rank_as_in_accuracy() -> None:
    y, labels = np.zeros((3, 3)), [0, 1, 2]
    accuracy, top1, top2 = Accuracy(), TopKAccuracy(1), TopKAccuracy(2)
    for metric in (accuracy, top1, top2):
        metric.update(y, labels)
    assert (accuracy.result(), top1.result(), top2.result()) == (1 / 3, 1 / 3, 2 / 3)
    assert (top1.name, top2.name) == ("top_1_accuracy", "top_2_accuracy")


def test_without_a_label_that_counts_there_is_no_accuracy() -> None:
    for metric in (Accuracy(ignore_index=9), F1(ignore_index=9), TopKAccuracy(2, ignore_index=9)):
        metric.update(Y, [9, 9])
        assert np.isnan(metric.result())


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: Accuracy().update(Y, [0, 3]), ValueError, "Accuracy: expected labels from 0 to 2, got 3"),
        (lambda: Accuracy().update(Y, [-1, 0]), ValueError, "Accuracy: expected labels from 0 to 2, got -1"),
        (lambda: Accuracy().update(Y, [0.0, 1.0]), TypeError, "Accuracy: expected labels to be integers, got float64"),
        (
            lambda: Accuracy().update(Y, [[0], [1]]),
            ValueError,
            r"expected labels \(2,\), or one-hot for outputs \(2, 3\), got targets \(2, 1\)",
        ),
        (lambda: F1().update([[0.5], [1.0]], [0, 2]), ValueError, "F1: expected targets of 0 and 1, or -1 and 1"),
        (lambda: F1("mean"), ValueError, "F1: expected average 'macro', 'micro' or 'binary', got 'mean'"),
        (lambda: TopKAccuracy(4).update(Y, [0, 1]), ValueError, "TopKAccuracy: expected at least 4 classes, got 3"),
        (lambda: TopKAccuracy(0), ValueError, "TopKAccuracy: expected k from 1"),
        (lambda: Accuracy(threshold="a"), TypeError, "Accuracy: expected threshold to be a number"),
        (lambda: Accuracy(multilabel=1), TypeError, "Accuracy: expected multilabel to be True or False"),
        (lambda: Accuracy(ignore_index=0.5), TypeError, "Accuracy: expected ignore_index to be an int"),
    ],
)
def test_bad_calls(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_the_binary_average_needs_two_classes() -> None:
    metric = F1("binary")
    metric.update(Y, [0, 1])
    with pytest.raises(ValueError, match="F1: expected two classes for 'binary', got 3"):
        metric.result()


def test_another_number_of_classes_is_refused() -> None:
    metric = F1()
    metric.update(Y, [0, 1])
    with pytest.raises(ValueError, match=r"F1: expected outputs of the same shape in each batch, got \(3,\) and"):
        metric.update([[0.0, 1.0]], [1])
