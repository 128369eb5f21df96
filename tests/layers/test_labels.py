"""The label of a layer: in its errors, and by its place in a model."""

import re

import numpy as np
import pytest

from numpycnn import Dense, ReLU, Residual, Sequential, _settings


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
