"""What models of every form share: dtype, metadata and predictions."""

from typing import Any

import numpy as np
import pytest

from numpycnn import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    get_num_threads,
    set_num_threads,
)
from numpycnn.data import Dataset
from tests.helpers import assert_close, assert_same_bits


def layers() -> list[Any]:
    return [Conv2D(3, 3), BatchNorm(), ReLU(), MaxPool2D(2), Dropout(0.25), Flatten(), Dense(4)]


def test_predict_in_batches_of_any_size(rng: np.random.Generator) -> None:
    model = Sequential(layers(), input_shape=(2, 8, 7), dtype=np.float64)
    x = rng.normal(size=(23, 2, 8, 7))
    whole = model.forward(x)
    for size in (1, 2, 7, 22, 23, 24, 256):
        assert_close(model.predict(x, batch_size=size), whole, 1e-13)
    assert model.predict(x[:0]).shape == (0, 4)
    assert all(layer._cache is None for layer in model)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0, 1, 7, 8])
def test_predict_normalizes_a_data_set(rng: np.random.Generator, dtype: type, size: int) -> None:
    images = rng.integers(0, 256, (size, 1, 3, 3), dtype=np.uint8)
    data = Dataset(images, np.zeros(size, np.int64), ["only"], mean=0.4, std=0.2)
    model = Sequential([Flatten(), Dense(4)], input_shape=(1, 3, 3), seed=0, dtype=dtype)
    outputs = model.predict(data, batch_size=3)
    assert_close(outputs, model.forward(((images / 255 - 0.4) / 0.2).astype(dtype)), 1e-5)
    assert outputs.dtype == dtype


def test_pixels_are_not_predicted_without_normalization() -> None:
    """A mere conversion would be accepted, and give worse predictions."""
    model = Sequential([Flatten(), Dense(4)], input_shape=(1, 3, 3))
    with pytest.raises(
        TypeError, match=r"uint8; pixels are normalized .* model\.predict\(test\), .* test\.normalize\(images\)"
    ):
        model.predict(np.zeros((2, 1, 3, 3), np.uint8))


def test_predict_does_not_depend_on_the_number_of_threads(rng: np.random.Generator) -> None:
    model = Sequential(layers(), input_shape=(2, 8, 7))
    x = rng.normal(size=(9, 2, 8, 7)).astype(np.float32)
    before = get_num_threads()
    try:
        outputs = []
        for n in (1, 2, 3):
            set_num_threads(n)
            outputs.append(model.predict(x))
    finally:
        set_num_threads(before)
    for output in outputs[1:]:
        assert_same_bits(output, outputs[0])


def test_the_metadata_of_two_models_are_two() -> None:
    first, second = Sequential(), Sequential()
    first.metadata["classes"] = ["cat"]
    assert second.metadata == {}


def test_bad_predictions() -> None:
    model = Sequential([Dense(2)], input_shape=(3,))
    with pytest.raises(ValueError, match="expected batch_size from 1 to 2147483647, got 0"):
        model.predict(np.zeros((2, 3), np.float32), batch_size=0)
    with pytest.raises(TypeError, match=r"Dense .layer 0.: expected float32, got float64"):
        model.predict(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"Dense \(layer 0\): expected \(N, 3\), got \(3,\)"):
        model.predict(np.zeros(3, np.float32))
    with pytest.raises(RuntimeError, match="Sequential is not built yet"):
        Sequential([Dense(2)]).predict(np.zeros((2, 3), np.float32))


def test_the_dtype_is_kept_until_the_model_is_built() -> None:
    model = Sequential([Dense(2)], dtype=np.float64)
    model.build((3,))
    assert model.dtype == model[0].dtype == np.float64
    nested = Sequential([Sequential([Dense(2)], dtype=np.float64)])
    with pytest.raises(TypeError, match=r"expected dtype float64, as given to it before, got float32"):
        nested.build((3,))
    nested.build((3,), dtype=np.float64)
    assert nested.dtype == np.float64


@pytest.mark.parametrize("dtype", ["float16", np.int32, complex, ">f4", "nonsense", [1]])
def test_another_dtype_is_refused_at_once(dtype: Any) -> None:
    for make in (lambda: Sequential([Dense(2)], dtype=dtype), lambda: Dense(2).build((3,), dtype=dtype)):
        with pytest.raises(TypeError, match="expected dtype float32 or float64, got "):
            make()


def test_an_explicit_dtype_is_kept(rng: np.random.Generator) -> None:
    model = Sequential([Dense(2)], dtype=np.float32)
    with pytest.raises(TypeError, match="Sequential: expected dtype float32, as given to it before, got float64"):
        model.build((3,), dtype=np.float64)
    model.build((3,))
    model.build((3,))
    assert model.dtype == np.float32
    other = Sequential([Dense(2)])
    other.build((3,), dtype=np.float64)
    other.build((3,))
    assert other.dtype == np.float64
