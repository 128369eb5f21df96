"""Sequential: building, adding, data flow, prediction, seeds."""

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    SGD,
    BatchNorm,
    Concat,
    Conv2D,
    CrossEntropy,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    ReLU,
    Residual,
    Sequential,
    Trainer,
)
from tests.helpers import assert_same_bits


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


def test_blocks_inside_of_blocks() -> None:
    block = Sequential([Dense(4, name="a"), ReLU()])
    model = Sequential([Residual(block), Sequential([Dense(3)])], input_shape=(4,))
    assert list(model.parameters()) == ["0.main.0.weight", "0.main.0.bias", "1.0.weight", "1.0.bias"]
    assert block[0].label == "Dense 'a' (layer 0.main.0)"


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
            lambda: Sequential([Conv2D(2, 3)], input_shape=(3, None, 8)),  # type: ignore[arg-type]
            TypeError,
            r"a tuple of ints, got \(3, None, 8\); give a usual size for None",
        ),
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


def test_the_seed_of_a_block_that_is_built_by_itself() -> None:
    block = Sequential([Dense(3)], seed=5)
    block.build((4,))
    whole = Sequential([Dense(3)], seed=5, input_shape=(4,))
    assert np.array_equal(block.state()["0.weight"], whole.state()["0.weight"])
    other = Sequential([Dense(3)], seed=5)
    other.build((4,), rng=6)
    assert not np.array_equal(other.state()["0.weight"], whole.state()["0.weight"])


def test_a_layer_in_two_places_is_found_in_a_branch_as_well() -> None:
    shared = Dense(3)
    with pytest.raises(ValueError, match="Sequential: Dense is in this model already; each place needs"):
        Sequential([shared, Residual(Sequential([shared]))])


# ---------------------------------------------------------------------------------------- layers that are built already


def trained(seed: int = 0) -> Sequential:
    """A model from six features to six whose weights, running values and random state are not those of its seed."""
    model = Sequential([Dense(5, name="fc"), BatchNorm(), Dropout(0.5), Dense(6)], input_shape=(6,), seed=seed)
    for parameter in model.parameters().values():
        parameter.value += 1
    model.forward(np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32), training=True)
    return model


def held(model: Sequential) -> dict[str, str]:
    """What a model has learned, and where its random generators are."""
    found = {name: array.tobytes().hex() for name, array in model.state().items()}
    return found | {name: str(rng.bit_generator.state) for name, rng in model.random_generators().items()}


def grown(model: Sequential) -> Sequential:
    made = Sequential(input_shape=(6,), seed=3)
    for layer in model:
        made.add(layer)
    return made


