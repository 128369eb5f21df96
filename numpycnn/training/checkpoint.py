"""Checkpoints: a resumed training ends with the same bits as one that was never interrupted.

A checkpoint holds the model (weights, running means), the optimizer (its arrays and step count, which determines the
schedule), the state of every random generator, and the position in the data: the order of an epoch depends on the seed
and the epoch alone, so the number of completed batches is enough.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn._checks import check_int
from numpycnn.errors import DataFormatError
from numpycnn.io.loading import restore_model
from numpycnn.io.serialization import ArrayFile, describe, open_arrays, write_arrays
from numpycnn.layers.base import Layer
from numpycnn.layers.network import Network
from numpycnn.losses import Loss
from numpycnn.metrics import Metric
from numpycnn.optim import Optimizer
from numpycnn.training.attributes import (
    load_attributes,
    metric_name,
    optimizer_entry,
    random_states,
    restore_optimizer,
    restore_random,
    save_attributes,
)
from numpycnn.training.callbacks import Callback
from numpycnn.training.parts import METRICS, PARTS, decode_kind, encode
from numpycnn.training.scores import Scores
from numpycnn.training.state import TrainingState

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer

WEIGHTS = "training."  # prefix of the weights of the training, while the model has others
SUMS = "metrics."  # prefix of what the metrics have accumulated
OLD_WEIGHTS = "weights of the training/"  # the same, after that of a callback, in files of earlier versions


def save_trainer(trainer: "Trainer", path: str | Path) -> None:
    """Write everything that `load_trainer` needs; see `Trainer.save`."""
    arrays = {f"model.{name}": array for name, array in trainer.model.state().items()}
    arrays |= {f"optimizer.{name}": array for name, array in trainer.optimizer.state().items()}
    arrays |= {WEIGHTS + name: array for name, array in trainer.weights.kept().items()}
    if trainer.progress.batch:  # an epoch begins with no sums
        arrays |= {SUMS + name: array for name, array in trainer.scores.state().items()}
    for i, callback in enumerate(trainer.callbacks):
        arrays |= {f"callback.{i}.{name}": array for name, array in callback.arrays().items()}
    attributes, more = save_attributes(trainer)
    arrays |= more
    metadata = {
        "model": describe(trainer.model, trainer.model.metadata),
        "optimizer": optimizer_entry(trainer.optimizer),
        "loss": encode(trainer.loss),
        "metrics": [[output, encode(metric)] for output, metric in trainer.scores.parts],
        "random": random_states(trainer.model),
        "progress": trainer.progress.to_json() | {"seed": trainer.seed},
        "history": trainer.history.records,
        "callbacks": [{"key": callback.key, "state": callback.state()} for callback in trainer.callbacks],
        "trainer": type(trainer).__name__,
        "attributes": attributes,
    }
    write_arrays(path, arrays, metadata)


def load_parts(
    path: str | Path,
    trainer: str,
    callbacks: Sequence[Callback],
    layers: Sequence[type[Layer]],
    parts: Sequence[Callable[..., Any]],
) -> dict[str, Any]:
    """Read a checkpoint of a kind of trainer: all that its constructor takes, and its state. Restore the callbacks."""
    own = {part.__name__: part for part in parts}
    table = PARTS | own
    with open_arrays(path) as file:
        if "progress" not in file.metadata:
            raise DataFormatError(f"{file.path}: a model, not a training to resume; load_model reads it")
        if (kind := file.metadata.get("trainer", trainer)) != trainer:
            raise DataFormatError(
                f"{file.path}: expected the training of a {trainer}, got that of a {kind}; write {kind}.resume(...)"
            )
        model = restore_model(file, "model.", layers)
        try:
            optimizer = _restore_optimizer(file, model, table)
            loss = decode_kind(file.get("loss", dict), table, Loss)
            restore_random(model, file.get("random", dict))
            _restore_callbacks(file, callbacks, model)
            progress = dict(file.get("progress", dict))
            metrics = _metrics(file, model, METRICS | own)
            held: dict[str, Any] = {"model": model, "loss": loss, "optimizer": optimizer}
            held |= {metric_name(i): metric for i, (_, metric) in enumerate(Scores(metrics, model).parts)}
            seed = check_int(progress.pop("seed"), "seed", "Trainer", minimum=0)
            return {
                "model": model,
                "loss": loss,
                "optimizer": optimizer,
                "seed": seed,
                "progress": TrainingState.from_json(progress),
                "history": _checked_history(file.get("history", list)),
                "weights": _weights(file, model),
                "attributes": load_attributes(file, held, layers, own),
                "metrics": metrics,
            }
        except DataFormatError:
            raise
        except KeyError as error:
            raise DataFormatError(f"{file.path}: no training can be resumed from it: {error} is missing") from None
        except (ValueError, TypeError, AttributeError, IndexError, ArithmeticError, RuntimeError) as error:
            raise DataFormatError(f"{file.path}: no training can be resumed from it: {error}") from None


def _restore_optimizer(file: ArrayFile, model: Layer, table: Mapping[str, Any]) -> Optimizer:
    """Return the optimizer; that of a trainer with further models may keep arrays of their parameters as well."""
    parameters, names = model.parameters(), file.names("optimizer.")
    if not file.metadata.get("attributes"):
        expected = {}
        for key in names:
            _, _, name = key.partition(".")
            if name not in parameters:
                raise ValueError(f"the optimizer keeps {key} of a parameter that the model does not have")
            expected[key] = parameters[name].value
        state = file.read("optimizer.", expected)
    else:
        state = {key: file.tensor(f"optimizer.{key}") for key in names}
    return restore_optimizer(file.get("optimizer", dict), state, table)


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
    found = [(output, decode_kind(entry, table, Metric)) for output, entry in saved]
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
