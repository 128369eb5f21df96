"""Files back into models, and files that describe none."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    BatchNorm,
    Concat,
    Concatenate,
    Conv2D,
    DataFormatError,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Layer,
    LayerNorm,
    Model,
    Multiply,
    Parameter,
    PReLU,
    ReLU,
    Residual,
    Sequential,
    Upsample,
    load_model,
)
from numpycnn.io.loading import LAYERS, decode
from numpycnn.io.serialization import MAX_DEPTH, MAX_LAYERS, encode, open_arrays, write_arrays
from tests.helpers import assert_same_bits
from tests.mutations import COUNT, bounded_memory, mutate_bytes, mutate_json


def model(dtype: type = np.float32) -> Sequential:
    made = Sequential(
        [
            Conv2D(4, (3, 2), padding=((1, 0), (0, 1)), name="stem"),
            BatchNorm(momentum=0.2),
            ReLU(),
            Residual(Sequential([Conv2D(4, 3, padding="same"), Dropout(0.3)])),
            Concat([Conv2D(2, 1), Conv2D(3, 1, bias=False)]),
            Flatten(),
            Dense(3),
        ],
        input_shape=(2, 5, 6),
        seed=4,
        dtype=dtype,
        name="net",
    )
    made.metadata = {"classes": ["a", "b", "c"], "mean": 0.5}
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    model().save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_model_comes_back(tmp_path: Path, dtype: type, rng: np.random.Generator) -> None:
    made = model(dtype)
    made.metadata = {"classes": ["ä"]}
    x = rng.normal(size=(4, 2, 5, 6)).astype(dtype)
    made.forward(x, training=True)
    made.save(tmp_path / "x")
    loaded = load_model(tmp_path / "x")
    assert_same_bits(loaded.forward(x), made.forward(x))
    assert encode(loaded) == encode(made)
    assert loaded.metadata == made.metadata
    assert (loaded.dtype, loaded.input_shape, loaded.output_shape) == (made.dtype, made.input_shape, made.output_shape)
    for name, array in made.state().items():
        assert_same_bits(loaded.state()[name], array)


def test_a_loaded_model_learns_and_grows(path: Path, rng: np.random.Generator) -> None:
    loaded = load_model(path)
    loaded.add(Dense(2))
    assert loaded[-1].weight.value.any()
    y = loaded.forward(rng.normal(size=(4, 2, 5, 6)).astype(np.float32), training=True)
    loaded.backward(np.ones_like(y))
    assert loaded.parameters()["0.weight"].grad.any()


def masks(model: Sequential) -> list[bytes]:
    """What each dropout layer leaves out of its next batch."""
    x = np.ones((4, 50), np.float32)
    return [layer.forward(x, training=True).tobytes() for layer in model if isinstance(layer, Dropout)]


def test_each_dropout_of_a_loaded_model_has_a_mask_of_its_own(tmp_path: Path) -> None:
    made = Sequential([Dropout(0.5), ReLU(), Dropout(0.5), Dropout(0.5)], input_shape=(50,), seed=2)
    made.save(tmp_path / "x")
    loaded, again = load_model(tmp_path / "x"), load_model(tmp_path / "x")
    drawn = [masks(loaded) for _ in range(3)]
    assert len({mask for step in drawn for mask in step}) == 9
    assert [masks(again) for _ in range(3)] == drawn  # the same file, the same masks
    loaded.add(Dropout(0.5))
    assert len(set(masks(loaded))) == 4


def test_dropouts_inside_of_branches_of_a_loaded_model_differ(tmp_path: Path) -> None:
    blocks = [Residual(Sequential([Dropout(0.5), ReLU(), Dropout(0.5)])) for _ in range(3)]
    Sequential([*blocks, Concat([Dropout(0.5), Dropout(0.5)])], input_shape=(50,)).save(tmp_path / "x")
    generators = load_model(tmp_path / "x").random_generators()
    assert len(generators) == 8
    assert len({generator.random() for generator in generators.values()}) == 8


def test_loaded_layers_keep_their_weights_in_another_model(path: Path, rng: np.random.Generator) -> None:
    loaded = load_model(path)
    x = rng.normal(size=(4, 2, 5, 6)).astype(np.float32)
    y = loaded.forward(x)
    grown = Sequential([*loaded, Dense(2)], input_shape=(2, 5, 6), seed=1)
    assert_same_bits(loaded.forward(x), y)
    assert_same_bits(grown.forward(x), grown[-1].forward(y))
    grown.save(path.with_name("grown"))
    assert_same_bits(load_model(path.with_name("grown")).forward(x), grown.forward(x))
    with pytest.raises(
        ValueError, match=r"Conv2D 'stem' \(layer 0\): expected inputs \(2, 5, 6\), for which it is built"
    ):
        Sequential(loaded[:1], input_shape=(2, 6, 6))


class Swish(Layer):
    def __init__(self, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta

    def _build(self, input_shape: tuple[int, ...], rng: np.random.Generator | None) -> tuple[int, ...]:
        self.scale = Parameter(np.ones(input_shape, self.dtype))
        return input_shape

    def _forward(self, x: np.ndarray, **mode: bool) -> tuple[np.ndarray, Any]:
        return self.scale.value * x / (1 + np.exp(-np.float32(self.beta) * x)), None


def test_layers_of_ones_own(tmp_path: Path, rng: np.random.Generator) -> None:
    made = Sequential([Dense(3), Swish(2.0)], input_shape=(4,))
    made.save(tmp_path / "x")
    with pytest.raises(
        DataFormatError,
        match=r"x: it does not describe a valid model: unknown layer 'Swish'; pass a custom layer type as "
        r"load_model\(..., layers=\[Swish\]\)",
    ):
        load_model(tmp_path / "x")
    loaded = load_model(tmp_path / "x", layers=[Swish])
    assert isinstance(loaded[1], Swish)
    assert loaded[1].beta == 2.0
    x = rng.normal(size=(2, 4)).astype(np.float32)
    assert_same_bits(loaded.forward(x), made.forward(x))
    assert "Swish" not in LAYERS


def test_decode_turns_back_what_encode_made() -> None:
    for layer in model():
        again = decode(json.loads(json.dumps(encode(layer))), LAYERS)
        assert encode(again) == encode(layer)
        assert again is not layer


# ----------------------------------------------------------------------------------------- files that describe no model


def forged(path: Path, change: Any) -> Path:
    """Rewrite the description in a good file, arrays untouched."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    described = json.loads(header["__metadata__"]["model"])
    described = change(described) or described
    header["__metadata__"]["model"] = json.dumps(described)
    text = json.dumps(header).encode()
    out = path.with_name("forged")
    out.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])
    return out


