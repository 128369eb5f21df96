"""Layers: parameters, caches and names around the operations of a backend."""

from numpycnn.layers.activations import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    LogSoftmax,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.branches import Concat, Residual
from numpycnn.layers.convolution import Conv1D, Conv2D, Conv3D, ConvTranspose1D, ConvTranspose2D, ConvTranspose3D
from numpycnn.layers.dense import Dense
from numpycnn.layers.dropout import Dropout, SpatialDropout
from numpycnn.layers.embedding import Embedding
from numpycnn.layers.merging import Add, Concatenate, Multiply
from numpycnn.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from numpycnn.layers.pooling import (
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    GlobalAvgPool,
    GlobalMaxPool,
    LpPool1D,
    LpPool2D,
    LpPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
)
from numpycnn.layers.recurrent import GRU, LSTM, RNN
from numpycnn.layers.resize import Pad, PixelShuffle, Upsample, ZeroPad
from numpycnn.layers.shape import Flatten, Permute, Reshape

__all__ = ["ELU", "GELU", "GRU", "LSTM", "RNN", "SELU", "Add", "AvgPool1D", "AvgPool2D", "AvgPool3D", "BatchNorm"]
__all__ += ["Concat", "Concatenate", "Conv1D", "Conv2D", "Conv3D", "ConvTranspose1D", "ConvTranspose2D"]
__all__ += ["ConvTranspose3D", "Dense", "Dropout", "Embedding", "Flatten", "GlobalAvgPool", "GlobalMaxPool"]
__all__ += ["GroupNorm", "InstanceNorm", "Layer", "LayerNorm", "LeakyReLU", "LogSoftmax", "LpPool1D", "LpPool2D"]
__all__ += ["LpPool3D", "MaxPool1D", "MaxPool2D", "MaxPool3D", "Multiply", "PReLU", "Pad", "Parameter", "Permute"]
__all__ += ["PixelShuffle", "ReLU", "Reshape", "Residual", "SiLU", "Sigmoid", "Softmax", "Softplus", "SpatialDropout"]
__all__ += ["Tanh", "Upsample", "ZeroPad"]
