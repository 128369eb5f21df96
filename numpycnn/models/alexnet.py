"""AlexNet: the network whose lead in 2012 made deep learning the way to recognise pictures.

Source: A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional neural networks", 2012,
in the form of A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv 1404.5997: in one
column instead of two, without the normalisation of responses. Layers and names are torchvision's.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn.layers import Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU
from numpycnn.models.building import built
from numpycnn.sequential import Sequential


def alexnet(
    input_shape: Sequence[int] = (3, 224, 224), classes: int = 1000, *, seed: int | None = 0, dtype: Any = np.float32
) -> Sequential:
    """Return AlexNet: 61,100,840 parameters at its default sizes, nine out of ten of them in its dense layers.

    Pictures need 63 pixels a side. The first dense layer is built for what comes out of the last pooling: 256 maps of
    6x6 at 224 pixels. See `tiny_vgg` for the arguments.
    """
    features = [Conv2D(64, 11, stride=4, padding=2), ReLU(), MaxPool2D(3, stride=2)]
    features += [Conv2D(192, 5, padding=2), ReLU(), MaxPool2D(3, stride=2)]
    features += [Conv2D(384, 3, padding=1), ReLU(), Conv2D(256, 3, padding=1), ReLU()]
    features += [Conv2D(256, 3, padding=1), ReLU(), MaxPool2D(3, stride=2)]
    classifier = [Dropout(0.5), Dense(4096), ReLU(), Dropout(0.5), Dense(4096), ReLU(), Dense(classes)]
    layers = [Sequential(features, name="features"), Flatten(), Sequential(classifier, name="classifier")]
    return built(layers, input_shape, seed, dtype, "alexnet")
