"""Further models and optimizers, and other attributes, of a trainer of one's own: a checkpoint holds them.

`Trainer.resume` does not call the constructor of the subclass, but sets its attributes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn._checks import check_int, check_unmasked
from numpycnn.io.loading import restore_model
from numpycnn.io.serialization import ArrayFile, describe
from numpycnn.layers.base import Layer
from numpycnn.layers.building import seed_generators
from numpycnn.layers.network import Network
from numpycnn.metrics import Metric
from numpycnn.optim import Optimizer
from numpycnn.training.parts import METRICS, PARTS, decode, decode_kind, encode

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer

PREFIX = "attribute."  # of the names of their arrays
OWN = (
    *("model", "loss", "optimizer", "scores", "callbacks", "seed", "history", "progress", "weights", "sample_weight"),
    "_resumed",
)
#: What two attributes may share, and still share after a training is resumed.
Shared = Network | Optimizer | Metric | np.ndarray | np.random.Generator
BIT_GENERATORS = {
    kind.__name__: kind
    for kind in (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)
}


def held(trainer: "Trainer", kind: type) -> list[Any]:
    """Return the different models, or optimizers, that are attributes of a trainer; its own comes first."""
    return list({id(value): value for value in vars(trainer).values() if isinstance(value, kind)}.values())


def begin_parts(trainer: "Trainer") -> None:
    """Make the models and optimizers of a trainer ready for an epoch."""
    for i, model in enumerate(held(trainer, Network)):
        seed_generators(model, trainer.seed + i)
    for optimizer in held(trainer, Optimizer):
        optimizer.epoch_count, optimizer.accumulation = trainer.progress.epoch, None


def metric_name(number: int) -> str:
    """Return the name of a metric of the trainer, for an attribute that is the same one."""
    return f"metric {number}"


def random_states(model: Layer) -> dict[str, Any]:
    """Return the states of the random generators of a model, by name."""
    return {name: dict(generator.bit_generator.state) for name, generator in model.random_generators().items()}


def restore_random(model: Layer, states: Mapping[str, Any]) -> None:
    """Set the random generators of a model to states as returned by `random_states`."""
    generators = model.random_generators()
    if generators.keys() != states.keys():
        raise ValueError(f"expected the random states of {sorted(generators)}, got {sorted(states)}")
    seed_generators(model, 0)  # gives them a state, which a trainer keeps
    for name, generator in generators.items():
        generator.bit_generator.state = states[name]


def save_attributes(trainer: "Trainer") -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the description of the attributes that a subclass has added, and their arrays."""
    found: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    names = {id(getattr(trainer, name)): name for name in ("model", "loss", "optimizer")}
    names |= {id(metric): metric_name(i) for i, (_, metric) in enumerate(trainer.scores.parts)}
    layers = {id(layer): "model" for layer in trainer.model.walk().values()}
    for name, value in vars(trainer).items():
        if name in OWN:
            continue
        owner = f"{type(trainer).__name__}.{name}"
        if id(value) in names and isinstance(value, Shared):
            found[name] = {"same": names[id(value)]}
            continue
        names[id(value)] = name
        if isinstance(value, Network):
            for layer in value.walk().values():
                if (other := layers.setdefault(id(layer), name)) != name:
                    raise TypeError(
                        f"{owner}: expected models without common layers to save, got {layer!r} in {other} and {name}; "
                        "keep the parts as attributes, and not the whole"
                    )
            found[name] = {"model": describe(value, value.metadata), "random": random_states(value)}
            arrays |= {f"{PREFIX}{name}.{key}": array for key, array in value.state().items()}
        elif isinstance(value, Optimizer):
            found[name] = optimizer_entry(value)
            arrays |= {f"{PREFIX}{name}.{key}": array for key, array in value.state().items()}
        elif isinstance(value, Metric):
            found[name] = {"metric": encode(value)}
            arrays |= {f"{PREFIX}{name}.{key}": array for key, array in value.state().items()}
        elif isinstance(value, np.ndarray):
            found[name] = {"array": True}
            arrays[f"{PREFIX}{name}.value"] = _check_array(value, owner)
        elif isinstance(value, np.random.Generator):
            found[name] = {"generator": dict(_check_generator(value, owner).bit_generator.state)}
        else:
            found[name] = {"value": _encode_value(value, owner)}
    return found, arrays


