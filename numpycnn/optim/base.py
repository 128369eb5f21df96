"""The base class of the optimizers, which turn gradients into steps of the parameters."""

import inspect
from collections.abc import Mapping
from math import inf
from typing import Any

import numpy as np

from numpycnn._checks import FLOATS, as_contiguous, check_number, check_unmasked, format_shape
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
        """The learning rate of the next step.

        Raises
        ------
        TypeError, ValueError
            If a schedule returns something else than a finite number of at least 0.
        """
        try:
            lr = self.lr(self.step_count) if isinstance(self.lr, Schedule) else self.lr
        except OverflowError:
            lr = inf
        return check_number(lr, f"the learning rate of step {self.step_count + 1}", type(self).__name__, minimum=0)

    def step(self, parameters: Mapping[str, Parameter]) -> None:
        """Move each parameter against its gradient, except those that are not trainable.

        Parameters
        ----------
        parameters : dict of str to Parameter
            As returned by ``model.parameters()``.

        Raises
        ------
        TypeError
            If it is not a mapping of parameters, a parameter is not float32 or float64, or a gradient is masked.
        ValueError
            If a gradient, or the state of a parameter, has another shape or dtype than the parameter. Nothing has been
            changed then.
        """
        owner = type(self).__name__
        expected = f"{owner}: expected a dict of Parameters, as model.parameters() returns"
        if not isinstance(parameters, Mapping):
            raise TypeError(f"{expected}, got {type(parameters).__name__}")
        updates = []
        for name, parameter in parameters.items():
            if not isinstance(parameter, Parameter):
                raise TypeError(f"{expected}, got {type(parameter).__name__} for {name}")
            if not parameter.trainable:
                continue
            value, arrays = parameter.value, {"gradient": parameter.grad}
            if value.dtype not in FLOATS:
                raise TypeError(f"{owner}: expected {name} of float32 or float64, got {value.dtype}")
            for slot in self.slots:
                kept = self._kept.setdefault(slot, {})
                arrays[slot] = kept[name] = kept[name] if name in kept else np.zeros_like(value)
            for part, array in arrays.items():
                quick = type(array) is np.ndarray and array.dtype == value.dtype and array.flags.carray
                if not quick or array.shape != value.shape:
                    arrays[part] = _matching(array, value, f"the {part} of {name}", owner)
            updates.append((value, arrays.values()))
        lr = self.learning_rate
        self.step_count += 1
        for value, (grad, *state) in updates:
            self._update(value, grad, lr, *state)

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
            If the arrays are those of another kind of optimizer. Their shapes are compared in the next step.
        """
        kept: dict[str, dict[str, np.ndarray]] = {slot: {} for slot in self.slots}
        for key, array in state.items():
            slot, _, name = key.partition(".")
            if slot not in kept:
                raise ValueError(
                    f"{type(self).__name__}: expected {' and '.join(self.slots) or 'no arrays'}, got {key}"
                )
            kept[slot][name] = as_contiguous(np.array(array))
        self._kept, self.step_count = kept, step_count

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.config().items())})"


def _matching(array: Any, value: np.ndarray, name: str, owner: str) -> np.ndarray:
    """Return a contiguous array of the shape and dtype of a parameter's value: the loops check neither."""
    array = np.atleast_1d(check_unmasked(array, name, owner))  # as a value of a parameter
    if array.shape != value.shape or array.dtype.newbyteorder("=") != value.dtype:
        raise ValueError(
            f"{owner}: expected {name} {format_shape(value.shape)} of {value.dtype} like the parameter, "
            f"got {format_shape(array.shape)} of {array.dtype}"
        )
    return as_contiguous(array)
