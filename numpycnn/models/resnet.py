"""Residual networks: each block only learns what to add to its input, so that gradients find a short way back.

Source: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", arXiv 1512.03385.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn.layers import BatchNorm, Conv2D, Dense, GlobalAvgPool, Layer, MaxPool2D, ReLU, Residual
from numpycnn.sequential import Sequential


def _conv(channels: int, kernel_size: int, stride: int = 1) -> list[Layer]:
    """Convolution that keeps the size but for the stride, and batch normalisation, whose shift replaces the bias."""
    return [Conv2D(channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=False), BatchNorm()]


def _basic(channels: int, stride: int, project: bool) -> list[Layer]:
    """Two 3x3 convolutions: the block of ResNet-18 and 34."""
    main = [*_conv(channels, 3, stride), ReLU(), *_conv(channels, 3)]
    return [Residual(Sequential(main), Sequential(_conv(channels, 1, stride)) if project else None), ReLU()]


def _bottleneck(channels: int, stride: int, project: bool) -> list[Layer]:
    """1x1 down to a quarter of the channels, 3x3, and 1x1 back up: the block of ResNet-50."""
    narrow = channels // 4
    main = [*_conv(narrow, 1), ReLU(), *_conv(narrow, 3, stride), ReLU(), *_conv(channels, 1)]
    return [Residual(Sequential(main), Sequential(_conv(channels, 1, stride)) if project else None), ReLU()]


def _resnet(
    name: str,
    stem: list[Layer],
    block: Any,
    widths: Sequence[int],
    depths: Sequence[int],
    channels: int,
    input_shape: Sequence[int],
    classes: int,
    seed: int,
    dtype: Any,
) -> Sequential:
    """Stack the stages; each but the first halves the picture in its first block. `channels` come out of the stem."""
    layers = stem
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for position in range(depth):
            stride = 2 if stage and not position else 1
            layers = layers + block(width, stride, stride != 1 or channels != width)
            channels = width
    layers = [*layers, GlobalAvgPool(), Dense(classes)]
    return Sequential(layers, input_shape=input_shape, seed=seed, dtype=dtype, name=name)


def _large_stem() -> list[Layer]:
    """7x7 with stride 2 and a pooling: for pictures of about 224 pixels."""
    return [*_conv(64, 7, 2), ReLU(), MaxPool2D(3, stride=2, padding=1)]


def resnet18(
    input_shape: Sequence[int] = (3, 224, 224), classes: int = 1000, *, seed: int = 0, dtype: Any = np.float32
) -> Sequential:
    """Return ResNet-18: 11,689,512 parameters at its default sizes. See `tiny_vgg` for the parameters."""
    widths, depths = (64, 128, 256, 512), (2, 2, 2, 2)
    return _resnet("resnet18", _large_stem(), _basic, widths, depths, 64, input_shape, classes, seed, dtype)


def resnet34(
    input_shape: Sequence[int] = (3, 224, 224), classes: int = 1000, *, seed: int = 0, dtype: Any = np.float32
) -> Sequential:
    """Return ResNet-34: 21,797,672 parameters at its default sizes. See `tiny_vgg` for the parameters."""
    widths, depths = (64, 128, 256, 512), (3, 4, 6, 3)
    return _resnet("resnet34", _large_stem(), _basic, widths, depths, 64, input_shape, classes, seed, dtype)


def resnet50(
    input_shape: Sequence[int] = (3, 224, 224), classes: int = 1000, *, seed: int = 0, dtype: Any = np.float32
) -> Sequential:
    """Return ResNet-50: 25,557,032 parameters at its default sizes. See `tiny_vgg` for the parameters.

    Where a block halves the picture, its 3x3 convolution does it, as in PyTorch's, and not the 1x1 before it.
    """
    widths, depths = (256, 512, 1024, 2048), (3, 4, 6, 3)
    return _resnet("resnet50", _large_stem(), _bottleneck, widths, depths, 64, input_shape, classes, seed, dtype)


def resnet18_cifar(
    input_shape: Sequence[int] = (3, 32, 32), classes: int = 10, *, seed: int = 0, dtype: Any = np.float32
) -> Sequential:
    """Return ResNet-18 for small pictures: a 3x3 stem without pooling. See `tiny_vgg` for the parameters."""
    widths, depths = (64, 128, 256, 512), (2, 2, 2, 2)
    stem = [*_conv(64, 3), ReLU()]
    return _resnet("resnet18_cifar", stem, _basic, widths, depths, 64, input_shape, classes, seed, dtype)


def resnet20(
    input_shape: Sequence[int] = (3, 32, 32), classes: int = 10, *, seed: int = 0, dtype: Any = np.float32
) -> Sequential:
    """Return ResNet-20, the one of the paper's section 4.2 for CIFAR-10, with projections as shortcuts.

    See `tiny_vgg` for the parameters.
    """
    stem = [*_conv(16, 3), ReLU()]
    return _resnet("resnet20", stem, _basic, (16, 32, 64), (3, 3, 3), 16, input_shape, classes, seed, dtype)
