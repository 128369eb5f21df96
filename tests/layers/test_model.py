"""Graphs of layers: what they compute, how gradients add up, and what is refused."""

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from safetensors.numpy import save_file as save_tensors

from numpycnn import (
    SGD,
    Add,
    BatchNorm,
    Concat,
    Concatenate,
    Conv2D,
    CrossEntropy,
    DataFormatError,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Input,
    MaxPool2D,
    Model,
    Multiply,
    ReLU,
    Residual,
    Sequential,
    Trainer,
    check_gradients,
    get_num_threads,
    load_model,
    set_num_threads,
)
from numpycnn.io.serialization import encode, write_arrays
from numpycnn.models import googlenet, resnet18
from numpycnn.training.step import take_step
from tests.graphs import GRAPHS, draw
from tests.graphs import twins as siamese
from tests.helpers import as_graph, assert_close, assert_same_bits


def two_inputs(**settings: Any) -> Model:
    image, meta = Input((3, 8, 7), name="image"), Input((4,), name="meta")
    h = GlobalAvgPool()(ReLU()(Conv2D(5, 3)(image)))
    return Model([image, meta], Dense(2)(Concatenate()([h, meta])), **settings)


def twins(**settings: Any) -> Model:
    """One encoder for two inputs, and two outputs."""
    a, b, encoder = Input((4,)), Input((4,)), Sequential([Dense(6), ReLU(), Dense(3)], name="encoder")
    return Model([a, b], [encoder(a), encoder(b)], **settings)


def as_arrays(y: Any) -> tuple[np.ndarray, ...]:
    return y if isinstance(y, tuple) else (y,)


# ---------------------------------------------------------------------------------------------------------- data flow


def test_two_inputs_go_through_their_own_layers(rng: np.random.Generator) -> None:
    model = two_inputs(dtype=np.float64)
    image, meta = rng.normal(size=(3, 3, 8, 7)), rng.normal(size=(3, 4))
    conv, dense = model.layers[0], model.layers[4]
    features = np.maximum(conv.forward(image), 0).mean(axis=(2, 3))
    expected = np.concatenate([features, meta], axis=1) @ dense.weight.value.T + dense.bias.value
    np.testing.assert_allclose(model.forward((image, meta)), expected, rtol=1e-13)
    assert model.input_shape == ((3, 8, 7), (4,))
    assert model.output_shape == (2,)


def test_two_outputs_are_a_tuple(rng: np.random.Generator) -> None:
    model = twins(dtype=np.float64)
    a, b = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    first, second = model.forward((a, b))
    (encoder,) = model.layers
    assert_same_bits(first, encoder.forward(a))
    assert_same_bits(second, encoder.forward(b))
    assert model.output_shape == ((3,), (3,))


def test_the_gradient_of_a_shared_layer_is_the_sum_over_its_uses(rng: np.random.Generator) -> None:
    model = twins(dtype=np.float64)
    x, dy = rng.normal(size=(2, 5, 4)), rng.normal(size=(2, 5, 3))
    alone = copy.deepcopy(model.layers[0])
    gradients, inputs = [], []
    for i in range(2):
        alone.forward(x[i], differentiable=True)
        inputs.append(alone.backward(dy[i]))
        gradients.append({name: parameter.grad.copy() for name, parameter in alone.parameters().items()})
    model.forward(tuple(x), training=True)
    dx = model.backward(tuple(dy))
    for i in range(2):
        assert_same_bits(dx[i], inputs[i])
    for name, parameter in model.layers[0].parameters().items():
        np.testing.assert_allclose(parameter.grad, gradients[0][name] + gradients[1][name], rtol=1e-13)
    model.forward(tuple(x), training=True)
    model.backward_parameters(tuple(dy))
    for name, parameter in model.layers[0].parameters().items():
        np.testing.assert_allclose(parameter.grad, gradients[0][name] + gradients[1][name], rtol=1e-13)


@pytest.mark.parametrize("make", [two_inputs, twins])
def test_gradients(make: Any) -> None:
    model = make()
    assert check_gradients(model, model.input_shape).passed


