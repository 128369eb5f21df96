from typing import Any

import numpy as np
import pytest

from numpycnn import (
    SGD,
    Adam,
    BatchNorm,
    Conv2D,
    CrossEntropy,
    Dense,
    Dropout,
    Flatten,
    Layer,
    Loss,
    MeanSquaredError,
    ReLU,
    Residual,
    Sequential,
    Trainer,
)
from numpycnn.training.diagnosis import first_non_finite
from tests.training import small

# All warnings are errors in these tests: none of NumPy's may come before the message.


class Planted(Layer):
    """Returns its input, with one value multiplied by a factor."""

    def __init__(self, forward: float = 1.0, backward: float = 1.0, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.forward_factor, self.backward_factor = forward, backward

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return self._spoil(x, self.forward_factor), ()

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return self._spoil(dy, self.backward_factor)

    @staticmethod
    def _spoil(array: np.ndarray, factor: float) -> np.ndarray:
        array = array.copy()
        array.flat[-1:] *= factor
        return array


def fit(layers: list[Layer], *, x: np.ndarray | None = None, loss: Loss | None = None, lr: float = 0.01) -> None:
    """Train for two epochs of 50 batches on `points`."""
    points, labels = small.points()
    model = Sequential(layers, input_shape=(2,), seed=0)
    trainer = Trainer(model, loss=loss or CrossEntropy(), optimizer=SGD(lr))
    trainer.fit((points if x is None else x, labels), epochs=2, batch_size=4, shuffle=False, progress=False)


@pytest.mark.parametrize("spoilt", [Planted(forward=np.inf), Planted(backward=np.inf)])
def test_a_layer_of_two_models_is_named_by_its_place_in_the_trained_one(spoilt: Layer) -> None:
    layers = [Dense(3), Residual(Sequential([ReLU(), spoilt])), Dense(2)]
    model = Sequential(layers, input_shape=(2,))
    Sequential([Dense(2), Sequential(layers)], input_shape=(2,))
    trainer = Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.01))
    with pytest.raises(FloatingPointError, match=r"is Planted \(layer 1\.main\.1\)$"):
        trainer.fit(small.points(), epochs=1, progress=False)


def test_a_layer_that_gives_infinity(rng: np.random.Generator) -> None:
    layers = [Dense(5), ReLU(), Planted(forward=np.inf, name="faulty"), Dense(4), Planted(forward=np.nan), Dense(2)]
    expected = r"epoch 1, batch 1: the first layer whose output is not finite is Planted 'faulty' \(layer 2\)$"
    with pytest.raises(FloatingPointError, match=f"^the loss is nan in {expected}"):
        fit(layers)


def test_a_layer_inside_of_a_block() -> None:
    block = Sequential([Dense(3), Planted(forward=np.nan)])
    with pytest.raises(FloatingPointError, match=r"whose output is not finite is Planted \(layer 1\.1\)$"):
        fit([Dense(2), block, Dense(2)])
    with pytest.raises(FloatingPointError, match=r"whose output is not finite is Planted \(layer 1\.main\.1\)$"):
        fit([Dense(2), Residual(Sequential([Dense(2), Planted(forward=np.nan)])), Dense(2)])


def test_a_layer_that_gives_nan_backwards_only() -> None:
    layers = [Dense(5), Planted(backward=np.nan), ReLU(), Planted(backward=np.nan, name="faulty"), Dense(2)]
    expected = r"the first layer whose gradient is not finite, coming from the loss, is Planted 'faulty' \(layer 3\)$"
    with pytest.raises(FloatingPointError, match=f"^a gradient is not finite in epoch 1, batch 1: {expected}"):
        fit(layers)


class BadWeights(Dense):
    """Finite outputs and gradients, except for the gradient of its weights."""

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        dx = super()._backward(dy, cache)
        self.weight.grad[0, 0] = -np.inf
        return dx


def test_a_layer_whose_weights_get_a_bad_gradient() -> None:
    with pytest.raises(FloatingPointError, match=r"coming from the loss, is BadWeights \(layer 1\)$"):
        fit([Dense(3), BadWeights(3), Dense(2)])


