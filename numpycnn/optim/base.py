"""The base class of the optimizers, which turn gradients into steps of the parameters."""

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping
from math import inf, sqrt
from typing import Any

import numpy as np

from numpycnn._checks import FLOATS, as_contiguous, check_number, check_unmasked, format_shape
from numpycnn.layers.base import Parameter
from numpycnn.optim.accumulation import Accumulation
from numpycnn.optim.schedules import Schedule, check_rate

Rate = float | Schedule | Callable[[int], float]
Groups = Mapping[str, Mapping[str, Any]]


class Optimizer:
    """Base class of the optimizers.

    Parameters
    ----------
    lr : float, Schedule or function
        Learning rate, its schedule, or a function of the number of steps taken.
    weight_decay : float
        Share of each weight that is added to its gradient.
    clip_norm : float, optional
        Largest Euclidean norm of all gradients together: if their norm ``n`` is larger, all of them are multiplied by
        ``clip_norm / (n + 1e-6)``, as PyTorch's ``clip_grad_norm_`` does.
    clip_value : float, optional
        Largest absolute value of an element of a gradient; applied before `clip_norm`.
    param_groups : dict of str to dict, optional
        Other values of ``lr`` and ``weight_decay`` for the parameters with names that start with a prefix, such as
        ``{"head.": {"lr": 1e-2, "weight_decay": 0}}``. The longest prefix wins.

    Attributes
    ----------
    step_count : int
        Steps taken so far.
    parameter_step : int
        For `_update`: the steps of the parameter that it moves, this one included. They are fewer than `step_count` for
        a parameter that was frozen, or added later.
    epoch_count : int
        Epochs completed so far, for `PerEpoch`; a `Trainer` sets it.
    accumulation : Accumulation or None
        Set by ``Trainer.fit(accumulate=...)``: sums of gradients, with which `step` moves the parameters after the last
        part of a batch only.

    Raises
    ------
    TypeError, ValueError
        If a setting is not a number, or out of range; if a group has another setting.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", arXiv 1211.5063
    (`clip_norm`).
    """

    slots: tuple[str, ...] = ()  # names of the state arrays of each parameter

    def __init__(
        self,
        lr: Rate,
        *,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        param_groups: Groups | None = None,
    ) -> None:
        owner = type(self).__name__
        self.lr = check_rate(lr, "lr", owner)
        self.weight_decay = check_number(weight_decay, "weight_decay", owner, minimum=0)
        self.clip_norm = _check_limit(clip_norm, "clip_norm", owner)
        self.clip_value = _check_limit(clip_value, "clip_value", owner)
        self.param_groups = None if param_groups is None else _check_groups(param_groups, owner)
        self.step_count = self.parameter_step = 0
        self.epoch_count = 0
        self.accumulation: Accumulation | None = None
        self._kept: dict[str, dict[str, np.ndarray]] = {}
        self._steps: dict[str, int] = {}  # of each parameter

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step.

        Raises
        ------
        TypeError, ValueError
            If a schedule returns something else than a finite number of at least 0.
        """
        lr: object = self.lr
        try:
            if isinstance(lr, Schedule):
                lr = lr(self.epoch_count if lr.counts_epochs else self.step_count)
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
            If a gradient, or the state of a parameter, has another shape or dtype than the parameter, or if no name
            starts with the prefix of a group. Nothing has been changed then.
        RuntimeError
            If it is called twice for a batch of ``Trainer.fit(accumulate=...)``.
        """
        updates = self._updates(parameters)
        grads = [grad for _, _, grad, _ in updates]
        if self.accumulation is not None:
            grads = self.accumulation.add([name for name, *_ in updates], grads, type(self).__name__)
            if not self.accumulation.last:
                return
        if self.clip_value is not None:
            grads = [np.clip(grad, -self.clip_value, self.clip_value) for grad in grads]
        if self.clip_norm is not None:
            grads = _clip_norm(grads, self.clip_norm)
        lr = self.learning_rate
        grouped = self._grouped(parameters) if self.param_groups else {}
        self.step_count += 1
        for (name, value, _, state), grad in zip(updates, grads, strict=True):
            part, rate = grouped.get(name, (self, lr))
            part.parameter_step = self._steps[name] = self._steps.get(name, 0) + 1
            part._update(value, grad, rate, *state)

    def _updates(self, parameters: Mapping[str, Parameter]) -> list[tuple[str, np.ndarray, np.ndarray, list[Any]]]:
        """Return name, value, gradient and state arrays of the parameters to move, after checking all of them."""
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
            grad, *state = arrays.values()
            updates.append((name, value, grad, state))
        return updates

    def _grouped(self, names: Iterable[str]) -> dict[str, tuple["Optimizer", float]]:
        """Return for each parameter in a group a copy of this optimizer with the group's settings, and its rate."""
        found: dict[str, tuple[Optimizer, float]] = {}
        for prefix, settings in sorted((self.param_groups or {}).items(), key=lambda item: len(item[0])):
            members = [name for name in names if name.startswith(prefix)]
            if not members:
                raise ValueError(
                    f"{type(self).__name__}: expected param_groups with prefixes of the parameters {', '.join(names)}, "
                    f"got {prefix!r}"
                )
            part = copy.copy(self)
            vars(part).update(settings)
            found |= dict.fromkeys(members, (part, part.learning_rate))
            part.step_count += 1
        return found

    def _update(self, value: np.ndarray, grad: np.ndarray, lr: float, *kept: np.ndarray) -> None:
        """Change `value` and the arrays of `slots` in place; `grad` is not changed."""
        raise NotImplementedError

    def state(self) -> dict[str, np.ndarray]:
        """Return the state arrays, by slot and parameter."""
        return {f"{slot}.{name}": array for slot, arrays in self._kept.items() for name, array in arrays.items()}

    def other_steps(self) -> dict[str, int]:
        """Return the steps of the parameters that have not taken each step of the optimizer, or have no state arrays.

        Returns
        -------
        dict of str to int
        """
        return {name: count for name, count in self._steps.items() if count != self.step_count or not self.slots}

    def load_state(
        self, state: Mapping[str, np.ndarray], step_count: int, other_steps: Mapping[str, int] | None = None
    ) -> None:
        """Restore arrays as returned by `state`, and the number of steps.

        Parameters
        ----------
        state : dict of str to ndarray
        step_count : int
        other_steps : dict of str to int, optional
            As returned by `other_steps`.

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
        self._steps = {name: step_count for arrays in kept.values() for name in arrays} | dict(other_steps or {})

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        settings = {name: value for name, value in self.config().items() if value is not None}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in settings.items())})"


def _check_limit(value: object, name: str, owner: str) -> float | None:
    if value is None:
        return None
    limit = check_number(value, name, owner, minimum=0)
    if not limit:
        raise ValueError(f"{owner}: expected {name} above 0, got 0; None does not clip")
    return limit


def _check_groups(groups: object, owner: str) -> dict[str, dict[str, Any]]:
    example = '{"head.": {"lr": 0.01, "weight_decay": 0}}'
    if not isinstance(groups, Mapping):
        raise TypeError(f"{owner}: expected param_groups as {example}, got {groups!r}")
    checked: dict[str, dict[str, Any]] = {}
    for prefix, settings in groups.items():
        if not isinstance(prefix, str) or not isinstance(settings, Mapping):
            raise TypeError(f"{owner}: expected param_groups as {example}, got {prefix!r}: {settings!r}")
        group = checked[prefix] = dict(settings)
        if unknown := sorted(group.keys() - {"lr", "weight_decay"}):
            raise ValueError(f"{owner}: expected lr or weight_decay in param_groups[{prefix!r}], got {unknown[0]!r}")
        if "lr" in group:
            group["lr"] = check_rate(group["lr"], f"the lr of {prefix!r}", owner)
        if "weight_decay" in group:
            group["weight_decay"] = check_number(
                group["weight_decay"], f"the weight_decay of {prefix!r}", owner, minimum=0
            )
    return checked


def _clip_norm(grads: list[np.ndarray], limit: float) -> list[np.ndarray]:
    """Return gradients with a norm of at most `limit`, all of them together; the norm is computed in float64."""
    norm = sqrt(sum(float(np.square(grad, dtype=np.float64).sum()) for grad in grads))
    factor = limit / (norm + 1e-6)
    return grads if factor >= 1 else [grad * grad.dtype.type(factor) for grad in grads]


def _matching(array: Any, value: np.ndarray, name: str, owner: str) -> np.ndarray:
    """Return a contiguous array of the shape and dtype of a parameter's value: the loops check neither."""
    array = np.atleast_1d(check_unmasked(array, name, owner))  # as a value of a parameter
    if array.shape != value.shape or array.dtype.newbyteorder("=") != value.dtype:
        raise ValueError(
            f"{owner}: expected {name} {format_shape(value.shape)} of {value.dtype} like the parameter, "
            f"got {format_shape(array.shape)} of {array.dtype}"
        )
    return as_contiguous(array)
