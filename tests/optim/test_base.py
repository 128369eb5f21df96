"""What all optimizers promise: state, schedules, and one clear error for each misuse."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Dense,
    ExponentialSchedule,
    Optimizer,
    Parameter,
    PerEpoch,
    RMSProp,
    Schedule,
    StepSchedule,
)
from tests.drawn import generators
from tests.helpers import assert_same_bits

MAKE: list[Callable[[], Optimizer]] = [
    lambda: SGD(0.1),
    lambda: SGD(0.1, momentum=0.9, weight_decay=1e-2),
    lambda: SGD(0.1, momentum=0.9, nesterov=True),
    lambda: Adam(weight_decay=1e-2),
    lambda: AdamW(0.01),
    lambda: RMSProp(),
    lambda: Adagrad(weight_decay=1e-2),
    lambda: Adadelta(),
    lambda: Adam(PerEpoch(StepSchedule(0.1, 2)), clip_value=0.5, clip_norm=1.0),
    lambda: AdamW(param_groups={"a": {"lr": ExponentialSchedule(0.2, 3)}, "b": {"weight_decay": 0.5}}),
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
        (lambda: Adagrad(eps=-1), ValueError, "Adagrad: expected eps to be at least 0, got -1"),
        (lambda: Adadelta(rho=1), ValueError, "Adadelta: expected rho to be at least 0 and below 1, got 1"),
        (lambda: SGD(SGD), TypeError, "SGD: expected lr to be a number, got type"),
        (lambda: SGD(0.1, clip_norm=0), ValueError, "SGD: expected clip_norm above 0, got 0; None does not clip"),
        (lambda: SGD(0.1, clip_value=-1), ValueError, "SGD: expected clip_value to be at least 0, got -1"),
        (lambda: SGD(0.1, clip_norm="1"), TypeError, "SGD: expected clip_norm to be a number, got str '1'"),
        (lambda: SGD(0.1, param_groups=["a"]), TypeError, r'expected param_groups as {"head.": .*, got \[\'a\'\]'),
        (lambda: SGD(0.1, param_groups={0: {}}), TypeError, r"expected param_groups as .*, got 0: {}"),
        (lambda: SGD(0.1, param_groups={"a": 0.1}), TypeError, r"expected param_groups as .*, got 'a': 0.1"),
        (
            lambda: SGD(0.1, param_groups={"a": {"momentum": 0.1}}),
            ValueError,
            r"SGD: expected lr or weight_decay in param_groups\['a'\], got 'momentum'",
        ),
        (lambda: SGD(0.1, param_groups={"a": {"lr": -1}}), ValueError, "expected the lr of 'a' to be at least 0"),
        (
            lambda: SGD(0.1, param_groups={"a": {"weight_decay": None}}),
            TypeError,
            "expected the weight_decay of 'a' to be a number, got NoneType None",
        ),
    ],
)
def test_bad_settings(make: Callable[[], Optimizer], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_the_base_class_takes_no_step(rng: np.random.Generator) -> None:
    with pytest.raises(NotImplementedError):
        Optimizer(0.1).step(drawn(rng))


# ------------------------------------------------------------------------------------------------ clipping, groups


def clipped(
    kind: type[Optimizer], settings: dict[str, Any], rng: np.random.Generator, torch: Any, backend: str
) -> None:
    """Ten steps beside PyTorch's, which clips the gradients themselves."""
    frozen = Parameter(np.ones(2))
    frozen.trainable = False
    mine = drawn(rng) | {"frozen": frozen}
    tensors = {name: torch.tensor(p.value.copy(), requires_grad=p.trainable) for name, p in mine.items()}
    theirs = getattr(torch.optim, kind.__name__)(tensors.values(), lr=0.1)
    ours = kind(0.1, **settings)
    for _ in range(10):
        for name, parameter in mine.items():
            parameter.grad = rng.normal(size=parameter.value.shape) * rng.choice([1e-3, 1, 100])
            if parameter.trainable:
                tensors[name].grad = torch.tensor(parameter.grad.copy())
        before = {name: p.grad.copy() for name, p in mine.items()}
        if "clip_value" in settings:
            torch.nn.utils.clip_grad_value_(tensors.values(), settings["clip_value"])
        if "clip_norm" in settings:
            torch.nn.utils.clip_grad_norm_(tensors.values(), settings["clip_norm"])
        with numpycnn.backend(backend):
            ours.step(mine)
        theirs.step()
        for name, p in mine.items():
            np.testing.assert_allclose(p.value, tensors[name].detach().numpy(), rtol=0, atol=1e-10)
            assert_same_bits(p.grad, before[name])


