"""numpycnn: convolutional networks from scratch on NumPy, with numba for the hot loops.

Every operation exists twice: in `numpycnn.plain`, the textbook version in NumPy alone, and in `numpycnn.fast`, on
compiled loops. `numpycnn.functional` and the layers call the one that `set_backend` chose.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from numpycnn import functional, losses, metrics, optim
from numpycnn._settings import backend, get_backend, get_num_threads, set_backend, set_num_threads
from numpycnn.errors import DataFormatError
from numpycnn.inspection.gradcheck import GradientError, check_gradients
from numpycnn.io.loading import load_model
from numpycnn.layers import (
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
    Multiply,
    Pad,
    Parameter,
    Permute,
    PixelShuffle,
    PReLU,
    ReLU,
    Reshape,
    Residual,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    SpatialDropout,
    Tanh,
    Upsample,
    ZeroPad,
)
from numpycnn.layers.model import Model
from numpycnn.layers.nodes import Input
from numpycnn.layers.sequential import Sequential
from numpycnn.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    Hinge,
    Huber,
    KLDivergence,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    NegativeLogLikelihood,
    Triplet,
)
from numpycnn.optim import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    CosineSchedule,
    ExponentialSchedule,
    FunctionSchedule,
    OneCycleSchedule,
    Optimizer,
    PerEpoch,
    RMSProp,
    Schedule,
    StepSchedule,
    WarmUp,
)

if TYPE_CHECKING:
    from numpycnn import animate, data, models, recipes, training, visualize
    from numpycnn.training import History, Trainer

__version__ = "0.1.0"

_LAZY_MODULES = ("animate", "data", "models", "recipes", "training", "visualize")  # imported on first use
_LAZY_NAMES = {"History": "training", "Trainer": "training"}


def __getattr__(name: str) -> Any:
    if name in _LAZY_MODULES:
        return import_module(f"numpycnn.{name}")
    if name in _LAZY_NAMES:
        return getattr(import_module(f"numpycnn.{_LAZY_NAMES[name]}"), name)
    raise AttributeError(f"module 'numpycnn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(__all__) | set(globals()))


__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Add",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNorm",
    "BinaryCrossEntropy",
    "Concat",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "ConvTranspose1D",
    "ConvTranspose2D",
    "ConvTranspose3D",
    "CosineSchedule",
    "CrossEntropy",
    "DataFormatError",
    "Dense",
    "Dropout",
    "Embedding",
    "ExponentialSchedule",
    "Flatten",
    "FunctionSchedule",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GradientError",
    "GroupNorm",
    "Hinge",
    "History",
    "Huber",
    "Input",
    "InstanceNorm",
    "KLDivergence",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "LogSoftmax",
    "Loss",
    "LpPool1D",
    "LpPool2D",
    "LpPool3D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Model",
    "Multiply",
    "NegativeLogLikelihood",
    "OneCycleSchedule",
    "Optimizer",
    "PReLU",
    "Pad",
    "Parameter",
    "PerEpoch",
    "Permute",
    "PixelShuffle",
    "RMSProp",
    "ReLU",
    "Reshape",
    "Residual",
    "Schedule",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "SpatialDropout",
    "StepSchedule",
    "Tanh",
    "Trainer",
    "Triplet",
    "Upsample",
    "WarmUp",
    "ZeroPad",
    "animate",
    "backend",
    "check_gradients",
    "data",
    "functional",
    "get_backend",
    "get_num_threads",
    "load_model",
    "losses",
    "metrics",
    "models",
    "optim",
    "recipes",
    "set_backend",
    "set_num_threads",
    "training",
    "visualize",
]