FORMS: dict[str, Callable[[Sequential], Any]] = {
    "a slice": lambda model: Sequential(model[:-1], input_shape=(6,), seed=3),
    "with layers after it": lambda model: Sequential([*model, Dense(2)], input_shape=(6,), seed=3),
    "with layers before it": lambda model: Sequential([Dense(6), *model], input_shape=(6,), seed=3),
    "a model in a model": lambda model: Sequential([model, ReLU()], input_shape=(6,), seed=3),
    "a model that is added": lambda model: Sequential([Dense(6)], input_shape=(6,), seed=3).add(model),
    "its layers added": grown,
    "a residual branch": lambda model: Residual(model).build((6,), rng=3),
    "a shortcut": lambda model: Sequential([Residual(Dense(6), model)], input_shape=(6,), seed=3),
    "one of several branches": lambda model: Sequential([Concat([Dense(2), model])], input_shape=(6,), seed=3),
    "a layer in a branch": lambda model: Sequential([Residual(Sequential([model[0], Dense(6)]))], input_shape=(6,)),
    "the model built again": lambda model: model.build((6,), rng=3),
    "a layer built again": lambda model: model[0].build((6,), rng=3),
    "built again without a generator": lambda model: model.build((6,), rng=None),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_built_layer_keeps_what_it_has_learned(form: str, rng: np.random.Generator) -> None:
    model = trained()
    x = rng.normal(size=(3, 6)).astype(np.float32)
    before, y = held(model), model.forward(x)
    FORMS[form](model)
    assert held(model) == before
    assert_same_bits(model.forward(x), y)


def test_a_new_model_applies_the_layers_it_was_given(rng: np.random.Generator) -> None:
    model = trained()
    x = rng.normal(size=(3, 6)).astype(np.float32)
    new = Sequential([*model[:2], Dense(2)], input_shape=(6,), seed=3)
    assert new[0] is model[0]
    assert_same_bits(new.forward(x), new[2].forward(model[1].forward(model[0].forward(x))))
    assert_same_bits(Sequential([model, ReLU()], input_shape=(6,)).forward(x), np.maximum(model.forward(x), 0))


def test_new_layers_beside_built_ones_come_from_the_seed() -> None:
    """A built layer draws nothing."""
    model = trained()
    mixed = Sequential([*model, Dense(2), Dense(3)], input_shape=(6,), seed=3)
    alone = Sequential([Dense(2), Dense(3)], input_shape=(6,), seed=3)
    for position in (0, 1):
        assert_same_bits(mixed[4 + position].weight.value, alone[position].weight.value)
    inside = Sequential([Residual(Sequential([model[0], Dense(6)])), Dense(2)], input_shape=(6,), seed=3)
    apart = Sequential([Dense(6), Dense(2)], seed=3)
    apart[0].build((5,), rng=np.random.default_rng(3))
    assert_same_bits(inside[0].main[1].weight.value, apart[0].weight.value)


def test_a_built_layer_refuses_another_shape_or_type() -> None:
    model = trained()
    before = held(model)
    other = Sequential([Dense(7)], input_shape=(6,))
    text = r"^Dense 'fc' \(layer 1\): expected inputs \(6,\), for which it is built, got \(7,\); a built layer"
    with pytest.raises(ValueError, match=text):
        other.add(model[0])
    assert len(other) == 1
    assert model[0].label == "Dense 'fc' (layer 0)"
    with pytest.raises(ValueError, match=text):
        Sequential([Dense(7), model[0]], input_shape=(6,))
    with pytest.raises(TypeError, match=r"^Dense 'fc' \(layer 0\): expected dtype float32, for which it is built"):
        Sequential(model[:1], input_shape=(6,), dtype=np.float64)
    with pytest.raises(ValueError, match=r"^Sequential: expected inputs \(6,\), for which it is built, got \(7,\)"):
        model.build((7,))
    assert held(model) == before


@pytest.mark.parametrize("wrap", [Sequential, lambda layers: Residual(Sequential(layers))])
def test_a_failed_build_leaves_no_layer_built(wrap: Any) -> None:
    model = trained()
    before, layers = held(model), [Dense(6), Dropout(0.5), *model, Dense(2)]
    states = [vars(layer).copy() for layer in (layers[0], layers[1], layers[-1])]
    with pytest.raises(ValueError, match="MaxPool2D"):
        Sequential([wrap([*layers, MaxPool2D(2)])], input_shape=(9,))
    assert held(model) == before
    for layer, state in zip((layers[0], layers[1], layers[-1]), states, strict=True):
        assert {name: value for name, value in vars(layer).items() if name != "_place"} == state
    assert Sequential(layers, input_shape=(4,)).output_shape == (2,)


def test_a_layer_in_two_models_has_a_place_in_each() -> None:
    model = trained()
    new = Sequential([ReLU(), Sequential([Dense(6), model[0]])], input_shape=(6,))
    narrow = np.zeros((2, 4), np.float32)
    with pytest.raises(ValueError, match=r"^Dense 'fc' \(layer 0\): expected \(N, 6\), got \(2, 4\)$"):
        model.forward(narrow)
    with pytest.raises(ValueError, match=r"^Dense \(layer 1\.0\): expected \(N, 6\), got \(2, 4\)$"):
        new.forward(narrow)
    new[1]._layers[0] = ReLU()
    new[1][0].build((6,))
    hint = "; the layer before it, ReLU, outputs 4 features"
    with pytest.raises(ValueError, match=rf"^Dense 'fc' \(layer 1\.1\): expected \(N, 6\), got \(2, 4\){hint}$"):
        new.forward(narrow)
    assert model.label_of(model[0]) == "Dense 'fc' (layer 0)"
    assert new.label_of(model[0]) == "Dense 'fc' (layer 1.1)"


def test_a_backward_that_another_model_has_done_names_the_place() -> None:
    model = Sequential([Dense(3)], input_shape=(3,))
    new = Sequential([Dense(3), model[0]], input_shape=(3,))
    x = np.ones((2, 3), np.float32)
    model.forward(x, training=True)
    new.forward(x, training=True)
    new.backward(x)
    with pytest.raises(RuntimeError, match=r"^Dense \(layer 0\): backward needs a forward pass before it"):
        model.backward(x)


def test_a_copy_of_a_built_layer_is_not_shared() -> None:
    model = trained()
    before = held(model)
    new = Sequential([*copy.deepcopy(model[:2]), Dense(2)], input_shape=(6,), seed=3)
    assert all(before[name] == value for name, value in held(new).items() if not name.startswith("2."))
    for parameter in new.parameters().values():
        parameter.value[...] = 0
    assert held(model) == before


def test_training_a_model_trains_the_layers_that_it_shares(rng: np.random.Generator) -> None:
    model = trained()
    x = rng.normal(size=(20, 6)).astype(np.float32)
    new = Sequential([*model, Dense(2)], input_shape=(6,), seed=3)
    before, y = held(new), model.forward(x)
    Trainer(new, loss=CrossEntropy(), optimizer=SGD(0.1)).fit((x, np.arange(20) % 2), epochs=1, progress=False)
    assert all(new.state()[name].tobytes().hex() != before[name] for name in ("0.weight", "3.weight", "4.weight"))
    assert all(model.state()[name] is new.state()[name] for name in model.state())
    assert not np.array_equal(model.forward(x), y)


def masks(model: Sequential, features: int) -> list[np.ndarray]:
    """What each dropout layer leaves out of the next batch."""
    x = np.ones((4, features), np.float32)
    return [layer.forward(x, training=True) for layer in model.walk().values() if isinstance(layer, Dropout)]


@pytest.mark.parametrize(
    "merge",
    [
        lambda a, b: Sequential([*a, *b], input_shape=(40,)),
        lambda a, b: Sequential([a, b], input_shape=(40,)),
        lambda a, b: Sequential([Residual(a), Residual(b)], input_shape=(40,)),
        lambda a, b: Sequential([*a, Dropout(0.5)], input_shape=(40,)),
        lambda a, b: Sequential([Dropout(0.5), *a], input_shape=(40,)),
        lambda a, b: Sequential([Concat([a, b])], input_shape=(40,)),
        lambda a, b: Sequential([a, copy.deepcopy(a)], input_shape=(40,)),
        lambda a, b: Sequential([Residual(Sequential([*a, *b])), copy.deepcopy(a)], input_shape=(40,)),
    ],
)
@pytest.mark.parametrize("ahead", [0, 1])
def test_layers_of_two_models_with_one_seed_have_masks_of_their_own(merge: Any, ahead: int) -> None:
    """Also where one of them has drawn once more than the other."""
    parts = [Sequential([Dropout(0.5)], input_shape=(40,)) for _ in range(2)]
    for _ in range(ahead):
        masks(parts[0], 40)
    state = str(parts[0][0]._rng.bit_generator.state)
    model = merge(*parts)
    assert str(parts[0][0]._rng.bit_generator.state) == state
    steps = [masks(model, 40) for _ in range(4)]
    drawn = [mask.tobytes() for step in steps for mask in step]
    assert len(set(drawn)) == len(drawn) >= 8


def test_an_added_layer_has_a_mask_of_its_own() -> None:
    model, other = (Sequential([Dropout(0.5)], input_shape=(40,)) for _ in range(2))
    model.add(other[0])
    first, second = masks(model, 40)
    assert not np.array_equal(first, second)


def test_each_layer_of_a_list_is_visited_a_constant_number_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    visited = []
    walk = Layer.walk
    monkeypatch.setattr(Layer, "walk", lambda layer: visited.append(layer) or walk(layer))
    Sequential([ReLU() for _ in range(500)], input_shape=(3,))
    assert len(visited) < 2000
