"""Small networks for every kind of input: grey and colour images, signals, volumes, features; and branches."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numpycnn import (
    AvgPool2D,
    BatchNorm,
    Concat,
    Conv1D,
    Conv2D,
    Conv3D,
    ConvTranspose2D,
    Dense,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    ReLU,
    Residual,
    Sequential,
    Softmax,
    Tanh,
)


def smooth(dtype: Any = np.float64) -> Sequential:
    """Return a smooth network with branches, for accurate finite differences."""
    return Sequential(
        [
            Conv2D(4, 3, padding=1),
            Residual(Sequential([BatchNorm(), Tanh(), Conv2D(4, 3, padding=1)])),
            Concat([Conv2D(2, 1), Sequential([Conv2D(3, (1, 3), padding=(0, 1)), Tanh()])]),
            AvgPool2D(2),
            Flatten(),
            Dense(3),
        ],
        input_shape=(2, 6, 8),
        seed=1,
        dtype=dtype,
    )


def grey() -> Sequential:
    layers = [Conv2D(5, 3), ReLU(), Conv2D(6, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(4)]
    return Sequential(layers, input_shape=(1, 10, 12), seed=0)


def coloured() -> Sequential:
    branches = [Conv2D(2, 1), Sequential([MaxPool2D(3, stride=1, padding=1), Conv2D(3, 1)])]
    layers = [Conv2D(6, 3, padding=1, stride=2), ReLU(), Concat(branches), ReLU(), GlobalAvgPool(), Dense(3), Softmax()]
    return Sequential(layers, input_shape=(3, 9, 8), seed=0)


def signal() -> Sequential:
    layers = [Conv1D(4, 5, padding=2), ReLU(), MaxPool1D(2), Conv1D(6, 3), ReLU(), GlobalMaxPool(), Dense(3)]
    return Sequential(layers, input_shape=(2, 30), seed=0)


def volume() -> Sequential:
    layers = [Conv3D(3, 3), ReLU(), MaxPool3D(2), Flatten(), Dense(2)]
    return Sequential(layers, input_shape=(1, 6, 7, 8), seed=0)


def dense() -> Sequential:
    return Sequential([Flatten(), Dense(6), ReLU(), Dense(3)], input_shape=(1, 7, 5), seed=0)


def features() -> Sequential:
    return Sequential([Dense(6), ReLU(), Dense(3)], input_shape=(9,), seed=0)


def enlarging(dtype: type = np.float32) -> Sequential:
    layers = [Conv2D(3, 3, stride=2), ReLU(), ConvTranspose2D(2, 3, stride=2), Conv2D(2, 3, dilation=2, padding="same")]
    return Sequential(layers, input_shape=(1, 13, 11), seed=0, dtype=dtype)


CLASSIFIERS: tuple[Callable[[], Sequential], ...] = (smooth, grey, coloured, signal, volume, dense, features)
PICTURES = tuple(build for build in CLASSIFIERS if build is not features)


def batch(model: Sequential, count: int = 3, seed: int = 0) -> np.ndarray:
    """Return random examples for a model."""
    assert model.input_shape is not None
    return np.random.default_rng(seed).normal(size=(count, *model.input_shape)).astype(model.dtype)
