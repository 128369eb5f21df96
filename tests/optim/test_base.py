"""What all optimizers promise: state, schedules, and one clear error for each misuse."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import SGD, Adam, AdamW, Dense, Optimizer, Parameter, RMSProp, Schedule, StepSchedule
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
    with pytest.raises(TypeError, match=rf"{kind}: expected a dict of Parameters, .*, got ndarray for w"):
        optimizer.step({"w": np.zeros(2)})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match=rf"{kind}: expected w of float32 or float64, got int64"):
        optimizer.step({"w": Parameter(np.zeros(2, np.int64))})
    assert optimizer.step_count == 0
    optimizer.step(drawn(rng))
    if optimizer.slots:
        expected = rf"{kind}: expected the {optimizer.slots[0]} of a \(5,\) of float64 like the parameter, got \(3, 2\)"
        with pytest.raises(ValueError, match=expected):
            optimizer.step({"a": Parameter(np.zeros(5))})


@pytest.mark.parametrize("backend", ["plain", "fast"])
@pytest.mark.parametrize("make", MAKE)
@pytest.mark.parametrize(
    ("grad", "error", "got"),
    [
        (np.ones(1), ValueError, r"got \(1,\) of float64"),
        (np.ones((3, 2, 1)), ValueError, r"got \(3, 2, 1\) of float64"),
        (np.ones((2, 3)), ValueError, r"got \(2, 3\) of float64"),
        (np.ones((3, 2), np.float32), ValueError, r"got \(3, 2\) of float32"),
        (np.ones((3, 2), complex), ValueError, r"got \(3, 2\) of complex128"),
        (np.ma.ones((3, 2)), TypeError, "the gradient of b without a mask"),
        (None, ValueError, r"got \(1,\) of object"),
    ],
)
def test_a_gradient_unlike_its_parameter_changes_nothing(
    make: Callable[[], Optimizer], grad: Any, error: type[Exception], got: str, backend: str
) -> None:
    """The loops of the fast backend would read outside of the array."""
    optimizer, parameters = make(), {"a": Parameter(np.ones(4)), "b": Parameter(np.ones((3, 2)))}
    parameters["a"].grad[...] = 1
    parameters["b"].grad = grad
    with numpycnn.backend(backend), pytest.raises(error, match=f"{type(optimizer).__name__}: expected .*{got}"):
        optimizer.step(parameters)
    assert optimizer.step_count == 0
    for parameter in parameters.values():
        assert (parameter.value == 1).all()


@pytest.mark.parametrize("backend", ["plain", "fast"])
@pytest.mark.parametrize("make", MAKE)
def test_gradients_and_state_in_any_order_of_memory_and_bytes(make: Callable[[], Optimizer], backend: str) -> None:
    one, other = drawn(np.random.default_rng(2)), drawn(np.random.default_rng(2))
    plain, turned = make(), make()
    with numpycnn.backend(backend):
        for _ in range(3):
            plain.step(one)
            for parameter in other.values():
                parameter.grad = np.asfortranarray(parameter.grad.astype(">f8"))
            turned.step(other)
            turned.load_state(
                {k: np.asfortranarray(v.astype(">f8")) for k, v in turned.state().items()}, turned.step_count
            )
    for name, parameter in one.items():
        assert_same_bits(other[name].value, parameter.value)


class Returns(Schedule):
    """A schedule that returns a value, or raises an error."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, step: int) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


@pytest.mark.parametrize(
    ("schedule", "error", "text"),
    [
        (Returns(-0.1), ValueError, "to be at least 0, got -0.1"),
        (Returns(float("nan")), ValueError, "to be finite, got nan"),
        (StepSchedule(0.1, every=1, factor=10.0), ValueError, "to be finite, got inf"),
        (Returns("0.1"), TypeError, "to be a number, got str '0.1'"),
        (Returns(True), TypeError, "to be a number, got bool True"),
        (Returns(None), TypeError, "to be a number, got NoneType None"),
        (Returns(np.array([0.1])), TypeError, "to be a number, got ndarray"),
    ],
)
def test_a_schedule_with_a_wrong_rate(schedule: Schedule, error: type[Exception], text: str) -> None:
    optimizer, parameter = SGD(schedule), Parameter(np.ones(2))
    optimizer.load_state({}, 400)
    with pytest.raises(error, match=f"SGD: expected the learning rate of step 401 {text}"):
        optimizer.step({"w": parameter})
    assert optimizer.step_count == 400


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
