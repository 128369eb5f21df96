"""GoogLeNet: each block has four parallel branches, and narrow 1x1 convolutions keep their cost low.

Source: C. Szegedy et al., "Going deeper with convolutions", arXiv 1409.4842, table 1. Layers and names are
torchvision's: with batch normalization, with 3x3 convolutions in the third branch, where the paper has 5x5, and without
the two auxiliary classifiers that helped the original to train.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Shape
from numpycnn.layers import BatchNorm, Concat, Conv2D, Dense, Dropout, GlobalAvgPool, Layer, MaxPool2D, ReLU
from numpycnn.layers.sequential import Sequential
from numpycnn.models.building import build_network

# Channels of the 1x1; of the 1x1 and the 3x3 of the second branch; likewise of the third; of the 1x1 after the pooling.
# None is a pooling with stride 2.
BLOCKS: dict[str, tuple[int, int, int, int, int, int] | None] = {
    "inception3a": (64, 96, 128, 16, 32, 32),
    "inception3b": (128, 128, 192, 32, 96, 64),
    "maxpool3": None,
    "inception4a": (192, 96, 208, 16, 48, 64),
    "inception4b": (160, 112, 224, 24, 64, 64),
    "inception4c": (128, 128, 256, 24, 64, 64),
    "inception4d": (112, 144, 288, 32, 64, 64),
    "inception4e": (256, 160, 320, 32, 128, 128),
    "maxpool4": None,
    "inception5a": (256, 160, 320, 32, 128, 128),
    "inception5b": (384, 192, 384, 48, 128, 128),
}


def _conv(channels: int, kernel_size: int, name: str, stride: int = 1) -> list[Layer]:
    return [
        Conv2D(channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=False, name=f"{name}.conv"),
        BatchNorm(eps=1e-3, name=f"{name}.bn"),
        ReLU(),
    ]


def _inception(channels: Sequence[int], name: str) -> Concat:
    """Concatenate the outputs of four branches."""
    one, before_three, three, before_third, third, pooled = channels
    return Concat(
        [
            Sequential(_conv(one, 1, f"{name}.branch1")),
            Sequential([*_conv(before_three, 1, f"{name}.branch2.0"), *_conv(three, 3, f"{name}.branch2.1")]),
            Sequential([*_conv(before_third, 1, f"{name}.branch3.0"), *_conv(third, 3, f"{name}.branch3.1")]),
            Sequential([MaxPool2D(3, stride=1, padding=1), *_conv(pooled, 1, f"{name}.branch4.1")]),
        ],
        name=name,
    )


def googlenet(
    input_shape: Shape = (3, 224, 224), classes: int = 1000, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return GoogLeNet: 6,624,904 parameters at the default sizes, a tenth of AlexNet's, at three times the depth.

    It ends with a global average, so images may have any size of at least 15 pixels a side. torchvision's pretrained
    weights include those of the auxiliary classifiers, which ``load_torch(path, ignore=["aux1.", "aux2."])`` skips.

    Arguments, result and errors as for `tiny_vgg`.
    """
    layers = [*_conv(64, 7, "conv1", stride=2), MaxPool2D(3, stride=2, ceil_mode=True)]
    layers += [*_conv(64, 1, "conv2"), *_conv(192, 3, "conv3"), MaxPool2D(3, stride=2, ceil_mode=True)]
    for name, channels in BLOCKS.items():
        size = 2 if name == "maxpool4" else 3
        pool = MaxPool2D(size, stride=2, ceil_mode=True, name=name)
        layers.append(pool if channels is None else _inception(channels, name))
    layers += [GlobalAvgPool(), Dropout(0.2), Dense(classes, name="fc")]
    return build_network(layers, input_shape, seed, dtype, "googlenet")
