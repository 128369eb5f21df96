"""Metrics: numbers that say how good outputs are, accumulated over batches."""

from numpycnn.metrics.base import Metric
from numpycnn.metrics.classes import Accuracy, LabelMetric, TopKAccuracy
from numpycnn.metrics.counts import F1, CountingMetric, MeanIoU, Precision, Recall
from numpycnn.metrics.ranking import ROCAUC
from numpycnn.metrics.regression import PSNR, MeanAbsoluteError, RSquared

__all__ = [
    "F1",
    "PSNR",
    "ROCAUC",
    "Accuracy",
    "CountingMetric",
    "LabelMetric",
    "MeanAbsoluteError",
    "MeanIoU",
    "Metric",
    "Precision",
    "RSquared",
    "Recall",
    "TopKAccuracy",
]
