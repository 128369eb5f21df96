"""Networks for small images that reach a good accuracy in minutes on two CPU cores.

All spend most of their time in 3x3 convolutions of 64 channels and more, on maps of half the image's size or less,
where the accuracy gained for the time is highest.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Shape
from numpycnn.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, GlobalMaxPool, Layer, MaxPool2D, ReLU, Residual
from numpycnn.layers.sequential import Sequential
from numpycnn.models.building import build_network


def _conv(channels: int, pool: bool = False) -> list[Layer]:
    """Convolution without bias, batch normalization and ReLU, followed by a pooling with `pool`."""
    layers = [Conv2D(channels, 3, padding=1, bias=False), BatchNorm(), ReLU()]
    return [*layers, MaxPool2D(2)] if pool else layers


def vgg5(
    input_shape: Shape = (1, 28, 28),
    classes: int = 10,
    *,
    widths: Sequence[int] = (16, 64, 128),
    seed: int | None = 0,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """Return a small VGG with batch normalization: two, two and one 3x3 convolutions, each group followed by a pooling.

    Source: K. Simonyan, A. Zisserman, arXiv 1409.1556, in a smaller version.

    Other arguments, result and errors as for `tiny_vgg`.

    Parameters
    ----------
    widths : sequence of int
        Channels of the three groups.
    """
    first, second, third = widths
    layers = [*_conv(first), *_conv(first, pool=True), *_conv(second), *_conv(second, pool=True)]
    layers += [*_conv(third, pool=True), Flatten(), Dropout(0.4), Dense(classes)]
    return build_network(layers, input_shape, seed, dtype, "vgg5")


def vgg7(
    input_shape: Shape = (3, 32, 32),
    classes: int = 10,
    *,
    widths: Sequence[int] = (24, 64, 256, 256),
    seed: int | None = 0,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """Return seven convolutions: one, then three stages of two with a pooling after the first.

    Pooling comes before batch normalization and ReLU, which then process a quarter of the values.

    Sources: K. Simonyan, A. Zisserman, arXiv 1409.1556; K. Jordan, arXiv 2404.00498, for the stages.

    Other arguments, result and errors as for `tiny_vgg`.

    Parameters
    ----------
    widths : sequence of int
        Channels of the first convolution and of each of the three stages.
    """
    layers = _conv(widths[0])
    for width in widths[1:]:
        layers += [Conv2D(width, 3, padding=1, bias=False), MaxPool2D(2), BatchNorm(), ReLU(), *_conv(width)]
    return build_network([*layers, GlobalMaxPool(), Dense(classes)], input_shape, seed, dtype, "vgg7")


def resnet9(
    input_shape: Shape = (3, 32, 32),
    classes: int = 10,
    *,
    width: int = 24,
    seed: int | None = 0,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """Return ResNet-9: four convolutions that widen from `width` to ``8 * width`` channels, and two residual blocks.

    Source: D. Page, "How to train your ResNet", 2018, where the width is 64.

    Other arguments, result and errors as for `tiny_vgg`.

    Parameters
    ----------
    width : int
        Channels of the first convolution.
    """

    def block(channels: int) -> Layer:
        return Residual(Sequential([*_conv(channels), *_conv(channels)]))

    layers = [*_conv(width), *_conv(2 * width, pool=True), block(2 * width)]
    layers += [*_conv(4 * width, pool=True), *_conv(8 * width, pool=True), block(8 * width)]
    return build_network([*layers, GlobalMaxPool(), Dense(classes)], input_shape, seed, dtype, "resnet9")
