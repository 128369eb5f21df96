"""The small networks, and a table of all networks: functions that return a built `Sequential`."""

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._types import Shape
from numpycnn.layers import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    MaxPool2D,
    ReLU,
    Tanh,
)
from numpycnn.layers.sequential import Sequential
from numpycnn.models._alexnet import alexnet
from numpycnn.models._audio_cnn import audio_cnn
from numpycnn.models._googlenet import googlenet
from numpycnn.models._text_cnn import text_cnn
from numpycnn.models.building import build_network
from numpycnn.models.compact import resnet9, vgg5, vgg7
from numpycnn.models.resnet import resnet18, resnet18_cifar, resnet20, resnet34, resnet50
from numpycnn.models.vgg import vgg11, vgg13, vgg16, vgg19

Builder = Callable[..., Sequential]


def tiny_vgg(
    input_shape: Shape = (1, 28, 28),
    classes: int = 10,
    *,
    width: int = 10,
    seed: int | None = 0,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """Return TinyVGG: (conv, ReLU, conv, ReLU, pool) twice, then a dense classifier.

    The network of the CNN Explainer (Z. Wang et al., 2020), with the padding of VGG.

    Parameters
    ----------
    input_shape : tuple of int
        ``(C, H, W)``.
    classes : int
    width : int
        Channels of all four convolutions.
    seed : int or None
        Of the initial weights; with None they are zeros, to be loaded.
    dtype : dtype

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If the network does not fit the input, or a setting is out of range.
    TypeError
        If a setting has the wrong type.
    """
    layers: list[Layer] = []
    for _ in range(2):
        layers += [Conv2D(width, 3, padding=1), ReLU(), Conv2D(width, 3, padding=1), ReLU(), MaxPool2D(2)]
    return build_network([*layers, Flatten(), Dense(classes)], input_shape, seed, dtype, "tiny_vgg")


def small_cnn(
    input_shape: Shape = (1, 28, 28), classes: int = 10, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return three 3x3 convolutions with batch normalization, the fastest of these networks to train on digits.

    Early pooling keeps wide layers small; batch normalization allows large learning rates.

    Arguments, result and errors as for `tiny_vgg`.
    """
    layers: list[Layer] = []
    for channels in (16, 32, 64):
        layers += [Conv2D(channels, 3, bias=False), BatchNorm(), ReLU(), MaxPool2D(2)]
    return build_network([*layers[:-1], Flatten(), Dense(classes)], input_shape, seed, dtype, "small_cnn")


def lenet5(
    input_shape: Shape = (1, 28, 28), classes: int = 10, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return LeNet-5 close to the original: 5x5 convolutions, tanh, average pooling (Y. LeCun et al., 1998).

    The first convolution is padded by 2, which stands for the 32x32 pictures of the paper. Subsampling has no weights
    of its own, the second convolution sees all maps, and the outputs are logits.

    Arguments, result and errors as for `tiny_vgg`.
    """
    layers = [Conv2D(6, 5, padding=2), Tanh(), AvgPool2D(2), Conv2D(16, 5), Tanh(), AvgPool2D(2), Flatten()]
    layers += [Dense(120), Tanh(), Dense(84), Tanh(), Dense(classes)]
    return build_network(layers, input_shape, seed, dtype, "lenet5")


def lenet(
    input_shape: Shape = (1, 28, 28), classes: int = 10, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return LeNet-5 with ReLU and max pooling, its usual modern form.

    Arguments, result and errors as for `tiny_vgg`.
    """
    layers = [Conv2D(6, 5, padding=2), ReLU(), MaxPool2D(2), Conv2D(16, 5), ReLU(), MaxPool2D(2), Flatten()]
    layers += [Dense(120), ReLU(), Dense(84), ReLU(), Dense(classes)]
    return build_network(layers, input_shape, seed, dtype, "lenet")


def keras_cnn(
    input_shape: Shape = (1, 28, 28), classes: int = 10, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return the network of Keras' MNIST example "simple convnet".

    Arguments, result and errors as for `tiny_vgg`.
    """
    layers = [Conv2D(32, 3), ReLU(), MaxPool2D(2), Conv2D(64, 3), ReLU(), MaxPool2D(2)]
    return build_network([*layers, Flatten(), Dropout(0.5), Dense(classes)], input_shape, seed, dtype, "keras_cnn")


def mnist_cnn(
    input_shape: Shape = (1, 28, 28), classes: int = 10, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return the network of PyTorch's MNIST example, with the names of its layers; it ends before the log-softmax.

    Arguments, result and errors as for `tiny_vgg`.
    """
    layers = [Conv2D(32, 3, name="conv1"), ReLU(), Conv2D(64, 3, name="conv2"), ReLU(), MaxPool2D(2)]
    layers += [Dropout(0.25), Flatten(), Dense(128, name="fc1"), ReLU()]
    layers += [Dropout(0.5), Dense(classes, name="fc2")]
    return build_network(layers, input_shape, seed, dtype, "mnist_cnn")


def bn_net(
    input_shape: Shape = (1, 28, 28), classes: int = 10, *, seed: int | None = 0, dtype: DTypeLike = np.float32
) -> Sequential:
    """Return four 3x3 convolutions with batch normalization and global average pooling.

    Arguments, result and errors as for `tiny_vgg`.
    """
    layers: list[Layer] = []
    for channels in (32, 32, 64, 64):
        layers += [Conv2D(channels, 3, padding=1, bias=False), BatchNorm(), ReLU()]
    layers.insert(6, MaxPool2D(2))
    return build_network([*layers, GlobalAvgPool(), Dense(classes)], input_shape, seed, dtype, "bn_net")


def mlp(
    input_shape: Shape = (1, 28, 28),
    classes: int = 10,
    *,
    hidden: int = 128,
    seed: int | None = 0,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """Return a dense network with one hidden layer, as a baseline.

    Other arguments, result and errors as for `tiny_vgg`.

    Parameters
    ----------
    hidden : int
        Units of the hidden layer.
    """
    return build_network([Flatten(), Dense(hidden), ReLU(), Dense(classes)], input_shape, seed, dtype, "mlp")


_builders: list[Builder] = [tiny_vgg, small_cnn, lenet5, lenet, keras_cnn, mnist_cnn, bn_net, mlp, vgg5, vgg7, resnet9]
_builders += [resnet18, resnet18_cifar, resnet20, resnet34, resnet50, alexnet, vgg11, vgg13, vgg16, vgg19, googlenet]
_builders += [audio_cnn, text_cnn]

#: All networks by name.
MODELS: dict[str, Builder] = {builder.__name__: builder for builder in _builders}


def create(name: str, input_shape: Shape, classes: int, *, seed: int | None = 0, **settings: object) -> Sequential:
    """Return a network by name; further arguments are specific to it, such as the `vocabulary` of `text_cnn`.

    Parameters
    ----------
    name : str
        One of `MODELS`.
    input_shape : tuple of int
        Of one example.
    classes : int
    seed : int or None
        Of the initial weights; with None they are zeros.
    **settings
        As for the function of that name.

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the names.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}, expected one of {', '.join(MODELS)}")
    return MODELS[name](input_shape, classes, seed=seed, **settings)
