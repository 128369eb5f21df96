"""Initial weights: their variance, their limits, their types."""

import inspect
from typing import Any

import numpy as np
import pytest

from numpycnn import Conv2D, ConvTranspose2D, Dense, Embedding, Sequential, load_model
from numpycnn.layers.initializers import INITIALIZERS, check_initializer, draw
from tests.helpers import assert_same_bits

VARIANCE = {
    "he_normal": 2 / 50,
    "he_uniform": 2 / 50,
    "glorot_normal": 2 / 250,
    "glorot_uniform": 2 / 250,
    "normal": 0.05**2,
    "truncated_normal": 0.05**2,
    "orthogonal": 1 / 1000,
    "zeros": 0,
}


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_variance_and_mean(name: str) -> None:
    weights = INITIALIZERS[name](np.random.default_rng(0), (200, 1000), 50, 200)
    assert weights.var() == pytest.approx(VARIANCE[name], rel=0.02)
    assert weights.mean() == pytest.approx(0, abs=0.002)
    if name.endswith("uniform"):
        limit = np.sqrt(3 * VARIANCE[name])
        assert 0.999 * limit < np.abs(weights).max() <= limit
    elif name == "truncated_normal":
        limit = 2 * 0.05 / 0.8796
        assert 0.999 * limit < np.abs(weights).max() <= limit
    elif name != "zeros":
        assert (np.abs(weights) < np.sqrt(VARIANCE[name])).mean() == pytest.approx(0.6827, abs=0.01)


def test_the_truncated_normal_has_the_distribution_of_scipy() -> None:
    from scipy.stats import kstest, truncnorm

    weights = INITIALIZERS["truncated_normal"](np.random.default_rng(0), (100, 100), 1, 1)
    uncut = 0.05 / truncnorm(-2, 2).std()
    assert kstest(weights.ravel() / uncut, truncnorm(-2, 2).cdf).pvalue > 0.05


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (2, 3, 2, 2), (9, 2, 2, 1), (1, 5)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    weights = INITIALIZERS["orthogonal"](np.random.default_rng(0), shape, 1, 1).reshape(shape[0], -1)
    short = weights if weights.shape[0] <= weights.shape[1] else weights.T
    np.testing.assert_allclose(short @ short.T, np.eye(len(short)), atol=1e-12)


def test_the_signs_of_an_orthogonal_matrix_are_random() -> None:
    rng = np.random.default_rng(0)
    determinants = [np.linalg.det(INITIALIZERS["orthogonal"](rng, (3, 3), 1, 1)) for _ in range(99)]
    assert 30 < (np.array(determinants) > 0).sum() < 69


@pytest.mark.parametrize("make", [lambda i: Dense(4, initializer=i), lambda i: Embedding(5, 4, initializer=i)])
def test_a_function_of_a_generator_and_a_shape(make: Any, tmp_path: Any) -> None:
    asked = []

    def sevens(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        asked.append((type(rng), shape))
        return np.full(shape, 7)

    layer = make(sevens)
    model = Sequential([layer], input_shape=(3,))
    np.testing.assert_array_equal(layer.weight.value, 7)
    assert layer.weight.value.dtype == np.float32
    assert asked == [(np.random.Generator, layer.weight.value.shape)]
    assert layer.config()["initializer"] is sevens
    assert "initializer=sevens" in repr(layer)
    model.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded[0].state()["weight"], 7)
    assert loaded[0].config()["initializer"] == inspect.signature(type(layer)).parameters["initializer"].default


@pytest.mark.parametrize(
    ("function", "error", "text"),
    [
        (
            lambda rng, shape: np.zeros(3),
            ValueError,
            r"Dense: expected an .* returns weights \(4, 3\), got \(3,\)",
        ),
        (lambda rng, shape: None, TypeError, "Dense: expected an initializer that returns real numbers, got object"),
        (lambda rng, shape: np.zeros(shape, complex), TypeError, "returns real numbers, got complex128"),
        (lambda rng, shape: np.full(shape, np.nan), ValueError, "returns finite weights, got NaN or infinity"),
        (lambda rng: np.zeros(3), TypeError, "Dense: .*takes 1 positional argument but 2 were given"),
    ],
)
def test_a_function_that_returns_no_weights(function: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        Dense(4, initializer=function).build((3,))


@pytest.mark.parametrize("name", sorted(INITIALIZERS))
def test_every_layer_with_weights_takes_every_rule(name: str) -> None:
    for layer, shape in (
        (Dense(4, initializer=name), (3,)),
        (Conv2D(4, 3, initializer=name), (2, 5, 5)),
        (ConvTranspose2D(4, 3, initializer=name), (2, 5, 5)),
        (Embedding(5, 4, initializer=name), (3,)),
    ):
        layer.build(shape, rng=1)
        assert layer.weight.value.any() == (name != "zeros")
        assert layer.config()["initializer"] == name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draw(dtype: type) -> None:
    settings = {"fan_in": 3, "fan_out": 4, "dtype": np.dtype(dtype)}
    weights = draw("he_normal", np.random.default_rng(1), (4, 3), **settings)
    assert weights.dtype == dtype
    assert_same_bits(draw("he_normal", np.random.default_rng(1), (4, 3), **settings), weights)
    assert_same_bits(draw("he_normal", None, (4, 3), **settings), np.zeros((4, 3), dtype))


@pytest.mark.parametrize("name", ["he", "", None, 3, "He_normal", [], {}])
def test_unknown_names(name: object) -> None:
    with pytest.raises(
        ValueError, match="Dense: expected initializer he_normal, he_uniform, glorot_normal, glorot_uniform"
    ):
        check_initializer(name, "Dense")  # type: ignore[arg-type]


def test_every_rule_has_its_expectation_here() -> None:
    assert set(VARIANCE) == set(INITIALIZERS)
    assert all(check_initializer(name, "Dense") == name for name in INITIALIZERS)
