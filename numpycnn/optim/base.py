"""What all optimizers have in common: they turn gradients into steps of the parameters."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from numpycnn.functional.checks import spell
from numpycnn.layers.base import Parameter
from numpycnn.optim.schedules import Schedule


def number(value: Any, name: str, owner: str, *, below: float = np.inf) -> float:
    """Return `value` as a float from 0 to below a limit."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{owner}: expected {name} to be a number, got {type(value).__name__} {value!r}")
    if not 0 <= value < below:
        limit = "on" if below == np.inf else f"to below {below:g}"
        raise ValueError(f"{owner}: expected {name} from 0 {limit}, got {value}")
    return float(value)


class Optimizer:
    """Base class of the optimizers.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, or how it changes from step to step.
    weight_decay : float
        Share of each weight that is added to its gradient.

    Attributes
    ----------
    step_count : int
        Steps taken so far.

    Raises
    ------
    TypeError, ValueError
        If a setting is no number, or out of range.
    """

    slots: tuple[str, ...] = ()  # names of the arrays that are kept for each parameter

    def __init__(self, lr: "float | Schedule", *, weight_decay: float = 0.0) -> None:
        self.lr = lr if isinstance(lr, Schedule) else number(lr, "lr", type(self).__name__)
        self.weight_decay = number(weight_decay, "weight_decay", type(self).__name__)
        self.step_count = 0
        self._kept: dict[str, dict[str, np.ndarray]] = {}

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return self.lr(self.step_count) if isinstance(self.lr, Schedule) else self.lr

    def step(self, parameters: Mapping[str, Parameter]) -> None:
        """Move each parameter against its gradient.

        Parameters
        ----------
        parameters : dict of str to Parameter
            As returned by ``model.parameters()``.

        Raises
        ------
        TypeError
            If it is something else.
        ValueError
            If a parameter has another shape than in the steps before.
        """
        if not isinstance(parameters, Mapping):
            raise TypeError(
                f"{type(self).__name__}: expected what model.parameters() returns, a dict of Parameters, "
                f"got {type(parameters).__name__}"
            )
        lr = self.learning_rate
        self.step_count += 1
        for name, parameter in parameters.items():
            kept = []
            for slot in self.slots:
                array = self._kept.setdefault(slot, {}).get(name)
                if array is None:
                    array = self._kept[slot][name] = np.zeros_like(parameter.value)
                elif array.shape != parameter.value.shape:
                    raise ValueError(
                        f"{type(self).__name__}: expected {name} {spell(array.shape)} as in the steps before, "
                        f"got {spell(parameter.value.shape)}"
                    )
                kept.append(array)
            arrays = (parameter.value, parameter.grad, *kept)  # flat views: steps do not care for shapes
            value, grad, *flat = (array.reshape(-1) for array in arrays)
            self._update(value, grad, lr, *flat)
            for array, result in zip((parameter.value, *kept), (value, *flat), strict=True):
                if not array.flags.c_contiguous:  # then the flat one is a copy
                    array[...] = result.reshape(array.shape)

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        """Change `value` in place; `grad` stays as it is, the arrays of `slots` are kept. All are flat."""
        raise NotImplementedError

    def state(self) -> dict[str, np.ndarray]:
        """Return the kept arrays, by slot and parameter."""
        return {f"{slot}.{name}": array for slot, arrays in self._kept.items() for name, array in arrays.items()}

    def load_state(self, state: Mapping[str, np.ndarray], step_count: int) -> None:
        """Take over arrays as returned by `state`, and the number of steps.

        Parameters
        ----------
        state : dict of str to ndarray
        step_count : int

        Raises
        ------
        ValueError
            If the arrays are those of another kind of optimizer.
        """
        kept: dict[str, dict[str, np.ndarray]] = {slot: {} for slot in self.slots}
        for key, array in state.items():
            slot, _, name = key.partition(".")
            if slot not in kept:
                raise ValueError(
                    f"{type(self).__name__}: expected {' and '.join(self.slots) or 'no arrays'}, got {key}"
                )
            kept[slot][name] = np.array(array)
        self._kept, self.step_count = kept, step_count

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.config().items())})"
