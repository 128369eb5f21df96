"""Networks for small pictures that reach a good accuracy in minutes, on the two cores of a plain CPU.

All put most of their work into 3x3 convolutions of 64 channels and more, on maps that have been halved already: there
they learn most for the time.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalMaxPool,
    Layer,
    MaxPool2D,
    ReLU,
    Residual,
)
from numpycnn.models.building import built
from numpycnn.sequential import Sequential


def _conv(channels: int, pool: bool = False) -> list[Layer]:
    """Convolution, batch normalisation, whose shift replaces the bias, and ReLU; half the size with `pool`."""
    layers = [Conv2D(channels, 3, padding=1, bias=False), BatchNorm(), ReLU()]
    return [*layers, MaxPool2D(2)] if pool else layers


def vgg5(
    input_shape: Sequence[int] = (1, 28, 28),
    classes: int = 10,
    *,
    widths: Sequence[int] = (16, 64, 128),
    seed: int | None = 0,
    dtype: Any = np.float32,
) -> Sequential:
    """Return a small VGG with batch normalisation: two 3x3 convolutions, two and one, each time followed by a pooling.

    Source: K. Simonyan, A. Zisserman, arXiv 1409.1556, made small. See `tiny_vgg` for the other arguments.

    Parameters
    ----------
    input_shape : tuple of int
    classes : int
    widths : sequence of int
        Channels before each of the three poolings.
    seed : int or None
    dtype : dtype

    Returns
    -------
    Sequential
    """
    first, second, third = widths
    layers = [*_conv(first), *_conv(first, pool=True), *_conv(second), *_conv(second, pool=True)]
    layers += [*_conv(third, pool=True), Flatten(), Dropout(0.4), Dense(classes)]
    return built(layers, input_shape, seed, dtype, "vgg5")


def vgg7(
    input_shape: Sequence[int] = (3, 32, 32),
    classes: int = 10,
    *,
    widths: Sequence[int] = (24, 64, 256, 256),
    seed: int | None = 0,
    dtype: Any = np.float32,
) -> Sequential:
    """Return seven convolutions: one, and three stages of two, of which the first is followed by a pooling at once.

    Pooling comes before batch normalisation and ReLU, so that these go over a quarter of the numbers.

    Sources: K. Simonyan, A. Zisserman, arXiv 1409.1556; K. Jordan, arXiv 2404.00498, for the stages. See `tiny_vgg` for
    the other arguments.

    Parameters
    ----------
    input_shape : tuple of int
    classes : int
    widths : sequence of int
        Channels of the first convolution and of each of the three stages.
    seed : int or None
    dtype : dtype

    Returns
    -------
    Sequential
    """
    layers = _conv(widths[0])
    for width in widths[1:]:
        layers += [Conv2D(width, 3, padding=1, bias=False), MaxPool2D(2), BatchNorm(), ReLU(), *_conv(width)]
    return built([*layers, GlobalMaxPool(), Dense(classes)], input_shape, seed, dtype, "vgg7")


def resnet9(
    input_shape: Sequence[int] = (3, 32, 32),
    classes: int = 10,
    *,
    width: int = 24,
    seed: int | None = 0,
    dtype: Any = np.float32,
) -> Sequential:
    """Return ResNet-9: four convolutions that widen from `width` to eight times as much, and two residual blocks.

    Source: D. Page, "How to train your ResNet", 2018, where the width is 64. See `tiny_vgg` for the other arguments.

    Parameters
    ----------
    input_shape : tuple of int
    classes : int
    width : int
        Channels of the first convolution.
    seed : int or None
    dtype : dtype

    Returns
    -------
    Sequential
    """

    def block(channels: int) -> Layer:
        return Residual(Sequential([*_conv(channels), *_conv(channels)]))

    layers = [*_conv(width), *_conv(2 * width, pool=True), block(2 * width)]
    layers += [*_conv(4 * width, pool=True), *_conv(8 * width, pool=True), block(8 * width)]
    return built([*layers, GlobalMaxPool(), Dense(classes)], input_shape, seed, dtype, "resnet9")