def test_an_unused_gradient_may_be_non_finite() -> None:
    fit([Planted(backward=np.nan), Dense(2)])


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_bad_number_in_the_data_is_traced_to_its_batch(wrong: float) -> None:
    x, _ = small.points()
    x[4 * 17 + 1, 0] = wrong
    text = r"^the loss is (nan|inf) in epoch 1, batch 18: the input batch holds values that are not finite$"
    with pytest.raises(FloatingPointError, match=text):
        fit([Dense(2)], x=x)


def test_a_bad_number_in_the_target() -> None:
    x, _ = small.points()
    target = x.copy()
    target[0, 0] = np.nan
    trainer = Trainer(small.dense(), loss=MeanSquaredError(), optimizer=SGD(0.1))
    expected = r"the layers' outputs are finite, but MeanSquaredError\(\) or its gradient is not$"
    with pytest.raises(FloatingPointError, match=expected):
        trainer.fit((x, target), epochs=1, progress=False)


def test_a_learning_rate_that_is_too_large() -> None:
    with pytest.raises(FloatingPointError, match=r"in epoch 1, batch \d+: the first layer whose .* is Dense"):
        fit([Dense(8), ReLU(), Dense(8), ReLU(), Dense(2)], lr=1e8, loss=CrossEntropy())


def test_a_step_to_non_finite_weights_is_reported_and_not_counted() -> None:
    trainer = small.plain(lr=1e39)
    text = r"^0\.weight is not finite any more after the step in epoch 1, batch 1, with a learning rate of 1e\+39; "
    with pytest.raises(FloatingPointError, match=text + "a smaller one may help$"):
        trainer.fit(small.points(), epochs=1, progress=False)
    assert trainer.progress.batch == 0


def test_weights_that_were_bad_before() -> None:
    trainer = small.plain()
    trainer.model[0].weight.value[1, 0] = np.nan
    with pytest.raises(FloatingPointError, match=r"batch 1: the parameter 0\.weight was not finite before the step$"):
        trainer.fit(small.points(), epochs=1, progress=False)


def test_a_penalty_that_overflows() -> None:
    model = small.dense()
    model[0].weight.value[...] = 1e20
    trainer = Trainer(model, loss=CrossEntropy(l2=1.0), optimizer=SGD(1e-30))
    with pytest.raises(FloatingPointError, match=r"the loss is inf .* the penalty on the weights is not finite"):
        trainer.fit(small.points(), epochs=1, progress=False)


class Rarely(Layer):
    """Fails if dropout has dropped the first value of the batch."""

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return (x * np.nan if x.flat[0] == 0 else x), ()

    def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return dy


@pytest.mark.parametrize("seed", range(5))
def test_the_same_masks_are_drawn_again(seed: int) -> None:
    model = Sequential([Dense(6), Dropout(0.5), Dropout(0.2), Rarely(), Dense(2)], input_shape=(2,), seed=seed)
    with pytest.raises(FloatingPointError, match=r"whose output is not finite is Rarely \(layer 3\)$"):
        small.plain(model=model, lr=0.01).fit(small.points(), epochs=50, batch_size=10, progress=False)


def test_an_error_that_does_not_repeat_names_no_layer() -> None:
    x, labels = small.points(8)
    text = "no layer produced it when the step was repeated"
    assert first_non_finite(small.dense(), CrossEntropy(), x, labels) == text


def test_the_layers_of_a_convolutional_network(rng: np.random.Generator) -> None:
    layers = [Conv2D(3, 3), BatchNorm(), ReLU(), Flatten(), Planted(forward=np.inf), Dense(2)]
    model = Sequential(layers, input_shape=(1, 6, 5), seed=0)
    trainer = Trainer(model, loss=CrossEntropy(), optimizer=Adam(0.01))
    with pytest.raises(FloatingPointError, match=r"is Planted \(layer 4\)$"):
        trainer.fit(small.pictures(), epochs=1, progress=False)


def test_evaluation_of_non_finite_values_shows_them() -> None:
    x, labels = small.points()
    x[3] = np.inf
    assert not np.isfinite(small.plain().evaluate((x, labels))["loss"])
