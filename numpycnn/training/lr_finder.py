"""Learning-rate finder: increase the rate from step to step until the loss increases."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._checks import check_int, check_number
from numpycnn.layers.network import Network
from numpycnn.losses import Loss
from numpycnn.losses.sums import as_loss
from numpycnn.optim import Optimizer
from numpycnn.training.batches import (
    Augmentation,
    Batch,
    Data,
    Examples,
    as_data,
    check_augmentation,
    epoch_order,
    prepare,
)
from numpycnn.training.step import NonFiniteError, check_batches, check_parts, take_step

SMOOTHING = 0.9  # of the losses, which differ from batch to batch
TOO_MUCH = 4.0  # times the smallest loss, at which the search ends


@dataclass(frozen=True)
class LearningRates:
    """The result of a search.

    Attributes
    ----------
    rates : list of float
        The rate of each step, increasing.
    losses : list of float
        A running mean of the loss at each step.
    suggestion : float
        A tenth of the rate with the smallest running mean: the peak of a one-cycle schedule; for a constant rate, take
        a third of it.
    """

    rates: list[float]
    losses: list[float]
    suggestion: float


def find_learning_rate(
    model: Network,
    train: Examples,
    *,
    loss: Loss | Sequence[Loss],
    optimizer: Optimizer,
    batch_size: int = 32,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 200,
    augment: Augmentation | None = None,
    seed: int = 0,
) -> LearningRates:
    """Train for some steps with an increasing learning rate, and find the rate with the smallest loss.

    In step ``t`` of ``T``, counted from 0, the rate is ``low * (high / low)^(t / (T - 1))``. The search ends when the
    loss is four times its smallest value or not finite. The model and the optimizer are not changed.

    Parameters
    ----------
    model : Sequential or Model
    train : dataset, (x, target) or (x, target, weight)
        Repeated if it is small.
    loss : Loss or sequence of Loss
        Several losses, one for each output of the model, are added up.
    optimizer : Optimizer
        Its class and settings are used, its learning rate is not; a group with a rate of its own keeps it.
    batch_size : int
    low, high : float
        The first rate and the last one.
    steps : int
    augment : Augment, optional
    seed : int
        Of the order of the examples and of the augmentation.

    Returns
    -------
    LearningRates
        `numpycnn.visualize.learning_rate_curve` draws it.

    Raises
    ------
    ValueError
        If `low` is 0 or not below `high`, if loss or batches do not fit the model, if the first loss is not finite, if
        no rate reduced the loss, or if the loss was still falling at the highest rate.
    TypeError, RuntimeError
        If an argument is not of its kind, or the model has not been built.

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
    batch_size = check_int(batch_size, "batch_size", "find_learning_rate")
    steps = check_int(steps, "steps", "find_learning_rate", minimum=2)
    low = check_number(low, "low", "find_learning_rate")
    high = check_number(high, "high", "find_learning_rate")
    if not 0 < low < high:
        raise ValueError(f"find_learning_rate: expected low above 0 and below high, got {low:g} and {high:g}")
    check_augmentation(augment, data)
    total = as_loss(loss)
    check_parts(model, total, optimizer, "find_learning_rate")
    check_batches(model, min(len(data), steps * batch_size), batch_size, "find_learning_rate")
    seed = check_int(seed, "seed", "find_learning_rate", minimum=0)
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
            x, target, weight = _batch(data, step, batch_size, model.dtype, augment, seed)
            try:
                with np.errstate(all="ignore"):  # that the rate becomes too high is expected
                    _, value = take_step(model, total, trial, x, target, weight)
            except NonFiniteError:
                break
            mean = SMOOTHING * mean + (1 - SMOOTHING) * value
            smooth = mean / (1 - SMOOTHING ** (step + 1))  # corrects for the mean having begun at 0
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


def _batch(data: Data, step: int, batch_size: int, dtype: DTypeLike, augment: Augmentation | None, seed: int) -> Batch:
    """Return the batch of a step, in the order of a `Trainer` with this seed."""
    batches = -(-len(data) // batch_size)
    epoch, batch = divmod(step, batches)
    indices = epoch_order(len(data), seed, epoch, True)[batch * batch_size : (batch + 1) * batch_size]
    return prepare(data, indices, dtype, augment, (seed, epoch, batch + 1))
