"""Find the first layer that produces a value that is not finite."""

from typing import Any

import numpy as np

from numpycnn.inspection.traces import chain_of
from numpycnn.layers.base import Layer
from numpycnn.layers.sequential import Sequential
from numpycnn.losses import Loss
from numpycnn.training.step import all_finite


def _innermost(layer: Layer, x: np.ndarray) -> Layer:
    """Return the first layer inside `layer` with an output for `x` that is not finite, else `layer` itself."""
    for child in layer.children().values():
        y = child.forward(x, training=True)
        if not all_finite(y):
            return _innermost(child, x)
        x = y if layer.chained else x
    return layer


def first_non_finite(model: Sequential, loss: Loss, x: np.ndarray, target: Any) -> str:
    """Repeat a failed step layer by layer, and describe the first value that is not finite.

    This changes the model's buffers; the training is over.
    """
    with np.errstate(all="ignore"):
        for name, parameter in model.parameters().items():
            if not all_finite(parameter.value):
                return f"the parameter {name} was not finite before the step"
        if not all_finite(x):
            return "the input batch holds values that are not finite"
        layers, before = list(chain_of(model).values()), x
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
        return "no layer produced it when the step was repeated"
