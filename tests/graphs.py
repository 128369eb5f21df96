"""Small graphs of every kind: skips and shared layers, several inputs, several outputs, a model inside a model."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numpycnn import (
    Add,
    Concatenate,
    Conv1D,
    Conv2D,
    Dense,
    Embedding,
    GlobalAvgPool,
    GlobalMaxPool,
    Input,
    MaxPool2D,
    Model,
    Multiply,
    ReLU,
    Sequential,
    Softmax,
)


def skips(dtype: Any = np.float32) -> Model:
    """Return a graph of one input with a skip and a convolution that is used twice."""
    x = Input((2, 9, 8), name="image")
    conv = Conv2D(2, 3, padding=1, activation="relu", name="conv")
    h = Add()([conv(conv(x)), x])
    return Model(x, Dense(3, name="scores")(GlobalAvgPool()(MaxPool2D(2)(h))), seed=1, dtype=dtype)


def twins(dtype: Any = np.float32) -> Model:
    """Return a siamese network: one encoder for two pictures, and the score of their being alike."""
    left, right = Input((1, 10, 9), name="left"), Input((1, 10, 9), name="right")
    encoder = Sequential([Conv2D(4, 3), ReLU(), MaxPool2D(2), Conv2D(5, 2), ReLU(), GlobalAvgPool()], name="encoder")
    alike = Dense(1, name="alike")(Multiply()([encoder(left), encoder(right)]))
    return Model([left, right], alike, seed=2, dtype=dtype)


def heads(dtype: Any = np.float32) -> Model:
    """Return a network of one picture and two outputs: scores of shapes, and probabilities of colours."""
    x = Input((3, 9, 8), name="image")
    h = Conv2D(4, 3, activation="relu", name="stem")(x)
    shape = Dense(3, name="shape")(GlobalAvgPool()(Conv2D(5, 3, activation="relu", name="deep")(h)))
    colour = Softmax(name="colour")(Dense(2, name="mix")(GlobalAvgPool()(h)))
    return Model(x, [shape, colour], seed=3, dtype=dtype)


def nested(dtype: Any = np.float32) -> Model:
    """Return a model that calls another model with two outputs twice."""
    x = Input((2, 8, 9))
    wide = Conv2D(2, 3, padding=1, activation="relu", name="wide")
    h = wide(wide(x))
    body = Model(x, [h, GlobalMaxPool()(h)], dtype=dtype, name="body")
    image = Input((2, 8, 9), name="image")
    maps, _ = body(image)
    _, features = body(maps)
    return Model(image, Dense(3, name="scores")(features), seed=4, dtype=dtype)


def captioned(dtype: Any = np.float32) -> Model:
    """Return a network of a picture and a sentence of six tokens."""
    picture, words = Input((1, 8, 7), name="picture"), Input((6,), name="words")
    seen = GlobalAvgPool()(ReLU()(Conv2D(4, 3, name="look")(picture)))
    read = GlobalMaxPool()(Conv1D(3, 2, activation="relu", name="read")(Embedding(20, 5, name="table")(words)))
    return Model([picture, words], Dense(3, name="scores")(Concatenate()([seen, read])), seed=5, dtype=dtype)


GRAPHS: tuple[Callable[..., Model], ...] = (skips, twins, heads, nested, captioned)


def draw(model: Model, count: int = 3, seed: int = 0) -> Any:
    """Return random examples for a model: an array, or a tuple of arrays for several inputs."""
    rng = np.random.default_rng(seed)
    shapes: Any = model.input_shape if model.several_inputs else (model.input_shape,)
    found = model.draw_inputs([(count, *shape) for shape in shapes], rng)
    return found if model.several_inputs else found[0]
