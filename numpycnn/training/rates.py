"""A learning rate found by trying: it grows from step to step until the loss does as well."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from numpycnn.functional.checks import whole_number
from numpycnn.losses import Loss
from numpycnn.optim import Optimizer
from numpycnn.optim.base import number
from numpycnn.sequential import Sequential
from numpycnn.training.batches import Augmentation, Data, as_data, check_augmentation, epoch_order, prepare
from numpycnn.training.trainer import check_parts

SMOOTHING = 0.9  # of the losses, which differ from batch to batch
TOO_MUCH = 4.0  # times the smallest loss: what comes after is of no interest


@dataclass(frozen=True)
class LearningRates:
    """What a search has found.

    Attributes
    ----------
    rates : list of float
        Of each step, growing.
    losses : list of float
        A running mean of the loss at each step.
    suggestion : float
        A tenth of the rate at which the running mean was smallest: a peak for a one-cycle schedule, and a third of it a
        constant rate.
    """

    rates: list[float]
    losses: list[float]
    suggestion: float


def find_learning_rate(
    model: Sequential,
    train: Any,
    *,
    loss: Loss,
    optimizer: Optimizer,
    batch_size: int = 32,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 200,
    augment: Augmentation | None = None,
    seed: int = 0,
) -> LearningRates:
    """Train for some steps with a learning rate that grows from each to the next, and see where the loss is smallest.

    In step ``t`` of ``T``, from 0 on, the rate is ``low * (high / low)^(t / (T - 1))``. The search ends where the loss
    is four times its smallest value, or is no number any more. The model and the optimizer are left as they were.

    Parameters
    ----------
    model : Sequential
    train : dataset or (x, target)
        Gone through more than once if it is small.
    loss : Loss
    optimizer : Optimizer
        Its kind and settings count, its learning rate does not.
    batch_size : int
    low, high : float
        The first rate and the last one.
    steps : int
    augment : Augment, optional
    seed : int
        Of the order of the examples and of what the augmentation draws.

    Returns
    -------
    LearningRates
        `numpycnn.visualize.learning_rate_curve` draws it.

    Raises
    ------
    ValueError
        If `low` is 0 or not below `high`, if the very first loss is no number, if no rate made the loss smaller than it
        was to begin with, or if it was still falling at the highest one.
    TypeError
        If an argument is not of its kind.
    RuntimeError
        If the model has not been built.

    References
    ----------
    L. Smith, "Cyclical learning rates for training neural networks", arXiv 1506.01186, section 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn import SGD, CrossEntropy, Dense, Sequential
    >>> x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    >>> labels = (x[:, 0] > x[:, 1]).astype(np.int64)
    >>> model = Sequential([Dense(2)], input_shape=(2,), seed=0)
    >>> found = find_learning_rate(model, (x, labels), loss=CrossEntropy(), optimizer=SGD(0.1), high=1000)
    >>> 0.1 < found.suggestion < 100
    True
    """
    data = as_data(train, "train")
    batch_size = whole_number(batch_size, "batch_size", "find_learning_rate")
    steps = whole_number(steps, "steps", "find_learning_rate", minimum=2)
    low, high = (number(value, name, "find_learning_rate") for value, name in ((low, "low"), (high, "high")))
    if not 0 < low < high:
        raise ValueError(f"find_learning_rate: expected low above 0 and below high, got {low:g} and {high:g}")
    check_augmentation(augment, data)
    check_parts(model, loss, optimizer)
    seed = whole_number(seed, "seed", "find_learning_rate", minimum=0)
    kept = {name: array.copy() for name, array in model.state().items()}
    generators = list(model.random_generators().values())
    states = [generator.bit_generator.state for generator in generators]
    rates = low * (high / low) ** (np.arange(steps) / (steps - 1))
    losses: list[float] = []
    trial = type(optimizer)(**(optimizer.config() | {"lr": low}))
    mean = 0.0
    try:
        for step, rate in enumerate(rates):
            trial.lr = float(rate)
            with np.errstate(all="ignore"):  # that the rate becomes too high is expected
                value = _step(model, loss, trial, *_batch(data, step, batch_size, model.dtype, augment, seed))
            mean = SMOOTHING * mean + (1 - SMOOTHING) * value
            smooth = mean / (1 - SMOOTHING ** (step + 1))  # makes up for the mean having begun at 0
            if not np.isfinite(smooth) or (losses and smooth > TOO_MUCH * min(losses)):
                break
            losses.append(smooth)
    finally:
        model.load_state(kept)
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state
    if not losses:
        raise ValueError("find_learning_rate: expected a finite loss of the untrained model, got none")
    best = int(np.argmin(losses))
    if best == 0:
        raise ValueError(
            f"find_learning_rate: expected the loss to fall below the {losses[0]:.4g} of the first batch, it did not "
            f"with rates from {low:g} to {rates[len(losses) - 1]:g}; try a lower low or more steps"
        )
    if best == steps - 1:
        raise ValueError(
            "find_learning_rate: expected the loss to rise again at the highest rates, it was still falling at "
            f"{high:g}; try a higher high"
        )
    return LearningRates(rates[: len(losses)].tolist(), losses, float(rates[best]) / 10)


def _batch(
    data: Data, step: int, batch_size: int, dtype: Any, augment: Augmentation | None, seed: int
) -> tuple[np.ndarray, Any]:
    """Return the batch of a step, in the order in which a `Trainer` of this seed goes through the data."""
    batches = -(-len(data) // batch_size)
    epoch, batch = divmod(step, batches)
    indices = epoch_order(len(data), seed, epoch, True)[batch * batch_size : (batch + 1) * batch_size]
    return prepare(data, indices, dtype, augment, (seed, epoch, batch + 1))


def _step(model: Sequential, loss: Loss, optimizer: Optimizer, x: np.ndarray, target: Any) -> float:
    """Take a step, and return the loss before it."""
    parameters = model.parameters()
    value = float(loss.forward(model.forward(x, training=True), target) + loss.penalty(parameters))
    model.backward_parameters(loss.backward())
    loss.add_penalty_gradient(parameters)
    optimizer.step(parameters)
    return value
