"""What every layer promises, tried on each row of the table in `contract`."""

import ast
import copy
import re
import threading
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import Layer, Model, Sequential, check_gradients, load_model
from numpycnn._checks import format_shape
from numpycnn.io.loading import LAYERS
from numpycnn.io.serialization import encode
from tests.helpers import assert_close, assert_same_bits, layouts
from tests.layers.contract import ROWS, Row


def row_name(row: Row) -> str:
    return " ".join(repr(row.make()).split())


pytestmark = pytest.mark.parametrize("row", ROWS, ids=row_name)


def built(row: Row, *, dtype: Any = np.float64, seed: int = 0) -> Layer:
    layer = row.make()
    layer.build(row.input_shape, rng=seed, dtype=dtype)
    return layer


def batch(layer: Layer, rng: np.random.Generator, n: int = 3) -> np.ndarray:
    assert layer.input_shape is not None
    return layer.draw_input((n, *layer.input_shape), rng)


def snapshot(layer: Layer, key: str = "") -> dict[str, Any]:
    """Everything that a layer holds: which objects, and the numbers in its arrays and generators."""
    held: dict[str, Any] = {f"{key}{name}": id(value) for name, value in vars(layer).items()}
    held |= {f"{key}{name} numbers": array.tobytes() for name, array in layer.state().items()}
    held |= {f"{key}{name} grad": p.grad.tobytes() for name, p in layer.parameters().items()}
    held |= {f"{key}{name} random": repr(g.bit_generator.state) for name, g in layer.random_generators().items()}
    for name, child in layer.children().items():
        held |= snapshot(child, f"{key}{name}.")
    return held


def run(layer: Layer, x: np.ndarray, dy: np.ndarray, **mode: bool) -> dict[str, np.ndarray]:
    """Forward and backward; what comes out, by name."""
    y = layer.forward(x, **mode)
    dx = layer.backward(dy)
    return {"y": y, "dx": dx} | {name: p.grad.copy() for name, p in layer.parameters().items()}


# --------------------------------------------------------------------------------------------------- shapes and numbers


@pytest.mark.parametrize("backend", ["plain", "fast"])
@pytest.mark.parametrize("training", [True, False])
def test_gradients(row: Row, training: bool, backend: str) -> None:
    with numpycnn.backend(backend):
        assert check_gradients(row.make(), row.input_shape, training=training).passed