def _check_array(array: np.ndarray, owner: str) -> np.ndarray:
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(f"{owner}: expected an array of bools, or of numbers of at most 64 bits, got {array.dtype}")
    return check_unmasked(array, "the array", owner)


def _check_generator(generator: np.random.Generator, owner: str) -> np.random.Generator:
    if (kind := type(generator.bit_generator).__name__) not in BIT_GENERATORS:
        raise TypeError(f"{owner}: expected a generator of {', '.join(BIT_GENERATORS)}, got one of {kind}")
    return generator


def _encode_value(value: object, owner: str) -> Any:
    """Return a value as JSON represents it; a loss or a schedule as its description."""
    with suppress(TypeError):
        encoded = encode(value)
        if _is_json(encoded) and not any(isinstance(item, Optimizer | Metric) for item in _items(value)):
            return encoded
    raise TypeError(
        f"{owner}: expected a model, an optimizer, a loss, a metric, an array, a random generator, a number or a text "
        f"to save, got {value!r}"
    )


def _items(value: object) -> Iterator[Any]:
    """Yield what is inside a dict, tuple or list. There, the arrays of an optimizer or of a metric would be lost."""
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple | list) else ():
        yield item
        yield from _items(item)


def _is_json(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_json(item) for name, item in value.items())
    return value is None or isinstance(value, bool | int | float | str)


def optimizer_entry(optimizer: Optimizer) -> dict[str, Any]:
    """Return the description of an optimizer, without its arrays."""
    return {
        "encoded": encode(optimizer),
        "step_count": optimizer.step_count,
        "other_steps": optimizer.other_steps(),
        "epoch_count": optimizer.epoch_count,
    }


def restore_optimizer(entry: Mapping[str, Any], state: Mapping[str, np.ndarray], table: Mapping[str, Any]) -> Optimizer:
    """Return the optimizer of an entry, with its arrays; their shapes are compared in its next step."""
    optimizer = decode_kind(entry["encoded"], table, Optimizer)
    step_count = check_int(entry["step_count"], "step_count", "Optimizer", minimum=0)
    others = entry.get("other_steps", {})  # files of earlier versions have none
    if not isinstance(others, dict):
        raise ValueError(f"expected the steps of parameters as a dict, got {others!r}")
    steps = {name: check_int(count, f"the steps of {name}", "Optimizer") for name, count in others.items()}
    optimizer.load_state(state, step_count, steps)
    optimizer.epoch_count = check_int(entry.get("epoch_count", 0), "epoch_count", "Optimizer", minimum=0)
    return optimizer


def load_attributes(
    file: ArrayFile, parts: Mapping[str, Any], layers: Sequence[type[Layer]], own: dict[str, Any]
) -> dict[str, Any]:
    """Return the attributes that `save_attributes` described.

    `parts` are those of the trainer, by name, and `own` the classes and functions that a file may name as well.
    """
    table = PARTS | own
    found: dict[str, Any] = {}
    for name, entry in (file.get("attributes", dict) if "attributes" in file.metadata else {}).items():
        prefix = f"{PREFIX}{name}."
        arrays = {key.removeprefix(prefix): key for key in file.names("") if key.startswith(prefix)}
        if not name.isidentifier() or name in OWN:
            raise ValueError(f"expected the name of an attribute, got {name!r}")
        if "same" in entry:
            found[name] = parts[entry["same"]] if entry["same"] in parts else found[entry["same"]]
        elif "model" in entry:
            found[name] = restore_model(file, prefix, layers, description=entry["model"])
            restore_random(found[name], entry["random"])
        elif "encoded" in entry:
            state = {key: file.tensor(full) for key, full in arrays.items()}
            found[name] = restore_optimizer(entry, state, table)
        elif "metric" in entry:
            found[name] = decode_kind(entry["metric"], METRICS | own, Metric)
            found[name].load_state({key: file.tensor(full) for key, full in arrays.items()})
        elif "array" in entry:
            found[name] = np.array(file.tensor(f"{prefix}value"))
        elif "generator" in entry:
            found[name] = np.random.Generator(BIT_GENERATORS[entry["generator"]["bit_generator"]]())
            found[name].bit_generator.state = entry["generator"]
        else:
            found[name] = decode(entry["value"], table)
    return found
