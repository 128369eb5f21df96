"""Parameters, state and settings of layers, frozen layers above all; and the names of layers in errors."""

import re
from pathlib import Path

import numpy as np
import pytest

from numpycnn import (
    Adam,
    BatchNorm,
    CrossEntropy,
    Dense,
    Dropout,
    Layer,
    ReLU,
    Residual,
    Sequential,
    Trainer,
    _settings,
    load_model,
)
from tests.helpers import assert_same_bits


def network() -> Sequential:
    return Sequential([Dense(6), BatchNorm(), ReLU(), Dropout(0.2), Dense(3)], input_shape=(4,), seed=0)


def points(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(2, 3, size=(40, 4)).astype(np.float32)
    return x, rng.integers(0, 3, 40)


def train(model: Sequential, data: tuple[np.ndarray, np.ndarray], epochs: int = 2) -> Trainer:
    trainer = Trainer(model, loss=CrossEntropy(l2=1e-3), optimizer=Adam(0.01, weight_decay=0.1))
    trainer.fit(data, epochs=epochs, batch_size=8, progress=False)
    return trainer


def test_training_leaves_a_frozen_layer_as_it_is(rng: np.random.Generator) -> None:
    model = network()
    for layer in model.layers[:2]:
        layer.trainable = False
    before = {name: array.copy() for name, array in model.state().items()}
    train(model, points(rng))
    moved = {name for name, array in model.state().items() if (array != before[name]).any()}
    assert moved == {"4.weight", "4.bias"}


def test_a_frozen_batch_norm_normalizes_with_its_running_statistics(rng: np.random.Generator) -> None:
    layer = BatchNorm()
    layer.build((3,), dtype=np.float64)
    layer.running_mean[...], layer.running_var[...] = 2, 9
    layer.trainable = False
    x = rng.normal(size=(5, 3))
    np.testing.assert_allclose(layer.forward(x, training=True), (x - 2) / np.sqrt(9 + 1e-5), rtol=1e-13)
    np.testing.assert_allclose(layer.backward(np.ones((5, 3))), np.full((5, 3), 1 / np.sqrt(9 + 1e-5)), rtol=1e-13)
    assert layer.running_mean.tolist() == [2, 2, 2]
    layer.forward(x[:1], training=True)  # a batch of one has no variance, and needs none


def test_a_container_passes_it_on_to_the_layers_inside() -> None:
    model = Sequential([Residual(Sequential([Dense(4), ReLU()])), Dense(2)], input_shape=(4,))
    model.trainable = False
    assert not any(layer.trainable for layer in model.walk().values())
    assert not any(parameter.trainable for parameter in model.parameters().values())
    model[1].trainable = True
    assert [name for name, p in model.parameters().items() if p.trainable] == ["1.weight", "1.bias"]


def test_it_may_be_set_before_the_build() -> None:
    layer = Dense(2, activation="relu")
    layer.trainable = False
    layer.build((3,))
    assert not layer.weight.trainable
    layer.trainable = True
    assert layer.weight.trainable


def test_a_file_keeps_it(tmp_path: Path) -> None:
    model = network()
    model[0].trainable = False
    model.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert [layer.trainable for layer in loaded.children().values()] == [False, True, True, True, True]
    assert not loaded.parameters()["0.weight"].trainable


def test_a_file_keeps_the_setting_of_a_single_parameter(tmp_path: Path) -> None:
    model = network()
    model[1].trainable = False
    model.parameters()["0.bias"].trainable = False
    model.parameters()["1.weight"].trainable = True
    expected = {name: name not in ("0.bias", "1.bias") for name in model.parameters()}
    for again in (False, True):
        model.save(tmp_path / "model.safetensors")
        model = load_model(tmp_path / "model.safetensors")  # type: ignore[assignment]
        assert {name: p.trainable for name, p in model.parameters().items()} == expected, again
    model.trainable = True
    assert all(p.trainable for p in model.parameters().values())


def test_a_layer_that_is_added_to_a_frozen_model_is_trained() -> None:
    model = network()
    model.trainable = False
    model.add(Dense(2))
    assert [name for name, p in model.parameters().items() if p.trainable] == ["5.weight", "5.bias"]


def test_a_training_with_frozen_layers_resumes_to_the_same_bits(tmp_path: Path, rng: np.random.Generator) -> None:
    data = points(rng)

    def frozen() -> Sequential:
        model = network()
        model[0].trainable = model[1].trainable = False
        return model

    whole, half = train(frozen(), data, epochs=4), train(frozen(), data, epochs=2)
    half.save(tmp_path / "half.safetensors")
    second = Trainer.resume(tmp_path / "half.safetensors")
    second.fit(data, epochs=4, batch_size=8, progress=False)
    for name, array in whole.model.state().items():
        assert_same_bits(second.model.state()[name], array)


def test_layers_below_the_first_trainable_one_are_not_differentiated() -> None:
    class Watched(Dense):
        visits = 0

        def _backward(self, dy: np.ndarray, cache: object) -> np.ndarray:
            type(self).visits += 1
            return super()._backward(dy, cache)

    model = Sequential([Watched(4), ReLU(), Watched(4), ReLU(), Dense(2)], input_shape=(3,))
    model[0].trainable = model[2].trainable = False
    model.forward(np.ones((2, 3), np.float32), training=True)
    model.backward_parameters(np.ones((2, 2), np.float32))
    assert Watched.visits == 0


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("requires_grad", "set layer.trainable = False to freeze it"),
        ("frozen", "set layer.trainable = False to freeze it"),
        ("kernel_regularizer", "give l2= to the loss, or weight_decay= to the optimizer"),
    ],
)
def test_settings_of_other_libraries_are_refused(name: str, remedy: str) -> None:
    for layer in (Dense(2), network()):
        with pytest.raises(AttributeError, match=f"has no setting '{name}': {remedy}"):
            setattr(layer, name, False)
        assert not hasattr(layer, name)


@pytest.mark.parametrize("value", [0, "no", None])
def test_it_is_true_or_false(value: object) -> None:
    layer: Layer = Dense(2)
    with pytest.raises(TypeError, match="Dense: expected trainable"):
        layer.trainable = value  # type: ignore[assignment]


# ------------------------------------------------------------------------------------------------------ names in errors


def test_a_label_has_class_name_and_place() -> None:
    model = Sequential([Dense(3, name="first"), Residual(Sequential([Dense(3)]))])
    inner = model.walk()["1.main.0"]
    assert model.label_of(model[0]) == "Dense 'first' (layer 0)"
    assert model.label_of(inner) == "Dense (layer 1.main.0)"
    assert ReLU().label == "ReLU"


def test_a_label_is_that_of_the_model_that_is_called() -> None:
    layer = Dense(3)
    first = Sequential([ReLU(), layer], input_shape=(4,))
    Sequential([layer], input_shape=(4,))
    assert first.label_of(layer) == "Dense (layer 1)"
    with pytest.raises(ValueError, match=re.escape("Dense (layer 1): expected (N, 4), got (2, 5)")):
        first.forward(np.ones((2, 5), np.float32))


def test_an_error_about_an_environment_variable_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Dense(2)
    layer.build((2,))
    monkeypatch.setenv("NUMPYCNN_BACKEND", "plian")
    monkeypatch.setattr(_settings, "_operations", None)
    with pytest.raises(ValueError, match="NUMPYCNN_BACKEND: expected one of the backends 'plain', 'fast', got 'plian'"):
        layer.forward(np.ones((1, 2), np.float32))
