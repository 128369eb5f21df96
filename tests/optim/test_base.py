"""What all optimizers promise: state, schedules, and one clear error for each misuse."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn import SGD, Adam, AdamW, Dense, Optimizer, Parameter, RMSProp, StepSchedule
from tests.helpers import assert_same_bits

MAKE: list[Callable[[], Optimizer]] = [
    lambda: SGD(0.1),
    lambda: SGD(0.1, momentum=0.9, weight_decay=1e-2),
    lambda: SGD(0.1, momentum=0.9, nesterov=True),
    lambda: Adam(weight_decay=1e-2),
    lambda: AdamW(0.01),
    lambda: RMSProp(),
]


def drawn(rng: np.random.Generator, dtype: Any = np.float64) -> dict[str, Parameter]:
    parameters = {name: Parameter(rng.normal(size=shape).astype(dtype)) for name, shape in (("a", (3, 2)), ("b", (4,)))}
    for parameter in parameters.values():
        parameter.grad[...] = rng.normal(size=parameter.value.shape)
    return parameters


@pytest.mark.parametrize("make", MAKE)
def test_a_step_changes_values_in_place_and_no_gradient(
    make: Callable[[], Optimizer], rng: np.random.Generator
) -> None:
    parameters = drawn(rng, np.float32)
    values = {name: p.value for name, p in parameters.items()}
    grads = {name: p.grad.copy() for name, p in parameters.items()}
    optimizer = make()
    for step in range(3):
        assert optimizer.step_count == step
        before = {name: p.value.copy() for name, p in parameters.items()}
        optimizer.step(parameters)
        for name, p in parameters.items():
            assert p.value is values[name]
            assert p.value.dtype == np.float32
            assert (p.value != before[name]).any()
            assert_same_bits(p.grad, grads[name])
    assert all(array.dtype == np.float32 for array in optimizer.state().values())


@pytest.mark.parametrize("make", MAKE)
def test_loaded_state_continues_to_the_same_bits(make: Callable[[], Optimizer]) -> None:
    straight, stopped = drawn(np.random.default_rng(1)), drawn(np.random.default_rng(1))
    one, first, second = make(), make(), make()
    for _ in range(6):
        one.step(straight)
    for _ in range(3):
        first.step(stopped)
    second.load_state({name: array.copy() for name, array in first.state().items()}, first.step_count)
    for _ in range(3):
        second.step(stopped)
    for name, parameter in straight.items():
        assert_same_bits(stopped[name].value, parameter.value)
    assert second.step_count == 6


@pytest.mark.parametrize("make", MAKE)
def test_config_and_repr(make: Callable[[], Optimizer]) -> None:
    optimizer = make()
    again = type(optimizer)(**optimizer.config())
    assert again.config() == optimizer.config()
    assert repr(again) == repr(optimizer)
    assert repr(optimizer).startswith(f"{type(optimizer).__name__}(lr=")


@pytest.mark.parametrize("make", MAKE)
def test_parameters_in_any_order_of_memory(make: Callable[[], Optimizer]) -> None:
    plain, turned = drawn(np.random.default_rng(2)), drawn(np.random.default_rng(2))
    turned["a"].value = np.asfortranarray(turned["a"].value)
    turned["a"].grad = np.asfortranarray(turned["a"].grad)
    one, other = make(), make()
    for _ in range(3):
        one.step(plain)
        other.step(turned)
    assert_same_bits(turned["a"].value, plain["a"].value)
    for name, array in one.state().items():
        assert_same_bits(other.state()[name], array)


def test_state_is_named_after_slot_and_parameter(rng: np.random.Generator) -> None:
    optimizer = Adam()
    assert optimizer.state() == {}
    optimizer.step(drawn(rng))
    assert set(optimizer.state()) == {"mean.a", "mean.b", "square.a", "square.b"}
    plain = SGD(0.1)
    plain.step(drawn(rng))
    assert plain.state() == {}


def test_a_schedule_sets_the_rate_of_each_step() -> None:
    optimizer = SGD(StepSchedule(1.0, every=2, factor=0.1))
    parameters = {"w": Parameter(np.zeros(1))}
    parameters["w"].grad[...] = 1
    rates = []
    for _ in range(5):
        rates.append(optimizer.learning_rate)
        optimizer.step(parameters)
    np.testing.assert_allclose(rates, [1, 1, 0.1, 0.1, 0.01])
    np.testing.assert_allclose(parameters["w"].value, [-2.21])


def test_it_learns_a_line() -> None:
    layer = Dense(1)
    layer.build((2,), dtype=np.float64)
    optimizer = Adam(0.05)
    x = np.random.default_rng(0).normal(size=(64, 2))
    target = x @ [[2.0], [-1.0]] + 0.5
    for _ in range(500):
        y = layer.forward(x, training=True)
        layer.backward(2 * (y - target) / y.size)
        optimizer.step(layer.parameters())
    np.testing.assert_allclose(layer.weight.value, [[2, -1]], atol=1e-3)
    np.testing.assert_allclose(layer.bias.value, [0.5], atol=1e-3)


@pytest.mark.parametrize("make", MAKE)
def test_misuse(make: Callable[[], Optimizer], rng: np.random.Generator) -> None:
    optimizer = make()
    kind = type(optimizer).__name__
    layer = Dense(2)
    layer.build((3,))
    for wrong in (layer, [layer.weight], layer.weight):
        with pytest.raises(TypeError, match=rf"{kind}: expected a dict of Parameters"):
            optimizer.step(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"{kind}: expected .*, got speed.a"):
        optimizer.load_state({"speed.a": np.zeros(2)}, 1)
    optimizer.step(drawn(rng))
    if optimizer.slots:
        with pytest.raises(ValueError, match=rf"{kind}: expected a \(3, 2\) as in the steps before, got \(5,\)"):
            optimizer.step({"a": Parameter(np.zeros(5))})


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: SGD(-0.1), ValueError, "SGD: expected lr to be at least 0, got -0.1"),
        (lambda: SGD(float("nan")), ValueError, "SGD: expected lr to be finite, got nan"),
        (lambda: SGD(float("inf")), ValueError, "SGD: expected lr to be finite, got inf"),
        (lambda: SGD("fast"), TypeError, "SGD: expected lr to be a number, got str 'fast'"),
        (lambda: SGD(None), TypeError, "SGD: expected lr to be a number, got NoneType None"),
        (lambda: SGD(0.1, momentum=1), ValueError, "SGD: expected momentum to be at least 0 and below 1, got 1"),
        (lambda: SGD(0.1, momentum=True), TypeError, "SGD: expected momentum to be a number, got bool True"),
        (lambda: SGD(0.1, 0.9, nesterov="no"), TypeError, "SGD: expected nesterov to be True or False, got str 'no'"),
        (lambda: SGD(0.1, nesterov=True), ValueError, "SGD: expected a momentum above 0 for nesterov, got 0"),
        (lambda: SGD(0.1, weight_decay=-1), ValueError, "SGD: expected weight_decay to be at least 0, got -1"),
        (lambda: Adam(betas=(0.9,)), ValueError, r"Adam: expected two betas, got \(0.9,\)"),
        (lambda: Adam(betas=0.9), ValueError, "Adam: expected two betas, got 0.9"),
        (lambda: Adam(betas=(1.0, 0.9)), ValueError, r"Adam: expected betas\[0\] to be at least 0 and below 1, got 1"),
        (lambda: Adam(betas=(0.9, "b")), TypeError, r"Adam: expected betas\[1\] to be a number, got str 'b'"),
        (lambda: Adam(eps=-1), ValueError, "Adam: expected eps to be at least 0, got -1"),
        (lambda: AdamW(weight_decay=-1), ValueError, "AdamW: expected weight_decay to be at least 0, got -1"),
        (lambda: RMSProp(alpha=1.5), ValueError, "RMSProp: expected alpha to be at least 0 and below 1, got 1.5"),
        (lambda: RMSProp(eps=None), TypeError, "RMSProp: expected eps to be a number, got NoneType None"),
    ],
)
def test_bad_settings(make: Callable[[], Optimizer], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_the_base_class_takes_no_step(rng: np.random.Generator) -> None:
    with pytest.raises(NotImplementedError):
        Optimizer(0.1).step(drawn(rng))
