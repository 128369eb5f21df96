"""Recorded inputs and outputs against layers called one by one; gradients of inner units against differences."""

import threading
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    AvgPool2D,
    BatchNorm,
    Concat,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    Residual,
    Sequential,
    Tanh,
)
from numpycnn.inspection.traces import chain_of, follow, follow_back, layers_of
from tests.helpers import assert_close, assert_same_bits, numerical_gradient


def branched(dtype: Any = np.float64) -> Sequential:
    """Return a smooth model with nested branches, for accurate finite differences."""
    return Sequential(
        [
            Conv2D(4, 3, padding=1, name="first"),
            Residual(Sequential([BatchNorm(), Tanh(), Conv2D(4, 3, padding=1)]), Conv2D(4, 1)),
            Concat([Conv2D(2, 1), Sequential([Conv2D(3, (1, 3), padding=(0, 1)), Tanh()]), Residual(Conv2D(4, 1))]),
            AvgPool2D(2),
            Sequential([Flatten(), Dropout(0.5), Dense(3)]),
        ],
        input_shape=(2, 6, 5),
        seed=1,
        dtype=dtype,
    )


PLACES = [
    *("0", "1", "1.main", "1.main.0", "1.main.1", "1.main.2", "1.shortcut"),
    *("2", "2.0", "2.1", "2.1.0", "2.1.1", "2.2", "2.2.main", "3", "4", "4.0", "4.1", "4.2"),
]


@pytest.fixture
def x(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(2, 2, 6, 5))


def test_keys_match_the_summary() -> None:
    model = branched()
    assert list(layers_of(model)) == PLACES
    assert [row.layer.split()[0] for row in model.summary().rows] == [place.split(".")[-1] for place in PLACES]
    assert list(chain_of(model)) == ["0", "1", "2", "3", "4.0", "4.1", "4.2"]


def test_each_layer_is_recorded(x: np.ndarray) -> None:
    model = branched()
    passages = follow(model, x)
    assert list(passages) == PLACES
    for key, passage in passages.items():
        assert passage.layer is layers_of(model)[key]
        assert_same_bits(passage.layer.forward(passage.x), passage.y)
        assert passage.dy is None
    assert passages["1.main"].x is passages["1.shortcut"].x
    assert_same_bits(passages["1.main"].y + passages["1.shortcut"].y, passages["1"].y)
    assert_same_bits(np.concatenate([passages[f"2.{i}"].y for i in range(3)], axis=1), passages["2"].y)
    assert_same_bits(passages["4"].y, model.forward(x))
    assert passages["0"].title == "0 Conv2D 'first'"
    assert passages["2.1.0"].title == "2.1.0 Conv2D"
    assert [key for key, passage in passages.items() if not passage.is_map] == ["4", "4.0", "4.1", "4.2"]


@pytest.mark.parametrize("at", PLACES)
def test_the_gradient_of_an_inner_unit(at: str, x: np.ndarray, rng: np.random.Generator) -> None:
    model = branched()
    probe = rng.normal(size=follow(model, x)[at].y.shape)
    dx, passages = follow_back(model, x, lambda y: probe, at=at)
    for _ in range(8):  # the slope along a random line through x
        way = rng.normal(size=x.shape)
        up, down = (float((follow(model, x + h * way)[at].y * probe).sum()) for h in (1e-5, -1e-5))
        assert (dx * way).sum() == pytest.approx((up - down) / 2e-5, rel=1e-6)
    after = PLACES[PLACES.index(at) + 1 :]
    dead = [key for key in after if not key.startswith(f"{at}.")]
    assert all(not np.any(passages[key].dy) for key in dead)


def test_gradients_at_the_layers(x: np.ndarray, rng: np.random.Generator) -> None:
    """The gradient at a layer of the chain against finite differences of the rest of the chain."""
    model = branched()
    probe = rng.normal(size=(2, 3))
    _, passages = follow_back(model, x, lambda y: probe)
    for i in range(4):

        def rest(y: np.ndarray, after: int = i + 1) -> float:
            for layer in model.layers[after:]:
                y = layer.forward(y)
            return float((y * probe).sum())

        dy = passages[str(i)].dy
        assert dy is not None
        assert_close(dy, numerical_gradient(rest, passages[str(i)].y), 1e-7)
    for key in ("1.main", "1.main.2", "1.shortcut"):  # a sum passes its gradient to both branches
        assert_same_bits(np.asarray(passages[key].dy), np.asarray(passages["1"].dy))
    parts = np.concatenate([np.asarray(passages[f"2.{i}"].dy) for i in range(3)], axis=1)
    assert_same_bits(parts, np.asarray(passages["2"].dy))


