"""Figures: what a training did and what a network gets wrong, as matplotlib figures and PNG files."""

from numpycnn.visualize.confusion import confusion_matrix, count_confusions
from numpycnn.visualize.curves import learning_curves
from numpycnn.visualize.mistakes import misclassified

__all__ = ["confusion_matrix", "count_confusions", "learning_curves", "misclassified"]
