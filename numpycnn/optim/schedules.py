"""Learning-rate schedules: functions of the number of steps taken, without state.

So a resumed training continues with the same rate: it depends on the step count alone.
"""

import inspect
from math import cos, pi
from typing import Any

from numpycnn._checks import check_int, check_number


class Schedule:
    """Base class: ``schedule(step)`` is the learning rate of the step after `step` steps."""

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


class WarmUp(Schedule):
    """Rise evenly over the first `steps` steps, then follow another schedule or stay at a rate.

    Parameters
    ----------
    after : float or Schedule
        Starts once the warm-up is over.
    steps : int

    Raises
    ------
    TypeError, ValueError
        If `after` is neither a schedule nor a number of at least 0, or `steps` is not a positive int.

    References
    ----------
    P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", arXiv 1706.02677.

    Examples
    --------
    >>> [WarmUp(0.4, steps=4)(step) for step in range(6)]
    [0.1, 0.2, 0.30000000000000004, 0.4, 0.4, 0.4]
    """

    def __init__(self, after: "float | Schedule", steps: int) -> None:
        self.after = after if isinstance(after, Schedule) else check_number(after, "after", "WarmUp", minimum=0)
        self.steps = check_int(steps, "steps", "WarmUp")

    def __call__(self, step: int) -> float:
        """Return the learning rate."""
        target = self.after(max(step - self.steps, 0)) if isinstance(self.after, Schedule) else self.after
        return target * min((step + 1) / self.steps, 1.0)
