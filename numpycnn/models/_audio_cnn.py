"""A convolutional network for sounds, on log-mel spectrograms with the axes frequency and time.

Source: S. Hershey et al., "CNN architectures for large-scale audio classification", arXiv 1609.09430, which
applies image networks to spectrograms; this one is a small VGG with batch normalization.
"""

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Shape
from numpycnn.layers import BatchNorm, Conv2D, Dense, Dropout, GlobalAvgPool, Layer, MaxPool2D, ReLU
from numpycnn.layers.sequential import Sequential
from numpycnn.models.building import build_network


def audio_cnn(
    input_shape: Shape = (1, 40, 64),
    classes: int = 10,
    *,
    width: int = 16,
    seed: int | None = 0,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """Return four stages of convolution, batch normalization, ReLU and pooling, then a global average.

    The average makes the output independent of the time at which a word is spoken. Inputs need at least 16 bands and 16
    frames. It has 98,682 parameters at the default sizes.

    Other arguments, result and errors as for `tiny_vgg`.

    Parameters
    ----------
    input_shape : tuple of int
        ``(1, mels, frames)``.
    width : int
        Channels of the first stage; each further stage doubles them.
    """
    layers: list[Layer] = []
    for stage in range(4):
        layers += [Conv2D(width << stage, 3, padding=1, bias=False), BatchNorm(), ReLU(), MaxPool2D(2)]
    return build_network(
        [*layers, GlobalAvgPool(), Dropout(0.3), Dense(classes)], input_shape, seed, dtype, "audio_cnn"
    )
