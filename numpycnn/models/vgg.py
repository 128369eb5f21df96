"""VGG: many 3x3 convolutions; two have the receptive field of one 5x5, with fewer weights and a ReLU in between.

Source: K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image recognition",
arXiv 1409.1556, table 1. Layers and names are torchvision's.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Shape
from numpycnn.layers import Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, ReLU
from numpycnn.layers.sequential import Sequential
from numpycnn.models.building import build_network

WIDTHS = (64, 128, 256, 512, 512)  # channels of the five stages; a pooling after each halves the image


def _vgg(
    name: str, depths: Sequence[int], input_shape: Shape, classes: int, seed: int | None, dtype: DTypeLike
) -> Sequential:
    """Stack stages of `depths` convolutions."""
    features: list[Layer] = []
    for width, depth in zip(WIDTHS, depths, strict=True):
        for _ in range(depth):
            features += [Conv2D(width, 3, padding=1), ReLU()]
        features.append(MaxPool2D(2))
    classifier = [Dense(4096), ReLU(), Dropout(0.5), Dense(4096), ReLU(), Dropout(0.5), Dense(classes)]
    layers = [Sequential(features, name="features"), Flatten(), Sequential(classifier, name="classifier")]
    return build_network(layers, input_shape, seed, dtype, name)


def vgg11(
    input_shape: Shape = (3, 224, 224), classes: int = 1000, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return VGG-11, configuration A: 132,863,336 parameters at the default sizes.

    Images need 32 pixels a side. The first dense layer is built for what comes out of the last pooling: 512 maps of
    7x7 at 224 pixels, of one number each at 32.

    Arguments, result and errors as for `tiny_vgg`.
    """
    return _vgg("vgg11", (1, 1, 2, 2, 2), input_shape, classes, seed, dtype)


def vgg13(
    input_shape: Shape = (3, 224, 224), classes: int = 1000, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return VGG-13, configuration B: 133,047,848 parameters at the default sizes. See `vgg11`.

    Arguments, result and errors as for `tiny_vgg`.
    """
    return _vgg("vgg13", (2, 2, 2, 2, 2), input_shape, classes, seed, dtype)


def vgg16(
    input_shape: Shape = (3, 224, 224), classes: int = 1000, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return VGG-16, configuration D: 138,357,544 parameters at the default sizes. See `vgg11`.

    Arguments, result and errors as for `tiny_vgg`.
    """
    return _vgg("vgg16", (2, 2, 3, 3, 3), input_shape, classes, seed, dtype)


def vgg19(
    input_shape: Shape = (3, 224, 224), classes: int = 1000, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return VGG-19, configuration E: 143,667,240 parameters at the default sizes. See `vgg11`.

    Arguments, result and errors as for `tiny_vgg`.
    """
    return _vgg("vgg19", (2, 2, 4, 4, 4), input_shape, classes, seed, dtype)