def test_gradients_of_a_model_inside_a_model() -> None:
    a, b = Input((4,)), Input((4,))
    first, second = twins()([a, b])
    model = Model([a, b], Dense(2)(Multiply()([first, second])))
    assert check_gradients(model, model.input_shape).passed
    outer = Sequential([two_inputs(), Dense(3)])
    assert outer.build(((3, 8, 7), (4,)), dtype=np.float32) == (3,)
    assert check_gradients(outer, ((3, 8, 7), (4,))).passed


def test_an_output_that_is_not_used_has_the_gradient_zero(rng: np.random.Generator) -> None:
    x = Input((4,))
    first, _ = Model(y := Input((4,)), [Dense(3, name="used")(y), Dense(2, name="unused")(y)])(x)
    model = Model(x, first)
    model.forward(rng.normal(size=(2, 4)).astype(np.float32), training=True)
    model.backward(np.ones((2, 3), np.float32))
    gradients = {name: parameter.grad for name, parameter in model.parameters().items()}
    assert gradients["0.used.weight"].any()
    assert not gradients["0.unused.weight"].any()


def test_blocks_written_as_graphs_give_the_bits_of_the_containers(rng: np.random.Generator) -> None:
    main = [Conv2D(4, 3, padding=1), BatchNorm(), ReLU(), Dropout(0.3)]
    branches = [Conv2D(2, 1), MaxPool2D(3, stride=1, padding=1), Conv2D(3, 3, padding=1)]
    tail = [GlobalAvgPool(), Dense(3)]
    blocks = [Residual(Sequential(main), Conv2D(4, 1)), Concat(branches)]
    chain = Sequential([*copy.deepcopy(blocks), *copy.deepcopy(tail)], input_shape=(2, 6, 5), seed=3)

    x = h = Input((2, 6, 5))
    for layer in main:
        h = layer(h)
    h = Add()([h, Conv2D(4, 1)(x)])
    h = Concatenate()([branch(h) for branch in branches])
    for layer in tail:
        h = layer(h)
    model = Model(x, h, seed=3)

    batch, dy = rng.normal(size=(4, 2, 6, 5)).astype(np.float32), rng.normal(size=(4, 3)).astype(np.float32)
    assert_same_bits(model.forward(batch, training=True), chain.forward(batch, training=True))
    assert_same_bits(model.backward(dy), chain.backward(dy))
    pairs = zip(model.parameters().values(), chain.parameters().values(), strict=True)
    for parameter, other in pairs:
        assert_same_bits(parameter.grad, other.grad)


@pytest.mark.parametrize("make", [resnet18, googlenet])
def test_networks_of_the_zoo_written_as_graphs_give_the_bits_of_the_containers(
    make: Any, rng: np.random.Generator
) -> None:
    chain = make((3, 33, 32), 5, seed=3)
    graph = as_graph(chain)
    x, dy = rng.normal(size=(3, 3, 33, 32)).astype(np.float32), rng.normal(size=(3, 5)).astype(np.float32)

    def assert_equal_networks() -> None:
        for array, other in zip(graph.state().values(), chain.state().values(), strict=True):
            assert_same_bits(array, other)
        for parameter, other in zip(graph.parameters().values(), chain.parameters().values(), strict=True):
            assert_same_bits(parameter.grad, other.grad)

    assert_same_bits(graph.forward(x), chain.forward(x))
    assert_same_bits(graph.forward(x, training=True), chain.forward(x, training=True))
    assert_same_bits(graph.backward(dy), chain.backward(dy))
    assert_equal_networks()
    for model in (graph, chain):
        take_step(model, CrossEntropy(), SGD(0.1, momentum=0.9), x, np.array([0, 4, 2]))
    assert_equal_networks()


