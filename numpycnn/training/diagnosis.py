"""Find the first layer that produces a value that is not finite."""

from typing import Any

import numpy as np

from numpycnn.inspection.traces import Passage, layers_of, recording_copy
from numpycnn.layers.network import Network
from numpycnn.losses import Loss
from numpycnn.training.step import all_finite


def _finite(arrays: Any) -> bool:
    return all(map(all_finite, arrays)) if isinstance(arrays, tuple) else all_finite(arrays)


def first_non_finite(model: Network, loss: Loss, x: Any, target: Any, weight: np.ndarray | None = None) -> str:
    """Repeat a failed step on a copy of the model, and describe the first value that is not finite."""

    def label(passage: Passage) -> str:
        return model.label_of(layers_of(model)[passage.key.partition("#")[0]])

    with np.errstate(all="ignore"):
        for name, parameter in model.parameters().items():
            if not all_finite(parameter.value):
                return f"the parameter {name} was not finite before the step"
        if not _finite(x):
            return "the input batch holds values that are not finite"
        clone, records = recording_copy(model)
        y = clone.forward(x, training=True)
        for passage in records.values():
            if not _finite(passage.y):
                return f"the first layer whose output is not finite is {label(passage)}"
        value = loss.forward(y, target, weight)
        dy = loss.backward()
        if not np.isfinite(value) or not _finite(dy):
            return f"the layers' outputs are finite, but {loss!r} or its gradient is not"
        clone.backward(dy)
        for passage in records.values():
            gradients = [parameter.grad for parameter in passage.layer.parameters().values()]
            if not _finite((*gradients, *(passage.dx if isinstance(passage.dx, tuple) else (passage.dx,)))):
                return f"the first layer whose gradient is not finite, coming from the loss, is {label(passage)}"
        if not np.isfinite(loss.penalty(model.parameters())):
            return "the penalty on the weights is not finite"
        return "no layer produced it when the step was repeated"
