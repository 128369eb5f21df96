"""One row for each exported layer, and each setting of it that goes another way; `test_contract` tries them all.

To add a layer, add a row; `tests/layers/test_init.py` names those that are missing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from numpycnn import (
    ELU,
    GELU,
    GRU,
    LSTM,
    RNN,
    SELU,
    Add,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    BatchNorm,
    Concat,
    Concatenate,
    Conv1D,
    Conv2D,
    Conv3D,
    ConvTranspose1D,
    ConvTranspose2D,
    ConvTranspose3D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    Input,
    InstanceNorm,
    Layer,
    LayerNorm,
    LeakyReLU,
    LogSoftmax,
    LpPool1D,
    LpPool2D,
    LpPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    Model,
    Multiply,
    Pad,
    Permute,
    PixelShuffle,
    PReLU,
    ReLU,
    Reshape,
    Residual,
    Sequential,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    SpatialDropout,
    Tanh,
    Upsample,
    ZeroPad,
)
from numpycnn.layers.building import unbuild
from numpycnn.layers.nodes import Node


class Row(NamedTuple):
    make: Callable[[], Layer]  # a new layer, not built
    input_shape: tuple[int, ...]  # of one example
    output_shape: tuple[int, ...]
    any_shape: bool = False  # works on any input, so that no shape is wrong
    needs_batch: bool = False  # refuses an empty batch in training


def convolutional_block() -> Sequential:
    return Sequential([Conv2D(4, 3, padding=1), BatchNorm(), ReLU(), Conv2D(2, 3, padding=1)])


def graph(shape: tuple[int, ...], describe: Callable[[Input], Node], **settings: Any) -> Model:
    """A graph with one input, not built."""
    x = Input(shape)
    model = Model(x, describe(x), **settings)
    unbuild(model)
    return model


def inception(x: Node) -> Node:
    """Branches that share a layer, used twice, and a skip around it."""
    shared = Conv2D(3, 3, padding=1, activation="tanh")
    return Concatenate()([shared(shared(x)), Multiply()([x, shared(x)]), Dropout(0.5)(x)])


ROWS: list[Row] = [
    Row(lambda: Conv1D(4, 3, stride=2, padding=1), (2, 9), (4, 5)),
    Row(lambda: Conv1D(5, 2, dilation=2, bias=False), (2, 12), (5, 10)),
    Row(lambda: Conv2D(3, 3), (2, 6, 5), (3, 4, 3)),
    Row(lambda: Conv2D(5, (3, 2), padding="full", name="wide"), (2, 6, 9), (5, 8, 10)),
    Row(lambda: Conv2D(3, (2, 3), stride=(2, 1), padding="same", bias=False), (2, 5, 6), (3, 3, 6)),
    Row(lambda: Conv2D(6, 3, padding=((0, 1), (2, 0)), dilation=(1, 2), groups=2, in_channels=4), (4, 5, 6), (6, 4, 4)),
    Row(lambda: Conv2D(4, 2, groups=4, initializer="glorot_uniform"), (4, 4, 8), (4, 3, 7)),
    Row(lambda: Conv3D(2, (2, 1, 3), stride=(1, 2, 2), padding=(0, 0, 1)), (2, 3, 4, 5), (2, 2, 2, 3)),
    Row(lambda: ConvTranspose1D(3, 4, stride=3, padding=1, output_padding=2), (2, 4), (3, 13)),
    Row(lambda: ConvTranspose2D(4, (3, 2), stride=(2, 1), groups=2, bias=False), (2, 3, 5), (4, 7, 6)),
    Row(lambda: ConvTranspose2D(2, 3, stride=2, padding="same", dilation=2), (3, 3, 4), (2, 6, 8)),
    Row(lambda: ConvTranspose3D(2, 2, stride=2, in_channels=1), (1, 2, 3, 2), (2, 4, 6, 4)),
    Row(lambda: MaxPool1D(3, stride=2, padding=1), (2, 8), (2, 4)),
    Row(lambda: MaxPool2D(2), (2, 5, 4), (2, 2, 2)),
    Row(
        lambda: MaxPool2D((3, 2), stride=(1, 2), padding=(1, 0), dilation=(1, 2), ceil_mode=True), (3, 4, 8), (3, 4, 4)
    ),
    Row(lambda: MaxPool3D((1, 2, 2)), (2, 2, 4, 5), (2, 2, 2, 2)),
    Row(lambda: AvgPool1D(3, stride=2, padding=((1, 0),)), (2, 8), (2, 4)),
    Row(lambda: AvgPool2D(2, padding="same"), (2, 5, 4), (2, 3, 2)),
    Row(lambda: AvgPool2D(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), (2, 6, 5), (2, 4, 3)),
    Row(lambda: AvgPool3D((2, 1, 2)), (2, 2, 3, 5), (2, 1, 3, 2)),
    Row(lambda: LpPool1D(2, stride=1), (2, 6), (2, 5)),
    Row(lambda: LpPool2D((2, 3), p=3, stride=1, padding=1, ceil_mode=True), (2, 4, 5), (2, 5, 5)),
    Row(lambda: LpPool3D(2, p=1.5), (1, 2, 4, 4), (1, 1, 2, 2)),
    Row(GlobalAvgPool, (3, 4, 5), (3,)),
    Row(GlobalMaxPool, (3, 4, 5), (3,)),
    Row(GlobalMaxPool, (3, 7), (3,)),
    Row(BatchNorm, (3, 4, 5), (3, 4, 5), needs_batch=True),
    Row(lambda: BatchNorm(momentum=0.5, eps=1e-3, name="norm"), (5,), (5,), needs_batch=True),
    Row(LayerNorm, (3, 4), (3, 4)),
    Row(lambda: LayerNorm(axis=1, eps=1e-3), (3, 4), (3, 4)),
    Row(lambda: GroupNorm(2), (4, 3, 2), (4, 3, 2)),
    Row(lambda: GroupNorm(3, eps=1e-3, name="groups"), (6,), (6,)),
    Row(InstanceNorm, (3, 4, 5), (3, 4, 5)),
    Row(lambda: InstanceNorm(affine=True, eps=1e-2), (3, 4), (3, 4)),
    Row(lambda: Dense(4), (6,), (4,)),
    Row(lambda: Dense(3, bias=False, in_features=5, initializer="glorot_normal", name="head"), (5,), (3,)),
    Row(Dropout, (3, 4), (3, 4), any_shape=True),
    Row(lambda: Dropout(0.9, name="most"), (20,), (20,), any_shape=True),
    Row(lambda: Dropout(0), (5,), (5,), any_shape=True),
    Row(SpatialDropout, (3, 4), (3, 4)),
    Row(lambda: SpatialDropout(0.7, name="maps"), (4, 2, 3), (4, 2, 3)),
    Row(Flatten, (2, 3, 4), (24,)),
    Row(Flatten, (5,), (5,)),
    Row(lambda: Reshape((3, -1)), (2, 6), (3, 4)),
    Row(lambda: Reshape((2, 3, 2)), (12,), (2, 3, 2)),
    Row(lambda: Permute((1, 0)), (2, 6), (6, 2)),
    Row(lambda: Permute((2, 0, 1), name="turned"), (2, 3, 4), (4, 2, 3)),
    Row(lambda: ZeroPad(1), (2, 3, 4), (2, 5, 6)),
    Row(lambda: ZeroPad(((0, 2), (1, 0)), name="frame"), (2, 3, 4), (2, 5, 5)),
    Row(lambda: Pad(1), (2, 3, 4), (2, 5, 6)),
    Row(lambda: Pad((1, 2), mode="reflect", name="mirror"), (2, 3, 4), (2, 5, 8)),
    Row(lambda: Pad(((2, 3),), mode="edge"), (2, 4), (2, 9)),
    Row(lambda: PixelShuffle(2), (8, 3, 4), (2, 6, 8)),
    Row(lambda: PixelShuffle((1, 3), name="up"), (6, 2, 3), (2, 2, 9)),
    Row(lambda: Upsample(2), (2, 3, 4), (2, 6, 8)),
    Row(lambda: Upsample((2, 3), mode="bilinear"), (2, 3, 4), (2, 6, 12)),
    Row(lambda: Embedding(7, 3), (5,), (5, 3)),
    Row(lambda: RNN(4), (5, 3), (4,)),
    Row(lambda: RNN(3, return_sequences=True, bidirectional=True), (4, 2), (4, 6)),
    Row(lambda: LSTM(4, return_sequences=True, name="memory"), (5, 3), (5, 4)),
    Row(lambda: LSTM(3, bidirectional=True), (4, 2), (6,)),
    Row(lambda: GRU(4, return_sequences=True), (5, 3), (5, 4)),
    Row(lambda: GRU(5, bidirectional=True), (3, 2), (10,)),
    Row(ReLU, (3, 4), (3, 4), any_shape=True),
    Row(LeakyReLU, (5,), (5,), any_shape=True),
    Row(lambda: LeakyReLU(0.3, name="leak"), (2, 3, 4), (2, 3, 4), any_shape=True),
    Row(ELU, (5,), (5,), any_shape=True),
    Row(lambda: ELU(alpha=0.5), (3, 4), (3, 4), any_shape=True),
    Row(SELU, (3, 4), (3, 4), any_shape=True),
    Row(GELU, (3, 4), (3, 4), any_shape=True),
    Row(lambda: GELU(approximate="tanh"), (3, 4), (3, 4), any_shape=True),
    Row(PReLU, (3, 4), (3, 4), any_shape=True),
    Row(lambda: PReLU(3, init=-0.5, name="slopes"), (3, 2, 4), (3, 2, 4)),
    Row(SiLU, (3, 4), (3, 4), any_shape=True),
    Row(Softplus, (3, 4), (3, 4), any_shape=True),
    Row(Sigmoid, (3, 4), (3, 4), any_shape=True),
    Row(Tanh, (3, 4), (3, 4), any_shape=True),
    Row(Softmax, (5,), (5,), any_shape=True),
    Row(lambda: Softmax(axis=1), (3, 4), (3, 4), any_shape=True),
    Row(LogSoftmax, (5,), (5,), any_shape=True),
    Row(lambda: LogSoftmax(axis=-2), (3, 4), (3, 4), any_shape=True),
    Row(lambda: Residual(convolutional_block()), (2, 5, 6), (2, 5, 6), needs_batch=True),
    Row(lambda: Residual(Dense(4), Dense(4, bias=False), name="sum"), (6,), (4,)),
    Row(lambda: Concat([Conv2D(2, 1), MaxPool2D(3, stride=1, padding=1)]), (3, 4, 5), (5, 4, 5)),
    Row(lambda: Concat([Dense(2), Dense(3), Tanh()]), (4,), (9,)),
    Row(
        lambda: Sequential(
            [Conv2D(3, 3), ReLU(), MaxPool2D(2), Dropout(0.25), Flatten(), Dense(6), BatchNorm(), Tanh(), Dense(4)]
        ),
        (2, 8, 7),
        (4,),
        needs_batch=True,
    ),
    Row(lambda: Sequential([Sequential([Dense(5), ReLU()], name="inner"), Dense(2)], seed=3), (4,), (2,)),
    Row(lambda: Dense(4, activation="relu"), (6,), (4,)),
    Row(lambda: Conv1D(4, 3, activation=LeakyReLU(0.2, name="leak"), name="first"), (2, 9), (4, 7)),
    Row(lambda: Conv2D(3, 2, activation="softmax", bias=False), (2, 4, 5), (3, 3, 4)),
    Row(lambda: ConvTranspose2D(3, 2, activation="gelu"), (2, 3, 4), (3, 4, 5)),
    Row(lambda: graph((4,), lambda x: Add()([Dense(4, activation="relu")(x), x, x])), (4,), (4,)),
    Row(lambda: graph((3, 4, 5), inception, seed=2, name="branches"), (3, 4, 5), (9, 4, 5)),
    Row(
        lambda: graph((3, 6), lambda x: Concatenate(axis=-1)([x, Sequential([BatchNorm(), ReLU()])(x)])),
        (3, 6),
        (3, 12),
        needs_batch=True,
    ),
]
