"""One step of training: forward through the model, the loss, backward, and the optimizer's step."""

from collections.abc import Mapping, Sequence
from math import isfinite, prod
from numbers import Real
from typing import Any

import numpy as np

from numpycnn.inspection.outputs import final_activation
from numpycnn.layers.activations import LogSoftmax, Sigmoid, Softmax
from numpycnn.layers.base import Layer
from numpycnn.layers.network import Network
from numpycnn.layers.normalization import BatchNorm
from numpycnn.losses import CrossEntropy, Loss, SumOfLosses
from numpycnn.optim import Optimizer
from numpycnn.training.batches import Batch, count_examples
from numpycnn.training.state import Mean

#: The loss that takes the outputs of a layer.
REMEDIES: dict[type[Layer], str] = {
    Softmax: "CrossEntropy(from_logits=False)",
    LogSoftmax: "NegativeLogLikelihood()",
    Sigmoid: "BinaryCrossEntropy(from_logits=False)",
}


class NonFiniteError(FloatingPointError):
    """The loss or a gradient is NaN or infinite; no parameter has been changed by the step.

    `reason` names the first layer that produced it, if it has been found.
    """

    reason = ""


def all_finite(array: np.ndarray) -> bool:
    """Return whether no number is NaN or infinite; a sum of squares settles nearly all cases at the speed of BLAS."""
    line = array.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.dot(line, line))) or bool(np.isfinite(line).all())


def check_parts(model: Any, loss: Any, optimizer: Any, owner: str) -> None:
    """Check that these can be trained, and with each other."""
    for value, kind, name, example in (
        (model, Network, "model", "Sequential([...], input_shape=...)"),
        (loss, Loss, "loss", "CrossEntropy()"),
        (optimizer, Optimizer, "optimizer", "Adam(lr=0.001)"),
    ):
        if not isinstance(value, kind):
            wanted = {Network: "a Sequential or a Model", Loss: "a Loss", Optimizer: "an Optimizer"}[kind]
            hint = f"{value.__name__}(...)" if isinstance(value, type) else f"{name}={example}"
            if kind is Loss and model.output_count > 1:
                hint = f"loss=[CrossEntropy(), ...], one for each of the {model.output_count} outputs, in their order"
            raise TypeError(f"{owner}: expected {name} to be {wanted}, got {value!r}; write {hint}")
    if model.output_shape is None:
        raise RuntimeError(f"{owner}: the model is not built yet; give it an input_shape")
    if wrong := unfit_outputs(model, loss):
        raise ValueError(f"{owner}: {wrong}")


def unfit_outputs(model: Network, loss: Loss) -> str:
    """Return why a model cannot learn with a loss; empty if it can.

    Reasons are an output without a loss, a single class, and a second softmax or sigmoid. A softmax of the outputs of
    `LogSoftmax` changes nothing, so `CrossEntropy` may follow it. A loss of one's own may take a tuple of outputs.
    """
    if isinstance(loss, SumOfLosses):
        if len(loss.losses) != model.output_count:
            return f"expected one loss for each of the {model.output_count} outputs, got {len(loss.losses)} losses"
        if not loss.expects_logits:
            return ""
        return next(filter(None, (_unfit_output(model, part, i) for i, part in enumerate(loss.losses))), "")
    if model.output_count > 1 and type(loss).__module__.startswith("numpycnn.losses."):
        return (
            f"expected one loss for each of the {model.output_count} outputs, as in loss=[...] or SumOfLosses([...]), "
            f"got {type(loss).__name__} alone"
        )
    return _unfit_output(model, loss)


def _unfit_output(model: Network, loss: Loss, output: int | None = None) -> str:
    shapes: Any = model.output_shape
    shape = shapes if output is None or model.output_count == 1 else shapes[output]
    if not loss.expects_logits:
        return ""
    if isinstance(loss, CrossEntropy) and shape == (1,):
        return "expected two outputs or more for CrossEntropy, which is always 0 for one; use BinaryCrossEntropy"
    last = final_activation(model, branches=True, output=output)
    if last is None or (isinstance(last, LogSoftmax) and isinstance(loss, CrossEntropy)):
        return ""
    return (
        f"expected a model that outputs logits for {type(loss).__name__} (its expects_logits is True: it contains the "
        f"activation function), got one that ends with {model.label_of(last)}; leave this layer out, and apply it to "
        f"the predictions where you need probabilities, or keep it, with the loss {REMEDIES[type(last)]}"
    )


def check_batches(model: Layer, examples: int, batch_size: int, owner: str, *, remedy: str = "") -> None:
    """Refuse a batch of one example where batch normalization would have one value for each channel."""
    if batch_size > 1 and examples % batch_size != 1:
        return
    for layer in model.walk().values():
        if not isinstance(layer, BatchNorm) or not layer.trainable:  # a frozen one uses its running statistics
            continue
        if layer.input_shape is not None and prod(layer.input_shape[1:]) == 1:
            if examples == 1:
                got = "there is one example; add others"
            elif batch_size == 1:
                got = "batch_size is 1; choose a larger one"
            else:
                got = f"the last batch of {examples} examples in batches of {batch_size} has one; choose another "
                got += f"batch_size{remedy}"
            raise ValueError(f"{owner}: {model.label_of(layer)} needs more than one example in each batch, and {got}")


