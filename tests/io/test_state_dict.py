"""State dicts: what arrays are called, what a file may hold, and what PyTorch makes of ours."""

import os
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from numpycnn import (
    BatchNorm,
    Concat,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    DataFormatError,
    Dense,
    Embedding,
    Flatten,
    LayerNorm,
    ReLU,
    Residual,
    Sequential,
    load_model,
)
from numpycnn.io.state_dict import torch_names
from tests.helpers import assert_close
from tests.mutations import bounded_memory, mutate_bytes


def model(seed: int = 0, dtype: Any = np.float32) -> Sequential:
    layers = [Conv2D(4, 3), BatchNorm(), ReLU(), Flatten(), Dense(3, name="head")]
    return Sequential(layers, input_shape=(2, 5, 4), seed=seed, dtype=dtype, name="small")


def state() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    shapes = {"0.weight": (4, 2, 3, 3), "head.weight": (3, 24), "head.bias": (3,)}
    shapes |= dict.fromkeys(("0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"), (4,))
    return {name: rng.random(shape).astype(np.float32) for name, shape in shapes.items()}


# ---------------------------------------------------------------------------------------------------------------- names


def test_positions_names_and_names_of_what_is_around() -> None:
    inner = Sequential([Dense(3), ReLU(), Dense(3, name="deep")])
    blocks = [
        Sequential([Dense(3)]),
        Sequential([Dense(3), Sequential([Dense(3)])], name="encoder"),
        Residual(inner, Sequential([Dense(3)]), name="block"),
        Concat([Dense(2), Sequential([Dense(1)], name="side.way")]),
    ]
    names = torch_names(Sequential(blocks, input_shape=(3,), name="whole"))
    weights = {mine: name for mine, name in names.items() if mine.endswith("weight")}
    assert weights == {
        "0.0.weight": "0.0.weight",
        "1.0.weight": "encoder.0.weight",
        "1.1.0.weight": "encoder.1.0.weight",
        "2.main.0.weight": "block.main.0.weight",
        "2.main.2.weight": "deep.weight",
        "2.shortcut.0.weight": "block.shortcut.0.weight",
        "3.0.weight": "3.0.weight",
        "3.1.0.weight": "side.way.0.weight",
    }
    assert {name.removesuffix("bias") for name in names.values() if name.endswith("bias")} == {
        name.removesuffix("weight") for name in weights.values()
    }


def test_buffers_have_names_too() -> None:
    assert list(torch_names(model()).values()) == [
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "head.weight",
        "head.bias",
    ]


def test_two_layers_of_one_name() -> None:
    twice = Sequential([Dense(2, name="fc"), Dense(2, name="fc")], input_shape=(2,))
    with pytest.raises(ValueError, match=r"Sequential: expected layers with different names, got fc\.weight for 0\.we"):
        torch_names(twice)


# -------------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_of_any_float_type_are_read(kind: type, dtype: type, tmp_path: Path) -> None:
    saved = {name: array.astype(kind) for name, array in state().items()}
    save_file(saved, tmp_path / "file")
    network = model(dtype=dtype)
    assert network.load_torch(tmp_path / "file") is network
    found = network.state()
    for mine, name in torch_names(network).items():
        assert found[mine].dtype == dtype
        assert np.array_equal(found[mine], saved[name].astype(dtype))


def test_counters_and_what_is_ignored_are_passed_over(tmp_path: Path) -> None:
    extra = {
        "1.num_batches_tracked": np.array(3),
        "aux.weight": np.zeros(2, np.float32),
        "aux.bias": np.zeros(2, np.int32),
    }
    save_file(state() | extra, tmp_path / "file")
    network = model().load_torch(tmp_path / "file", ignore=["aux."])
    assert np.array_equal(network.state()["4.bias"], state()["head.bias"])


def test_a_new_head_keeps_its_weights(tmp_path: Path) -> None:
    """What is ignored may be in the file, in the model, or in both, with any shapes."""
    save_file(state() | {"aux.weight": np.zeros(2, np.float32)}, tmp_path / "file")
    body = [Conv2D(4, 3), BatchNorm(), ReLU(), Flatten()]
    network = Sequential([*body, Dense(7, name="head")], input_shape=(2, 5, 4), seed=3)
    before = network.state()["4.weight"].copy()
    network.load_torch(tmp_path / "file", ignore=["head.", "aux."])
    assert np.array_equal(network.state()["4.weight"], before)
    assert np.array_equal(network.state()["0.weight"], state()["0.weight"])
    assert np.array_equal(network.state()["1.running_var"], state()["1.running_var"])


FOREIGN = {
    "0.weight": "stem.kernel",
    "0.bias": "stem.bias",
    "head.weight": "classifier.weight",
    "head.bias": "classifier.bias",
}
FOREIGN |= {f"1.{name}": f"norm.{name}" for name in ("weight", "bias", "running_mean", "running_var")}


