"""Files back into models.

Nothing in a file is ever executed: layers are made from a fixed table of names, and every array is checked against the
shape that the architecture asks for before it is read.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpycnn import layers as layer_module
from numpycnn.errors import DataFormatError
from numpycnn.layers.base import Layer
from numpycnn.sequential import Sequential
from numpycnn.serialization import ArrayFile, open_arrays

#: Every kind of layer that a file may name.
LAYERS: dict[str, type[Layer]] = {
    name: getattr(layer_module, name) for name in layer_module.__all__ if name not in ("Layer", "Parameter")
} | {"Sequential": Sequential}


def decode(value: Any, table: Mapping[str, type[Layer]]) -> Any:
    """Turn what `encode` returned back into layers and arguments."""
    if isinstance(value, list):
        return [decode(item, table) for item in value]
    if isinstance(value, dict):
        kind, config = value.get("layer"), value.get("config")
        if not isinstance(kind, str) or kind not in table:
            raise ValueError(
                f"unknown layer {kind!r}; a layer of your own is given as load_model(..., layers=[{kind}])"
            )
        if not isinstance(config, dict):
            raise ValueError(f"expected the arguments of {kind}, got {config!r}")
        return table[kind](**{str(key): decode(item, table) for key, item in config.items()})
    return value


def restore_model(file: ArrayFile, prefix: str = "", layers: Sequence[type[Layer]] = ()) -> Sequential:
    """Build the model that an open file describes, and load its arrays."""
    table = LAYERS | {layer.__name__: layer for layer in layers}
    description = file.get("model", dict)
    try:
        model = decode(description.get("architecture"), table)
        if not isinstance(model, Sequential):
            raise ValueError(f"expected a Sequential, got {type(model).__name__}")
        # Without a generator the weights are zeros that take no memory until they are written to, so that an
        # architecture that asks for more than the file holds is refused below and not paid for here.
        model.build(description.get("input_shape"), rng=None, dtype=description.get("dtype"))
        model.metadata = description.get("metadata", {})
        if not isinstance(model.metadata, dict):
            raise TypeError(f"expected metadata to be a dict, got {model.metadata!r}")
    except AttributeError as error:  # an own layer that draws from the generator it is not given
        raise DataFormatError(
            f"{file.path}: a layer cannot be built without a generator ({error}); "
            "where rng is None, _build has to make its parameters of zeros, which are then loaded"
        ) from None
    except (ValueError, TypeError, KeyError, RecursionError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        raise DataFormatError(f"{file.path}: it describes no model that can be built: {reason}") from None
    arrays = file.read(prefix, model.state())
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise DataFormatError(f"{file.path}: {name} holds numbers that are not finite")
    model.load_state(arrays)
    return model


def load_model(path: str | Path, *, layers: Sequence[type[Layer]] = ()) -> Sequential:
    """Read a model that `Sequential.save` wrote, or the one inside of a training checkpoint.

    The random state of its dropout layers is not read. Each gets a random stream of its own, which a `Trainer` seeds;
    `Trainer.resume` goes on with the streams of a checkpoint.

    Parameters
    ----------
    path : str or Path
    layers : sequence of type
        Your own kinds of layers that the file may name.

    Returns
    -------
    Sequential

    Raises
    ------
    DataFormatError
        If the file is no model, is damaged, or names an unknown layer.
    FileNotFoundError
        If there is no such file.
    """
    with open_arrays(path) as file:
        return restore_model(file, "model." if "progress" in file.metadata else "", layers)