def test_pick_receives_the_output(x: np.ndarray) -> None:
    model = branched()
    dx, passages = follow_back(model, x, lambda y: 2 * y, at="1.main.1")
    expected = numerical_gradient(lambda moved: float((follow(model, moved)["1.main.1"].y ** 2).sum()), x)
    assert_close(dx, expected, 1e-7)
    assert_same_bits(np.asarray(passages["1.main.1"].dy), 2 * passages["1.main.1"].y)


def test_the_model_is_not_modified(x: np.ndarray, rng: np.random.Generator) -> None:
    model = branched()
    model.forward(x, training=True)
    model.backward(np.ones((2, 3)))
    before = {name: array.copy() for name, array in model.state().items()}
    gradients = {name: parameter.grad.copy() for name, parameter in model.parameters().items()}
    state = {name: generator.bit_generator.state for name, generator in model.random_generators().items()}
    follow(model, x, training=True)
    follow_back(model, x, np.ones_like, training=True)
    for name, array in model.state().items():
        assert_same_bits(array, before[name])
    for name, parameter in model.parameters().items():
        assert_same_bits(parameter.grad, gradients[name])
    assert {name: g.bit_generator.state for name, g in model.random_generators().items()} == state
    with pytest.raises(RuntimeError, match="backward needs a forward pass before it"):
        model.backward(np.ones((2, 3)))


def test_the_weights_are_shared_and_not_copied(monkeypatch: pytest.MonkeyPatch, x: np.ndarray) -> None:
    model, seen = branched(), []

    def forward(self: Conv2D, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        seen.append(self.weight.value)
        return original(self, x, **mode)

    original = Conv2D._forward
    monkeypatch.setattr(Conv2D, "_forward", forward)
    follow(model, x)
    assert seen[0] is model[0].weight.value


def test_training_mode(x: np.ndarray) -> None:
    passages = follow(branched(), x, training=True)
    y = passages["1.main.0"].y  # batch norm with the statistics of the batch
    assert_close(y.mean(axis=(0, 2, 3)), np.zeros(4), 1e-9)
    assert (passages["4.1"].y == 0).sum() > (passages["4.1"].x == 0).sum()  # dropout


def test_several_threads(x: np.ndarray) -> None:
    model = branched()
    alone, _ = follow_back(model, x, np.ones_like)
    results: list[np.ndarray] = []

    def work() -> None:
        results.append(follow_back(model, x, np.ones_like)[0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        assert_same_bits(result, alone)


def test_custom_container(x: np.ndarray) -> None:
    class Twice(Layer):
        """Wrap a layer under a custom name and scale its output."""

        def __init__(self, inner: Layer) -> None:
            super().__init__()
            self.inner = inner

        def _build(self, input_shape: tuple[int, ...], rng: Any) -> tuple[int, ...]:
            return self.inner.build(input_shape, rng=rng, dtype=self.dtype)

        def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
            return 2 * self.inner.forward(x, **mode), ()

        def _backward(self, dy: np.ndarray, cache: Any) -> np.ndarray:
            return self.inner.backward(2 * dy)

    model = Sequential([Twice(Conv2D(3, 2)), MaxPool2D(2)], input_shape=(2, 6, 5), dtype=np.float64)
    dx, passages = follow_back(model, x, np.ones_like, at="0")
    assert list(passages) == ["0", "0.inner", "1"]
    assert_same_bits(passages["0"].y, 2 * passages["0.inner"].y)
    assert np.all(passages["0.inner"].dy == 2)
    assert_close(dx, numerical_gradient(lambda moved: float(model[0].forward(moved).sum()), x), 1e-7)


def test_wrong_arguments(x: np.ndarray) -> None:
    model = branched()
    with pytest.raises(TypeError, match="follow: expected a Sequential or a Model, got Dense"):
        follow(Dense(3), x)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="follow: the model is not built yet; give it an input_shape"):
        follow(Sequential([Dense(3)]), x)
    with pytest.raises(ValueError, match="follow: expected a model with layers, got an empty one"):
        follow(Sequential([], input_shape=(2,)), x)
    with pytest.raises(
        ValueError, match=r"expected x \(N, 2, 6, 5\), got \(2, 6, 5\); put a batch axis before it, x\[np.newaxis\]"
    ):
        follow(model, x[0])
    with pytest.raises(ValueError, match=r"expected x \(N, 2, 6, 5\), got \(2, 2, 5, 6\)$"):
        follow(model, x.transpose(0, 1, 3, 2))
    with pytest.raises(TypeError, match="expected float64, got float32"):
        follow(model, x.astype(np.float32))
    with pytest.raises(ValueError, match=r"follow_back: expected the key of a layer, one of 0, 1, .*, got '7'"):
        follow_back(model, x, np.ones_like, at="7")
    with pytest.raises(ValueError, match=r"follow_back: expected pick to return \(2, 3\), like y, got \(3,\)$"):
        follow_back(model, x, lambda y: np.ones(3))