def test_predict_in_batches_of_any_size(rng: np.random.Generator) -> None:
    model = two_inputs()
    x = rng.normal(size=(7, 3, 8, 7)).astype(np.float32), rng.normal(size=(7, 4)).astype(np.float32)
    y = model.forward(x)
    for size in (1, 3, 7, 100):
        np.testing.assert_allclose(model.predict(x, batch_size=size), y, rtol=1e-5)
    pair = twins().predict((x[1], x[1]), batch_size=2)
    assert [array.shape for array in pair] == [(7, 3), (7, 3)]


def test_only_what_a_trainable_parameter_reaches_is_differentiated(rng: np.random.Generator) -> None:
    x = Input((4,))
    frozen, head = Dense(5, name="body"), Dense(2, name="head")
    model = Model(x, head(ReLU()(frozen(x))))
    frozen.trainable = False
    model.forward(rng.normal(size=(3, 4)).astype(np.float32), training=True)
    model.backward_parameters(np.ones((3, 2), np.float32))
    assert not frozen.weight.grad.any()
    assert head.weight.grad.any()


def test_gradients_of_a_frozen_part_of_a_shared_layer_do_not_grow(rng: np.random.Generator) -> None:
    """They are not computed in training, so the sum over the uses of the layer must leave them out."""
    model = twins()
    frozen, head = model.layers[0].children()["0"], model.layers[0].children()["2"]
    x, dy = rng.normal(size=(2, 5, 4)).astype(np.float32), rng.normal(size=(2, 5, 3)).astype(np.float32)
    model.forward(tuple(x), training=True)
    model.backward(tuple(dy))
    before = frozen.weight.grad.copy(), head.weight.grad.copy()
    frozen.trainable = False
    model.forward(tuple(x), training=True)
    model.backward_parameters(tuple(dy))
    assert_same_bits(frozen.weight.grad, before[0])
    assert_same_bits(head.weight.grad, before[1])


# ----------------------------------------------------------------------------------------------- names, files, training


def test_parameters_are_named_by_layer_or_position() -> None:
    x = Input((4,))
    model = Model(x, Dense(2)(ReLU()(Dense(3, name="layer1.0.fc")(x))))
    assert list(model.parameters()) == ["layer1.0.fc.weight", "layer1.0.fc.bias", "2.weight", "2.bias"]


@pytest.mark.parametrize("make", [two_inputs, twins])
def test_save_and_load(make: Any, tmp_path: Path, rng: np.random.Generator) -> None:
    model = make(seed=4, name="mine")
    model.metadata["classes"] = ["a", "b"]
    model.save(tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert encode(loaded) == encode(model)
    assert (type(loaded), loaded.metadata) == (Model, {"classes": ["a", "b"]})
    x = tuple(rng.normal(size=(2, *shape)).astype(np.float32) for shape in model.input_shape)
    for array, other in zip(np.atleast_2d(loaded.forward(x)), np.atleast_2d(model.forward(x)), strict=True):
        assert_same_bits(array, other)


def test_weights_are_exchanged_with_pytorch_by_name(tmp_path: Path) -> None:
    def make(seed: int) -> Model:
        x = Input((1, 6, 6))
        return Model(x, Dense(2, name="fc")(Flatten()(Conv2D(3, 3, name="features.0")(x))), seed=seed)

    first, second = make(0), make(1)
    first.save_torch(tmp_path / "weights.safetensors")
    second.load_torch(tmp_path / "weights.safetensors")
    for name, array in first.state().items():
        assert_same_bits(second.state()[name], array)


@pytest.mark.parametrize("build", GRAPHS)
def test_a_graph_is_checked_saved_exchanged_and_shared_by_threads(build: Callable[..., Model], tmp_path: Path) -> None:
    model = build()
    x = draw(model, 5)
    expected = as_arrays(model.predict(x))
    assert check_gradients(model, cast("Any", model.input_shape)).passed
    model.save(tmp_path / "model.safetensors")
    model.save_torch(tmp_path / "weights.safetensors")
    other = build()
    for parameter in other.parameters().values():
        parameter.value.fill(0)
    for copied in (load_model(tmp_path / "model.safetensors"), other.load_torch(tmp_path / "weights.safetensors")):
        for array, mine in zip(as_arrays(copied.predict(x)), expected, strict=True):
            assert_same_bits(array, mine)
    before = get_num_threads()
    try:
        for threads in (1, 2):
            set_num_threads(threads)
            with ThreadPoolExecutor(3) as pool:
                for found in pool.map(lambda _: as_arrays(model.predict(x)), range(6)):
                    for array, mine in zip(found, expected, strict=True):
                        assert_close(array, mine, 1e-6)
    finally:
        set_num_threads(before)


def test_twins_compute_what_pytorch_computes(tmp_path: Path, torch: Any) -> None:
    model = siamese()
    left, right = draw(model, 3)
    encoder = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Conv2d(4, 5, 2), torch.nn.ReLU()
    )
    alike = torch.nn.Linear(5, 1)
    tensors = torch.nn.ModuleDict({"encoder": encoder, "alike": alike}).state_dict()
    save_tensors({name: tensor.numpy() for name, tensor in tensors.items()}, tmp_path / "weights.safetensors")
    model.load_torch(tmp_path / "weights.safetensors")
    with torch.no_grad():
        first, second = (encoder(torch.from_numpy(x)).mean(dim=(2, 3)) for x in (left, right))
        assert_close(model.forward((left, right)), alike(first * second).numpy(), 1e-6)


