"""When a number stops being finite: find the layer that produced it first."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from numpycnn.layers.base import Layer
from numpycnn.losses import Loss
from numpycnn.sequential import Sequential


def all_finite(array: np.ndarray) -> bool:
    """Return whether no number is NaN or infinite; a sum of squares settles nearly all cases at the speed of BLAS."""
    line = array.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.dot(line, line))) or bool(np.isfinite(line).all())


def _leaves(layer: Layer) -> Iterator[Layer]:
    """Go through the layers of nested Sequentials one by one; other containers count as one layer."""
    for child in layer.children().values():
        if isinstance(child, Sequential):
            yield from _leaves(child)
        else:
            yield child


def _innermost(layer: Layer, x: np.ndarray) -> Layer:
    """Return the first layer inside of `layer` whose output for `x` is not finite, or `layer` if all of theirs are."""
    for child in layer.children().values():
        y = child.forward(x, training=True)
        if not all_finite(y):
            return _innermost(child, x)
        x = y if layer.chained else x
    return layer


def first_non_finite(model: Sequential, loss: Loss, x: np.ndarray, target: Any) -> str:
    """Take the step that went wrong once more, layer by layer, and say in words where it went wrong.

    The model's buffers are changed by this: the training is over.
    """
    with np.errstate(all="ignore"):
        for name, parameter in model.parameters().items():
            if not all_finite(parameter.value):
                return f"the parameter {name} was not finite before it"
        if not all_finite(x):
            return "the input batch holds numbers that are not finite"
        layers, before = list(_leaves(model)), x
        for layer in layers:
            x = layer.forward(x, training=True)
            if not all_finite(x):
                return f"the first layer whose output is not finite is {model.label_of(_innermost(layer, before))}"
            before = x
        value = loss.forward(x, target)
        dy = loss.backward()
        if not np.isfinite(value) or not all_finite(dy):
            return f"the layers' outputs are finite, but {loss!r} or its gradient is not"
        for layer in reversed(layers):
            dy = layer.backward(dy)
            if not all(all_finite(parameter.grad) for parameter in layer.parameters().values()) or not all_finite(dy):
                return f"the first layer whose gradient is not finite, coming from the loss, is {model.label_of(layer)}"
        if not np.isfinite(loss.penalty(model.parameters())):
            return "the penalty on the weights is not finite"
        return "no layer produced it when the step was taken once more"
