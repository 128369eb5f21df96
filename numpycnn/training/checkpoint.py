"""Checkpoints: a resumed training ends with the same bits as one that was never interrupted.

A checkpoint holds the model (weights, running means), the optimizer (its arrays and step count, which determines the
schedule), the state of every random generator, and the position in the data: the order of an epoch depends on the seed
and the epoch alone, so the number of completed batches is enough.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from numpycnn import losses, optim
from numpycnn import metrics as all_metrics
from numpycnn._checks import check_int
from numpycnn.errors import DataFormatError
from numpycnn.io.loading import restore_model
from numpycnn.io.serialization import ArrayFile, describe, open_arrays, write_arrays
from numpycnn.layers.base import Layer
from numpycnn.layers.building import seed_generators
from numpycnn.layers.network import Network
from numpycnn.losses import Loss
from numpycnn.metrics import Metric
from numpycnn.optim import Optimizer, Schedule
from numpycnn.training.batches import TrainingState
from numpycnn.training.callbacks import Callback
from numpycnn.training.scores import Scores

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer

Part = TypeVar("Part")

#: Every optimizer, schedule and loss that a file may name.
PARTS: dict[str, type] = {
    kind.__name__: kind
    for module in (optim, losses)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Optimizer | Schedule | Loss)
}
#: Every metric that a file may name; a loss has the name of one.
METRICS: dict[str, type] = {
    kind.__name__: kind for kind in vars(all_metrics).values() if isinstance(kind, type) and issubclass(kind, Metric)
}

WEIGHTS = "training."  # prefix of the weights of the training, while the model has others
SUMS = "metrics."  # prefix of what the metrics have accumulated
OLD_WEIGHTS = "weights of the training/"  # the same, after that of a callback, in files of earlier versions


def _encode(part: object) -> Any:
    if isinstance(part, Optimizer | Schedule | Loss | Metric):
        return {"part": type(part).__name__, "config": {key: _encode(value) for key, value in part.config().items()}}
    if isinstance(part, Mapping):  # the parameter groups of an optimizer
        return {"mapping": {key: _encode(value) for key, value in part.items()}}
    if callable(part):
        name = getattr(part, "__name__", "")
        if not name.isidentifier():
            raise TypeError(f"expected a function with a name of its own to save, got {part!r}; define it with def")
        return {"function": name}
    return list(map(_encode, part)) if isinstance(part, tuple | list) else part


def _decode(value: object, table: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_decode(item, table) for item in value]
    if not isinstance(value, dict):
        return value
    if "mapping" in value:
        return {key: _decode(item, table) for key, item in value["mapping"].items()}
    if "function" in value:
        return _look_up(value["function"], table, "function")
    kind = _look_up(value.get("part"), table, "class")
    return kind(**{key: _decode(item, table) for key, item in value["config"].items()})


def _look_up(name: object, table: Mapping[str, Any], kind: str) -> Any:
    found = table.get(name) if isinstance(name, str) else None
    if found is None or isinstance(found, type) != (kind == "class"):
        raise ValueError(f"unknown part {name!r}; pass a {kind} of your own as resume(..., parts=[{name}])")
    return found


def _decode_kind(value: object, table: Mapping[str, Any], kind: type[Part]) -> Part:
    part = _decode(value, table)
    if not isinstance(part, kind):
        raise ValueError(f"expected an instance of {kind.__name__}, got {type(part).__name__}")
    return part


def save_trainer(trainer: "Trainer", path: str | Path) -> None:
    """Write everything that `load_trainer` needs; see `Trainer.save`."""
    arrays = {f"model.{name}": array for name, array in trainer.model.state().items()}
    arrays |= {f"optimizer.{name}": array for name, array in trainer.optimizer.state().items()}
    arrays |= {WEIGHTS + name: array for name, array in trainer.weights.kept().items()}
    if trainer.progress.batch:  # an epoch begins with no sums
        arrays |= {SUMS + name: array for name, array in trainer.scores.state().items()}
    for i, callback in enumerate(trainer.callbacks):
        arrays |= {f"callback.{i}.{name}": array for name, array in callback.arrays().items()}
    metadata = {
        "model": describe(trainer.model, trainer.model.metadata),
        "optimizer": {
            "encoded": _encode(trainer.optimizer),
            "step_count": trainer.optimizer.step_count,
            "epoch_count": trainer.optimizer.epoch_count,
        },
        "loss": _encode(trainer.loss),
        "metrics": [[output, _encode(metric)] for output, metric in trainer.scores.parts],
        "random": {name: dict(rng.bit_generator.state) for name, rng in trainer.model.random_generators().items()},
        "progress": trainer.progress.to_json() | {"seed": trainer.seed},
        "history": trainer.history.records,
        "callbacks": [{"key": callback.key, "state": callback.state()} for callback in trainer.callbacks],
    }
    write_arrays(path, arrays, metadata)


def load_parts(
    path: str | Path, callbacks: Sequence[Callback], layers: Sequence[type[Layer]], parts: Sequence[Callable[..., Any]]
) -> dict[str, Any]:
    """Read a checkpoint: model, loss, optimizer, seed, progress, history and weights. Restore the callbacks."""
    table = PARTS | {part.__name__: part for part in parts}
    with open_arrays(path) as file:
        if "progress" not in file.metadata:
            raise DataFormatError(f"{file.path}: a model, not a training to resume; load_model reads it")
        model = restore_model(file, "model.", layers)
        try:
            optimizer = _restore_optimizer(file, model, table)
            loss = _decode_kind(file.get("loss", dict), table, Loss)
            generators = model.random_generators()
            states = file.get("random", dict)
            if generators.keys() != states.keys():
                raise ValueError(f"expected the random states of {sorted(generators)}, got {sorted(states)}")
            seed_generators(model, 0)  # gives them a state, which a trainer keeps
            for name, generator in generators.items():
                generator.bit_generator.state = states[name]
            _restore_callbacks(file, callbacks, model)
            progress = dict(file.get("progress", dict))
            seed = check_int(progress.pop("seed"), "seed", "Trainer", minimum=0)
            return {
                "model": model,
                "loss": loss,
                "optimizer": optimizer,
                "seed": seed,
                "progress": TrainingState.from_json(progress),
                "history": _checked_history(file.get("history", list)),
                "weights": _weights(file, model),
                "metrics": _metrics(file, model, METRICS | {part.__name__: part for part in parts}),
            }
        except DataFormatError:
            raise
        except KeyError as error:
            raise DataFormatError(f"{file.path}: no training can be resumed from it: {error} is missing") from None
        except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise DataFormatError(f"{file.path}: no training can be resumed from it: {error}") from None


def _restore_optimizer(file: ArrayFile, model: Layer, table: Mapping[str, Any]) -> Optimizer:
    description = file.get("optimizer", dict)
    optimizer = _decode_kind(description["encoded"], table, Optimizer)
    step_count = check_int(description["step_count"], "step_count", "Optimizer", minimum=0)
    parameters = model.parameters()
    expected = {}
    for key in file.names("optimizer."):
        _, _, name = key.partition(".")
        if name not in parameters:
            raise ValueError(f"the optimizer keeps {key} of a parameter that the model does not have")
        expected[key] = parameters[name].value
    optimizer.load_state(file.read("optimizer.", expected), step_count)
    optimizer.epoch_count = check_int(description.get("epoch_count", 0), "epoch_count", "Optimizer", minimum=0)
    return optimizer


def _restore_callbacks(file: ArrayFile, callbacks: Sequence[Callback], model: Layer) -> None:
    """Restore each callback from the first unused entry with its key."""
    weights = {name: (array.shape, array.dtype) for name, array in model.state().items()}
    saved = list(enumerate(file.get("callbacks", list)))
    for callback in callbacks:
        for position, (i, entry) in enumerate(saved):
            if entry["key"] == callback.key:
                prefix = f"callback.{i}."
                names = [name for name in file.names(prefix) if not name.startswith(OLD_WEIGHTS)]
                arrays = {name: file.tensor(prefix + name) for name in names}
                found = {name: (array.shape, array.dtype) for name, array in arrays.items()}
                if callback.keeps_weights and found and found != weights:
                    raise ValueError(f"the weights that {callback.key} keeps are not those of its model")
                callback.load_state(entry["state"], arrays)
                del saved[position]
                break


def _weights(file: ArrayFile, model: Layer) -> dict[str, np.ndarray]:
    """Return the weights of the training, if the model has others; in earlier versions, the first callback had them."""
    callbacks = range(len(file.get("callbacks", list)))
    for prefix in (WEIGHTS, *(f"callback.{i}.{OLD_WEIGHTS}" for i in callbacks)):
        if file.names(prefix):
            return file.read(prefix, model.state())
    return {}


def _metrics(file: ArrayFile, model: Network, table: Mapping[str, Any]) -> Any:
    """Return the metrics as a `Trainer` takes them, with their sums; files of earlier versions have none."""
    saved = file.get("metrics", list) if "metrics" in file.metadata else []
    found = [(output, _decode_kind(entry, table, Metric)) for output, entry in saved]
    metrics: Any = [metric for _, metric in found]
    if model.output_count > 1:
        metrics = [[metric for place, metric in found if place == output] for output in range(model.output_count)]
    sums = {name: file.tensor(SUMS + name) for name in file.names(SUMS)}
    Scores(metrics, model).load_state(sums)
    return metrics


def _checked_history(records: list[Any]) -> list[dict[str, float]]:
    for record in records:
        if not isinstance(record, dict) or not all(isinstance(value, int | float) for value in record.values()):
            raise ValueError(f"expected a history of numbers, got {record!r}")
    return records