def check_new(model: Network, optimizer: Optimizer) -> None:
    """Refuse an optimizer that would go on from the steps of another training."""
    if not optimizer.step_count:
        return
    if not all(all_finite(array) for array in model.state().values()):
        raise ValueError(
            "fit: expected a model with finite weights, got one after a step that diverged; make a new model, "
            "and a new optimizer with a smaller learning rate"
        )
    raise ValueError(
        f"fit: expected a new optimizer for a new training; its step_count is {optimizer.step_count}; "
        f"give the Trainer its own, such as {type(optimizer).__name__}(**optimizer.config())"
    )


def nothing_to_train(model: Network) -> str:
    """Return that no parameter of a model is trained, and the remedy; empty if one is."""
    parameters = model.parameters().values()
    if any(parameter.trainable for parameter in parameters):
        return ""
    if not parameters:
        return "nothing to train: the model has no parameters"
    return "nothing to train: all parameters of the model are frozen; set trainable = True on a layer"


def count_hits(y: Any, target: Any, loss: Loss) -> tuple[int, int] | None:
    """Return the number of correct predictions and of the labels that count, or None if the targets are not labels.

    There is a label for each example, or for each pixel. Those that the loss ignores do not count. A single output
    predicts no class.
    """
    if isinstance(y, tuple) or isinstance(target, tuple):
        return None
    labels = np.asarray(target)
    if y.ndim < 2 or y.shape[1] < 2 or labels.dtype.kind not in "iu" or labels.shape != (len(y), *y.shape[2:]):
        return None
    ignored = getattr(loss, "ignore_index", None)
    counted = np.ones(labels.shape, bool) if ignored is None else labels != ignored
    return int(((y.argmax(axis=1) == labels) & counted).sum()), int(counted.sum())


def accuracy(y: Any, target: Any, loss: Loss) -> dict[str, float]:
    """Return the share of correct predictions as an entry of a record, or none if the targets are not labels."""
    found = count_hits(y, target, loss)
    return {} if found is None else {"accuracy": Mean(found[0] / (found[1] or 1), [found])}


def part_factors(model: Network, loss: Loss, parts: Sequence[Batch]) -> list[list[float]]:
    """Return factors of the gradients of a loss, or of each loss of a sum, in the parts of a batch.

    `Accumulation` gives a part the share ``n / N`` of the examples. In the gradient of the whole batch it has the share
    ``w / W`` of the total weight. The factor is the quotient of both, 1 where nothing has a weight.
    """
    sizes = np.array([count_examples(x) for x, _, _ in parts])
    shapes: Any = model.output_shape
    weights = []
    for size, (_, target, weight) in zip(sizes, parts, strict=True):
        outputs = tuple(
            np.broadcast_to(0.0, (size, *shape)) for shape in (shapes if model.output_count > 1 else [shapes])
        )
        try:
            weights.append(loss._total_weights(outputs if model.output_count > 1 else outputs[0], target, weight))
        except (ValueError, TypeError):  # a training step of one's own may make other targets of them
            return [[1.0] * model.output_count] * len(parts)
    totals = np.sum(weights, axis=0)
    shares = np.divide(weights, totals, out=np.zeros(np.shape(weights)), where=totals > 0)
    return (shares / (sizes / sizes.sum())[:, None]).tolist()


def check_numbers(found: Any, owner: str) -> None:
    """Check that a step returned a dict of numbers."""
    if not isinstance(found, Mapping):
        raise TypeError(f"{owner}: expected a dict of numbers to return, got {type(found).__name__}")
    for name, value in found.items():
        if not isinstance(name, str):
            raise TypeError(f"{owner}: expected a string as the name of each number, got {name!r}")
        if not isinstance(value, Real):
            raise TypeError(f"{owner}: expected a number for {name}, got {value!r}")


def check_results(found: Any, models: Sequence[Network], lr: float, where: str) -> None:
    """Check that a training step returned finite numbers, and left finite weights."""
    check_numbers(found, "train_step")
    for name, value in found.items():
        if not isfinite(value):
            raise FloatingPointError(f"{name} is {value} in {where}, as train_step returned it")
    for model in models:
        for name, array in model.state().items():
            if not all_finite(array):
                raise FloatingPointError(
                    f"{name} is not finite any more after the step in {where}, with a learning rate of {lr:g}; "
                    "a smaller one may help"
                )


def take_step(
    model: Network, loss: Loss, optimizer: Optimizer, x: Any, target: Any, weight: np.ndarray | None = None
) -> tuple[Any, Mean]:
    """Take one step, and return the outputs and the loss before it, penalties included; `weight` is of each example.

    In a part of a batch, the gradient of the loss is multiplied by the factors of the optimizer's `Accumulation`.

    If the loss or a gradient is not finite, a NonFiniteError leaves the random generators as they were before the step,
    so that the same step can be taken once more.
    """
    parameters, generators = model.parameters(), list(model.random_generators().values())
    states = [generator.bit_generator.state for generator in generators]
    y = model.forward(x, training=True)
    value = loss.forward(y, target, weight)
    penalty, examples = float(loss.penalty(parameters)), count_examples(y)
    sums = [*loss._sums(float(value), y, target, weight), (penalty * examples, examples)]
    value = Mean(float(value) + penalty, sums)
    problem = "" if np.isfinite(value) else f"the loss is {value}"
    if not problem:
        dy = loss.backward()
        if optimizer.accumulation is not None and optimizer.accumulation.factors:
            dy = loss._scaled(dy, optimizer.accumulation.factors)
        model.backward_parameters(dy)
        loss.add_penalty_gradient(parameters)
        if not all(map(all_finite, [parameter.grad for parameter in parameters.values() if parameter.trainable])):
            problem = "a gradient is not finite"
    if problem:
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state
        raise NonFiniteError(problem)
    optimizer.step(parameters)
    return y, value
