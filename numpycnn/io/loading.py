"""Load models from files.

Nothing in a file is executed: layers are created from a fixed table of names, and the shape of each array is checked
against the architecture before the array is read.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpycnn import layers as layer_module
from numpycnn.errors import DataFormatError
from numpycnn.io.serialization import ArrayFile, check_size, open_arrays
from numpycnn.layers.base import Layer
from numpycnn.layers.model import Model
from numpycnn.layers.network import Network
from numpycnn.layers.sequential import Sequential

#: The layer types that a file may name.
LAYERS: dict[str, type[Layer]] = {
    name: getattr(layer_module, name) for name in layer_module.__all__ if name not in ("Layer", "Parameter")
} | {"Model": Model, "Sequential": Sequential}


def decode(value: object, table: Mapping[str, type[Layer]]) -> Any:
    """Convert the result of `encode` back to layers and arguments."""
    if isinstance(value, list):
        return [decode(item, table) for item in value]
    if isinstance(value, dict):
        kind, config = value.get("layer"), value.get("config")
        if not isinstance(kind, str) or kind not in table:
            raise ValueError(f"unknown layer {kind!r}; pass a custom layer type as load_model(..., layers=[{kind}])")
        if not isinstance(config, dict):
            raise ValueError(f"expected the arguments of {kind}, got {config!r}")
        layer = table[kind].from_config({str(key): decode(item, table) for key, item in config.items()})
        layer._trainable = value.get("trainable", True) is not False
        exceptions = value.get("exceptions", [])
        if not isinstance(exceptions, list) or not all(isinstance(name, str) for name in exceptions):
            raise ValueError(f"expected the names of parameters of {kind} as exceptions, got {exceptions!r}")
        layer._exceptions = frozenset(exceptions)
        return layer
    return value


def measure(architecture: object) -> tuple[int, int, int]:
    """Return the number of layers in the result of `encode`, how deeply they are nested, and the calls of graphs."""
    layers, deepest, calls = 0, 0, 0
    pending = [(architecture, 1)]
    while pending:
        value, depth = pending.pop()
        if isinstance(value, list):
            pending += [(item, depth) for item in value]
        elif isinstance(value, dict) and isinstance(config := value.get("config"), dict):
            layers, deepest = layers + 1, max(deepest, depth)
            calls += len(made) if isinstance(made := config.get("calls"), list) else 0
            pending += [(item, depth + 1) for item in config.values()]
    return layers, deepest, calls


def restore_model(
    file: ArrayFile,
    prefix: str = "",
    layers: Sequence[type[Layer]] = (),
    description: Mapping[str, Any] | None = None,
) -> Network:
    """Build the model that an open file describes, or one of another description, and load its arrays."""
    table = LAYERS | {layer.__name__: layer for layer in layers}
    description = file.get("model", dict) if description is None else description
    try:
        check_size(*measure(description.get("architecture")))
        model = decode(description.get("architecture"), table)
        if not isinstance(model, Network):
            raise ValueError(f"expected a Sequential or a Model, got {type(model).__name__}")
        # Without a generator the weights are zeros that take no memory until written. An architecture larger than the
        # file is refused below, before it costs memory.
        model.build(description.get("input_shape"), rng=None, dtype=description.get("dtype"))
        model.metadata = description.get("metadata", {})
        if not isinstance(model.metadata, dict):
            raise TypeError(f"expected metadata to be a dict, got {model.metadata!r}")
    except AttributeError as error:  # a custom layer that uses its generator, which is None here
        raise DataFormatError(
            f"{file.path}: a layer cannot be built without a generator ({error}); "
            "if rng is None, _build has to create zeros, which are then loaded"
        ) from None
    except (ValueError, TypeError, LookupError, RuntimeError, ArithmeticError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        raise DataFormatError(f"{file.path}: it does not describe a valid model: {reason}") from None
    arrays = file.read(prefix, model.state())
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise DataFormatError(f"{file.path}: {name} contains values that are not finite")
    model.load_state(arrays)
    return model


def load_model(path: str | Path, *, layers: Sequence[type[Layer]] = ()) -> Network:
    """Read a model that `Sequential.save` wrote, or the model of a training checkpoint.

    The random state of dropout layers is not read. Each gets its own random stream, which a `Trainer` seeds;
    `Trainer.resume` continues the streams of a checkpoint.

    Parameters
    ----------
    path : str or Path
    layers : sequence of type
        Custom layer types that the file may name.

    Returns
    -------
    Sequential or Model

    Raises
    ------
    DataFormatError
        If the file is not a model, is damaged, or names an unknown layer.
    FileNotFoundError
        If the file does not exist.
    """
    with open_arrays(path) as file:
        return restore_model(file, "model." if "progress" in file.metadata else "", layers)
