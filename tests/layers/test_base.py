"""The base class, tried on layers of one's own."""

import re
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    AvgPool2D,
    BatchNorm,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Flatten,
    Layer,
    MaxPool2D,
    Parameter,
    ReLU,
    Sequential,
    check_gradients,
    functional,
)
from tests.helpers import assert_close, assert_same_bits, numerical_gradient


class Scale(Layer):
    """Multiply by one learned number for each feature."""

    def __init__(self, start: float = 1.0, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.start = start

    def _build(self, input_shape: tuple[int, ...], rng: np.random.Generator | None) -> tuple[int, ...]:
        self.factor = Parameter(np.full(input_shape, self.start, self.dtype))
        self.seen = np.zeros(1, self.dtype)
        return input_shape

    def _forward(self, x: np.ndarray, *, training: bool, differentiable: bool) -> tuple[np.ndarray, Any]:
        if training:
            self.seen += len(x)
        return x * self.factor.value, x

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        self.factor.grad[...] = (dy * cache).sum(axis=0)
        return dy * self.factor.value


def test_three_methods_make_a_layer() -> None:
    assert check_gradients(Scale(2.0), (3, 4)).passed
    model = Sequential([Scale(), Dense(2)], input_shape=(5,))
    assert list(model.parameters()) == ["0.factor", "1.weight", "1.bias"]
    assert list(model.state()) == ["0.factor", "0.seen", "1.weight", "1.bias"]
    model.forward(np.ones((3, 5), np.float32), training=True)
    assert model.state()["0.seen"] == 3
    assert model[0].config() == {"start": 1.0, "name": None}
    assert repr(Scale(0.5, name="s")) == "Scale(start=0.5, name='s')"
    assert repr(Scale()) == "Scale()"


def test_a_layer_without_methods_says_what_is_missing() -> None:
    layer = Layer()
    layer.build((3,))
    with pytest.raises(NotImplementedError, match="Layer has no forward pass: implement _forward"):
        layer.forward(np.zeros((1, 3), np.float32))
    with pytest.raises(NotImplementedError, match="implement _backward"):
        layer._backward(np.zeros((1, 3)), None)


def test_names_that_begin_with_an_underscore_are_scratch() -> None:
    layer = Scale()
    layer.build((2,))
    layer._secret = np.zeros(3)  # type: ignore[attr-defined]
    layer._hidden = Parameter(np.zeros(3))  # type: ignore[attr-defined]
    assert list(layer.state()) == ["factor", "seen"]
    assert list(layer.parameters()) == ["factor"]


def test_the_label_says_kind_name_and_place() -> None:
    model = Sequential([Flatten(), Dense(4, name="fc1"), Sequential([ReLU(), Dense(2)])], input_shape=(2, 3))
    assert model[0].label == "Flatten (layer 0)"
    assert model[1].label == "Dense 'fc1' (layer 1)"
    assert model[2][1].label == "Dense (layer 2.1)"


def test_a_wrong_input_names_the_layer_before() -> None:
    model = Sequential([Flatten(), Dense(4, name="fc1")], input_shape=(2, 3))
    with pytest.raises(
        ValueError,
        match=r"Dense 'fc1' \(layer 1\): expected \(N, 6\), got \(5, 8\); "
        "the layer before it, Flatten, outputs 8 features",
    ):
        model.forward(np.zeros((5, 2, 4), np.float32))


def test_forward_takes_lists_and_scalars_that_can_be_arrays() -> None:
    layer = ReLU()
    layer.build((2,), dtype=np.float64)
    np.testing.assert_array_equal(layer.forward([[1.0, -1.0]]), [[1, 0]])


@pytest.mark.parametrize("mode", ["training", "differentiable"])
def test_modes_are_flags(mode: str) -> None:
    layer = Dense(2)
    layer.build((3,))
    for value, spelled in (("no", "str 'no'"), (1, "int 1"), (None, "NoneType None")):
        with pytest.raises(TypeError, match=f"^Dense: expected {mode} to be True or False, got {spelled}$"):
            layer.forward(np.ones((4, 3), np.float32), **{mode: value})
    with pytest.raises(RuntimeError, match="backward needs a forward pass before it"):
        layer.backward(np.ones((4, 2), np.float32))


def test_load_state_is_all_or_nothing() -> None:
    layer = Scale()
    layer.build((2,))
    with pytest.raises(ValueError, match=r"Scale: expected seen \(1,\), got \(2,\)"):
        layer.load_state({"factor": np.full(2, 7.0), "seen": np.zeros(2)})
    np.testing.assert_array_equal(layer.factor.value, [1, 1])
    with pytest.raises(ValueError, match="Scale: the arrays do not match this model: missing seen; unknown sown"):
        layer.load_state({"factor": np.full(2, 7.0), "sown": np.zeros(1)})
    np.testing.assert_array_equal(layer.factor.value, [1, 1])


def test_a_failed_forward_leaves_the_layer_usable() -> None:
    layer = Dense(2)
    layer.build((3,))
    good = np.ones((4, 3), np.float32)
    layer.forward(good, training=True)
    with pytest.raises(ValueError, match=r"Dense: expected \(N, 3\), got \(4, 2\)"):
        layer.forward(np.ones((4, 2), np.float32), training=True)
    assert layer.backward(np.ones((4, 2), np.float32)).shape == (4, 3)


def test_a_failed_build_does_not_look_built() -> None:
    layer = Dense(2, in_features=3)
    with pytest.raises(ValueError, match=r"Dense: expected 3 features \(in_features\), got 4"):
        layer.build((4,))
    with pytest.raises(RuntimeError, match="Dense is not built yet"):
        layer.forward(np.ones((1, 4), np.float32))


@pytest.mark.parametrize("rng", [0, np.random.default_rng(0)])
def test_build_takes_a_seed_or_a_generator(rng: Any) -> None:
    layer, other = Dense(2), Dense(2)
    layer.build((3,), rng=rng)
    other.build((3,), rng=0)
    np.testing.assert_array_equal(layer.weight.value, other.weight.value)


def test_build_without_a_generator_leaves_zeros() -> None:
    layer = Dense(2)
    layer.build((3,), rng=None)
    assert not layer.weight.value.any()


def test_building_again_draws_nothing_and_keeps_the_arrays() -> None:
    layer, rng = Dense(2), np.random.default_rng(0)
    layer.build((3,), rng=rng)
    weight, values, state = layer.weight, layer.weight.value.copy(), rng.bit_generator.state
    assert layer.build([3], rng=rng) == (2,)
    assert layer.weight is weight
    assert_same_bits(weight.value, values)
    assert rng.bit_generator.state == state


def test_a_built_layer_is_built_for_one_shape_and_one_type() -> None:
    layer = Dense(2, name="fc")
    layer.build((3,))
    remedy = "a built layer keeps its weights, so make a new layer$"
    with pytest.raises(
        ValueError, match=rf"^Dense 'fc': expected inputs \(3,\), for which it is built, got \(4,\); {remedy}"
    ):
        layer.build((4,))
    with pytest.raises(
        TypeError, match=rf"^Dense 'fc': expected dtype float32, for which it is built, got float64; {remedy}"
    ):
        layer.build((3,), dtype=np.float64)
    assert (layer.input_shape, layer.output_shape, layer.dtype) == ((3,), (2,), np.float32)
    assert layer.forward(np.ones((1, 3), np.float32)).shape == (1, 2)


def test_the_label_of_a_layer_inside() -> None:
    alone, block = Dense(2), Sequential([Dense(3), ReLU()])
    model = Sequential([Flatten(), block])
    assert model.label_of(block[0]) == "Dense (layer 1.0)"
    assert block.label_of(block[0]) == "Dense (layer 0)"
    assert model.label_of(model) == "Sequential"
    assert model.label_of(alone) == "Dense"


def test_draw_input_fits_the_layer(rng: np.random.Generator) -> None:
    layer = Dense(2)
    layer.build((3,))
    x = layer.draw_input((4, 3), rng)
    assert (x.shape, x.dtype) == ((4, 3), np.dtype(np.float32))


def test_hooks_that_return_the_wrong_thing() -> None:
    class NoShape(Layer):
        def _build(self, input_shape, rng):
            pass

    class OnlyOutput(Layer):
        def _forward(self, x, **mode):
            return x

    with pytest.raises(TypeError, match=r"^NoShape: expected _build to return the output shape, a tuple, got None$"):
        NoShape().build((3,))
    layer = OnlyOutput()
    layer.build((3,))
    with pytest.raises(TypeError, match=r"^OnlyOutput: expected _forward to return \(output, cache\), got ndarray$"):
        layer.forward(np.zeros((2, 3), np.float32))


def test_a_backward_that_returns_the_wrong_thing() -> None:
    class NoGradient(ReLU):
        def _backward(self, dy, x):
            dy * (x > 0)

    class Narrow(ReLU):
        def _backward(self, dy, x):
            return dy[:, :2]

    hook = "expected _backward to return the gradient of the input, "
    for kind, error, text in (
        (NoGradient, TypeError, f"NoGradient: {hook}an array, got None"),
        (Narrow, ValueError, rf"Narrow: {hook}\(2, 3\), got \(2, 2\)"),
    ):
        layer = kind()
        layer.build((3,))
        layer.forward(np.zeros((2, 3), np.float32), training=True)
        with pytest.raises(error, match=f"^{text}$"):
            layer.backward(np.zeros((2, 3), np.float32))


def test_a_layer_need_not_call_the_constructor_of_its_base() -> None:
    class Double(Layer):
        def __init__(self) -> None:
            self.factor = 2

        def _forward(self, x, **mode):
            return self.factor * x, None

        def _backward(self, dy, cache):
            return self.factor * dy

    assert Double().label == "Double"
    assert check_gradients(Double(), (3, 4)).passed


def test_a_missing_argument_names_the_layer() -> None:
    for make, text in (
        (Conv2D, "Conv.__init__() missing 2 required positional arguments: 'out_channels' and 'kernel_size'"),
        (MaxPool2D, "MaxPool.__init__() missing 1 required positional argument: 'kernel_size'"),
    ):
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            make()


def test_memory_that_is_not_there_is_asked_for_by_name() -> None:
    class Hungry(Layer):
        def _build(self, input_shape, rng):
            self.weight = Parameter(np.empty((2**60,), np.float32))
            return input_shape

    with pytest.raises(MemoryError, match=r"^Hungry: Unable to allocate .*; make the layer, or its input, smaller$"):
        Hungry().build((3,))
    with pytest.raises(
        MemoryError, match=r"^Hungry \(layer 1\): Unable to allocate .*; make the layer, .*, smaller$"
    ) as found:
        Sequential([ReLU(), Hungry()], input_shape=(3,))
    assert str(found.value).count("make the layer") == 1


@pytest.mark.parametrize(
    "layer",
    [Conv2D(3, 3, padding="same", stride=2), ConvTranspose2D(2, 3, stride=2), MaxPool2D(2), AvgPool2D(3, stride=2)],
    ids=lambda layer: type(layer).__name__,
)
def test_another_spatial_size_than_built_goes_forward_and_backward(layer: Layer, rng: np.random.Generator) -> None:
    layer.build((2, 5, 6), dtype=np.float64)
    x = rng.normal(size=(3, 2, 8, 9))
    y = layer.forward(x, differentiable=True)
    dy = rng.normal(size=y.shape)
    gradient = layer.backward(dy)
    expected = numerical_gradient(lambda x: float((layer.forward(x) * dy).sum()), x)
    assert_close(gradient, expected, 1e-6)


def test_a_refused_state_changes_nothing() -> None:
    layer = BatchNorm()
    layer.build((2,))
    before = {name: array.copy() for name, array in layer.state().items()}
    wrong = {name: np.full(2, 9.0) for name in before} | {"bias": np.array(["x", "y"])}
    with pytest.raises(ValueError, match=r"^BatchNorm: expected bias to hold real numbers, got <U1$"):
        layer.load_state(wrong)
    with pytest.raises(ValueError, match=r"got complex128$"):
        layer.load_state({name: np.full(2, 1j) for name in before})
    for name, array in layer.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_masked_arrays_are_refused_wherever_an_array_enters() -> None:
    masked = np.ma.masked_array(np.ones((2, 3), np.float32), mask=np.eye(2, 3))
    model = Sequential([Dense(3)], input_shape=(3,))
    for call in (
        lambda: model.predict(masked),
        lambda: setattr(model[0].weight, "value", masked),
        lambda: functional.mean_squared_error(np.ones((2, 3)), masked),
        lambda: functional.cross_entropy(np.ones((2, 3)), np.ma.masked_array([0, 1], mask=[0, 1])),
    ):
        with pytest.raises(TypeError, match="without a mask, got a masked array"):
            call()
