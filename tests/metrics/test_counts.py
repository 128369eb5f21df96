"""Quotients of counts, by hand."""

import numpy as np

from numpycnn.metrics import F1, MeanIoU, Precision, Recall


def test_by_hand() -> None:
    """Class 0: 2 examples, 1 prediction, 1 hit. Class 1: 1 example, 2 predictions, 1 hit. Class 2 does not occur."""
    y, labels = np.eye(3)[[0, 1, 1]], [0, 0, 1]
    expected = {Precision: [1, 0.5, 0], Recall: [0.5, 1, 0], F1: [2 / 3, 2 / 3, 0], MeanIoU: [0.5, 0.5, 0]}
    for kind, scores in expected.items():
        each, macro, micro = kind(None), kind(), kind("micro")
        for metric in (each, macro, micro):
            metric.update(y, labels)
        np.testing.assert_allclose(each.result(), scores)
        assert np.isclose(macro.result(), np.mean(scores[:2]))
        assert np.isclose(micro.result(), 0.5 if kind is MeanIoU else 2 / 3)