def test_a_training_with_two_inputs_resumes_to_the_same_bits(tmp_path: Path, rng: np.random.Generator) -> None:
    x = rng.normal(size=(20, 3, 8, 7)).astype(np.float32), rng.normal(size=(20, 4)).astype(np.float32)
    labels = (x[1][:, 0] > 0).astype(int)

    def trainer() -> Trainer:
        return Trainer(two_inputs(), loss=CrossEntropy(), optimizer=SGD(0.05, momentum=0.9))

    whole, first = trainer(), trainer()
    whole.fit((x, labels), epochs=4, batch_size=6, progress=False)
    first.fit((x, labels), epochs=2, batch_size=6, progress=False)
    first.save(tmp_path / "half.safetensors")
    second = Trainer.resume(tmp_path / "half.safetensors")
    second.fit((x, labels), epochs=4, batch_size=6, progress=False)
    assert whole.history["loss"][-1] < whole.history["loss"][0]
    for name, array in whole.model.state().items():
        assert_same_bits(second.model.state()[name], array)


def test_the_summary_shows_where_the_inputs_come_from() -> None:
    text = str(two_inputs().summary())
    assert "0 Conv2D <- image" in text
    assert "1 ReLU  " in text
    assert "3 Concatenate <- 2, meta" in text
    x = Input((2, 6, 5))
    h = Conv2D(3, 3, activation="relu")(x)
    rows = Model(x, Add()([Conv2D(3, 1, name="layer1.0.conv")(h), h])).summary().rows
    assert [row.layer for row in rows] == [
        "0 Conv2D",
        "  activation ReLU",
        "layer1.0.conv Conv2D",
        "2 Add <- layer1.0.conv, 0",
    ]
    shared = twins().summary()
    assert shared.rows[0].layer == "encoder Sequential <- input 0, input 1"
    assert shared.rows[1].multiply_adds == 2 * 4 * 6
    assert shared.multiply_adds == twins().multiply_adds() == 2 * (4 * 6 + 6 * 3)
    assert shared.parameters == 4 * 6 + 6 + 6 * 3 + 3


def test_the_names_of_inputs_differ_from_all_others() -> None:
    a, b, c = Input((4,), name="a"), Input((3,), name="a"), Input((2,))
    model = Model([a, b, c], Concatenate()([Dense(5, name="a")(a), b, Dense(1, name="input 2")(c)]))
    assert model.input_names() == ["input a", "input input a", "input input 2"]
    assert [inputs for _, _, inputs in model.uses()] == [
        ["input a"],
        ["input input 2"],
        ["a", "input input a", "input 2"],
    ]
    assert [row.output_shape for row in model.summary().rows] == [(5,), (1,), (9,)]