def test_the_backends_agree(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x, dy = batch(layer, rng), rng.normal(size=(3, *row.output_shape))
    results = {}
    for backend in ("plain", "fast"):
        with numpycnn.backend(backend):
            results[backend] = run(copy.deepcopy(layer), x, dy, training=True)
    for name, array in results["fast"].items():
        scale = max(1.0, np.abs(results["plain"][name]).max(initial=0))
        np.testing.assert_allclose(array, results["plain"][name], rtol=0, atol=1e-10 * scale, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_types(row: Row, dtype: type, rng: np.random.Generator) -> None:
    layer = row.make()
    assert layer.build(row.input_shape, dtype=dtype) == row.output_shape
    assert (layer.input_shape, layer.output_shape, layer.dtype) == (row.input_shape, row.output_shape, dtype)
    x = batch(layer, rng)
    dy = rng.normal(size=(3, *row.output_shape)).astype(dtype)
    results = run(layer, x, dy, training=True)
    assert results["y"].shape == (3, *row.output_shape)
    assert results["dx"].shape == x.shape
    assert {array.dtype for array in (*results.values(), *layer.state().values())} == {np.dtype(dtype)}
    for parameter in layer.parameters().values():
        assert parameter.grad.shape == parameter.value.shape
    assert layer.forward(x).dtype == dtype


@pytest.mark.parametrize("training", [True, False])
def test_float32_is_close_to_float64(row: Row, training: bool, rng: np.random.Generator) -> None:
    single, double = built(row, dtype=np.float32), built(row)
    double.load_state(single.state())
    x, dy = batch(single, rng), rng.normal(size=(3, *row.output_shape)).astype(np.float32)
    wide = x.astype(np.float64) if x.dtype.kind == "f" else x
    mode = {"training": training, "differentiable": True}
    exact = run(double, wide, dy.astype(np.float64), **mode)
    # In a model some gradients are 0 but for rounding, as that of a bias before a batch norm.
    scale = max(np.abs(array).max() for array in exact.values()) if single.children() else 0
    for name, array in run(single, x, dy, **mode).items():
        assert np.abs(array - exact[name]).max() <= 1e-5 * max(np.abs(exact[name]).max(), scale), name


def test_a_batch_of_one_gives_what_it_gives_among_others(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x = batch(layer, rng, 5)
    y = layer.forward(x)
    for n in range(5):
        assert_close(layer.forward(x[n : n + 1]), y[n : n + 1], 1e-13)


def test_an_empty_batch(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x, dy = batch(layer, rng, 0), np.empty((0, *row.output_shape))
    assert layer.forward(x).shape == dy.shape
    for mode in ("differentiable", "training"):
        if mode == "training" and row.needs_batch:
            with pytest.raises(ValueError, match=r"expected a batch that is not empty in training, got \(0, "):
                layer.forward(x, training=True)
        else:
            results = run(layer, x, dy, **{mode: True})
            assert results.pop("y").shape == dy.shape
            assert results.pop("dx").shape == x.shape
            assert not any(gradient.any() for gradient in results.values())


def test_any_layout_gives_the_same_bits_and_stays_as_it_is(row: Row, rng: np.random.Generator) -> None:
    original = built(row)
    x, dy = batch(original, rng), rng.normal(size=(3, *row.output_shape))
    expected = run(copy.deepcopy(original), x, dy, training=True)
    for kind in layouts(x):
        other_x, other_dy = layouts(x)[kind], layouts(dy)[kind]
        results = run(copy.deepcopy(original), other_x, other_dy, training=True)
        for name, array in results.items():
            assert_same_bits(array, expected[name])
        assert_same_bits(original.forward(other_x), original.forward(x))
        np.testing.assert_array_equal(other_x, x)
        np.testing.assert_array_equal(other_dy, dy)
    wide_x, wide_dy = np.broadcast_to(x[:1], x.shape), np.broadcast_to(dy[:1], dy.shape)
    expected = run(copy.deepcopy(original), wide_x.copy(), wide_dy.copy(), training=True)
    for name, array in run(copy.deepcopy(original), wide_x, wide_dy, training=True).items():
        assert_same_bits(array, expected[name])


# ----------------------------------------------------------------------------------------------------- modes and memory


def test_inference_is_deterministic_and_writes_nothing(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x = batch(layer, rng)
    layer.forward(x, training=True)  # something to remember, and running means that are not at their start
    before = snapshot(layer)
    y = layer.forward(x)
    assert snapshot(layer) == before
    assert_same_bits(layer.forward(x), y)
    assert_same_bits(layer(x), y)
    assert snapshot(layer) == before


def test_differentiable_goes_forward_as_inference_does(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x = batch(layer, rng)
    layer.forward(x, training=True)
    state = {name: array.copy() for name, array in layer.state().items()}
    assert_same_bits(layer.forward(x, differentiable=True), layer.forward(x))
    for name, array in layer.state().items():
        assert_same_bits(array, state[name])


def test_threads_predict_with_one_layer_at_once(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    inputs = [batch(layer, rng) for _ in range(4)]
    expected = [layer.forward(x) for x in inputs]
    barrier = threading.Barrier(4, timeout=60)
    wrong: list[str] = []

    def predict(i: int) -> None:
        try:
            barrier.wait()
            wrong.extend(f"thread {i}" for _ in range(5) if layer.forward(inputs[i]).tobytes() != expected[i].tobytes())
        except Exception as error:
            wrong.append(repr(error))

    threads = [threading.Thread(target=predict, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert not any(thread.is_alive() for thread in threads)


def test_each_forward_serves_one_backward(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x, dy = batch(layer, rng), rng.normal(size=(3, *row.output_shape))
    text = (
        f"{type(layer).__name__}.*: backward needs a forward pass before it, with training=True or differentiable=True"
    )
    with pytest.raises(RuntimeError, match=text):
        layer.backward(dy)
    layer.forward(x)
    with pytest.raises(RuntimeError, match=text):
        layer.backward(dy)
    run(layer, x, dy, training=True)
    with pytest.raises(RuntimeError, match=text):
        layer.backward(dy)
    layer.forward(x, training=True)
    layer.forget()
    with pytest.raises(RuntimeError, match=text):
        layer.backward(dy)


def test_gradients_are_overwritten_not_added_up(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x, dy = batch(layer, rng), rng.normal(size=(3, *row.output_shape))
    first = run(layer, x, dy, differentiable=True)
    grads = [parameter.grad for parameter in layer.parameters().values()]
    for grad in grads:
        grad.fill(np.nan)
    for name, array in run(layer, x, dy, differentiable=True).items():
        assert_same_bits(array, first[name])
    assert all(p.grad is grad for p, grad in zip(layer.parameters().values(), grads, strict=True))


def test_backward_parameters_sets_the_same_gradients(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x, dy = batch(layer, rng), rng.normal(size=(3, *row.output_shape))
    expected = run(layer, x, dy, differentiable=True)
    layer.forward(x, differentiable=True)
    layer.backward_parameters(dy)
    for name, parameter in layer.parameters().items():
        assert_same_bits(parameter.grad, expected[name])
    with pytest.raises(RuntimeError, match="backward needs a forward pass before it"):
        layer.backward(dy)


def test_the_seed_determines_the_weights(row: Row) -> None:
    first, second, other = built(row, seed=5), built(row, seed=5), built(row, seed=6)
    for name, array in first.state().items():
        assert_same_bits(second.state()[name], array)
    for name, array in first.state().items():
        if "weight" in name and np.unique(array).size > 1:
            assert (other.state()[name] != array).any()
        else:  # biases, scales and running statistics are not drawn
            assert_same_bits(other.state()[name], array)


# ------------------------------------------------------------------------------------------------------------- errors


def test_using_an_unbuilt_layer(row: Row) -> None:
    layer = row.make()
    with pytest.raises(RuntimeError, match="is not built yet: call build"):
        layer.forward(np.zeros((1, *row.input_shape), np.float32))
    with pytest.raises(RuntimeError, match="backward needs a forward pass"):
        layer.backward(np.zeros((1, *row.output_shape), np.float32))


def test_wrong_shapes(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x = batch(layer, rng)
    with pytest.raises(ValueError, match=r": expected \(N, .*\), got \(\)"):
        layer.forward(x.ravel()[0])
    if not row.any_shape:
        for wrong in (x[0], x[..., None], x[:, None]):
            with pytest.raises(ValueError, match=r": expected \(N, .*\), got \(\d"):
                layer.forward(wrong)


def test_wrong_types(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x = batch(layer, rng)
    if x.dtype.kind == "f":
        for wrong in (np.float32, np.float16, np.int64, np.uint8, bool, complex, object):
            advice = "pixels are normalized" if wrong is np.uint8 else r"convert the input with x.astype\(np.float64\)"
            with pytest.raises(TypeError, match=f": expected float64, got .*; {advice}"):
                layer.forward(x.astype(wrong) if wrong is not complex else x + 0j)
    with pytest.raises(TypeError, match=r": expected (float64|integers), got <U4"):
        layer.forward(np.full(x.shape, "text"))


def test_wrong_gradients(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x, dy = batch(layer, rng), rng.normal(size=(3, *row.output_shape))
    layer.forward(x, training=True)
    for wrong in (dy[:2], dy[..., None], dy.ravel()[0]):
        with pytest.raises(ValueError, match=r": expected dy \(3, .*\) like the output, got \("):
            layer.backward(wrong)
    with pytest.raises(TypeError, match=": expected dy of float64, got float32"):
        layer.backward(dy.astype(np.float32))
    layer.backward(dy)  # a refused gradient leaves the forward pass usable


def test_wrong_build(row: Row) -> None:
    layer = row.make()
    for shape, error, text in (
        ((0, *row.input_shape[1:]), ValueError, "expected input_shape from 1 to 2147483647, got 0"),
        ((2**31, *row.input_shape[1:]), ValueError, "expected input_shape from 1 to 2147483647, got 2147483648"),
        ((2**63 - 1, *row.input_shape[1:]), ValueError, "expected input_shape from 1 to 2147483647"),
        ((2.5, *row.input_shape[1:]), TypeError, "expected input_shape to be an int, got float 2.5"),
        (7, TypeError, "expected input_shape to be a tuple of ints, got 7"),
    ):
        with pytest.raises(error, match=text):
            layer.build(shape)
    for dtype in (np.float16, np.int32, complex):
        with pytest.raises(TypeError, match="expected dtype float32 or float64, got "):
            layer.build(row.input_shape, dtype=dtype)
    assert layer.build(row.input_shape) == row.output_shape


# -------------------------------------------------------------------------------------------------- keeping and copying


def test_save_and_load(row: Row, tmp_path: Any, rng: np.random.Generator) -> None:
    model = Sequential([row.make()], input_shape=row.input_shape, seed=1)
    x = batch(model[0], rng)
    model.forward(x, training=True)
    model.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert_same_bits(loaded.forward(x), model.forward(x))
    assert list(loaded.state()) == list(model.state())
    for name, array in model.state().items():
        assert_same_bits(loaded.state()[name], array)
    assert encode(loaded) == encode(model)
    assert type(loaded[0]) is type(model[0])


def evaluate(node: ast.expr) -> Any:
    """Make what an expression of layers, lists and plain values describes."""
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        settings = {keyword.arg: evaluate(keyword.value) for keyword in node.keywords}
        return LAYERS[node.func.id](*(evaluate(argument) for argument in node.args), **settings)
    if isinstance(node, ast.List):
        return [evaluate(item) for item in node.elts]
    return ast.literal_eval(node)


def test_repr_says_how_to_make_it(row: Row) -> None:
    layer = row.make()
    if isinstance(layer, Model):
        return  # shows its steps instead, see test_model.py
    written = ast.parse(repr(layer), mode="eval").body
    again = evaluate(written)
    assert type(again) is type(layer)
    assert encode(again) == encode(layer)


def test_config_makes_an_equal_layer(row: Row) -> None:
    layer = built(row)
    again = type(layer).from_config(row.make().config())
    assert encode(again) == encode(layer)
    assert again.output_shape is None
    again.build(row.input_shape, rng=0, dtype=np.float64)
    for name, array in layer.state().items():
        assert_same_bits(again.state()[name], array)


def test_a_copy_is_independent(row: Row, rng: np.random.Generator) -> None:
    layer = built(row)
    x = batch(layer, rng)
    y, before = layer.forward(x), snapshot(layer)
    twin = copy.deepcopy(layer)
    assert_same_bits(twin.forward(x), y)
    for array in twin.state().values():
        array += 1
    twin.forward(x, training=True)
    assert snapshot(layer) == before
    assert_same_bits(layer.forward(x), y)


@pytest.mark.parametrize("seed", [0, 1, None])
def test_building_again_changes_nothing(row: Row, rng: np.random.Generator, seed: int | None) -> None:
    layer = built(row)
    layer.forward(batch(layer, rng), training=True)
    before = snapshot(layer)
    assert layer.build(row.input_shape, rng=seed, dtype=np.float64) == row.output_shape
    assert snapshot(layer) == before


def test_a_built_layer_is_for_one_shape_and_type(row: Row) -> None:
    layer = built(row)
    before, other = snapshot(layer), (*row.input_shape[:-1], row.input_shape[-1] + 1)
    with pytest.raises(
        ValueError,
        match=rf"^{layer.label}: expected inputs {re.escape(format_shape(row.input_shape))}, for which it is built, "
        rf"got {re.escape(format_shape(other))}; a built layer keeps its weights, so make a new layer$",
    ):
        layer.build(other, dtype=np.float64)
    with pytest.raises(TypeError, match="expected dtype float64, for which it is built, got float32; a built layer"):
        layer.build(row.input_shape, dtype=np.float32)
    assert snapshot(layer) == before


#: Arguments that each forward pass reads, and layers inside.
CHANGEABLE = {
    *("alpha", "approximate", "count_include_pad", "eps", "momentum", "negative_slope", "p"),
    *("activation", "branches", "calls", "inputs", "layers", "main", "outputs", "several_inputs", "shortcut"),
    *("dtype", "input_shape", "name", "seed"),
}


def test_a_setting_that_the_build_used_cannot_be_changed(row: Row) -> None:
    layer = built(row)
    softmax = type(layer).__name__ in ("Softmax", "LogSoftmax")
    for name in layer.config().keys() - CHANGEABLE - ({"axis"} if softmax else set()):
        attribute = "use_bias" if name == "bias" else name
        value = getattr(layer, attribute)
        text = f"^{re.escape(layer.label)}: expected {attribute} as it was when the layer was built; make a new layer"
        with pytest.raises(AttributeError, match=text):
            setattr(layer, attribute, value)
        assert getattr(layer, attribute) is value


def test_a_new_model_keeps_a_trained_layer(row: Row, rng: np.random.Generator) -> None:
    old = Sequential([row.make()], input_shape=row.input_shape, seed=1, dtype=np.float64)
    x = batch(old[0], rng)
    old.forward(x, training=True)
    y, before = old.forward(x), {name: array.copy() for name, array in old.state().items()}
    random = [str(generator.bit_generator.state) for generator in old.random_generators().values()]
    new = Sequential([old[0]], input_shape=row.input_shape, seed=2, dtype=np.float64)
    for model in (old, new):
        assert_same_bits(model.forward(x), y)
        for name, array in model.state().items():
            assert_same_bits(array, before[name])
        assert [str(generator.bit_generator.state) for generator in model.random_generators().values()] == random


def test_state_can_be_loaded_into_an_equal_layer_and_into_no_other(row: Row) -> None:
    layer, other = built(row, seed=1), built(row, seed=2)
    other.load_state(layer.state())
    for name, array in layer.state().items():
        assert_same_bits(other.state()[name], array)
        assert other.state()[name] is not array
    with pytest.raises(ValueError, match="the arrays do not match this model: unknown surplus"):
        other.load_state(layer.state() | {"surplus": np.zeros(1)})
    for name in layer.state():
        with pytest.raises(ValueError, match=f"do not match this model: missing {name}"):
            other.load_state({key: array for key, array in layer.state().items() if key != name})
        with pytest.raises(ValueError, match=rf"expected {name} \(.*\), got \(\)"):
            other.load_state(layer.state() | {name: np.zeros(())})


def test_the_name_is_in_the_errors(row: Row) -> None:
    layer = row.make()
    config = layer.config() | {"name": "stem"}
    named = type(layer).from_config(config)
    assert named.label == f"{type(layer).__name__} 'stem'"
    with pytest.raises(RuntimeError, match=rf"{type(layer).__name__} 'stem': backward needs a forward pass"):
        named.backward(np.zeros(1))
    with pytest.raises(TypeError, match=rf"{type(layer).__name__}: expected name to be a string, got int 3"):
        type(layer).from_config(config | {"name": 3})
