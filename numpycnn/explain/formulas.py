"""Describe the computation of each kind of layer, so that the page can recompute any output value.

Each function returns the settings and weights of a layer as JSON. `arithmetic.js` computes with them, and the page
compares its result with the output of the layer. Only the layers of the library are described. A subclass may override
`_forward`, so it counts as unknown, and the page shows its input and output only.
"""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np

from numpycnn import layers as nn
from numpycnn._checks import check_axis, per_axis
from numpycnn._windows import padding_pairs
from numpycnn.explain.arrays import FLOAT_BYTES, Store
from numpycnn.inspection.graph import links_of
from numpycnn.inspection.traces import Passage
from numpycnn.layers.base import Layer, Parameter
from numpycnn.layers.model import Model
from numpycnn.layers.sequential import Sequential
from numpycnn.plain.activations import SELU_ALPHA, SELU_SCALE
from numpycnn.visualize.weights import layer_filters

Formula = dict[str, Any]


def formula(passage: Passage, store: Store) -> Formula:
    """Return the formula of a layer, its arrays in `store`; ``{"type": "unknown"}`` for one of another library."""
    describe = FORMULAS.get(type(passage.layer))
    return {"type": "unknown"} if describe is None else describe(passage, store)


def _window(passage: Passage) -> Formula:
    windows = cast("Any", passage.layer)._slide(passage.x.shape[2:])
    return {name: getattr(windows, name) for name in ("kernel", "stride", "padding", "dilation")}


def _convolution(passage: Passage, store: Store, *, transposed: bool) -> Formula:
    """Return the kernels by output and input channel, and the contribution of the omitted channels."""
    layer: Any = passage.layer
    weight = cast("np.ndarray", layer_filters(layer))  # (F, C/G, *kernel)
    seen, made = store.choice.channels(passage.x.shape[1:]), store.choice.channels(passage.y.shape[1:])
    inputs = seen if layer.groups == 1 else np.arange(weight.shape[1])
    bias = None if layer.bias is None else store.add(layer.bias.value)
    return {
        "type": "transposed" if transposed else "convolution",
        **_window(passage),
        "groups": layer.groups,
        "weight": store.add(weight[:, inputs], made),
        "inputs": inputs.tolist(),
        "bias": bias,
        "rest": None if len(seen) == passage.x.shape[1] else store.add_map(_rest(passage, seen, transposed)),
    }