@pytest.mark.parametrize("backend", ["plain", "fast"])
@pytest.mark.parametrize("kind", [SGD, Adam, AdamW, Adagrad, Adadelta])
def test_clipping_equals_pytorch(kind: type[Optimizer], backend: str, torch: Any) -> None:
    for rng in generators(72, count=50):
        settings = {name: float(10 ** rng.uniform(-2, 1)) for name in ("clip_norm", "clip_value") if rng.random() < 0.7}
        clipped(kind, settings, rng, torch, backend)


def test_the_norm_of_large_gradients_does_not_overflow() -> None:
    w = Parameter(np.zeros(4, np.float32))
    w.grad[...] = 1e25
    SGD(1.0, clip_norm=2.0).step({"w": w})
    np.testing.assert_allclose(w.value, -1.0, rtol=1e-6)


@pytest.mark.parametrize("backend", ["plain", "fast"])
def test_groups_equal_those_of_pytorch(backend: str, torch: Any) -> None:
    """The longest prefix wins, a group without a rate has that of the others, and schedules count steps."""
    rng = np.random.default_rng(5)
    names = ["body.0.weight", "body.1.weight", "head.weight", "head.bias", "other"]
    mine = {name: Parameter(rng.normal(size=(3, 2))) for name in names}
    tensors = {name: torch.tensor(p.value.copy(), requires_grad=True) for name, p in mine.items()}
    schedule = StepSchedule(0.2, every=2, factor=0.5)
    ours = Adam(
        0.1,
        weight_decay=0.1,
        param_groups={
            "head.bias": {"weight_decay": 0},
            "head.": {"lr": schedule, "weight_decay": 0.3},
            "body.0": {"lr": 0.01},
        },
    )
    theirs = torch.optim.Adam(
        [
            {"params": [tensors["body.1.weight"], tensors["other"]]},
            {"params": [tensors["head.bias"]], "weight_decay": 0},
            {"params": [tensors["head.weight"]], "weight_decay": 0.3},
            {"params": [tensors["body.0.weight"]], "lr": 0.01},
        ],
        lr=0.1,
        weight_decay=0.1,
    )
    for step in range(6):
        theirs.param_groups[2]["lr"] = schedule(step)
        for name, parameter in mine.items():
            parameter.grad[...] = rng.normal(size=(3, 2))
            tensors[name].grad = torch.tensor(parameter.grad.copy())
        with numpycnn.backend(backend):
            ours.step(mine)
        theirs.step()
        for name, parameter in mine.items():
            np.testing.assert_allclose(parameter.value, tensors[name].detach().numpy(), rtol=0, atol=1e-10)


def test_a_group_for_all_but_one(rng: np.random.Generator) -> None:
    parameters = drawn(rng)
    before = {name: p.value.copy() for name, p in parameters.items()}
    SGD(0.0, param_groups={"": {"lr": 1.0}, "a": {"lr": 0.0}}).step(parameters)
    assert_same_bits(parameters["a"].value, before["a"])
    np.testing.assert_allclose(parameters["b"].value, before["b"] - parameters["b"].grad)


def test_an_unknown_group_changes_nothing(rng: np.random.Generator) -> None:
    parameters, optimizer = drawn(rng), SGD(0.1, param_groups={"a": {}, "head.": {"lr": 1}})
    before = {name: p.value.copy() for name, p in parameters.items()}
    text = r"SGD: expected param_groups with prefixes of the parameters a, b, got 'head\.'"
    with pytest.raises(ValueError, match=text):
        optimizer.step(parameters)
    assert optimizer.step_count == 0
    for name, parameter in parameters.items():
        assert_same_bits(parameter.value, before[name])


def test_groups_are_copied() -> None:
    given: dict[str, dict[str, Any]] = {"a": {"lr": 0.5}}
    optimizer = SGD(0.1, param_groups=given)
    given["a"]["lr"] = -1
    given["b"] = {}
    assert optimizer.param_groups == {"a": {"lr": 0.5}}


def test_epochs_are_counted_in_a_loop_of_ones_own() -> None:
    w, optimizer = Parameter(np.zeros(1)), SGD(PerEpoch(StepSchedule(1.0, every=1, factor=0.1)))
    w.grad[...] = 1
    for _ in range(2):
        for _ in range(3):
            optimizer.step({"w": w})
        optimizer.epoch_count += 1
    np.testing.assert_allclose(w.value, [-3.3])


def test_a_function_is_a_schedule() -> None:
    def rate(step: int) -> float:
        return 1 / (1 + step)

    optimizer = SGD(rate)
    assert repr(optimizer.lr).startswith("FunctionSchedule(test_a_function_is_a_schedule")
    optimizer.load_state({}, 3)
    assert optimizer.learning_rate == 0.25
