"""One step of training: forward through the model, the loss, backward, and the optimizer's step."""

from math import prod
from typing import Any

import numpy as np

from numpycnn.layers.activations import LogSoftmax, Sigmoid, Softmax
from numpycnn.layers.base import Layer
from numpycnn.layers.model import Model
from numpycnn.layers.network import Network
from numpycnn.layers.normalization import BatchNorm
from numpycnn.layers.sequential import Sequential
from numpycnn.layers.shape import Flatten, Permute, Reshape
from numpycnn.layers.weighted import Weighted
from numpycnn.losses import Loss
from numpycnn.optim import Optimizer


class NonFiniteError(FloatingPointError):
    """The loss or a gradient is NaN or infinite; no parameter has been changed by the step."""


def all_finite(array: np.ndarray) -> bool:
    """Return whether no number is NaN or infinite; a sum of squares settles nearly all cases at the speed of BLAS."""
    line = array.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.dot(line, line))) or bool(np.isfinite(line).all())


def check_parts(model: Any, loss: Any, optimizer: Any) -> None:
    """Check that these can be trained, and with each other."""
    for value, kind, name, example in (
        (model, Network, "model", "Sequential([...], input_shape=...)"),
        (loss, Loss, "loss", "CrossEntropy()"),
        (optimizer, Optimizer, "optimizer", "Adam(lr=0.001)"),
    ):
        if not isinstance(value, kind):
            wanted = {Network: "a Sequential or a Model", Loss: "a Loss", Optimizer: "an Optimizer"}[kind]
            hint = f"{value.__name__}(...)" if isinstance(value, type) else f"{name}={example}"
            raise TypeError(f"Trainer: expected {name} to be {wanted}, got {value!r}; write {hint}")
    if model.output_shape is None:
        raise RuntimeError("Trainer: the model is not built yet; give it an input_shape")
    for last in last_layers(model):
        if loss.expects_logits and isinstance(last, Softmax | LogSoftmax | Sigmoid):
            raise ValueError(
                f"Trainer: expected a model that outputs logits for {type(loss).__name__}, which contains the "
                f"activation function, got one that ends with {model.label_of(last)}; leave it out, and apply it to "
                "the predictions where you need probabilities"
            )


def last_layers(layer: Layer) -> list[Layer]:
    """Return the layers that compute the outputs; those that change the shape alone do not."""
    if isinstance(layer, Model):
        return [last for output in layer.output_layers() for last in last_layers(output)]
    if isinstance(layer, Weighted):
        return [layer.activation or layer]
    if not isinstance(layer, Sequential):
        return [] if isinstance(layer, Flatten | Reshape | Permute) else [layer]
    return next((found for inner in reversed(layer.layers) if (found := last_layers(inner))), [])


def check_last_batch(model: Layer, examples: int, batch_size: int, owner: str) -> None:
    """Refuse a last batch of one example, where batch normalization would have one value for each channel."""
    if batch_size > 1 and examples % batch_size != 1:
        return
    for layer in model.walk().values():
        if isinstance(layer, BatchNorm) and layer.input_shape is not None and prod(layer.input_shape[1:]) == 1:
            raise ValueError(
                f"{owner}: {model.label_of(layer)} needs more than one example in each batch, and the last batch of "
                f"{examples} examples in batches of {batch_size} has one; choose another batch_size"
            )


def take_step(model: Network, loss: Loss, optimizer: Optimizer, x: Any, target: Any) -> tuple[Any, float]:
    """Take one step, and return the outputs and the loss before it, penalties included.

    If the loss or a gradient is not finite, a NonFiniteError leaves the random generators as they were before the step,
    so that the same step can be taken once more.
    """
    parameters, generators = model.parameters(), list(model.random_generators().values())
    states = [generator.bit_generator.state for generator in generators]
    y = model.forward(x, training=True)
    value = float(loss.forward(y, target) + loss.penalty(parameters))
    problem = "" if np.isfinite(value) else f"the loss is {value}"
    if not problem:
        model.backward_parameters(loss.backward())
        loss.add_penalty_gradient(parameters)
        if not all(all_finite(parameter.grad) for parameter in parameters.values()):
            problem = "a gradient is not finite"
    if problem:
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state
        raise NonFiniteError(problem)
    optimizer.step(parameters)
    return y, value
