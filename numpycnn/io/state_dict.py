"""Exchange weights with PyTorch: state dicts in safetensors files.

Weights have PyTorch's shapes, so only the names are translated. The name of an array consists of the name of its layer,
or else the position, and the name of the parameter:

    Sequential([Conv2D(8, 3), ReLU(), Dense(10, name="fc")])           0.weight  0.bias  fc.weight  fc.bias

PyTorch's recurrent modules number their layers (``num_layers``), as in ``weight_ih_l1``. Here each is a layer by
itself; those with the same name are numbered in their order:

    Sequential([LSTM(8, return_sequences=True, name="lstm"), LSTM(8, name="lstm")])     lstm.weight_ih_l0 ... l1

With positions these are the names in ``nn.Sequential``, at any depth. For a module with other names, give the layers
these names, as the networks of `numpycnn.models` do with torchvision's; a layer's name replaces the whole path to it,
and is the prefix of the names of unnamed layers inside. Or give `load_torch` the names in the file: ``{"2": "fc"}``.

PyTorch's own files are pickles, which run code when opened, and are not read. One line in PyTorch writes a safetensors
file: ``safetensors.torch.save_file(module.state_dict(), path)``.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from numpycnn._checks import format_shape
from numpycnn.errors import DataFormatError
from numpycnn.io.serialization import check_ending, open_safetensors, replacing
from numpycnn.layers.base import Layer
from numpycnn.layers.normalization import BatchNorm
from numpycnn.layers.recurrent import Recurrent

COUNTER = "num_batches_tracked"  # PyTorch's batch normalization counts its batches; ours does not
FLOATS = ("F16", "F32", "F64")
SHOWN = 5  # largest number of names in an error


def _leaves(layer: Layer, ours: str, theirs: str) -> Iterator[tuple[Layer, str, str]]:
    """Iterate over all layers with arrays of their own, with the prefixes of their names here and in PyTorch."""
    children = layer.children()
    if any(name.split(".")[0] not in children for name in layer.state()):
        yield layer, ours, theirs
    for key, child in children.items():
        yield from _leaves(child, f"{ours}{key}.", f"{child.name or theirs + key}.")


def _torch_name(name: str, number: int) -> str:
    """Return PyTorch's name of an array of a recurrent layer, with the number of the layer."""
    return re.sub(r"^((?:weight|bias)_[ih]h)", rf"\1_l{number}", name)


def torch_names(model: Layer) -> dict[str, str]:
    """Return the PyTorch name of each array of a built model, by its name in `Layer.state`.

    Raises
    ------
    ValueError
        If two arrays would have the same name.

    Examples
    --------
    >>> from numpycnn import Dense, ReLU, Sequential
    >>> torch_names(Sequential([Dense(4, bias=False), ReLU(), Dense(2, name="fc")], input_shape=(3,)))
    {'0.weight': '0.weight', '2.weight': 'fc.weight', '2.bias': 'fc.bias'}
    """
    names: dict[str, str] = {}
    stacked: Counter[str] = Counter()  # recurrent layers with the same name
    for layer, ours, theirs in _leaves(model, "", ""):
        children = layer.children()
        own = {name: name for name in layer.state() if name.split(".")[0] not in children}
        if isinstance(layer, Recurrent):
            own = {name: _torch_name(name, stacked[theirs]) for name in own}
            stacked[theirs] += 1
        names |= {ours + mine: theirs + name for mine, name in own.items()}
    seen: dict[str, str] = {}
    for mine, name in names.items():
        if name in seen:
            raise ValueError(
                f"{model.label}: expected layers with different names, got {name} for {seen[name]} and {mine}"
            )
        seen[name] = mine
    return names


