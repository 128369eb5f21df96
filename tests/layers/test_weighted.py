"""The activation function of dense layers and convolutions."""

from typing import Any

import numpy as np
import pytest

from numpycnn import (
    SGD,
    Conv2D,
    ConvTranspose2D,
    CrossEntropy,
    Dense,
    Flatten,
    LeakyReLU,
    ReLU,
    Sequential,
    Softmax,
    Trainer,
)
from numpycnn.layers.activations import ACTIVATIONS
from tests.helpers import assert_same_bits


@pytest.mark.parametrize("make", [lambda **s: Conv2D(3, 2, **s), lambda **s: ConvTranspose2D(3, 2, stride=2, **s)])
def test_it_computes_what_a_layer_behind_it_computes(make: Any, rng: np.random.Generator) -> None:
    inside = Sequential([make(activation="tanh")], input_shape=(2, 4, 5), seed=1)
    behind = Sequential([make(), ACTIVATIONS["tanh"]()], input_shape=(2, 4, 5), seed=1)
    x = rng.normal(size=(3, 2, 4, 5)).astype(np.float32)
    y = inside.forward(x, training=True)
    assert_same_bits(y, behind.forward(x, training=True))
    dy = rng.normal(size=y.shape).astype(np.float32)
    assert_same_bits(inside.backward(dy), behind.backward(dy))
    for parameter, other in zip(inside.parameters().values(), behind.parameters().values(), strict=True):
        assert_same_bits(parameter.grad, other.grad)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_each_name_makes_a_layer(name: str) -> None:
    layer = Dense(3, activation=name)
    assert type(layer.activation) is ACTIVATIONS[name]
    assert layer.build((2,)) == (3,)


def test_the_name_is_that_of_keras() -> None:
    assert repr(Dense(3, activation="relu")) == "Dense(3, activation=ReLU())"
    assert repr(Dense(3, activation=LeakyReLU(0.2))) == "Dense(3, activation=LeakyReLU(negative_slope=0.2))"
    assert list(Sequential([Dense(3, activation="relu")], input_shape=(2,)).parameters()) == ["0.weight", "0.bias"]


def test_the_summary_counts_the_products_of_the_layer() -> None:
    summary = Sequential([Conv2D(4, 3, activation="relu"), Flatten(), Dense(2)], input_shape=(1, 6, 5)).summary()
    assert [row.layer for row in summary.rows] == ["0 Conv2D", "  activation ReLU", "1 Flatten", "2 Dense"]
    assert [row.multiply_adds for row in summary.rows] == [4 * 9 * 4 * 3, 0, 0, 48 * 2]
    assert summary.rows[0].receptive_field == (3, 3)


def test_a_softmax_before_a_loss_on_logits_is_refused() -> None:
    model = Sequential([Dense(3, activation="softmax")], input_shape=(2,))
    with pytest.raises(ValueError, match=r"got one that ends with Softmax \(layer 0.activation\)"):
        Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1))


@pytest.mark.parametrize(
    ("activation", "error", "text"),
    [
        ("rleu", ValueError, "Dense: expected activation 'elu', .*, got 'rleu'"),
        (ReLU, TypeError, r"expected activation to be a name or a layer, got <class .*; write ReLU\(\)"),
        (np.tanh, TypeError, "expected activation to be a name or a layer, got <ufunc 'tanh'>"),
        (1, TypeError, "expected activation to be a name or a layer, got 1"),
    ],
)
def test_bad_activations(activation: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Dense(3, activation=activation)


def test_an_activation_that_changes_the_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Conv2D: expected an activation function that keeps the shape, got Flatten"):
        Conv2D(3, 2, activation=Flatten()).build((1, 4, 4))


@pytest.mark.parametrize("make", [lambda **s: Conv2D(5, 1, **s), lambda **s: Dense(5, **s)])
def test_the_seed_of_the_model_draws_the_weights_of_an_activation(make: Any) -> None:
    shape = (1,) if isinstance(make(), Dense) else (2, 1, 1)
    inner = [lambda: Dense(5)] if len(shape) == 1 else [lambda: Conv2D(5, 1)]
    drawn = [Sequential([make(activation=inner[0]())], input_shape=shape, seed=seed).state() for seed in (0, 1, 1)]
    first, second, third = (state["0.activation.weight"] for state in drawn)
    assert not np.isclose(first, second).any()
    assert_same_bits(second, third)
    layer = make(activation=inner[0]())
    layer.build(shape, rng=None)
    assert not layer.activation.weight.value.any()


def test_one_activation_is_not_shared_by_two_layers() -> None:
    shared = Softmax()
    with pytest.raises(ValueError, match="Softmax is in this model already"):
        Sequential([Dense(3, activation=shared), Dense(3, activation=shared)])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: Conv2D(1, 8, 3),
            r"^Conv2D: expected Conv2D\(out_channels, kernel_size\), got 3 arguments; the size of the input is",
        ),
        (
            lambda: ConvTranspose2D(1, 8, 3, 2),
            r"^ConvTranspose2D: expected ConvTranspose2D\(out_channels, kernel_size\)",
        ),
        (
            lambda: Dense(784, 10),
            r"^Dense: expected Dense\(out_features\), got 2 arguments; the size of the input is inf",
        ),
    ],
)
def test_arguments_as_in_pytorch_are_explained(make: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        make()


def test_a_subclass_takes_its_own_arguments() -> None:
    class Square(Conv2D):
        def __init__(self, channels: int, size: int, stride: int) -> None:
            super().__init__(channels, (size, size), stride=stride)

    class Summed(Dense):
        def __init__(self, *arguments: int) -> None:
            super().__init__(sum(arguments))

    assert Square(4, 3, 2).build((1, 7, 7)) == (4, 3, 3)
    assert Summed(1, 2).build((5,)) == (3,)
