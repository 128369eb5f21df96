"""Sequential: building, adding, data flow, prediction, seeds."""

import subprocess
import sys
from pathlib import Path
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
    Residual,
    Sequential,
    get_num_threads,
    set_num_threads,
)
from tests.helpers import assert_close, assert_same_bits


def layers() -> list[Any]:
    return [Conv2D(3, 3), BatchNorm(), ReLU(), MaxPool2D(2), Dropout(0.25), Flatten(), Dense(4)]


def test_layers_are_applied_in_order(rng: np.random.Generator) -> None:
    model = Sequential(layers(), input_shape=(2, 8, 7), dtype=np.float64)
    x, dy = rng.normal(size=(3, 2, 8, 7)), rng.normal(size=(3, 4))
    step = x
    for layer in model:
        step = layer.forward(step)
    assert_same_bits(model.forward(x), step)
    y = model.forward(x, training=True)
    assert y.shape == (3, 4)
    twin = Sequential(layers(), input_shape=(2, 8, 7), dtype=np.float64)
    step = x
    for layer in twin:
        step = layer.forward(step, training=True)
    assert_same_bits(y, step)
    back = dy
    for layer in reversed(twin.layers):
        back = layer.backward(back)
    assert_same_bits(model.backward(dy), back)
    for name, parameter in model.parameters().items():
        assert_same_bits(parameter.grad, twin.parameters()[name].grad)


def test_it_is_a_sequence_of_layers() -> None:
    model = Sequential(layers(), input_shape=(2, 8, 7))
    assert len(model) == len(model.layers) == 7
    assert model[0] is model.layers[0]
    assert model[-1] is list(model)[-1]
    with pytest.raises(IndexError):
        model[7]


@pytest.mark.parametrize("first", range(7))
def test_adding_one_by_one_gives_the_same_model(first: int) -> None:
    whole = Sequential(layers(), input_shape=(2, 8, 7), seed=3)
    grown = Sequential(layers()[:first], input_shape=(2, 8, 7), seed=3)
    for layer in layers()[first:]:
        grown.add(layer)
    assert grown.output_shape == whole.output_shape == (4,)
    assert repr(grown) == repr(whole)
    for name, array in whole.state().items():
        assert_same_bits(grown.state()[name], array)
    x = np.ones((2, 2, 8, 7), np.float32)
    assert_same_bits(grown.forward(x, training=True), whole.forward(x, training=True))  # dropout draws the same


def test_add_before_building() -> None:
    model = Sequential()
    model.add(Flatten())
    model.add(Dense(2))
    assert model.output_shape is None
    assert model.build((3, 2)) == (2,)


def test_a_layer_that_does_not_fit_leaves_the_model_as_it_was() -> None:
    model = Sequential([Dense(4)], input_shape=(3,))
    with pytest.raises(ValueError, match=r"Conv2D \(layer 1\): expected inputs \(C, H, W\), got \(4,\)"):
        model.add(Conv2D(2, 3))
    assert len(model) == 1
    assert model.forward(np.zeros((1, 3), np.float32)).shape == (1, 4)
    model.add(Dense(2))
    assert model.output_shape == (2,)


def test_the_seed_determines_all_weights() -> None:
    states = [Sequential(layers(), input_shape=(2, 8, 7), seed=seed).state() for seed in (0, 0, 1)]
    for name, array in states[0].items():
        assert_same_bits(states[1][name], array)
    assert (states[2]["0.weight"] != states[0]["0.weight"]).any()
    assert (states[2]["6.weight"] != states[0]["6.weight"]).any()


def test_two_processes_make_the_same_weights_and_outputs() -> None:
    code = """if True:
        import hashlib, numpy as np, numpycnn as nn
        model = nn.Sequential([nn.Conv2D(3, 3), nn.ReLU(), nn.Flatten(), nn.Dense(4)], input_shape=(2, 8, 7), seed=5)
        y = model.forward(np.linspace(-1, 1, 3 * 112, dtype=np.float32).reshape(3, 2, 8, 7), training=True)
        model.backward(y)
        digest = hashlib.sha256(y.tobytes())
        for p in model.parameters().values():
            digest.update(p.value.tobytes() + p.grad.tobytes())
        print(digest.hexdigest())"""
    root = Path(__file__).resolve().parents[1]
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert len(runs[0].strip()) == 64


