"""AlexNet: its lead in the ImageNet challenge of 2012 established deep learning in image recognition.

Source: A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional neural networks", 2012,
in the version of A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv 1404.5997: one
column instead of two, without local response normalization. Layers and names are torchvision's.
"""

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Shape
from numpycnn.layers import Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU
from numpycnn.layers.sequential import Sequential
from numpycnn.models.building import build_network


def alexnet(
    input_shape: Shape = (3, 224, 224), classes: int = 1000, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return AlexNet: 61,100,840 parameters at the default sizes, more than 90 % of them in its dense layers.

    Images need at least 63 pixels a side. The first dense layer takes the output of the last pooling: 256 maps of 6x6
    at 224 pixels.

    Arguments, result and errors as for `tiny_vgg`.
    """
    features = [Conv2D(64, 11, stride=4, padding=2), ReLU(), MaxPool2D(3, stride=2)]
    features += [Conv2D(192, 5, padding=2), ReLU(), MaxPool2D(3, stride=2)]
    features += [Conv2D(384, 3, padding=1), ReLU(), Conv2D(256, 3, padding=1), ReLU()]
    features += [Conv2D(256, 3, padding=1), ReLU(), MaxPool2D(3, stride=2)]
    classifier = [Dropout(0.5), Dense(4096), ReLU(), Dropout(0.5), Dense(4096), ReLU(), Dense(classes)]
    layers = [Sequential(features, name="features"), Flatten(), Sequential(classifier, name="classifier")]
    return build_network(layers, input_shape, seed, dtype, "alexnet")
