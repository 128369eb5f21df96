"""Files of arrays: written whole or not at all, and read with suspicion."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    SGD,
    Concat,
    Conv2D,
    CrossEntropy,
    DataFormatError,
    Dense,
    Layer,
    LeakyReLU,
    Residual,
    Sequential,
    Trainer,
    load_model,
)
from numpycnn.io.serialization import FORMAT, ArrayFile, describe, encode, open_arrays, save_model, write_arrays
from numpycnn.training import ModelCheckpoint
from tests.helpers import assert_same_bits, layouts

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.linspace(0, 1, 4), "none": np.empty((0, 2))}


def read_all(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    with open_arrays(path) as file:
        return file.read("", ARRAYS), file.metadata


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "arrays.safetensors"
    metadata = {"step": 3, "names": ["é", '"', "\n"], "nested": {"x": [1.5, None, True]}}
    write_arrays(path, ARRAYS, metadata)
    arrays, back = read_all(path)
    assert back == metadata
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert_same_bits(arrays[name], array)
        with open_arrays(path) as file:
            assert_same_bits(file.tensor(name), array)
    assert os.listdir(tmp_path) == ["arrays.safetensors"]


def test_equal_contents_make_equal_files(tmp_path: Path) -> None:
    metadata = {f"entry {i}": i for i in range(20)}
    contents = set()
    for turn in range(5):
        write_arrays(tmp_path / "x", dict(reversed(ARRAYS.items())) if turn % 2 else ARRAYS, metadata)
        contents.add((tmp_path / "x").read_bytes())
    assert len(contents) == 1
    (content,) = contents
    assert int.from_bytes(content[:8], "little") % 8 == 0  # so that the numbers are aligned


def test_any_layout_is_written_alike(tmp_path: Path, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4))
    for kind, array in layouts(x).items():
        if kind == "other byte order":
            continue
        write_arrays(tmp_path / "x", {"x": array}, {})
        with open_arrays(tmp_path / "x") as file:
            assert_same_bits(file.tensor("x"), x)


def test_special_numbers_keep_their_bits(tmp_path: Path) -> None:
    x = np.array([np.nan, -0.0, np.inf, -np.inf, 5e-324, 1.7976931348623157e308])
    write_arrays(tmp_path / "x", {"x": x}, {})
    with open_arrays(tmp_path / "x") as file:
        assert_same_bits(file.tensor("x"), x)


def test_settings_and_metadata_may_be_numbers_of_numpy(tmp_path: Path) -> None:
    one, two = np.int64(1), np.int32(2)
    layers = [Conv2D(two, (two, one), stride=one, padding=one), Conv2D(one, one, padding=((one, two), (one, one)))]
    model = Sequential(layers, input_shape=(1, 4, 5))
    model.metadata = {"mean": np.float32(0.5), "count": two, "flag": np.True_, "deviations": np.array([1.0, 2.0])}
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert repr(loaded) == repr(model)
    assert loaded.metadata == {"mean": 0.5, "count": 2, "flag": True, "deviations": [1.0, 2.0]}


def test_a_path_may_be_a_string(tmp_path: Path) -> None:
    write_arrays(str(tmp_path / "x"), ARRAYS, {})
    with open_arrays(str(tmp_path / "x")) as file:
        assert sorted(file.names()) == sorted(ARRAYS)


# ------------------------------------------------------------------------------------------------------- all or nothing


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    write_arrays(path, ARRAYS, {"version": 1})
    return path


def untouched(target: Path) -> bool:
    _, metadata = read_all(target)
    return metadata == {"version": 1} and os.listdir(target.parent) == [target.name]


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_a_failure_leaves_the_target_and_no_other_file(
    target: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open" if step == "open" else f"os.{step}", fail)
        with pytest.raises(OSError, match="No space left on device") as caught:
            write_arrays(target, ARRAYS, {"version": 2})
    assert caught.value.filename == str(target)
    assert untouched(target)


def test_an_interrupt_while_writing_leaves_the_target(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_arrays(target, ARRAYS, {"version": 2})
    assert untouched(target)


def test_what_json_cannot_hold_is_refused_before_anything_is_written(target: Path) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_arrays(target, ARRAYS, {"version": {1, 2}})
    assert untouched(target)


def test_numbers_of_numpy_are_saved_as_those_of_python(target: Path) -> None:
    half = np.longdouble(0.5)
    value = {np.int64(3): half, "list": [np.float32(0.5), (np.bool_(True), np.array([half, 2]))], "0": np.array(half)}
    write_arrays(target, ARRAYS, {"value": value})
    assert read_all(target)[1] == {"value": {"3": 0.5, "list": [0.5, [True, [0.5, 2.0]]], "0": 0.5}}


def test_a_layer_with_an_argument_of_numpy_is_saved(tmp_path: Path) -> None:
    model = Sequential([LeakyReLU(np.longdouble(0.25))], input_shape=(3,))  # type: ignore[arg-type]
    model.layers[0].negative_slope = np.longdouble(0.25)
    model.save(tmp_path / "model")
    assert load_model(tmp_path / "model").layers[0].config()["negative_slope"] == 0.25


def test_the_new_content_is_on_the_disk_before_it_takes_the_name(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr("os.fsync", lambda file: (order.append("sync"), sync(file))[1])
    monkeypatch.setattr("os.replace", lambda a, b: (order.append("rename"), replace(a, b))[1])
    write_arrays(target, ARRAYS, {"version": 2})
    assert order[:2] == ["sync", "rename"]
    assert read_all(target)[1] == {"version": 2}


@pytest.mark.parametrize("name", ["m.onnx", "m.ONNX", "m.pt", "m.v2.pth", "m.h5", "m.mat", "m.npz", "m.pkl"])
def test_the_ending_of_another_format_is_refused(tmp_path: Path, name: str) -> None:
    model = Sequential([Dense(2)], input_shape=(3,))
    trainer = Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1))
    stem, _, ending = name.rpartition(".")
    text = f"{name} would hold safetensors, not {ending.upper()}; write to {stem}.safetensors$"
    for write in (model.save, model.save_torch, trainer.save, ModelCheckpoint):
        with pytest.raises(ValueError, match=text):
            write(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["m", "m.safetensors", "m.v2", "m.best", "m.ckpt", "m.bin"])
def test_other_endings_are_accepted(tmp_path: Path, name: str) -> None:
    Sequential([Dense(2)], input_shape=(3,)).save(tmp_path / name)
    assert load_model(tmp_path / name).output_shape == (2,)


def test_a_folder_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="expected a file to write to, got a folder"):
        write_arrays(tmp_path, ARRAYS, {})
    missing = tmp_path / "missing"
    text = f"^{missing / 'x'}: expected a folder to write to, but {missing} does not exist; create it first$"
    with pytest.raises(FileNotFoundError, match=text):
        write_arrays(missing / "x", ARRAYS, {})
    assert os.listdir(tmp_path) == []


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(NotADirectoryError) as caught:
        write_arrays(tmp_path / "file" / "x", ARRAYS, {})
    assert caught.value.filename == str(tmp_path / "file" / "x")
    with pytest.raises(OSError, match="File name too long") as long:
        write_arrays(tmp_path / ("x" * 250), ARRAYS, {})
    assert long.value.filename == str(tmp_path / ("x" * 250))
    assert os.listdir(tmp_path) == ["file"]


def test_what_a_killed_process_left_is_taken_away_with_the_next_writing(tmp_path: Path) -> None:
    old, recent, other = (tmp_path / name for name in (".a[1].7-8.part", ".a[1].7-9.part", ".b.7-8.part"))
    for path in (old, recent, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (0, 0))
    write_arrays(tmp_path / "a[1]", ARRAYS, {})
    assert sorted(os.listdir(tmp_path)) == [".a[1].7-9.part", ".b.7-8.part", "a[1]"]


# -------------------------------------------------------------------------------------------------- damaged, or foreign


def raw(header: Any, body: bytes = b"") -> bytes:
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


GOOD = {"__metadata__": {"format": FORMAT}}
FOREIGN: dict[str, bytes] = {
    "nothing": b"",
    "a few bytes": b"abc",
    "text": b"this is not a model, but it is longer than eight bytes",
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94.",
    "a zip": b"PK\x03\x04" + bytes(60),
    "a PNG": b"\x89PNG\r\n\x1a\n" + bytes(60),
    "a header of 2**63 bytes": struct.pack("<Q", 2**63) + b"{}",
    "a header longer than the file": struct.pack("<Q", 1000) + b"{}",
    "a header that is not JSON": raw(b"{nonsense}"),
    "a header that is not UTF-8": raw(b"\xff\xfe{}"),
    "arrays beyond the end": raw(GOOD | {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, bytes(8)),
    "arrays of 2**60 bytes": raw(
        GOOD | {"a": {"dtype": "F32", "shape": [2**58], "data_offsets": [0, 2**60]}}, bytes(8)
    ),
    "a shape that overflows": raw(GOOD | {"a": {"dtype": "F32", "shape": [2**32, 2**32], "data_offsets": [0, 0]}}),
    "overlapping arrays": raw(
        GOOD | {name: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} for name in "ab"}, bytes(8)
    ),
    "a hole between arrays": raw(GOOD | {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, bytes(8)),
    "an unknown type": raw(GOOD | {"a": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_or_damaged_file_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"bad.safetensors: not a safetensors file, or a damaged one \("):  # noqa: SIM117
        with open_arrays(path):
            pass


def test_a_file_of_another_program(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(3)}, tmp_path / "other")
    with pytest.raises(DataFormatError, match="other: expected a file of format numpycnn-1, got 'none'"):  # noqa: SIM117
        with open_arrays(tmp_path / "other"):
            pass
    save_file({"weight": np.zeros(3)}, tmp_path / "other", {"format": "pt"})
    with pytest.raises(DataFormatError, match="other: expected a file of format numpycnn-1, got 'pt'"):  # noqa: SIM117
        with open_arrays(tmp_path / "other"):
            pass


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "nonsense"])
def test_metadata_that_is_not_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_bytes(raw({"__metadata__": {"format": FORMAT, "model": text}}))
    with pytest.raises(DataFormatError, match="x: its metadata is not valid JSON"):  # noqa: SIM117
        with open_arrays(tmp_path / "x"):
            pass


def test_every_truncation_is_found(target: Path, tmp_path: Path) -> None:
    content = target.read_bytes()
    cut = tmp_path / "cut"
    for length in range(0, len(content), 7):
        cut.write_bytes(content[:length])
        with pytest.raises(DataFormatError, match="cut: not a safetensors file, or a damaged one"):
            read_all(cut)


def test_flipped_bytes_give_a_clear_error_or_other_numbers(
    target: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    content = target.read_bytes()
    flipped = tmp_path / "flipped"
    messages = []
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(rng.integers(8))
        flipped.write_bytes(damaged)
        try:
            read_all(flipped)
        except DataFormatError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert all(message.startswith(str(flipped)) for message in messages)


def test_no_file_and_no_file_but_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing: no such file"), open_arrays(tmp_path / "missing"):
        pass
    with pytest.raises(DataFormatError, match="expected a safetensors file, got a folder"), open_arrays(tmp_path):
        pass


def test_arrays_that_are_not_those_asked_for(target: Path) -> None:
    wrong = [
        ({"a": ARRAYS["a"]}, "its arrays do not match its architecture: unknown b, none"),
        (ARRAYS | {"c": np.zeros(1)}, "its arrays do not match its architecture: missing c"),
        (ARRAYS | {"a": np.zeros((3, 2), np.float32)}, r"expected a \(3, 2\) of float32, got \(2, 3\) of float32"),
        (ARRAYS | {"a": np.zeros((2, 3))}, r"expected a \(2, 3\) of float64, got \(2, 3\) of float32"),
        (ARRAYS | {"b": np.zeros(4, np.int64)}, r"expected b \(4,\) of int64, got \(4,\) of float64"),
    ]
    with open_arrays(target) as file:
        for like, text in wrong:
            with pytest.raises(DataFormatError, match=text):
                file.read("", like)


def test_metadata_of_another_type(target: Path) -> None:
    with open_arrays(target) as file:
        assert isinstance(file, ArrayFile)
        assert file.get("version", int) == 1
        with pytest.raises(DataFormatError, match=r"model.safetensors: expected version in its metadata, got 1"):
            file.get("version", dict)
        with pytest.raises(DataFormatError, match="expected model in its metadata, got None"):
            file.get("model", dict)


def test_prefixes(tmp_path: Path) -> None:
    write_arrays(tmp_path / "x", {"model.a": ARRAYS["a"], "optimizer.a": ARRAYS["b"]}, {})
    with open_arrays(tmp_path / "x") as file:
        assert file.names("model.") == ["a"]
        assert_same_bits(file.read("optimizer.", {"a": ARRAYS["b"]})["a"], ARRAYS["b"])


# -------------------------------------------------------------------------------------------------------- architectures


def test_encode_makes_json_of_layers() -> None:
    layer = Residual(Conv2D(3, (3, 2), padding=((1, 1), (0, 1))), Concat([Dense(2)]))
    encoded = encode(layer)
    assert json.loads(json.dumps(encoded)) == encoded
    assert encoded["layer"] == "Residual"
    assert encoded["config"]["main"]["config"]["padding"] == [[1, 1], [0, 1]]
    assert encoded["config"]["shortcut"]["config"]["branches"][0]["layer"] == "Dense"


class Odd(Layer):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function


def test_what_cannot_be_saved_is_said_at_once(tmp_path: Path) -> None:
    model = Sequential([Odd(np.tanh)], input_shape=(3,))
    with pytest.raises(
        TypeError, match="cannot save <ufunc 'tanh'>: a layer's arguments must be numbers, strings, None"
    ):
        model.save(tmp_path / "x")
    assert os.listdir(tmp_path) == []


def test_an_unbuilt_model_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Sequential is not built yet: give it an input_shape before saving it"):
        Sequential([Dense(2)]).save(tmp_path / "x")
    with pytest.raises(RuntimeError, match="is not built yet"):
        describe(Sequential([Dense(2)]), {})
    assert os.listdir(tmp_path) == []


def test_save_model_writes_what_sequential_saves(tmp_path: Path) -> None:
    model = Sequential([Dense(2)], input_shape=(3,))
    model.save(tmp_path / "one")
    save_model(model, model.metadata, tmp_path / "two")
    with open_arrays(tmp_path / "one") as one, open_arrays(tmp_path / "two") as two:
        assert one.metadata == two.metadata
        assert sorted(one.names()) == sorted(two.names()) == ["0.bias", "0.weight"]
        assert_same_bits(one.tensor("0.weight"), two.tensor("0.weight"))


def test_a_single_number_stays_one(tmp_path: Path) -> None:
    arrays = {"number": np.array(3), "line": np.array([1.0, 2.0]), "turned": np.arange(6.0).reshape(2, 3).T}
    write_arrays(tmp_path / "file", arrays, {})
    with open_arrays(tmp_path / "file") as file:
        for name, array in arrays.items():
            found = file.tensor(name)
            assert found.shape == array.shape
            np.testing.assert_array_equal(found, array)
