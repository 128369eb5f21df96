"""Losses as objects: what they remember, and the penalties on the weights."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    BatchNorm,
    BinaryCrossEntropy,
    Conv2D,
    CrossEntropy,
    Dense,
    Flatten,
    LayerNorm,
    Loss,
    MeanSquaredError,
    ReLU,
    Sequential,
)
from numpycnn import functional as F
from tests.drawn import generators
from tests.helpers import assert_close, assert_same_bits, numerical_gradient

CASES: list[tuple[Callable[..., Loss], Callable[..., float], Callable[..., np.ndarray], str, dict[str, Any]]] = [
    (CrossEntropy, F.cross_entropy, F.cross_entropy_backward, "labels", {}),
    (CrossEntropy, F.cross_entropy, F.cross_entropy_backward, "labels", {"label_smoothing": 0.1}),
    (CrossEntropy, F.cross_entropy, F.cross_entropy_backward, "distributions", {}),
    (CrossEntropy, F.cross_entropy, F.cross_entropy_backward, "distributions", {"label_smoothing": 0.2}),
    (BinaryCrossEntropy, F.binary_cross_entropy, F.binary_cross_entropy_backward, "shares", {}),
    (MeanSquaredError, F.mean_squared_error, F.mean_squared_error_backward, "numbers", {}),
]


def draw(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    n, k = rng.integers(1, 6, 2)
    y = 2 * rng.normal(size=(n, k))
    shares = rng.random((n, k))
    targets = {
        "labels": rng.integers(0, k, n),
        "distributions": shares / shares.sum(axis=1, keepdims=True),
        "shares": shares,
        "numbers": rng.normal(size=(n, k)),
    }
    return y, targets[kind]


@pytest.mark.parametrize(("make", "forward", "backward", "kind", "settings"), CASES)
def test_is_the_function_and_its_gradient(make: Any, forward: Any, backward: Any, kind: str, settings: Any) -> None:
    for rng in generators(40):
        y, target = draw(kind, rng)
        loss = make(**settings)
        value = loss.forward(y, target)
        assert type(value) is float
        assert value == loss.value(y, target) == forward(y, target, **settings)
        gradient = loss.backward()
        assert_same_bits(gradient, backward(y, target, **settings))
        measured = numerical_gradient(lambda moved, t=target, one=loss: one.value(moved, t), y)
        assert_close(gradient, measured, 1e-7)


@pytest.mark.parametrize(("make", "theirs", "kind"), [
    (CrossEntropy, "CrossEntropyLoss", "labels"),
    (CrossEntropy, "CrossEntropyLoss", "distributions"),
    (BinaryCrossEntropy, "BCEWithLogitsLoss", "shares"),
    (MeanSquaredError, "MSELoss", "numbers"),
])  # fmt: skip
def test_equals_pytorch(make: Any, theirs: str, kind: str, torch: Any) -> None:
    for rng in generators(41):
        y, target = draw(kind, rng)
        smoothing = {"label_smoothing": float(rng.choice([0, 0.2]))} if make is CrossEntropy else {}
        tensor = torch.tensor(y, requires_grad=True)
        value = getattr(torch.nn, theirs)(**smoothing)(tensor, torch.tensor(target))
        value.backward()
        loss = make(**smoothing)
        assert_close(loss.forward(y, target), value.detach())
        assert_close(loss.backward(), tensor.grad)


@pytest.mark.parametrize("make", [CrossEntropy, BinaryCrossEntropy, MeanSquaredError])
def test_each_forward_serves_one_backward(make: Any) -> None:
    loss = make()
    text = f"{make.__name__}: backward needs a forward pass before it"
    with pytest.raises(RuntimeError, match=text):
        loss.backward()
    target = np.zeros(2, int) if make is CrossEntropy else np.zeros((2, 3))
    loss.value(np.zeros((2, 3)), target)
    with pytest.raises(RuntimeError, match=text):
        loss.backward()
    loss.forward(np.zeros((2, 3)), target)
    loss.backward()
    with pytest.raises(RuntimeError, match=text):
        loss.backward()


@pytest.mark.parametrize("logit", [1e4, -1e4])
def test_large_logits_give_finite_losses_and_gradients(logit: float) -> None:
    for loss, target in ((CrossEntropy(), np.array([1])), (BinaryCrossEntropy(), np.array([[0, 1]]))):
        for dtype in (np.float32, np.float64):
            y = np.array([[logit, -logit]], dtype)
            assert np.isfinite(loss.forward(y, target))
            assert np.isfinite(loss.backward()).all()


def model() -> Sequential:
    return Sequential([Conv2D(2, 2), ReLU(), Flatten(), Dense(3)], input_shape=(1, 3, 4), dtype=np.float64)


@pytest.mark.parametrize("settings", [{"l1": 0.3}, {"l2": 0.2}, {"l1": 0.1, "l2": 0.4}])
def test_penalties_by_formula_and_by_finite_differences(settings: dict[str, float]) -> None:
    network, loss = model(), CrossEntropy(**settings)
    parameters = network.parameters()
    weights = [p for name, p in parameters.items() if name.endswith("weight")]
    l1, l2 = settings.get("l1", 0), settings.get("l2", 0)
    expected = sum(l1 * abs(v) + l2 / 2 * v * v for w in weights for v in w.value.ravel())
    assert loss.penalty(parameters) == pytest.approx(expected, rel=1e-12)
    for p in parameters.values():
        p.grad.fill(2.0)  # the penalty's gradient is added to what is there
    loss.add_penalty_gradient(parameters)
    for name, p in parameters.items():
        start = p.value.copy()

        def moved(value: np.ndarray, p: Any = p) -> float:
            p.value[...] = value
            return loss.penalty(parameters)

        measured = numerical_gradient(moved, start)
        p.value[...] = start
        assert_close(p.grad - 2, measured, 1e-7)
        if name.endswith("bias"):
            assert not measured.any()


def test_the_whole_loss_by_finite_differences(rng: np.random.Generator) -> None:
    network, loss = model(), CrossEntropy(label_smoothing=0.1, l1=0.05, l2=0.1)
    x, labels = rng.normal(size=(4, 1, 3, 4)), np.array([0, 2, 1, 1])
    parameters = network.parameters()
    loss.forward(network.forward(x, training=True), labels)
    network.backward(loss.backward())
    loss.add_penalty_gradient(parameters)
    for p in parameters.values():
        start = p.value.copy()

        def total(value: np.ndarray, p: Any = p) -> float:
            p.value[...] = value
            return loss.value(network.forward(x), labels) + loss.penalty(parameters)

        measured = numerical_gradient(total, start)
        p.value[...] = start
        assert_close(p.grad, measured, 1e-6)


def test_without_penalties_nothing_is_added() -> None:
    network, loss = model(), MeanSquaredError()
    assert loss.penalty(network.parameters()) == 0.0
    loss.add_penalty_gradient(network.parameters())
    assert not any(p.grad.any() for p in network.parameters().values())


def test_config_and_repr() -> None:
    for loss in (CrossEntropy(0.1, l2=0.5), BinaryCrossEntropy(l1=0.1), MeanSquaredError()):
        again = type(loss)(**loss.config())
        assert again.config() == loss.config()
    assert repr(CrossEntropy(0.1, l2=0.5)) == "CrossEntropy(label_smoothing=0.1, l2=0.5)"
    assert repr(MeanSquaredError()) == "MeanSquaredError()"


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda: CrossEntropy(1.01),
            ValueError,
            "CrossEntropy: expected label_smoothing to be at least 0 and at most 1, got 1.01",
        ),
        (
            lambda: CrossEntropy(-0.1),
            ValueError,
            "CrossEntropy: expected label_smoothing to be at least 0 and at most 1, got -0.1",
        ),
        (lambda: CrossEntropy("a"), TypeError, "CrossEntropy: expected label_smoothing to be a number, got str 'a'"),
        (
            lambda: CrossEntropy(class_weight={0: 1.0, 1: 5.0}),  # type: ignore[arg-type]
            TypeError,
            "CrossEntropy: expected class_weight to be a list or an array, got a dict",
        ),
        (lambda: CrossEntropy(l1=-1), ValueError, "CrossEntropy: expected l1 to be at least 0, got -1"),
        (
            lambda: BinaryCrossEntropy(l2=float("nan")),
            ValueError,
            "BinaryCrossEntropy: expected l2 to be finite, got nan",
        ),
        (lambda: MeanSquaredError(l2=float("inf")), ValueError, "MeanSquaredError: expected l2 to be finite, got inf"),
        (lambda: MeanSquaredError(l1=True), TypeError, "MeanSquaredError: expected l1 to be a number, got bool True"),
        (
            lambda: MeanSquaredError(l1=None),
            TypeError,
            "MeanSquaredError: expected l1 to be a number, got NoneType None",
        ),
    ],
)
def test_bad_settings(make: Callable[[], Loss], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_bad_arguments_leave_no_half_done_forward() -> None:
    loss = CrossEntropy()
    with pytest.raises(ValueError, match="cross_entropy: expected labels from 0 to 2, got 3 at position 0"):
        loss.forward(np.zeros((1, 3)), [3])
    with pytest.raises(RuntimeError, match="backward needs a forward pass"):
        loss.backward()


def test_the_base_class_computes_nothing() -> None:
    with pytest.raises(NotImplementedError):
        Loss().forward(np.zeros(1), np.zeros(1))


def test_weights_of_examples_with_several_outputs_of_a_loss_of_ones_own(rng: np.random.Generator) -> None:
    class OfBoth(Loss):
        def value(self, y: Any, target: Any) -> float:
            return sum(MeanSquaredError().value(*pair) for pair in zip(y, target, strict=True))

        def _gradient(self, y: Any, target: Any) -> Any:
            return tuple(MeanSquaredError()._gradient(*pair) for pair in zip(y, target, strict=True))

    y, target = (rng.normal(size=(4, 2)), rng.normal(size=(4, 3, 2))), (rng.normal(size=(4, 2)), np.zeros((4, 3, 2)))
    both, repeated = OfBoth(), [0, 0, 1, 3]
    value = both.forward(y, target, [2, 1, 0, 1])
    assert_close(value, both.value(tuple(part[repeated] for part in y), tuple(part[repeated] for part in target)))
    for found, part, number in zip(both.backward(), y, (0, 1), strict=True):

        def weighted(moved: np.ndarray, number: int = number) -> float:
            return both.forward((moved, y[1]) if number == 0 else (y[0], moved), target, [2, 1, 0, 1])

        assert_close(found, numerical_gradient(weighted, part), 1e-6)
    assert both.total_weight(y, target, [2, 1, 0, 1]) == both.total_weight(y, target) == 4


def test_scales_and_shifts_are_not_penalised() -> None:
    model = Sequential([LayerNorm(axis=1), BatchNorm()], input_shape=(2, 3, 3))
    assert CrossEntropy(l1=1, l2=1).penalty(model.parameters()) == 0