def _rest(passage: Passage, seen: np.ndarray, transposed: bool) -> np.ndarray:
    """Return the contribution of the input channels outside `seen` to each output, (F, *size)."""
    layer: Any = copy.copy(passage.layer)
    weight = layer.weight.value.copy()
    if transposed:  # (C, F/G, *kernel)
        weight[seen] = 0
    else:  # (F, C/G, *kernel)
        per_group = weight.shape[1]
        for group, kernels in enumerate(np.split(weight, layer.groups)):
            kernels[:, seen[seen // per_group == group] % per_group] = 0
    layer.weight, layer.bias = Parameter(weight), None
    return layer.forward(passage.x)[0]


def _pool(passage: Passage, store: Store, *, of: str) -> Formula:
    layer: Any = passage.layer
    found = {"type": "pooling", "of": of, **_window(passage)}
    if of == "average":
        found["countPadding"] = layer.count_include_pad
    if of == "norm":
        found["p"] = layer.p
    return found


def _global_pool(passage: Passage, store: Store, *, of: str) -> Formula:
    """Return a pooling with a single window, the whole map."""
    rank = passage.x.ndim - 2
    whole = {"kernel": passage.x.shape[2:], "stride": [1] * rank, "padding": [[0, 0]] * rank, "dilation": [1] * rank}
    return {"type": "pooling", "of": of, **whole, "countPadding": True}


def _pad(passage: Passage, store: Store) -> Formula:
    layer: Any = passage.layer
    ones = (1,) * (passage.x.ndim - 2)
    pairs = padding_pairs(layer.padding, ones, ones, ones, ones, layer.label)
    return {"type": "pad", "mode": layer.mode, "padding": pairs}


def _pixel_shuffle(passage: Passage, store: Store) -> Formula:
    layer: Any = passage.layer
    factors = per_axis(layer.upscale_factor, passage.x.ndim - 2, "upscale_factor", layer.label)
    return {"type": "pixelshuffle", "factors": factors}


def _upsample(passage: Passage, store: Store) -> Formula:
    layer: Any = passage.layer
    scale = per_axis(layer.scale_factor, passage.x.ndim - 2, "scale_factor", layer.label)
    return {"type": "upsample", "scale": scale, "mode": layer.mode}


def _dense(passage: Passage, store: Store) -> Formula:
    layer: Any = passage.layer
    rows = store.choice.rows(passage.y[0], passage.x.shape[1])
    return {
        "type": "dense",
        "weight": store.add(layer.weight.value, rows),
        "bias": None if layer.bias is None else store.add(layer.bias.value),
    }


def _recurrent(passage: Passage, store: Store) -> Formula:
    """Return the weights of each direction, if they fit, the first state and the memory of an LSTM."""
    layer: Any = passage.layer
    found: Formula = {"type": "recurrent", "cell": layer.cell, "directions": None}
    if recurrent_bytes(layer) > store.choice.dense:
        return found
    if layer.cell == "lstm":
        memory = np.concatenate([memory[0] for _, _, memory in layer._run(passage.x)], axis=1)  # (L, H), or (L, 2 H)
        found["memory"] = store.add_map(memory)
    found["start"] = store.add(np.zeros((1, passage.y.shape[-1])))
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    found["directions"] = [
        {name: store.add(array) for name, array in zip(names, layer._weights(direction), strict=True)}
        for direction in layer._directions
    ]
    return found


def recurrent_bytes(layer: Layer) -> int:
    """Return the size of the weights of a recurrent layer in a page."""
    return FLOAT_BYTES * sum(int(parameter.value.size) for parameter in layer.parameters().values())


def _embedding(passage: Passage, store: Store) -> Formula:
    """Return the rows of the table for the indices of the input."""
    layer: Any = passage.layer
    return {"type": "embedding", "weight": store.add(layer.weight.value, np.unique(passage.x))}


def _activation(passage: Passage, store: Store, *, settings: tuple[str, ...] = (), **constants: float) -> Formula:
    layer = passage.layer
    chosen = {name: getattr(layer, name) for name in settings}
    return {"type": "activation", "name": type(layer).__name__, **chosen, **constants}


def _prelu(passage: Passage, store: Store) -> Formula:
    """Return the slopes, one for each channel."""
    layer: Any = passage.layer
    return {"type": "prelu", "weight": store.add(np.broadcast_to(layer.weight.value, passage.x.shape[1:2]))}


def _softmax(passage: Passage, store: Store) -> Formula:
    layer: Any = passage.layer
    axis = check_axis(layer.axis, passage.x.ndim, layer.label)
    if axis == 0:  # over the batch, of which the page has one example
        return {"type": "unknown"}
    return {"type": "softmax", "axis": axis - 1, "log": isinstance(layer, nn.LogSoftmax)}


def _batch_norm(passage: Passage, store: Store) -> Formula:
    layer: Any = passage.layer
    return {
        "type": "batchnorm",
        "eps": layer.eps,
        "mean": store.add(layer.running_mean),
        "variance": store.add(layer.running_var),
        "weight": store.add(layer.weight.value),
        "bias": store.add(layer.bias.value),
    }


def _layer_norm(passage: Passage, store: Store) -> Formula:
    layer: Any = passage.layer
    first = check_axis(layer.axis, passage.x.ndim, layer.label) - 1
    x = passage.x[0].astype(np.float64)
    axes = tuple(range(first, x.ndim))
    return {
        "type": "layernorm",
        "eps": layer.eps,
        "axis": first,
        "mean": store.add(np.atleast_1d(x.mean(axis=axes)).ravel()),
        "variance": store.add(np.atleast_1d(x.var(axis=axes)).ravel()),
        "weight": store.add(layer.weight.value.ravel()),
        "bias": store.add(layer.bias.value.ravel()),
    }


def _group_norm(passage: Passage, store: Store, *, groups: Callable[[Any], int]) -> Formula:
    """Return a batch normalization with the statistics of the group of each channel."""
    layer: Any = passage.layer
    x = passage.x[0].astype(np.float64)
    grouped = x.reshape(groups(passage), -1)
    statistics = (grouped.mean(axis=1), grouped.var(axis=1))
    mean, variance = (np.repeat(values, len(x) // len(grouped)) for values in statistics)
    return {
        "type": "batchnorm",
        "own": True,
        "eps": layer.eps,
        "mean": store.add(mean),
        "variance": store.add(variance),
        "weight": store.add(np.ones(len(x)) if layer.weight is None else layer.weight.value),
        "bias": store.add(np.zeros(len(x)) if layer.bias is None else layer.bias.value),
    }


def _concatenate(passage: Passage, store: Store) -> Formula:
    layer: Any = passage.layer
    axis = check_axis(layer.axis, passage.y.ndim, layer.label)
    return {"type": "concatenate", "axis": axis - 1, "sizes": [x.shape[axis] for x in passage.x]}


def _graph(passage: Passage, store: Store) -> Formula:
    """Return which of the steps inside computes each output, and the number of the output of this step."""
    return {"type": "graph", "outputs": links_of(cast("Model", passage.layer))[1]}


FORMULAS: dict[type[Layer], Callable[[Passage, Store], Formula]] = {
    **{kind: partial(_convolution, transposed=False) for kind in (nn.Conv1D, nn.Conv2D, nn.Conv3D)},
    **{
        kind: partial(_convolution, transposed=True)
        for kind in (nn.ConvTranspose1D, nn.ConvTranspose2D, nn.ConvTranspose3D)
    },
    **{kind: partial(_pool, of="maximum") for kind in (nn.MaxPool1D, nn.MaxPool2D, nn.MaxPool3D)},
    **{kind: partial(_pool, of="average") for kind in (nn.AvgPool1D, nn.AvgPool2D, nn.AvgPool3D)},
    **{kind: partial(_pool, of="norm") for kind in (nn.LpPool1D, nn.LpPool2D, nn.LpPool3D)},
    nn.GlobalMaxPool: partial(_global_pool, of="maximum"),
    nn.GlobalAvgPool: partial(_global_pool, of="average"),
    nn.Pad: _pad,
    nn.ZeroPad: _pad,
    nn.PixelShuffle: _pixel_shuffle,
    nn.Upsample: _upsample,
    nn.Dense: _dense,
    nn.Embedding: _embedding,
    **dict.fromkeys((nn.RNN, nn.LSTM, nn.GRU), _recurrent),
    nn.ReLU: _activation,
    nn.LeakyReLU: partial(_activation, settings=("negative_slope",)),
    nn.PReLU: _prelu,
    nn.ELU: partial(_activation, settings=("alpha",)),
    nn.SELU: partial(_activation, alpha=SELU_ALPHA, scale=SELU_SCALE),
    nn.GELU: partial(_activation, settings=("approximate",)),
    nn.SiLU: _activation,
    nn.Softplus: _activation,
    nn.Sigmoid: _activation,
    nn.Tanh: _activation,
    nn.Softmax: _softmax,
    nn.LogSoftmax: _softmax,
    nn.BatchNorm: _batch_norm,
    nn.LayerNorm: _layer_norm,
    nn.GroupNorm: partial(_group_norm, groups=lambda passage: passage.layer.num_groups),
    nn.InstanceNorm: partial(_group_norm, groups=lambda passage: passage.x.shape[1]),
    nn.Dropout: lambda *_: {"type": "identity"},
    nn.SpatialDropout: lambda *_: {"type": "identity"},
    nn.Flatten: lambda *_: {"type": "reshape"},
    nn.Reshape: lambda *_: {"type": "reshape"},
    nn.Permute: lambda passage, _: {"type": "permute", "axes": cast("Any", passage.layer).axes},
    nn.Residual: lambda *_: {"type": "residual"},
    nn.Concat: lambda passage, _: {
        "type": "concat",
        "channels": [branch.output_shape[0] for branch in cast("Any", passage.layer).branches],
    },
    nn.Add: lambda *_: {"type": "merge", "of": "sum"},
    nn.Multiply: lambda *_: {"type": "merge", "of": "product"},
    nn.Concatenate: _concatenate,
    Sequential: lambda *_: {"type": "chain"},
    Model: _graph,
}
