"""NumPy's numbers are accepted wherever a number is: every constructor, called with np.float32 and np.int64."""

import inspect
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import Layer, Loss, Optimizer, Schedule, StepSchedule, functional
from tests.layers.contract import ROWS
from tests.operations import DRAW

PUBLIC = [getattr(numpycnn, name) for name in numpycnn.__all__]
KINDS = [thing for thing in PUBLIC if inspect.isclass(thing) and issubclass(thing, Loss | Optimizer | Schedule)]
BASES = {Loss, Optimizer, Schedule}
REQUIRED = {"lr": 0.1, "max_lr": 0.1, "after": 0.1, "steps": 10, "every": 10}
REQUIRED |= {"function": lambda step: 0.1, "schedule": StepSchedule(0.1, every=10)}


def numpy_number(value: Any) -> Any:
    """Return the same number, or tuple of numbers, as NumPy's types; anything else as it is."""
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int):
        return np.int64(value)
    if isinstance(value, float):
        return np.float32(value)
    return tuple(map(numpy_number, value)) if isinstance(value, tuple) else value


def as_numpy(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: numpy_number(value) for name, value in arguments.items()}


def almost(value: Any) -> Any:
    """Return numbers rounded to float32, for comparison."""
    if isinstance(value, float):
        return pytest.approx(value, rel=1e-6)
    return tuple(map(almost, value)) if isinstance(value, tuple) else value


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in BASES], ids=lambda kind: kind.__name__)
def test_losses_optimizers_and_schedules(kind: type) -> None:
    arguments = {
        name: REQUIRED[name] if parameter.default is parameter.empty else parameter.default
        for name, parameter in inspect.signature(kind).parameters.items()
    }
    made = kind(**as_numpy(arguments))
    for name, value in made.config().items():
        assert value == almost(arguments[name]) or value is arguments[name], name
        assert not isinstance(value, np.generic), name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(repr(row.make()).split()))
def test_layers(row: Any) -> None:
    layer: Layer = row.make()
    again = type(layer).from_config(as_numpy(layer.config()))
    assert "np." not in repr(again)  # a file holds Python's numbers
    assert again.build(row.input_shape) == row.output_shape


@pytest.mark.parametrize("name", sorted(DRAW))
def test_operations(name: str) -> None:
    arguments = DRAW[name](np.random.default_rng(0))
    expected = getattr(functional, name)(**{key: _copy(value) for key, value in arguments.items()})
    actual = getattr(functional, name)(**{key: _copy(value) for key, value in as_numpy(arguments).items()})
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value
