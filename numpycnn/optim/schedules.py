"""Learning-rate schedules: functions of the number of steps taken, or of the number of epochs, without state.

So a resumed training continues with the same rate: it depends on these counts alone.
"""

import inspect
from collections.abc import Callable
from math import cos, pi
from typing import Any

from numpycnn._checks import check_int, check_number


class Schedule:
    """Base class: ``schedule(step)`` is the learning rate of the step after `step` steps.

    `PerEpoch` makes it count epochs. A schedule of one's own is a subclass with ``__call__``, or a function.
    """

    #: Whether `step` counts epochs.
    counts_epochs = False

    def __call__(self, step: int) -> float:
        """Return the learning rate."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.config().items())})"


class StepSchedule(Schedule):
    """``lr * factor^k`` after ``k`` times `every` steps.

    Parameters
    ----------
    lr : float
    every : int
        Steps from one drop to the next.
    factor : float

    Raises
    ------
    TypeError, ValueError
        If a rate or the factor is not a number of at least 0, or `every` is not a positive int.

    References
    ----------
    A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional neural networks", 2012.

    Examples
    --------
    >>> schedule = StepSchedule(0.8, every=100, factor=0.5)
    >>> schedule(99), schedule(100), schedule(250)
    (0.8, 0.4, 0.2)
    """

    def __init__(self, lr: float, every: int, factor: float = 0.1) -> None:
        self.lr = check_number(lr, "lr", "StepSchedule", minimum=0)
        self.every = check_int(every, "every", "StepSchedule")
        self.factor = check_number(factor, "factor", "StepSchedule", minimum=0)

    def __call__(self, step: int) -> float:
        """Return the learning rate."""
        return self.lr * self.factor ** (step // self.every)


class ExponentialSchedule(Schedule):
    """``lr * factor^(step / every)``: as `StepSchedule`, without jumps.

    Parameters
    ----------
    lr : float
    every : int
        Steps after which the rate has been multiplied by `factor`.
    factor : float

    Raises
    ------
    TypeError, ValueError
        If a rate or the factor is not a number of at least 0, or `every` is not a positive int.

    References
    ----------
    I. Goodfellow, Y. Bengio, A. Courville, "Deep Learning", section 8.3.1 (why the rate has to fall).

    Examples
    --------
    >>> schedule = ExponentialSchedule(0.8, every=100, factor=0.25)
    >>> schedule(0), schedule(50), schedule(100)
    (0.8, 0.4, 0.2)
    """

    def __init__(self, lr: float, every: int, factor: float = 0.1) -> None:
        self.lr = check_number(lr, "lr", "ExponentialSchedule", minimum=0)
        self.every = check_int(every, "every", "ExponentialSchedule")
        self.factor = check_number(factor, "factor", "ExponentialSchedule", minimum=0)

    def __call__(self, step: int) -> float:
        """Return the learning rate."""
        return self.lr * self.factor ** (step / self.every)


class CosineSchedule(Schedule):
    """Half a cosine from `lr` down to `final_lr` over `steps` steps, then constant.

    Parameters
    ----------
    lr : float
        The first rate.
    steps : int
        From the first rate to the last.
    final_lr : float
        The last rate.

    Raises
    ------
    TypeError, ValueError
        If a rate is not a number of at least 0, or `steps` is not a positive int.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", arXiv 1608.03983.
    """

    def __init__(self, lr: float, steps: int, final_lr: float = 0.0) -> None:
        self.lr = check_number(lr, "lr", "CosineSchedule", minimum=0)
        self.steps = check_int(steps, "steps", "CosineSchedule")
        self.final_lr = check_number(final_lr, "final_lr", "CosineSchedule", minimum=0)

    def __call__(self, step: int) -> float:
        """Return the learning rate."""
        progress = min(step / self.steps, 1.0)
        return self.final_lr + (self.lr - self.final_lr) * (1 + cos(pi * progress)) / 2


class OneCycleSchedule(Schedule):
    """Up from ``max_lr / start_factor`` to `max_lr`, then down to ``max_lr / final_factor``, both along half a cosine.

    `max_lr` is reached after ``warm_up * steps - 1`` steps, and the last step has the final rate, or `max_lr` with a
    `warm_up` of 1. PyTorch divides the start rate instead, not `max_lr`, by its ``final_div_factor``: for the same
    rates, it is ``final_factor / start_factor``.

    Parameters
    ----------
    max_lr : float
    steps : int
        Of the whole training.
    warm_up : float
        Share of the steps with a rising rate, from 0 to 1.
    start_factor, final_factor : float

    Raises
    ------
    ValueError
        If a setting is out of range.
    TypeError
        If a setting is not a number.

    References
    ----------
    L. Smith and N. Topin, "Super-convergence: very fast training of neural networks using large learning rates",
    arXiv 1708.07120.
    """

    def __init__(
        self, max_lr: float, steps: int, warm_up: float = 0.3, start_factor: float = 25.0, final_factor: float = 1e4
    ) -> None:
        self.max_lr = check_number(max_lr, "max_lr", "OneCycleSchedule", minimum=0)
        self.steps = check_int(steps, "steps", "OneCycleSchedule")
        self.warm_up = check_number(warm_up, "warm_up", "OneCycleSchedule", minimum=0, maximum=1)
        self.start_factor = check_number(start_factor, "start_factor", "OneCycleSchedule", minimum=0)
        self.final_factor = check_number(final_factor, "final_factor", "OneCycleSchedule", minimum=0)
        if not self.start_factor or not self.final_factor:
            raise ValueError("OneCycleSchedule: expected start_factor and final_factor above 0")

    def __call__(self, step: int) -> float:
        """Return the learning rate."""
        start, final = self.max_lr / self.start_factor, self.max_lr / self.final_factor
        top, last = self.warm_up * self.steps - 1, self.steps - 1
        if step < top:
            return start + (self.max_lr - start) * (1 - cos(pi * step / top)) / 2
        progress = min((step - top) / max(last - top, 1e-12), 1.0)
        return final + (self.max_lr - final) * (1 + cos(pi * progress)) / 2


class FunctionSchedule(Schedule):
    """The learning rate by a function of one's own; an optimizer makes one of a function that is given as `lr`.

    A checkpoint holds the name of the function; give the function itself to `Trainer.resume` in `parts`.

    Parameters
    ----------
    function : callable
        Takes the number of steps taken, returns the learning rate.

    Raises
    ------
    TypeError
        If it is not a function.

    Examples
    --------
    >>> def inverse_root(step):
    ...     return 0.1 / (1 + step) ** 0.5
    >>> FunctionSchedule(inverse_root)(3)
    0.05
    """

    def __init__(self, function: Callable[[int], float]) -> None:
        if not callable(function) or isinstance(function, type | Schedule):
            raise TypeError(f"FunctionSchedule: expected a function of the number of steps, got {function!r}")
        self.function = function

    def __call__(self, step: int) -> float:
        """Return the learning rate."""
        return self.function(step)

    def __repr__(self) -> str:
        return f"FunctionSchedule({getattr(self.function, '__qualname__', type(self.function).__name__)})"


class WarmUp(Schedule):
    """Rise evenly over the first `steps` steps, then follow another schedule or stay at a rate.

    Parameters
    ----------
    after : float, Schedule or function
        Starts once the warm-up is over.
    steps : int

    Raises
    ------
    TypeError, ValueError
        If `after` is neither a schedule nor a number of at least 0, or counts epochs, or `steps` is not a positive int.

    References
    ----------
    P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", arXiv 1706.02677.

    Examples
    --------
    >>> [WarmUp(0.4, steps=4)(step) for step in range(6)]
    [0.1, 0.2, 0.30000000000000004, 0.4, 0.4, 0.4]
    """

    def __init__(self, after: "float | Schedule | Callable[[int], float]", steps: int) -> None:
        self.after = check_rate(after, "after", "WarmUp")
        if isinstance(self.after, Schedule) and self.after.counts_epochs:
            raise ValueError(f"WarmUp: expected a schedule of steps, got {after!r}; write PerEpoch(WarmUp(...))")
        self.steps = check_int(steps, "steps", "WarmUp")

    def __call__(self, step: int) -> float:
        """Return the learning rate."""
        target = self.after(max(step - self.steps, 0)) if isinstance(self.after, Schedule) else self.after
        return target * min((step + 1) / self.steps, 1.0)


class PerEpoch(Schedule):
    """Make a schedule count epochs instead of steps: all steps of an epoch have the same rate.

    A `Trainer` tells its optimizers the number of completed epochs; in a loop of one's own, add 1 to the optimizer's
    `epoch_count` after each epoch.

    Parameters
    ----------
    schedule : Schedule or function
        Its `every` or `steps` are epochs.

    Raises
    ------
    TypeError, ValueError
        If it is neither a schedule nor a function.

    Examples
    --------
    >>> from numpycnn import SGD
    >>> optimizer = SGD(PerEpoch(StepSchedule(0.1, every=30)))
    >>> optimizer.learning_rate
    0.1
    >>> optimizer.epoch_count = 30
    >>> round(optimizer.learning_rate, 6)
    0.01
    """

    counts_epochs = True

    def __init__(self, schedule: "Schedule | Callable[[int], float]") -> None:
        rate = check_rate(schedule, "schedule", "PerEpoch")
        if not isinstance(rate, Schedule):
            raise TypeError(f"PerEpoch: expected a schedule, got {schedule!r}; a constant rate needs none")
        self.schedule = rate

    def __call__(self, step: int) -> float:
        """Return the learning rate after `step` epochs."""
        return self.schedule(step)


def check_rate(value: object, name: str, owner: str) -> float | Schedule:
    """Return a learning rate, or a schedule; a function as a schedule."""
    if isinstance(value, Schedule):
        return value
    if callable(value) and not isinstance(value, type):
        return FunctionSchedule(value)
    return check_number(value, name, owner, minimum=0)
