"""A convolutional network for sounds: a log-mel spectrogram is a picture with time to the right and pitch upwards.

Source: S. Hershey et al., "CNN architectures for large-scale audio classification", arXiv 1609.09430, which takes
networks for pictures and gives them spectrograms; this one is VGG made small, with batch normalisation.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn.layers import BatchNorm, Conv2D, Dense, Dropout, GlobalAvgPool, Layer, MaxPool2D, ReLU
from numpycnn.models.building import built
from numpycnn.sequential import Sequential


def audio_cnn(
    input_shape: Sequence[int] = (1, 40, 64),
    classes: int = 10,
    *,
    width: int = 16,
    seed: int | None = 0,
    dtype: Any = np.float32,
) -> Sequential:
    """Return four stages of convolution, batch normalisation, ReLU and pooling, then a global average.

    The average makes no difference between moments, so that it does not matter when a word is spoken. It takes 16 bands
    and 16 frames or more, and has 98,682 parameters at its default sizes.

    Parameters
    ----------
    input_shape : tuple of int
        ``(1, mels, frames)``.
    classes : int
    width : int
        Channels of the first stage; each has twice as many as the one before.
    seed : int or None
    dtype : dtype

    Returns
    -------
    Sequential
    """
    layers: list[Layer] = []
    for stage in range(4):
        layers += [Conv2D(width << stage, 3, padding=1, bias=False), BatchNorm(), ReLU(), MaxPool2D(2)]
    return built([*layers, GlobalAvgPool(), Dropout(0.3), Dense(classes)], input_shape, seed, dtype, "audio_cnn")