def test_repr_shows_each_step() -> None:
    assert "    encoder#2: Sequential([" in repr(twins()).splitlines()
    x = Input((4,))
    assert repr(Model(x, Add()([Dense(4)(x), x]))) == "Model(\n    0: Dense(4)(input)\n    1: Add()(0, input)\n)"


def test_a_deep_graph_is_copied_and_saved(tmp_path: Path) -> None:
    x = h = Input((3,))
    for _ in range(2000):
        h = ReLU()(h)
    model = copy.deepcopy(Model(x, h))
    model.save(tmp_path / "deep.safetensors")
    assert len(load_model(tmp_path / "deep.safetensors").layers) == 2000


# ------------------------------------------------------------------------------------------------------------- errors


A, B = Input((4,), name="a"), Input((3,), name="b")


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda: Model([A, B], Dense(2)(A)),
            ValueError,
            r"expected each input to lead to an output, got Input\(\(3,\), name='b'\)",
        ),
        (
            lambda: Model(A, Add()([A, Dense(4)(B)])),
            ValueError,
            r"each input that is used among its inputs, got Input\(\(3,\), name='b'\)",
        ),
        (lambda: Model([A, A], Dense(2)(A)), ValueError, "each of them once"),
        (lambda: Model([], Dense(2)(A)), ValueError, "expected at least one of the inputs"),
        (lambda: Model(A, []), ValueError, "expected at least one of the nodes"),
        (lambda: Model(A, A), ValueError, "expected outputs that layers compute, got one of its inputs"),
        (lambda: Model(A, 3), TypeError, "expected nodes as outputs, got 3"),
        (lambda: Model(Dense(2)(A), Dense(2)(A)), TypeError, r"expected inputs made by Input\(shape\)"),
        (
            lambda: Model(A, Conv2D(2, 3)(A)),
            ValueError,
            r"^Conv2D \(layer 0\): expected inputs \(C, H, W\), got \(4,\)",
        ),
        (
            lambda: Model([A, B], Add()([Dense(4, name="left")(A), Dense(3)(B)])),
            ValueError,
            r"^Add \(layer 2\): expected inputs of the same shape, got \(4,\) and \(3,\); "
            r"given by Dense 'left' \(layer left\) and Dense \(layer 1\)$",
        ),
        (
            lambda: Model(A, Dense(2, name="p")(Dense(2, name="p")(A))),
            ValueError,
            "layers with different names, got 'p'",
        ),
        (lambda: Model(A, Dense(2, name="a#2")(A)), ValueError, "expected names of layers without '#', got 'a#2'"),
        (
            lambda: Model(A, Dense(2, name="a.0")(Sequential([Dense(2)], name="a")(A))),
            ValueError,
            "expected a name of a layer that is not the place of another one inside",
        ),
        (lambda: Model(A, Dense(2)(Dense(2, name="1")(A))), ValueError, "layers with different names, got '1' for two"),
    ],
)
def test_bad_graphs(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_bad_inputs(rng: np.random.Generator) -> None:
    model = two_inputs()
    image, meta = rng.normal(size=(5, 3, 8, 7)).astype(np.float32), rng.normal(size=(5, 4)).astype(np.float32)
    for x, error, text in (
        (image, TypeError, "^Model: expected a tuple of 2 arrays, one for each input, got ndarray"),
        ((image,), TypeError, "expected a tuple of 2 arrays, one for each input, got 1 item"),
        ((meta, image), ValueError, r"^Conv2D \(layer 0\): expected \(N, 3, H, W\), got \(5, 4\)"),
        ((image, meta[:3]), ValueError, r"expected as many examples in each input, got \(5, 3, 8, 7\) and \(3, 4\)"),
        ((image, meta.astype(np.float64)), TypeError, "expected float32, got float64"),
    ):
        with pytest.raises(error, match=text):
            model.forward(x)
        with pytest.raises(error, match=text):
            model.predict(x)
    model.forward((image, meta), training=True)
    with pytest.raises(ValueError, match=r"expected dy \(5, 2\) like the output, got \(5, 3\)"):
        model.backward(np.zeros((5, 3), np.float32))
    pair = twins()
    pair.forward((meta, meta), training=True)
    with pytest.raises(TypeError, match="expected dy as a tuple of 2 arrays, one for each output"):
        pair.backward(np.zeros((5, 3), np.float32))


def test_a_cycle_in_a_file_is_named(tmp_path: Path) -> None:
    model = twins()
    entry = encode(model)
    entry["config"]["calls"][0][1] = [3]
    description = {"architecture": entry, "input_shape": [[4], [4]], "dtype": "float32", "metadata": {}}
    write_arrays(tmp_path / "cycle.safetensors", model.state(), {"model": description})
    with pytest.raises(DataFormatError, match="the graph has a cycle: expected Sequential 'encoder'"):
        load_model(tmp_path / "cycle.safetensors")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("calls", [[7, [0]]]),
        ("calls", 3),
        ("calls", []),
        ("calls", ""),
        ("calls", [[0, []], [0, [1]]]),
        ("calls", [[0, ""], [0, [1]]]),
        ("calls", [[0, [0, 1]], [0, [1]]]),
        ("calls", [[0, 0], [0, [1]]]),
        ("keys", ["a", "b"]),
        ("keys", [3]),
        ("keys", "a"),
        ("keys", ["a#2"]),
        ("calls", [[0]]),
        ("outputs", [99]),
        ("outputs", [-1]),
        ("outputs", [0.5]),
        ("inputs", []),
        ("inputs", [[[4], 3]]),
        ("layers", []),
        ("layers", [3]),
        ("several_inputs", "x"),
    ],
)
def test_a_damaged_graph_in_a_file_is_refused(key: str, value: Any, tmp_path: Path) -> None:
    model = twins()
    entry = encode(model)
    entry["config"][key] = value
    description = {"architecture": entry, "input_shape": [[4], [4]], "dtype": "float32", "metadata": {}}
    write_arrays(tmp_path / "bad.safetensors", model.state(), {"model": description})
    with pytest.raises(DataFormatError, match="it does not describe a valid model"):
        load_model(tmp_path / "bad.safetensors")