def set_layer(position: int, **config: Any) -> Any:
    return lambda d: d["architecture"]["config"]["layers"][position]["config"].update(config)


def set_kind(kind: Any) -> Any:
    return lambda d: d["architecture"]["config"]["layers"][2].update(layer=kind)


UNBUILDABLE = "it does not describe a valid model: "
FORGED: list[tuple[Any, str]] = [
    (set_kind("Foo"), UNBUILDABLE + "unknown layer 'Foo'"),
    (set_kind("Layer"), UNBUILDABLE + "unknown layer 'Layer'"),
    (set_kind("__import__"), UNBUILDABLE + "unknown layer '__import__'"),
    (set_kind(None), UNBUILDABLE + "unknown layer None"),
    (set_kind(["ReLU"]), UNBUILDABLE + r"unknown layer \['ReLU'\]"),
    (set_kind({"a": 1}), UNBUILDABLE + "unknown layer {'a': 1}"),
    (lambda d: d.update(architecture=None), UNBUILDABLE + "expected a Sequential or a Model, got NoneType"),
    (lambda d: d.update(architecture=encode(Dense(3))), UNBUILDABLE + "expected a Sequential or a Model, got Dense"),
    (lambda d: d.update(architecture=[1, 2]), UNBUILDABLE + "expected a Sequential or a Model, got list"),
    (lambda d: d["architecture"].update(config=None), UNBUILDABLE + "expected the arguments of Sequential, got None"),
    (set_layer(0, foo=1), UNBUILDABLE + ".*unexpected keyword argument 'foo'"),
    (set_layer(0, out_channels="4"), UNBUILDABLE + "Conv2D: expected out_channels to be an int, got str"),
    (set_layer(0, out_channels=-4), UNBUILDABLE + "Conv2D: expected out_channels from 1 to 2147483647, got -4"),
    (set_layer(0, kernel_size=100), UNBUILDABLE + r"Conv2D 'stem' \(layer 0\): kernel 100 does not fit into height 5"),
    (
        lambda d: d["architecture"]["config"]["layers"][6].update(exceptions=[3]),
        UNBUILDABLE + r"expected the names of parameters of Dense as exceptions, got \[3\]",
    ),
    (set_layer(6, out_features=4), r"expected 6.weight \(4, 120\) of float32, got \(3, 120\) of float32"),
    (set_layer(0, bias=False), "its arrays do not match its architecture: unknown 0.bias"),
    (
        lambda d: d.update(input_shape=None),
        UNBUILDABLE + "Sequential 'net': expected input_shape to be a tuple of ints",
    ),
    (
        lambda d: d.update(input_shape="abc"),
        UNBUILDABLE + "Sequential 'net': expected input_shape to be a tuple of ints",
    ),
    (lambda d: d.update(input_shape=[2, 5, -6]), UNBUILDABLE + ".*expected input_shape from 1 to 2147483647, got -6"),
    (lambda d: d.update(input_shape=[2, 5, 1e9]), UNBUILDABLE + ".*expected input_shape to be an int, got float"),
    (
        lambda d: d.update(dtype="float16"),
        UNBUILDABLE + "Sequential 'net': expected dtype float32 or float64, got float16",
    ),
    (lambda d: d.update(dtype="nonsense"), UNBUILDABLE + ".*nonsense"),
    (lambda d: d.update(dtype="float64"), "of float64, got .* of float32"),
    (lambda d: d.update(metadata=[1]), UNBUILDABLE + r"expected metadata to be a dict, got \[1\]"),
    (lambda d: [d], "expected model in its metadata, got"),
]