@pytest.mark.parametrize(
    "names", [FOREIGN, {"0.weight": "stem.kernel", "0": "stem", "1": "norm", "head": "classifier"}]
)
def test_foreign_names_are_given_for_arrays_or_layers(names: dict[str, str], tmp_path: Path) -> None:
    save_file({FOREIGN[name]: array for name, array in state().items()}, tmp_path / "file")
    network = model().load_torch(tmp_path / "file", names=names)
    for mine, name in torch_names(network).items():
        assert np.array_equal(network.state()[mine], state()[name])


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"ignore": "head."}, TypeError, "expected ignore to be a list of prefixes, got 'head.'"),
        ({"ignore": [3]}, TypeError, "expected ignore to be a list of prefixes, got [3]"),
        ({"names": {"0": 1}}, TypeError, "expected names as {name here: name in the file}, got {'0': 1}"),
        ({"names": [("0", "a")]}, TypeError, "expected names as {name here: name in the file}, got [("),
        ({"names": {"9": "a"}}, ValueError, "expected names of arrays or layers, such as 0.weight, 0.bias"),
        ({"names": {"0": "head"}}, ValueError, "a name in the file for each array, got head.weight, head.bias twice"),
    ],
)
def test_wrong_names(settings: dict[str, Any], error: type[Exception], text: str, tmp_path: Path) -> None:
    save_file(state(), tmp_path / "file")
    with pytest.raises(error, match=re.escape(text)):
        model().load_torch(tmp_path / "file", **settings)


def other(**changes: Any) -> dict[str, np.ndarray]:
    return {name: array for name, array in (state() | changes).items() if array is not None}


F4 = np.float32
WRONG: list[tuple[str, dict[str, np.ndarray], str]] = [
    ("missing", other(**{"0.bias": None}), "missing 0.bias"),
    ("surplus", other(fc=np.zeros(2, F4)), "unknown fc (ignore=[...] skips names with these prefixes)"),
    ("shape", other(**{"head.bias": np.zeros(5, F4)}), "expected head.bias (3,), got (5,)"),
    (
        "everything",
        other(**{"0.bias": None, "fc": np.zeros(2, F4), "head.weight": np.zeros((24, 3), F4)}),
        "missing 0.bias; unknown fc (ignore=[...] skips names with these prefixes, names={...} gives the names in the "
        "file); "
        "expected head.weight (3, 24), got (24, 3)",
    ),
    (
        "another module",
        {f"layer.{i}": np.zeros(1, F4) for i in range(9)},
        "missing 0.weight, 0.bias, 1.weight, 1.bias, 1.running_mean and 3 more; unknown layer.0, layer.1, "
        "layer.2, layer.3, layer.4 and 4 more (ignore=[...] skips names with these prefixes, names={...} gives the "
        "names in the file)",
    ),
]