def test_predict_in_batches_of_any_size(rng: np.random.Generator) -> None:
    model = Sequential(layers(), input_shape=(2, 8, 7), dtype=np.float64)
    x = rng.normal(size=(23, 2, 8, 7))
    whole = model.forward(x)
    for size in (1, 2, 7, 22, 23, 24, 256):
        assert_close(model.predict(x, batch_size=size), whole, 1e-13)
    assert model.predict(x[:0]).shape == (0, 4)
    assert all(layer._cache is None for layer in model)


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


def test_blocks_inside_of_blocks() -> None:
    block = Sequential([Dense(4, name="a"), ReLU()])
    model = Sequential([Residual(block), Sequential([Dense(3)])], input_shape=(4,))
    assert list(model.parameters()) == ["0.main.0.weight", "0.main.0.bias", "1.0.weight", "1.0.bias"]
    assert block[0].label == "Dense 'a' (layer 0.main.0)"


def test_the_metadata_of_two_models_are_two() -> None:
    first, second = Sequential(), Sequential()
    first.metadata["classes"] = ["cat"]
    assert second.metadata == {}


def test_without_layers_it_changes_nothing() -> None:
    model = Sequential([], input_shape=(3,))
    x = np.ones((2, 3), np.float32)
    assert_same_bits(model.forward(x, training=True), x)
    assert_same_bits(model.backward(x), x)
    assert repr(model) == "Sequential([])"


def test_repr_shows_layers_shape_seed_and_name() -> None:
    model = Sequential([Dense(4), Sequential([ReLU()])], input_shape=(3,), seed=2, name="net")
    assert repr(model) == (
        "Sequential([\n    Dense(4),\n    Sequential([\n        ReLU(),\n    ], input_shape=(4,)),\n]"
        ", input_shape=(3,), seed=2, name='net')"
    )


shared = Dense(2)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda: Sequential([Dense]),
            TypeError,
            r"Sequential: expected a layer, got the class Dense; write Dense\(...\)",
        ),
        (lambda: Sequential([None]), TypeError, "Sequential: expected a layer, got NoneType"),
        (lambda: Sequential(["Dense"]), TypeError, "Sequential: expected a layer, got str"),
        (lambda: Sequential([np.tanh]), TypeError, "Sequential: expected a layer, got ufunc"),
        (lambda: Sequential(Dense(2)), TypeError, "Sequential: expected a list of layers, got Dense"),
        (
            lambda: Sequential([shared, shared]),
            ValueError,
            "Dense is in this model already; each place needs its own layer",
        ),
        (lambda: Sequential(seed=-1), ValueError, "Sequential: expected seed from 0 to 2147483647, got -1"),
        (lambda: Sequential(seed=1.5), TypeError, "Sequential: expected seed to be an int, got float 1.5"),
        (lambda: Sequential(name=3), TypeError, "Sequential: expected name to be a string, got int 3"),
        (lambda: Sequential([Dense(2)], input_shape=3), TypeError, "expected input_shape to be a tuple of ints, got 3"),
        (
            lambda: Sequential([Dense(2)], input_shape=(0,)),
            ValueError,
            "expected input_shape from 1 to 2147483647, got 0",
        ),
        (
            lambda: Sequential([Dense(2)], input_shape=(3,), dtype=int),
            TypeError,
            "expected dtype float32 or float64, got int64",
        ),
        (
            lambda: Sequential([Conv2D(2, 3), Dense(2, name="fc")], input_shape=(1, 5, 5)),
            ValueError,
            r"Dense 'fc' \(layer 1\): expected inputs \(features,\), got \(2, 3, 3\); put a Flatten\(\) before it",
        ),
        (
            lambda: Sequential([Flatten(), MaxPool2D(2)], input_shape=(1, 5, 5)),
            ValueError,
            r"MaxPool2D \(layer 1\): expected inputs \(C, H, W\), got \(25,\)",
        ),
    ],
)
def test_bad_models(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_a_model_does_not_contain_itself() -> None:
    model = Sequential()
    with pytest.raises(ValueError, match="Sequential is in this model already"):
        model.add(model)


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


def test_the_seed_of_a_block_that_is_built_by_itself() -> None:
    block = Sequential([Dense(3)], seed=5)
    block.build((4,))
    whole = Sequential([Dense(3)], seed=5, input_shape=(4,))
    assert np.array_equal(block.state()["0.weight"], whole.state()["0.weight"])
    block.build((4,), rng=6)
    assert not np.array_equal(block.state()["0.weight"], whole.state()["0.weight"])


def test_a_layer_in_two_places_is_found_in_a_branch_as_well() -> None:
    shared = Dense(3)
    with pytest.raises(ValueError, match="Sequential: Dense is in this model already; each place needs"):
        Sequential([shared, Residual(Sequential([shared]))])
