"""Residual networks: each block learns a residual that is added to its input, which gives gradients a short path.

Source: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", arXiv 1512.03385. The layers
are named as in torchvision, whose weights can be loaded with `Sequential.load_torch`.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Shape
from numpycnn.layers import BatchNorm, Conv2D, Dense, GlobalAvgPool, Layer, MaxPool2D, ReLU, Residual
from numpycnn.layers.sequential import Sequential
from numpycnn.models.building import build_network

Block = Callable[[str, int, int, bool], list[Layer]]


def _conv(channels: int, kernel_size: int, stride: int, *names: str) -> list[Layer]:
    """Convolution without bias, padded to keep the size at stride 1, and batch normalization."""
    conv, norm = names
    return [
        Conv2D(channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=False, name=conv),
        BatchNorm(name=norm),
    ]


def _numbered_conv(channels: int, kernel_size: int, stride: int, block: str, number: int) -> list[Layer]:
    """Return such a pair with torchvision's names of the convolution `number` in `block`."""
    return _conv(channels, kernel_size, stride, f"{block}conv{number}", f"{block}bn{number}")


def _add_residual(main: list[Layer], channels: int, stride: int, project: bool, block: str) -> list[Layer]:
    """Add a branch to its input; with `project`, a 1x1 convolution matches the shapes."""
    names = f"{block}downsample.0", f"{block}downsample.1"
    return [Residual(Sequential(main), Sequential(_conv(channels, 1, stride, *names)) if project else None), ReLU()]


def _basic(block: str, channels: int, stride: int, project: bool) -> list[Layer]:
    """Two 3x3 convolutions: the block of ResNet-18 and 34."""
    main = [*_numbered_conv(channels, 3, stride, block, 1), ReLU(), *_numbered_conv(channels, 3, 1, block, 2)]
    return _add_residual(main, channels, stride, project, block)


def _bottleneck(block: str, channels: int, stride: int, project: bool) -> list[Layer]:
    """1x1 to a quarter of the channels, 3x3, and 1x1 to all channels: the block of ResNet-50."""
    narrow = channels // 4
    main = [*_numbered_conv(narrow, 1, 1, block, 1), ReLU(), *_numbered_conv(narrow, 3, stride, block, 2), ReLU()]
    return _add_residual([*main, *_numbered_conv(channels, 1, 1, block, 3)], channels, stride, project, block)


def _resnet(
    name: str,
    stem: list[Layer],
    block: Block,
    widths: Sequence[int],
    depths: Sequence[int],
    channels: int,
    input_shape: Shape,
    classes: int,
    seed: int | None,
    dtype: DTypeLike,
) -> Sequential:
    """Stack the stages; each but the first halves the image in its first block. The stem has `channels` outputs."""
    layers = stem
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for position in range(depth):
            stride = 2 if stage and not position else 1
            project = stride != 1 or channels != width
            layers = layers + block(f"layer{stage + 1}.{position}.", width, stride, project)
            channels = width
    return build_network([*layers, GlobalAvgPool(), Dense(classes, name="fc")], input_shape, seed, dtype, name)


def _large_stem() -> list[Layer]:
    """7x7 with stride 2 and a pooling: for images of about 224 pixels."""
    return [*_numbered_conv(64, 7, 2, "", 1), ReLU(), MaxPool2D(3, stride=2, padding=1)]


def resnet18(
    input_shape: Shape = (3, 224, 224), classes: int = 1000, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return ResNet-18: 11,689,512 parameters at the default sizes.

    Arguments, result and errors as for `tiny_vgg`.
    """
    widths, depths = (64, 128, 256, 512), (2, 2, 2, 2)
    return _resnet("resnet18", _large_stem(), _basic, widths, depths, 64, input_shape, classes, seed, dtype)


def resnet34(
    input_shape: Shape = (3, 224, 224), classes: int = 1000, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return ResNet-34: 21,797,672 parameters at the default sizes.

    Arguments, result and errors as for `tiny_vgg`.
    """
    widths, depths = (64, 128, 256, 512), (3, 4, 6, 3)
    return _resnet("resnet34", _large_stem(), _basic, widths, depths, 64, input_shape, classes, seed, dtype)


def resnet50(
    input_shape: Shape = (3, 224, 224), classes: int = 1000, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return ResNet-50: 25,557,032 parameters at its default sizes.

    Where a block halves the image, its 3x3 convolution does it, as in PyTorch's, and not the 1x1 before it.

    Arguments, result and errors as for `tiny_vgg`.
    """
    widths, depths = (256, 512, 1024, 2048), (3, 4, 6, 3)
    return _resnet("resnet50", _large_stem(), _bottleneck, widths, depths, 64, input_shape, classes, seed, dtype)


def resnet18_cifar(
    input_shape: Shape = (3, 32, 32), classes: int = 10, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return ResNet-18 for small images: a 3x3 stem without pooling.

    Arguments, result and errors as for `tiny_vgg`.
    """
    widths, depths = (64, 128, 256, 512), (2, 2, 2, 2)
    stem = [*_numbered_conv(64, 3, 1, "", 1), ReLU()]
    return _resnet("resnet18_cifar", stem, _basic, widths, depths, 64, input_shape, classes, seed, dtype)


def resnet20(
    input_shape: Shape = (3, 32, 32), classes: int = 10, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return ResNet-20 of the paper's section 4.2, for CIFAR-10: 272,474 parameters.

    The paper fills the channels that a shortcut lacks with zeros; here two 1x1 convolutions make them, which have 2,752
    of the parameters.

    Arguments, result and errors as for `tiny_vgg`.
    """
    stem = [*_numbered_conv(16, 3, 1, "", 1), ReLU()]
    return _resnet("resnet20", stem, _basic, (16, 32, 64), (3, 3, 3), 16, input_shape, classes, seed, dtype)