@pytest.mark.parametrize(("content", "text"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_another_models_state_is_refused_in_one_error_and_nothing_changes(
    content: dict[str, np.ndarray], text: str, tmp_path: Path
) -> None:
    save_file(content, tmp_path / "file")
    network = model()
    before = {name: array.copy() for name, array in network.state().items()}
    with pytest.raises(DataFormatError) as caught:
        network.load_torch(tmp_path / "file")
    assert str(caught.value) == f"{tmp_path / 'file'}: not the state dict of Sequential 'small': {text}"
    assert all(np.array_equal(before[name], array) for name, array in network.state().items())


def test_numbers_that_are_not_weights(tmp_path: Path) -> None:
    save_file(other(**{"head.bias": np.zeros(3, np.int64)}), tmp_path / "file")
    with pytest.raises(DataFormatError, match=r"expected head\.bias of F16, F32, F64, got I64; save module\.float\(\)"):
        model().load_torch(tmp_path / "file")
    save_file(other(**{"head.bias": np.array([1, np.nan, 2], F4)}), tmp_path / "file")
    with pytest.raises(DataFormatError, match=r"head\.bias contains values that are not finite in float32"):
        model().load_torch(tmp_path / "file")


def test_numbers_too_large_for_the_model_are_refused(tmp_path: Path) -> None:
    network = model()
    before = {name: array.copy() for name, array in network.state().items()}
    save_file(other(**{"head.bias": np.array([1, 1e300, 2])}), tmp_path / "file")
    with pytest.raises(DataFormatError, match=r"head\.bias contains values that are not finite in float32"):
        network.load_torch(tmp_path / "file")
    assert all(np.array_equal(before[name], array) for name, array in network.state().items())


def test_bfloat16_says_what_to_do(tmp_path: Path, torch: Any) -> None:
    from safetensors.torch import save_file as save_tensors

    tensors = {name: torch.from_numpy(array).bfloat16() for name, array in state().items()}
    save_tensors(tensors, str(tmp_path / "file"))
    with pytest.raises(DataFormatError, match=r"got BF16; save module\.float\(\)\.state_dict\(\)"):
        model().load_torch(tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + b"pickle" * 50, b"\x80\x02}q\x00.", b"\x00" * 100])
def test_a_file_in_another_format(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(
        DataFormatError, match=r"weights\.pth: not a safetensors file, .*; PyTorch writes one with safetens"
    ):
        model().load_torch(tmp_path / "weights.pth")


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "file")
    content = (tmp_path / "file").read_bytes()
    header = struct.unpack("<Q", content[:8])[0]
    for size in (4, 8, 30, 8 + header, len(content) - 1):
        (tmp_path / "file").write_bytes(content[:size])
        with pytest.raises(DataFormatError, match="not a safetensors file, or a damaged one"):
            model().load_torch(tmp_path / "file")


def test_two_thousand_mutations_give_weights_or_one_kind_of_error(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "file")
    content = (tmp_path / "file").read_bytes()
    rng, refused = np.random.default_rng(0), 0
    with bounded_memory(200):
        for _ in range(2000):
            reach = len(content) if rng.random() < 0.3 else 400  # mostly in the header
            (tmp_path / "file").write_bytes(mutate_bytes(content, rng, reach))
            try:
                model().load_torch(tmp_path / "file")
            except DataFormatError:
                refused += 1
    assert 1000 < refused < 2000


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing: no such file"):
        model().load_torch(tmp_path / "nothing")
    with pytest.raises(DataFormatError, match="expected a safetensors file, got a folder"):
        model().load_torch(tmp_path)
    with pytest.raises(IsADirectoryError, match="expected a file to write to, got a folder"):
        model().save_torch(tmp_path)
    for call in (Sequential([Dense(2)]).load_torch, Sequential([Dense(2)]).save_torch):
        with pytest.raises(RuntimeError, match="Sequential is not built yet"):
            call(tmp_path / "file")
    assert os.listdir(tmp_path) == []


# -------------------------------------------------------------------------------------------------------------- writing


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    one, other = model(seed=1), model(seed=2)
    one.save_torch(tmp_path / "file")
    assert {name: str(array.dtype) for name, array in load_file(tmp_path / "file").items() if array.ndim == 0} == {
        "1.num_batches_tracked": "int64"
    }
    other.load_torch(tmp_path / "file")
    assert all(np.array_equal(other.state()[name], array) for name, array in one.state().items())


def test_names_survive_a_file_of_ours(tmp_path: Path) -> None:
    model(seed=1).save(tmp_path / "ours")
    load_model(tmp_path / "ours").save_torch(tmp_path / "torch")
    assert set(load_file(tmp_path / "torch")) == set(state()) | {"1.num_batches_tracked"}


def test_a_sequential_of_pytorch_and_back(tmp_path: Path, rng: np.random.Generator, torch: Any) -> None:
    """By positions alone, nested, with every kind of layer that has arrays in a form of its own."""
    from safetensors.torch import load_file as load_tensors
    from safetensors.torch import save_file as save_tensors
    from torch import nn

    theirs = nn.Sequential(
        nn.Conv2d(2, 4, (3, 2), padding=1, groups=2),
        nn.BatchNorm2d(4),
        nn.Sequential(nn.ConvTranspose2d(4, 3, 3, stride=2, output_padding=1), nn.ReLU()),
        nn.Flatten(),
        nn.Linear(3 * 12 * 14, 6, bias=False),
        nn.LayerNorm(6),
    ).eval()
    ours = Sequential(
        [
            Conv2D(4, (3, 2), padding=1, groups=2),
            BatchNorm(),
            Sequential([ConvTranspose2D(3, 3, stride=2, output_padding=1), ReLU()]),
            Flatten(),
            Dense(6, bias=False),
            LayerNorm(),
        ],
        input_shape=(2, 5, 5),
    )
    x = rng.normal(size=(3, 2, 5, 5)).astype(np.float32)

    def outputs() -> np.ndarray:
        with torch.no_grad():
            return theirs(torch.from_numpy(x)).numpy()

    ours.save_torch(tmp_path / "ours")
    theirs.load_state_dict(load_tensors(str(tmp_path / "ours")))
    assert_close(ours.predict(x), outputs(), 1e-5)
    with torch.no_grad():
        for tensor in theirs.state_dict().values():
            tensor.add_(torch.rand(tensor.shape)) if tensor.dtype == torch.float32 else None
    save_tensors(theirs.state_dict(), str(tmp_path / "theirs"))
    assert_close(ours.load_torch(tmp_path / "theirs").predict(x), outputs(), 1e-5)


def test_words_and_sequences(tmp_path: Path, rng: np.random.Generator, torch: Any) -> None:
    from safetensors.torch import save_file as save_tensors
    from torch import nn

    embedding, conv = nn.Embedding(7, 3), nn.Conv1d(6, 2, 2)
    save_tensors({"words.weight": embedding.weight, "1.weight": conv.weight, "1.bias": conv.bias}, str(tmp_path / "t"))
    ours = Sequential([Embedding(7, 3, name="words"), Conv1D(2, 2)], input_shape=(6,))
    tokens = rng.integers(0, 7, (4, 6))
    with torch.no_grad():
        expected = conv(embedding(torch.from_numpy(tokens))).numpy()
    assert_close(ours.load_torch(tmp_path / "t").predict(tokens), expected, 1e-5)
