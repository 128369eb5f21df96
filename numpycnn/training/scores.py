"""The metrics of a training: for each output of the model, over the batches of an epoch or of an evaluation."""

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from numpycnn.inspection.outputs import final_activation
from numpycnn.layers.activations import Sigmoid
from numpycnn.layers.network import Network
from numpycnn.metrics import Metric
from numpycnn.training.batches import Data, count_examples
from numpycnn.training.state import Mean, TrainingState
from numpycnn.training.step import accuracy, check_numbers
from numpycnn.training.streams import Stream, whole_batches
from numpycnn.training.test_time import TestTimeAugmentation

if TYPE_CHECKING:
    from numpycnn.training.trainer import Trainer

Metrics = Sequence[Metric] | Sequence[Sequence[Metric]]


class Scores:
    """The metrics of a trainer, as given: a list, or one list for each output of the model."""

    def __init__(self, metrics: Metrics, model: Network) -> None:
        self.parts = [(output, metric) for output, part in _by_output(metrics, model) for metric in part]
        names = [metric.name for _, metric in self.parts]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"Trainer: expected metrics with different names, got {twice} twice; give one a name=")
        for output, metric in self.parts:
            if metric.config().get("threshold") == 0 and isinstance(final_activation(model, output=output), Sigmoid):
                raise ValueError(
                    f"Trainer: the outputs of Sigmoid are above the threshold 0 of {metric!r}; set threshold=0.5"
                )

    def update(self, y: Any, target: Any) -> None:
        """Accumulate a batch."""
        for output, metric in self.parts:
            metric.update(*((y, target) if output is None else (y[output], target[output])))

    def reset(self) -> None:
        """Forget all batches."""
        for _, metric in self.parts:
            metric.reset()

    def results(self, *, cheap: bool = False) -> dict[str, float]:
        """Return the entries of a record, or those that a progress bar shows after each batch."""
        found: dict[str, float] = {}
        for _, metric in self.parts:
            if metric.cheap or not cheap:
                found |= metric.results()
        return found

    def fresh(self) -> "Scores":
        """Return copies without batches."""
        twin = copy.copy(self)
        twin.parts = copy.deepcopy(self.parts)
        twin.reset()
        return twin

    def names(self) -> list[str]:
        """Return the entries of the record with a direction that is known, without those of a single class."""
        return ["loss", "accuracy", *(metric.name for _, metric in self.parts if metric.name != "accuracy")]

    def direction(self, name: str) -> str:
        """Return whether "min" or "max" of an entry of the record is better; empty if it is not of a metric."""
        name = name.removeprefix("val_")
        for _, metric in self.parts:
            numbered = name.startswith(f"{metric.name}_") and name.removeprefix(f"{metric.name}_").isdigit()
            if name == metric.name or numbered:
                return "max" if metric.larger_is_better else "min"
        return ""

    def state(self) -> dict[str, np.ndarray]:
        """Return the sums of all metrics, for a checkpoint."""
        arrays: dict[str, np.ndarray] = {}
        for i, (_, metric) in enumerate(self.parts):
            arrays |= {f"{i}.{name}": array for name, array in metric.state().items()}
        return arrays

    def load_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from a `state`; a ValueError if it is not one of numbers."""
        if wrong := next((name for name, array in arrays.items() if array.dtype.kind not in "biuf"), ""):
            raise ValueError(f"expected numbers as the sums of metrics, got {arrays[wrong].dtype} for {wrong}")
        for i, (_, metric) in enumerate(self.parts):
            own = {name: array for name, array in arrays.items() if name.startswith(f"{i}.")}
            metric.load_state({name.removeprefix(f"{i}."): array for name, array in own.items()})


def _by_output(metrics: Any, model: Network) -> list[tuple[int | None, Sequence[Metric]]]:
    """Return the number of each output, or None where there is one output, with its metrics."""
    if isinstance(metrics, str) or not isinstance(metrics, Sequence):
        raise TypeError(f"Trainer: expected metrics to be a list of metrics, got {metrics!r}")
    count = model.output_count
    nested = bool(metrics) and all(isinstance(part, Sequence) and not isinstance(part, str) for part in metrics)
    if nested and len(metrics) != count:
        raise ValueError(f"Trainer: expected one list of metrics for each of the {count} outputs, got {len(metrics)}")
    if metrics and not nested and count > 1:
        raise TypeError(f"Trainer: expected one list of metrics for each of the {count} outputs, as in [[...], [...]]")
    parts = list(enumerate(metrics)) if nested else [(None, metrics)]
    for _, part in parts:
        for metric in part:
            if not isinstance(metric, Metric):
                name = f"{metric.__name__}(...)" if isinstance(metric, type) else ""
                hint = name or "Accuracy(), or another of numpycnn.metrics"
                raise TypeError(f"Trainer: expected each of the metrics to be a Metric, got {metric!r}; write {hint}")
    return [(output if count > 1 else None, part) for output, part in parts]


def measure(trainer: "Trainer", y: Any, target: Any) -> dict[str, float]:
    """Update the metrics; return the loss without penalties, and the accuracy where the targets are labels."""
    loss, weight = trainer.loss, trainer.sample_weight
    value = loss.value(y, target) if weight is None else loss.forward(y, target, weight)
    trainer.scores.update(y, target)
    return {"loss": Mean(value, loss._sums(float(value), y, target, weight))} | accuracy(y, target, loss)


def evaluate(
    trainer: "Trainer", data: Data | Stream, batch_size: int, views: TestTimeAugmentation | None, *, own_step: bool
) -> dict[str, float]:
    """Return the means of what `test_step` returns for each batch, and the metrics; see `Trainer.evaluate`."""
    if own_step and views is not None:
        raise ValueError("evaluate: expected views=None with a test_step of your own, which calls the model itself")
    kept, sums = (trainer.scores, trainer.sample_weight), TrainingState()
    trainer.scores = trainer.scores.fresh()
    try:
        for x, target, weight in whole_batches(data, batch_size, trainer.model.dtype):
            trainer.sample_weight = weight
            with np.errstate(all="ignore"):  # visible in the result
                found = (
                    trainer.test_step(x, target) if views is None else measure(trainer, views(trainer.model, x), target)
                )
            check_numbers(found, "test_step")
            sums.add(found, count_examples(x), "test_step")
        return sums.averages() | trainer.scores.results()
    finally:
        trainer.scores, trainer.sample_weight = kept