@pytest.mark.parametrize(("change", "text"), FORGED)
def test_a_forged_description_is_one_clear_error(path: Path, change: Any, text: str) -> None:
    with pytest.raises(DataFormatError, match=f"forged: .*{text}"):
        load_model(forged(path, change))


def nested(depth: int) -> Any:
    def change(described: Any) -> None:
        inner: Any = encode(ReLU())
        for _ in range(depth):
            inner = {"layer": "Sequential", "config": {"layers": [inner]}}
        described["architecture"] = inner

    return change


def test_a_description_nested_too_deep(path: Path) -> None:
    """How deep Python can go depends on its version; where it can go this deep, the arrays are found wrong."""
    refusals = (
        "it does not describe a valid model|its metadata is not valid JSON|its arrays do not match its architecture"
    )
    with pytest.raises(DataFormatError, match=rf"forged: ({refusals})"):
        load_model(forged(path, nested(300)))


def many(layers: int) -> Any:
    return lambda described: described.update(architecture=encode(Sequential([ReLU() for _ in range(layers)])))


@pytest.mark.parametrize(
    ("change", "found"),
    [(many(MAX_LAYERS), "25,001, 2 deep"), (nested(MAX_DEPTH), "33, 33 deep")],
    ids=["many", "deep"],
)
def test_an_architecture_of_too_many_layers_is_refused_unbuilt(
    path: Path, change: Any, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = forged(path, change)
    monkeypatch.setattr("numpycnn.io.loading.decode", None)
    with pytest.raises(DataFormatError, match=rf"at most 25,000 layers, nested at most 32 deep, got {found}"):
        load_model(file)


def test_a_model_that_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    block = ReLU()
    for _ in range(MAX_DEPTH):
        block = Sequential([block])
    block.build((3,))
    with pytest.raises(ValueError, match=r"^Sequential: expected at most .* got 33, 33 deep, which cannot be saved"):
        block.save(tmp_path / "deep.safetensors")
    assert list(tmp_path.iterdir()) == []
    block[0].save(tmp_path / "deep.safetensors")
    assert len(load_model(tmp_path / "deep.safetensors").walk()) == MAX_DEPTH


HUGE = 2**31 - 1


@pytest.mark.parametrize(
    "change",
    [
        set_layer(6, out_features=HUGE),
        set_layer(6, activation=encode(Dense(2**27))),
        set_layer(0, out_channels=HUGE),
        set_layer(0, out_channels=HUGE, kernel_size=1),
        set_layer(4, branches=[encode(Conv2D(HUGE, 1)), encode(Conv2D(3, 1))]),
        lambda d: d.update(input_shape=[HUGE, 5, 6]),
        lambda d: d.update(input_shape=[2, 40_000, 50_000]),
        lambda d: d.update(input_shape=[HUGE], architecture=encode(Sequential([BatchNorm()]))),
        lambda d: d.update(input_shape=[HUGE], architecture=encode(Sequential([LayerNorm()]))),
        lambda d: d.update(input_shape=[3], architecture=encode(Sequential([Embedding(HUGE, HUGE)]))),
        lambda d: d.update(
            input_shape=[1, 3], architecture=encode(Sequential([Upsample(2**20), Flatten(), Dense(HUGE)]))
        ),
        lambda d: d.update(input_shape=[2, 2**40, 2**40]),
        lambda d: d.update(architecture={"layer": "Sequential", "config": {"layers": [encode(Dense(HUGE))]}}),
        lambda d: d.update(architecture={"layer": "Sequential", "config": {"layers": [encode(Dense(HUGE))] * 3}}),
    ],
)
def test_an_architecture_that_asks_for_huge_memory_is_not_paid_for(path: Path, change: Any) -> None:
    bad = forged(path, change)
    with bounded_memory(200), pytest.raises(DataFormatError, match="forged: "):
        load_model(bad)


def test_arrays_without_a_model(tmp_path: Path) -> None:
    write_arrays(tmp_path / "x", {"a": np.zeros(2)}, {})
    with pytest.raises(DataFormatError, match="x: expected model in its metadata, got None"):
        load_model(tmp_path / "x")


def test_a_truncated_model(path: Path) -> None:
    content = path.read_bytes()
    for length in (0, 4, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(DataFormatError, match=r"model.safetensors: not a safetensors file, or a damaged one"):
            load_model(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing: no such file"):
        load_model(tmp_path / "missing")
    with pytest.raises(DataFormatError, match="expected a safetensors file, got a folder"):
        load_model(tmp_path)


def test_loading_leaves_the_file_as_it_was(path: Path) -> None:
    content = path.read_bytes()
    loaded = load_model(path)
    loaded.parameters()["0.weight"].value[...] = 0
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


def test_damaged_numbers_are_found(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    Sequential([Dense(3)], input_shape=(4,)).save(path)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"its checksum does not match its arrays: the file is damaged$"):
        load_model(path)


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    model = Sequential([Dense(3)], input_shape=(4,))
    model.parameters()["0.weight"].value[1, 2] = np.nan
    model.save(tmp_path / "model.safetensors")
    with pytest.raises(DataFormatError, match=r"model.safetensors: 0\.weight contains values that are not finite$"):
        load_model(tmp_path / "model.safetensors")


# ------------------------------------------------------------------------------------------- thousands of broken files


def small(tmp_path: Path) -> Path:
    made = Sequential(
        [Conv2D(3, 3, padding=1), BatchNorm(), ReLU(), Residual(Sequential([Dropout(0.1)])), Flatten(), Dense(2)],
        input_shape=(1, 4, 5),
    )
    made.metadata = {"class_names": ["a", "b"], "mean": [0.5]}
    made.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def small_graph(tmp_path: Path) -> Path:
    a, b = Input((4,), name="a"), Input((4,))
    shared = Dense(3, activation=PReLU(), name="shared")
    pair = Multiply()([shared(a), shared(b)])
    made = Model([a, b], [Dense(2)(Concatenate()([pair, shared(a)])), Sequential([Dropout(0.1)])(pair)], name="net")
    made.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_mutated_bytes_are_noticed(tmp_path: Path) -> None:
    """All but changes that make no difference, as in a name, are refused."""
    rng, path = np.random.default_rng(0), small(tmp_path)
    content, refused = path.read_bytes(), 0
    with bounded_memory(200):
        for _ in range(COUNT):
            path.write_bytes(mutate_bytes(content, rng))
            try:
                assert isinstance(load_model(path), Sequential)
            except DataFormatError as error:
                refused += str(path) in str(error)
    assert refused > 0.75 * COUNT


@pytest.mark.parametrize("make", [small, small_graph])
def test_mutated_descriptions_give_a_model_or_our_error(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is whole and its checksum right; what it says of the model is not."""
    monkeypatch.setattr("os.fsync", lambda file: None)  # thousands of files need not reach the disk
    rng, path = np.random.default_rng(0), make(tmp_path)
    with open_arrays(path) as file:
        description, arrays = file.metadata, {name: file.tensor(name) for name in file.names()}
    refused = 0
    with bounded_memory(200):
        for _ in range(COUNT):
            write_arrays(path, arrays, mutate_json(description, rng))
            try:
                assert isinstance(load_model(path), Sequential | Model)
            except DataFormatError as error:
                refused += str(path) in str(error)
    assert refused > 0.5 * COUNT
