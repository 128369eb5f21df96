"""What the outputs of a classifier are: logits, probabilities or their logarithms."""

import numpy as np

from numpycnn.functional import sigmoid, softmax
from numpycnn.layers import Concat, Layer, LogSoftmax, Multiply, Residual, Sigmoid, Softmax
from numpycnn.layers.model import Model
from numpycnn.layers.network import Network
from numpycnn.layers.sequential import Sequential
from numpycnn.layers.weighted import Weighted

ACTIVATIONS = (LogSoftmax, Sigmoid, Softmax)


def final_activation(layer: Layer, *, branches: bool = False, output: int | None = None) -> Layer | None:
    """Return the softmax or sigmoid at the end of a network, or with `branches` at the end of a branch, else None.

    Layers of numpycnn without parameters may follow it, such as dropout and pooling: they make no logits of
    probabilities. Of a product nothing is known: it may be a gate. `output` is the number of the output to look at, of
    several.
    """
    if isinstance(layer, ACTIVATIONS):
        return layer
    if isinstance(layer, Weighted):
        return layer.activation if isinstance(layer.activation, ACTIVATIONS) else None
    if isinstance(layer, Model):
        sources = {number: step for step in layer._steps for number in step.outputs}
        outputs = layer._outputs if output is None else layer._outputs[output : output + 1]
        pending = list(outputs) if branches or len(outputs) == 1 else []
        while pending:
            number = pending.pop()
            step = sources.get(number)
            place = 0 if step is None else step.outputs.index(number)
            found = None if step is None else final_activation(step.layer, branches=branches, output=place)
            if found is not None:
                return found
            if step is not None and _passes(step.layer) and (branches or len(step.inputs) == 1):
                pending += step.inputs
    if isinstance(layer, Sequential):
        for inner in reversed(layer.layers):
            found = final_activation(inner, branches=branches, output=output if inner is layer.layers[-1] else None)
            if found is not None or not _passes(inner):
                return found
    if branches and isinstance(layer, Residual | Concat):
        ends = (final_activation(branch, branches=True) for branch in layer.children().values())
        return next((end for end in ends if end is not None), None)
    return None


def _passes(layer: Layer) -> bool:
    """Return whether probabilities stay such, or parts of sums: true of layers of numpycnn without parameters."""
    return type(layer).__module__.startswith("numpycnn.") and not layer.parameters() and not isinstance(layer, Multiply)


def to_probabilities(model: Network, y: np.ndarray, output: int | None = None) -> np.ndarray:
    """Convert outputs (N, K) of a classifier to probabilities: by a softmax, unless the model ends with one.

    A single score, (N, 1), is that of one class, converted by a sigmoid. Of several outputs of a model, `output` is the
    number of this one.
    """
    last = final_activation(model, output=output)
    if last is not None:
        return np.exp(y) if isinstance(last, LogSoftmax) else y
    return sigmoid(y) if y.shape[1] == 1 else softmax(y)


def from_probabilities(model: Network, p: np.ndarray) -> np.ndarray:
    """Invert `to_probabilities`; logarithms of 0 are those of the smallest number instead."""
    last = final_activation(model)
    if last is not None and not isinstance(last, LogSoftmax):
        return p
    return _log(p) - _log(1 - p) if last is None and p.shape[1] == 1 else _log(p)


def to_logits(model: Network, y: np.ndarray, output: int | None = None) -> np.ndarray:
    """Convert outputs (N, K) of a classifier to logits: by a logarithm, if they are probabilities."""
    last = final_activation(model, output=output)
    return y if last is None or isinstance(last, LogSoftmax) else _log(y)


def _log(p: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(p, np.finfo(p.dtype).tiny))
