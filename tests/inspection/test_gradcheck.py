"""The gradient check finds what is wrong, says what it is, and lets pass what is right."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GradientError,
    Layer,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    Parameter,
    ReLU,
    Residual,
    Sequential,
    Softmax,
    check_gradients,
)
from numpycnn import functional as F
from numpycnn.inspection.gradcheck import GradientReport, GradientRow, format_failure, measure_gradients
from tests.helpers import assert_same_bits

# --------------------------------------------------------------------------------------- layers with a planted error


class HalfWeightGradient(Dense):
    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        dx = super()._backward(dy, cache)
        self.weight.grad *= 0.5
        return dx


class SlightlyWrongBias(Dense):
    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        dx = super()._backward(dy, cache)
        self.bias.grad *= 1 + 1e-5
        return dx


class NoInputGradient(Dense):
    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return np.zeros_like(super()._backward(dy, cache))


class ForgottenWeightGradient(Dense):
    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return dy @ self.weight.value


class OneWrongNumber(Dense):
    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        dx = super()._backward(dy, cache)
        self.weight.grad[1, 2] += 0.01
        return dx


class AddedUp(Dense):
    """Adds to the gradient of the pass before, here one that the layer did by itself."""

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        before = self.weight.grad.copy() + 1
        dx = super()._backward(dy, cache)
        self.weight.grad += before
        return dx


class SwappedKernelAxes(Conv2D):
    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        dx = super()._backward(dy, cache)
        self.weight.grad[...] = self.weight.grad.swapaxes(2, 3).copy()
        return dx


class SwappedInputAxes(Conv2D):
    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return np.ascontiguousarray(super()._backward(dy, cache).swapaxes(2, 3))


class SoftmaxOfZeros(Softmax):
    """Its backward is right for a probe of ones, and for no other."""

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return np.zeros_like(dy)


class InferenceBatchNorm(BatchNorm):
    """Takes mean and variance for constants in training, too."""

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, _, statistics = cache
        dx, self.weight.grad[...], self.bias.grad[...] = F.batch_norm_backward(
            dy, x, self.weight.value, *statistics, training=False, eps=self.eps
        )
        return dx


class AnotherMask(Dropout):
    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return dy if cache is None else dy * cache[::-1]


class EvenlyShared(MaxPool2D):
    """Shares the gradient among all elements of a window."""

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return np.repeat(np.repeat(dy, 2, axis=2), 2, axis=3) / 4


class NanGradient(ReLU):
    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return np.full_like(dy, np.nan)


PLANTED: list[tuple[Callable[[], Layer], tuple[int, ...], str, str]] = [
    (lambda: HalfWeightGradient(4, name="fc"), (3,), "HalfWeightGradient 'fc'", "weight"),
    (lambda: SlightlyWrongBias(4), (3,), "SlightlyWrongBias", "bias"),
    (lambda: NoInputGradient(4), (3,), "NoInputGradient", "x"),
    (lambda: OneWrongNumber(4), (3,), "OneWrongNumber", "weight"),
    (lambda: AddedUp(4), (3,), "AddedUp", "weight"),
    (lambda: SwappedKernelAxes(2, 3), (1, 4, 5), "SwappedKernelAxes", "weight"),
    (lambda: SwappedInputAxes(2, 2), (1, 4, 4), "SwappedInputAxes", "x"),
    (SoftmaxOfZeros, (4,), "SoftmaxOfZeros", "x"),
    (InferenceBatchNorm, (3,), "InferenceBatchNorm", "x"),
    (lambda: AnotherMask(0.5), (10,), "AnotherMask", "x"),
    (lambda: EvenlyShared(2), (1, 4, 4), "EvenlyShared", "x"),
    (NanGradient, (4,), "NanGradient", "x"),
    (
        lambda: Sequential([Dense(5), Residual(Sequential([ReLU(), HalfWeightGradient(5, name="deep")]))]),
        (4,),
        "HalfWeightGradient 'deep' (layer 1.main.1)",
        "weight",
    ),
]


@pytest.mark.parametrize(("make", "input_shape", "owner", "array"), PLANTED)
def test_a_planted_error_is_found_and_named(
    make: Callable[[], Layer], input_shape: tuple[int, ...], owner: str, array: str
) -> None:
    with pytest.raises(GradientError) as caught:
        check_gradients(make(), input_shape)
    number = r"(-?\d[\d.e+-]*|nan)"
    pattern = (
        rf"^{re.escape(owner)}: the gradient of {array} is wrong (at index \((\d+, ?)+\d*\)|in a random direction): "
        rf"backward gives {number}, central differences give {number} \(relative error {number}\)"
    )
    assert re.search(pattern, str(caught.value), re.MULTILINE), caught.value


@pytest.mark.parametrize(("make", "input_shape", "owner", "array"), PLANTED)
def test_the_report_marks_only_what_is_wrong(
    make: Callable[[], Layer], input_shape: tuple[int, ...], owner: str, array: str
) -> None:
    report = measure_gradients(make(), input_shape)
    assert not report.passed
    wrong = {(row.layer, row.array) for row in report.rows if not row.passed}
    # An error in the backward pass reaches the layers before, but not the parameters of this layer.
    assert wrong == {(owner, array)}
    assert f"{owner}: the gradient of {array} is wrong" in str(report)


def test_the_message_gives_the_very_index_and_both_numbers() -> None:
    report = measure_gradients(OneWrongNumber(4), (3,))
    (row,) = [row for row in report.rows if not row.passed]
    assert row.index == (1, 2)
    assert row.analytic - row.numerical == pytest.approx(0.01, rel=1e-4)
    text = format_failure(row)
    assert "OneWrongNumber: the gradient of weight is wrong at index (1, 2): backward gives " in text
    assert f"{row.analytic:.10g}" in text
    assert f"{row.numerical:.10g}" in text


def test_an_error_where_no_single_number_is_tried_is_found_by_the_random_direction() -> None:
    report = measure_gradients(HalfWeightGradient(100), (100,), samples=1)
    assert {row.array for row in report.rows if not row.passed} == {"weight"}
    single = OneWrongNumber(60)
    found = [not measure_gradients(single, (50,), samples=1, seed=seed).passed for seed in range(5)]
    assert all(found)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (lambda: HalfWeightGradient(4), "relative error 5.0e-01"),
        (lambda: SlightlyWrongBias(4), "relative error 1.0e-05"),
        (lambda: SoftmaxOfZeros(), "backward gives 0, central differences give"),
    ],
)
def test_how_wrong_it_is(layer: Callable[[], Layer], text: str) -> None:
    with pytest.raises(GradientError, match=text):
        check_gradients(layer(), (4,))


# ----------------------------------------------------------------------------------------------------- what is right


def test_randomness_and_batch_statistics_are_held_still_in_training() -> None:
    for layer in (Dropout(0.5), BatchNorm(), Sequential([Dense(6), BatchNorm(), Dropout(0.3), Dropout(0.3), Dense(2)])):
        for training in (True, False):
            assert check_gradients(layer, (8,), training=training, batch_size=5).passed


def test_inference_of_a_batch_norm_uses_its_running_values() -> None:
    layer = InferenceBatchNorm()
    assert {row.array for row in measure_gradients(layer, (3,), training=False).rows if row.array == "x" and row.passed}


class Sign(Layer):
    """All steps: its derivative is 0 wherever there is one."""

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return np.round(20 * x), None

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return np.zeros_like(dy)


class KinkNearZero(Layer):
    """A ReLU that is fed with numbers so small that a step may cross its kink."""

    def draw_input(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.normal(size=shape) * 5e-4

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return F.relu(x), x

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return F.relu_backward(dy, cache)


def test_kinks_are_not_errors() -> None:
    for seed in range(20):
        assert check_gradients(KinkNearZero(), (4,), seed=seed).passed
        assert check_gradients(Sign(), (6,), seed=seed).passed
        model = Sequential([Dense(30), ReLU(), Dense(30), LeakyReLU(0.5), Dense(1)])
        assert check_gradients(model, (20,), seed=seed, batch_size=8).passed


class WrongBesideAKink(KinkNearZero):
    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return 1.01 * super()._backward(dy, cache)


def test_a_wrong_gradient_does_not_hide_behind_kinks() -> None:
    for seed in range(20):
        with pytest.raises(GradientError, match="WrongBesideAKink: the gradient of x is wrong"):
            check_gradients(WrongBesideAKink(), (4,), seed=seed)


class Unsteady(Layer):
    """Another output each time."""

    calls = 0

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        Unsteady.calls += 1
        return x * (1 + Unsteady.calls % 7), None

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return dy


def test_a_forward_that_is_not_the_same_each_time_is_reported() -> None:
    with pytest.raises(
        GradientError, match=r"Unsteady: two forward passes with the same input differ|Unsteady: the gradient of x"
    ):
        check_gradients(Unsteady(), (3,))


def test_small_and_large_gradients_are_judged_alike() -> None:
    for scale in (1e-4, 1e4):
        layer = Dense(4)
        layer.build((3,), dtype=np.float64)
        layer.weight.value *= scale
        assert check_gradients(layer, (3,)).passed


# ------------------------------------------------------------------------------------------------------- its manners


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_callers_layer_is_not_touched(dtype: type, rng: np.random.Generator) -> None:
    model = Sequential([Dense(6), BatchNorm(), Dropout(0.5), Dense(2)], input_shape=(4,), dtype=dtype, seed=1)
    x = rng.normal(size=(5, 4)).astype(dtype)
    model.forward(x, training=True)
    model.backward(np.ones((5, 2), dtype))
    model.forward(x, training=True)
    state = {name: array.copy() for name, array in model.state().items()}
    grads = {name: p.grad.copy() for name, p in model.parameters().items()}
    random = [str(g.bit_generator.state) for g in model.random_generators().values()]
    assert check_gradients(model, (4,)).passed
    assert model.dtype == dtype
    for name, array in model.state().items():
        assert_same_bits(array, state[name])
    for name, p in model.parameters().items():
        assert_same_bits(p.grad, grads[name])
    assert [str(g.bit_generator.state) for g in model.random_generators().values()] == random
    model.backward(np.ones((5, 2), dtype))  # what the last forward pass kept is still there


def test_a_built_layer_can_be_checked_for_another_size() -> None:
    model = Sequential([Conv2D(2, 3), BatchNorm(), ReLU()], input_shape=(2, 5, 6))
    model.state()["1.running_mean"][...] = 3
    assert check_gradients(model, (2, 4, 7)).passed
    assert model.input_shape == (2, 5, 6)


def test_a_layer_of_two_models_is_named_by_its_place_in_the_one_that_is_checked() -> None:
    model = Sequential([ReLU(), Dense(2)], input_shape=(3,))
    Sequential([Dense(3), Dense(3), *model], input_shape=(3,))
    rows = check_gradients(model, (3,)).rows
    assert [row.layer for row in rows] == ["Sequential", "Dense (layer 1)", "Dense (layer 1)"]


def test_an_unbuilt_layer_stays_unbuilt() -> None:
    layer = Dense(3)
    assert check_gradients(layer, (4,)).passed
    assert layer.output_shape is None
    assert layer.weight is None


def test_a_built_layer_is_checked_with_its_own_weights() -> None:
    layer = Dense(2)
    layer.build((3,))
    layer.weight.value[...] = 0
    row = check_gradients(layer, (3,)).rows[0]
    assert (row.array, row.analytic, row.numerical) == ("x", 0, 0)
    with pytest.raises(ValueError, match=r"^Dense: expected weight \(2, 4\), got \(2, 3\)$"):
        check_gradients(layer, (4,))  # which its weights do not fit


class ChangesItsArgument(Layer):
    """Twice the right gradient, and the probe doubled with it."""

    def _forward(self, x, **mode):
        return x.copy(), None

    def _backward(self, dy, cache):
        dy *= 2
        return dy


class AddsUp(Layer):
    """Adds to the gradient of before, which is right only the first time."""

    def _build(self, input_shape, rng):
        self.weight = Parameter(np.linspace(1, 2, input_shape[0], dtype=self.dtype))
        return input_shape

    def _forward(self, x, **mode):
        return x * self.weight.value, x

    def _backward(self, dy, x):
        self.weight.grad += (dy * x).sum(axis=0)
        return dy * self.weight.value


def test_a_backward_that_changes_its_argument_is_found() -> None:
    with pytest.raises(GradientError, match=r"^ChangesItsArgument: backward changes its argument dy in place"):
        check_gradients(ChangesItsArgument(), (3,))


class ChangesItsInput(ReLU):
    def _forward(self, x, **mode):
        np.maximum(x, 0, out=x)
        return x, x


def test_a_forward_that_changes_its_input_is_found() -> None:
    with pytest.raises(GradientError, match=r"^ChangesItsInput: forward changes its input x in place; compute with a"):
        check_gradients(ChangesItsInput(), (3,))


@pytest.mark.parametrize(
    ("tolerance", "error"), [(0, ValueError), (-1.0, ValueError), ("1", TypeError), (True, TypeError)]
)
def test_a_tolerance_is_a_number_above_0(tolerance: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="check_gradients: expected tolerance to be"):
        check_gradients(Dense(2), (3,), tolerance=tolerance)


def test_a_gradient_that_is_not_set_is_named() -> None:
    model = Sequential([Dense(3), ForgottenWeightGradient(4, bias=False)], input_shape=(2,))
    text = "ForgottenWeightGradient (layer 1): _backward did not set the gradient of weight"
    with pytest.raises(GradientError, match=f"^{re.escape(text)}$"):
        check_gradients(model, (2,))
    report = measure_gradients(model, (2,))
    assert [row.array for row in report.rows if not row.passed] == ["weight"]
    assert text in str(report)


def test_a_backward_that_adds_up_is_found() -> None:
    with pytest.raises(GradientError, match="AddsUp: the gradient of weight is wrong"):
        check_gradients(AddsUp(), (3,))


def test_the_same_seed_gives_the_same_report() -> None:
    reports = [str(check_gradients(Conv2D(2, 3), (2, 6, 5), seed=4)) for _ in range(2)]
    assert reports[0] == reports[1]
    assert str(check_gradients(Conv2D(2, 3), (2, 6, 5), seed=5)) != reports[0]


def test_the_table() -> None:
    report = check_gradients(Sequential([Flatten(), Dense(2, name="fc")]), (2, 30), samples=10)
    assert isinstance(report, GradientReport)
    lines = str(report).splitlines()
    assert lines[0].split() == ["layer", "array", "checked", "largest", "error"]
    assert [line.split()[:2] for line in lines[2:5]] == [["Sequential", "x"], ["Dense", "'fc'"], ["Dense", "'fc'"]]
    assert "10 of 120" in lines[3]
    assert "2 of 2" in lines[4]
    assert all(line.endswith("ok") for line in lines[2:5])
    verdict = "all 3 gradients agree with central differences (float64, relative error at most 1e-06)"
    assert " ".join(lines[-2:]) == verdict
    row = GradientRow("Dense", "weight", 1, 2, 0.5, (1,), 1.0, 2.0, False)
    assert str(GradientReport((row,), 1e-6)).splitlines()[2].endswith("WRONG")


def test_every_parameter_has_a_row() -> None:
    model = Sequential([Conv2D(2, 3), BatchNorm(), ReLU(), Flatten(), LayerNorm(), Dense(3)])
    rows = check_gradients(model, (1, 5, 6)).rows
    assert [row.array for row in rows] == ["x", *["weight", "bias"] * 4]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: check_gradients(np.tanh, (3,)),
            TypeError,
            "check_gradients: expected a layer, .* or a loss, got ufunc",
        ),
        (
            lambda: check_gradients(Dense, (3,)),
            TypeError,
            "check_gradients: expected a layer, .* or a loss, got type",
        ),
        (
            lambda: check_gradients(Dense(2), (3,), batch_size=0),
            ValueError,
            "check_gradients: expected batch_size from 1",
        ),
        (lambda: check_gradients(Dense(2), (3,), samples=0), ValueError, "check_gradients: expected samples from 1"),
        (lambda: check_gradients(Dense(2), (2, 3)), ValueError, r"Dense: expected inputs \(features,\), got \(2, 3\)"),
    ],
)
def test_bad_calls(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


class FastSine(Layer):
    """Smooth, but with a third derivative of 2.7e10."""

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return np.sin(3000 * x), x

    def _backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return dy * 3000 * np.cos(3000 * x)


def test_a_function_that_varies_fast_is_not_called_random() -> None:
    with pytest.raises(GradientError, match=r"FastSine: .*or varies too fast .*larger tolerance"):
        check_gradients(FastSine(), (4,))
    assert check_gradients(FastSine(), (4,), tolerance=1e-3).passed


def test_a_batch_norm_with_one_value_per_channel_is_named() -> None:
    with pytest.raises(ValueError, match="BatchNorm: expected more than one value for each channel in training"):
        check_gradients(BatchNorm(), (4,), batch_size=1)