def test_a_layer_renamed_after_the_model_was_made_keeps_its_key(tmp_path: Path) -> None:
    x = Input((4,))
    model = Model(x, Dense(3)(Dense(5, name="body")(x)), seed=0)
    model.layers[0].name, model.layers[1].name = "trunk", "body"
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert list(loaded.state()) == list(model.state()) == ["body.weight", "body.bias", "1.weight", "1.bias"]
    assert [layer.name for layer in loaded.children().values()] == ["trunk", "body"]
    for name, array in model.state().items():
        assert_same_bits(loaded.state()[name], array)


def test_dots_in_names_are_not_levels(tmp_path: Path) -> None:
    x = Input((4,))
    name = ".".join("abcdefghijklmnopqrstuvwxyz" * 2)
    model = Model(x, Dense(3, name=name)(x))
    model.save(tmp_path / "model")
    assert list(load_model(tmp_path / "model").parameters()) == [f"{name}.weight", f"{name}.bias"]


def test_a_graph_of_too_many_calls_is_neither_saved_nor_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = twins()
    model.save(tmp_path / "model")
    monkeypatch.setattr("numpycnn.io.serialization.MAX_LAYERS", 5)
    model.save(tmp_path / "model")
    x = h = Input((3,))
    layer = ReLU()
    for _ in range(6):
        h = layer(h)
    with pytest.raises(ValueError, match="Model: expected at most 5 calls of layers, got 6, which cannot be saved"):
        Model(x, h).save(tmp_path / "other")
    monkeypatch.undo()
    Model(x, h).save(tmp_path / "other")
    monkeypatch.setattr("numpycnn.io.serialization.MAX_LAYERS", 5)
    monkeypatch.setattr("numpycnn.io.loading.decode", None)
    with pytest.raises(DataFormatError, match="expected at most 5 calls of layers, got 6"):
        load_model(tmp_path / "other")