def save_torch(model: Layer, path: str | Path) -> None:
    """Write a model's state dict; see `Sequential.save_torch`."""
    from safetensors.numpy import save

    path = check_ending(path, "save_torch")
    names = torch_names(model)
    arrays = {names[mine]: np.ascontiguousarray(array) for mine, array in model.state().items()}
    for layer, _, theirs in _leaves(model, "", ""):
        if isinstance(layer, BatchNorm):
            arrays[theirs + COUNTER] = np.zeros((), np.int64)
    content = save(arrays, {"format": "pt"})
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def load_torch(
    model: Layer, path: str | Path, ignore: Sequence[str] = (), names: Mapping[str, str] | None = None
) -> None:
    """Load a state dict into a model; see `Sequential.load_torch`."""
    if isinstance(ignore, str) or not all(isinstance(prefix, str) for prefix in ignore):
        raise TypeError(f"load_torch: expected ignore to be a list of prefixes, got {ignore!r}")
    prefixes = tuple(ignore)
    theirs = _rename(torch_names(model), {} if names is None else names)
    state = model.state()
    wanted = {theirs[mine]: array for mine, array in state.items() if not theirs[mine].startswith(prefixes)}
    found = _read(Path(path), wanted, prefixes, model)
    model.load_state({mine: found.get(theirs[mine], array) for mine, array in state.items()})


def _rename(expected: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Return the names in a file by the names here; `names` has those that differ, of arrays or of layers."""
    if not isinstance(names, Mapping) or not all(isinstance(word, str) for pair in names.items() for word in pair):
        raise TypeError(f"load_torch: expected names as {{name here: name in the file}}, got {names!r}")
    renamed, used = {}, set()
    for mine, name in expected.items():
        parts = name.split(".")
        prefixes = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]  # the array, its layer, and so on
        key = next((prefix for prefix in prefixes if prefix in names), None)
        renamed[mine] = name if key is None else names[key] + name[len(key) :]
        used.add(key)
    unknown = [key for key in names if key not in used]
    if unknown:
        known = _join_first(list(expected.values()))
        raise ValueError(f"load_torch: expected names of arrays or layers, such as {known}, got {_join_first(unknown)}")
    twice = [name for name, count in Counter(renamed.values()).items() if count > 1]
    if twice:
        raise ValueError(f"load_torch: expected a name in the file for each array, got {_join_first(twice)} twice")
    return renamed


def _read(path: Path, wanted: Mapping[str, np.ndarray], ignore: tuple[str, ...], model: Layer) -> dict[str, np.ndarray]:
    """Return arrays like the wanted ones from a file, which must contain exactly these names and shapes."""
    hint = "; PyTorch writes one with safetensors.torch.save_file(module.state_dict(), path)"
    with open_safetensors(path, hint) as handle:
        there = [name for name in handle.keys() if name.split(".")[-1] != COUNTER]  # noqa: SIM118
        entries = {name: handle.get_slice(name) for name in there if not name.startswith(ignore)}
        shapes = {name: array.shape for name, array in wanted.items()}
        mismatches = _find_mismatches(shapes, {name: tuple(entry.get_shape()) for name, entry in entries.items()})
        if mismatches:
            raise DataFormatError(f"{path}: not the state dict of {model.label}: {'; '.join(mismatches)}")
        for name in wanted:
            kind = entries[name].get_dtype()
            if kind not in FLOATS:
                raise DataFormatError(
                    f"{path}: expected {name} of {', '.join(FLOATS)}, got {kind}; save module.float().state_dict()"
                )
        with np.errstate(over="ignore"):  # reported below
            arrays = {name: handle.get_tensor(name).astype(array.dtype) for name, array in wanted.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise DataFormatError(f"{path}: {name} contains values that are not finite in {array.dtype}")
    return arrays


def _find_mismatches(wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Describe the mismatches between the names and shapes of a file and those of the model."""
    shapes = [
        f"expected {name} {format_shape(shape)}, got {format_shape(found[name])}"
        for name, shape in wanted.items()
        if name in found and found[name] != shape
    ]
    missing = [name for name in wanted if name not in found]
    surplus = [name for name in found if name not in wanted]
    parts = [f"missing {_join_first(missing)}"] * bool(missing)
    rename = ", names={...} gives the names in the file" * bool(missing)
    parts += [f"unknown {_join_first(surplus)} (ignore=[...] skips names with these prefixes{rename})"] * bool(surplus)
    return parts + [_join_first(shapes)] * bool(shapes)


def _join_first(words: Sequence[str]) -> str:
    """Join the first names, and count the others."""
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more
