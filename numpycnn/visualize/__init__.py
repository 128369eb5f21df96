"""Figures: what a training did, what a network gets wrong, and a sliding window at work; PNG and GIF files."""

from numpycnn.visualize.animation import conv_transpose_animation, convolution_animation, pooling_animation
from numpycnn.visualize.confusion import confusion_matrix, count_confusions
from numpycnn.visualize.curves import learning_curves
from numpycnn.visualize.mistakes import misclassified

__all__ = [
    "confusion_matrix",
    "conv_transpose_animation",
    "convolution_animation",
    "count_confusions",
    "learning_curves",
    "misclassified",
    "pooling_animation",
]
