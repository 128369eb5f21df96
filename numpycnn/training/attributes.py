"""Further models and optimizers, and other attributes, of a trainer of one's own: a checkpoint holds them.

`Trainer.resume` does not call the constructor of the subclass, but sets its attributes.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn._checks import check_int, to_python
from numpycnn.io.loading import restore_model
from numpycnn.io.serialization import ArrayFile, describe
from numpycnn.layers.base import Layer
from numpycnn.layers.building import seed_generators
from numpycnn.layers.network import Network
from numpycnn.optim import Optimizer
from numpycnn.training.parts import decode, decode_kind, encode

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer

PREFIX = "attribute."  # of the names of their arrays
OWN = (
    *("model", "loss", "optimizer", "scores", "callbacks", "seed", "history", "progress", "weights", "sample_weight"),
    "_resumed",
)
PARTS = ("model", "loss", "optimizer")  # that an attribute may name once more


def held(trainer: "Trainer", kind: type) -> list[Any]:
    """Return the different models, or optimizers, that are attributes of a trainer; its own comes first."""
    return list({id(value): value for value in vars(trainer).values() if isinstance(value, kind)}.values())


def begin_parts(trainer: "Trainer") -> None:
    """Make the models and optimizers of a trainer ready for an epoch."""
    for i, model in enumerate(held(trainer, Network)):
        seed_generators(model, trainer.seed + i)
    for optimizer in held(trainer, Optimizer):
        optimizer.epoch_count, optimizer.accumulation = trainer.progress.epoch, None


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
    names = {id(getattr(trainer, name)): name for name in PARTS}
    layers = {id(layer): "model" for layer in trainer.model.walk().values()}
    for name, value in vars(trainer).items():
        if name in OWN:
            continue
        owner = f"{type(trainer).__name__}.{name}"
        if id(value) in names and isinstance(value, Network | Optimizer):
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
        elif isinstance(value, np.ndarray):
            found[name] = {"array": True}
            arrays[f"{PREFIX}{name}.value"] = value
        elif isinstance(value, np.random.Generator):
            found[name] = {"generator": dict(value.bit_generator.state)}
        else:
            found[name] = {"value": _encode_value(value, owner)}
    return found, arrays


def _encode_value(value: object, owner: str) -> Any:
    """Return a value as JSON represents it; a loss or a schedule as its description."""
    with suppress(TypeError):
        encoded = encode(to_python(value))
        if _is_json(encoded):
            return encoded
    raise TypeError(
        f"{owner}: expected a model, an optimizer, a loss, an array, a random generator, a number or a text to save, "
        f"got {value!r}"
    )


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
    file: ArrayFile, parts: Mapping[str, Any], layers: Sequence[type[Layer]], table: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the attributes that `save_attributes` described; `parts` are model, loss and optimizer of the trainer."""
    found: dict[str, Any] = {}
    for name, entry in (file.get("attributes", dict) if "attributes" in file.metadata else {}).items():
        prefix = f"{PREFIX}{name}."
        arrays = {key.removeprefix(prefix): key for key in file.names("") if key.startswith(prefix)}
        if not name.isidentifier() or name in OWN:
            raise ValueError(f"expected the name of an attribute, got {name!r}")
        if "same" in entry:
            found[name] = parts[entry["same"]] if entry["same"] in PARTS else found[entry["same"]]
        elif "model" in entry:
            found[name] = restore_model(file, prefix, layers, description=entry["model"])
            restore_random(found[name], entry["random"])
        elif "encoded" in entry:
            state = {key: file.tensor(full) for key, full in arrays.items()}
            found[name] = restore_optimizer(entry, state, table)
        elif "array" in entry:
            found[name] = np.array(file.tensor(f"{prefix}value"))
        elif "generator" in entry:
            found[name] = np.random.default_rng()
            found[name].bit_generator.state = entry["generator"]
        else:
            found[name] = decode(entry["value"], table)
    return found
