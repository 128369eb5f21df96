"""The public names."""

import re

import pytest

import numpycnn
from numpycnn import functional

LAYERS = [
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "ConvTranspose1D",
    "ConvTranspose2D",
    "ConvTranspose3D",
    "Dense",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "LpPool1D",
    "LpPool2D",
    "LpPool3D",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "BatchNorm",
    "LayerNorm",
    "InstanceNorm",
    "GroupNorm",
    "Dropout",
    "SpatialDropout",
    "Flatten",
    "Reshape",
    "ZeroPad",
    "Pad",
    "Upsample",
    "PixelShuffle",
    "Embedding",
    "RNN",
    "LSTM",
    "GRU",
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "SELU",
    "GELU",
    "Sigmoid",
    "SiLU",
    "Softplus",
    "Tanh",
    "Softmax",
    "LogSoftmax",
    "Residual",
    "Concat",
    "Sequential",
]
OTHERS = [
    "CrossEntropy",
    "BinaryCrossEntropy",
    "MeanSquaredError",
    "SGD",
    "Adam",
    "AdamW",
    "RMSProp",
    "Adagrad",
    "Adadelta",
    "StepSchedule",
    "ExponentialSchedule",
    "CosineSchedule",
    "OneCycleSchedule",
    "WarmUp",
    "PerEpoch",
    "FunctionSchedule",
    "Trainer",
    "load_model",
    "check_gradients",
    "set_num_threads",
    "get_num_threads",
    "animate",
    "data",
    "functional",
    "models",
    "recipes",
    "training",
    "visualize",
    "DataFormatError",
]
WITH_BACKWARD = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "global_avg_pool",
    "global_max_pool",
    "linear",
    "batch_norm",
    "layer_norm",
    "group_norm",
    "recurrent",
    "spatial_dropout",
    "pixel_shuffle",
    "pad",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "prelu",
    "softplus",
    "silu",
    "sigmoid",
    "tanh",
    "softmax",
    "log_softmax",
    "cross_entropy",
]
FUNCTIONS = ["one_hot", "conv_output_size", "conv_transpose_output_size", "pool_output_size", "receptive_field"]


@pytest.mark.parametrize("name", [*LAYERS, *OTHERS])
def test_public_names(name: str) -> None:
    assert name in numpycnn.__all__
    assert getattr(numpycnn, name) is not None
    assert name in dir(numpycnn)


@pytest.mark.parametrize("name", [*WITH_BACKWARD, *(f"{name}_backward" for name in WITH_BACKWARD), *FUNCTIONS])
def test_public_functions(name: str) -> None:
    assert callable(getattr(functional, name))
    assert name in functional.__all__
    assert getattr(functional, name).__doc__


def test_everything_that_is_promised_is_there() -> None:
    for name in numpycnn.__all__:
        assert getattr(numpycnn, name) is not None
    assert len(set(numpycnn.__all__)) == len(numpycnn.__all__)
    for name in functional.__all__:
        assert callable(getattr(functional, name))


def test_an_operation_and_its_backward_come_together() -> None:
    for name in functional.__all__:
        if name.endswith("_backward"):
            assert name.removesuffix("_backward") in functional.__all__


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'numpycnn' has no attribute 'Conv4D'"):
        numpycnn.Conv4D  # noqa: B018


def test_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", numpycnn.__version__)
