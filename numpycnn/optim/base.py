"""The base class of the optimizers, which turn gradients into steps of the parameters."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from numpycnn._checks import check_number, format_shape
from numpycnn.layers.base import Parameter
from numpycnn.optim.schedules import Schedule


class Optimizer:
    """Base class of the optimizers.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, or its schedule.
    weight_decay : float
        Share of each weight that is added to its gradient.

    Attributes
    ----------
    step_count : int
        Steps taken so far.

    Raises
    ------
    TypeError, ValueError
        If a setting is not a number, or out of range.
    """

    slots: tuple[str, ...] = ()  # names of the state arrays of each parameter

    def __init__(self, lr: "float | Schedule", *, weight_decay: float = 0.0) -> None:
        owner = type(self).__name__
        self.lr = lr if isinstance(lr, Schedule) else check_number(lr, "lr", owner, minimum=0)
        self.weight_decay = check_number(weight_decay, "weight_decay", owner, minimum=0)
        self.step_count = 0
        self._kept: dict[str, dict[str, np.ndarray]] = {}

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return self.lr(self.step_count) if isinstance(self.lr, Schedule) else self.lr

    def step(self, parameters: Mapping[str, Parameter]) -> None:
        """Move each parameter against its gradient, except those that are not trainable.

        Parameters
        ----------
        parameters : dict of str to Parameter
            As returned by ``model.parameters()``.

        Raises
        ------
        TypeError
            If it is not a mapping.
        ValueError
            If a parameter has another shape than in the steps before.
        """
        if not isinstance(parameters, Mapping):
            raise TypeError(
                f"{type(self).__name__}: expected a dict of Parameters, as model.parameters() returns, "
                f"got {type(parameters).__name__}"
            )
        lr = self.learning_rate
        self.step_count += 1
        for name, parameter in parameters.items():
            if not parameter.trainable:
                continue
            kept = []
            for slot in self.slots:
                array = self._kept.setdefault(slot, {}).get(name)
                if array is None:
                    array = self._kept[slot][name] = np.zeros_like(parameter.value)
                elif array.shape != parameter.value.shape:
                    raise ValueError(
                        f"{type(self).__name__}: expected {name} {format_shape(array.shape)} as in the steps before, "
                        f"got {format_shape(parameter.value.shape)}"
                    )
                kept.append(array)
            self._update(parameter.value, parameter.grad, lr, *kept)

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        """Change `value` and the arrays of `slots` in place; `grad` is not changed."""
        raise NotImplementedError

    def state(self) -> dict[str, np.ndarray]:
        """Return the state arrays, by slot and parameter."""
        return {f"{slot}.{name}": array for slot, arrays in self._kept.items() for name, array in arrays.items()}

    def load_state(self, state: Mapping[str, np.ndarray], step_count: int) -> None:
        """Restore arrays as returned by `state`, and the number of steps.

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
