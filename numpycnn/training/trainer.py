"""The training loop: batch after batch through the model, the loss back, a step of the optimizer."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

import numpy as np

from numpycnn.functional.checks import whole_number
from numpycnn.layers.base import Layer
from numpycnn.losses import Loss
from numpycnn.optim import Optimizer
from numpycnn.sequential import Sequential
from numpycnn.training.callbacks import Callback
from numpycnn.training.checkpoint import load_parts, save_trainer
from numpycnn.training.diagnosis import all_finite, first_non_finite
from numpycnn.training.history import History
from numpycnn.training.interrupt import deferred_interrupt
from numpycnn.training.progress import Display, stream_for


class Data(Protocol):
    """What a trainer asks of a dataset."""

    def __len__(self) -> int:
        """Return the number of examples."""

    def batch(self, indices: np.ndarray, dtype: Any) -> tuple[np.ndarray, Any]:
        """Return the inputs at some positions in a float type, and their targets."""


class _Arrays:
    """A pair of arrays as a dataset."""

    def __init__(self, pair: tuple[Any, Any]) -> None:
        self.x, self.target = np.asarray(pair[0]), np.asarray(pair[1])
        if self.x.ndim == 0 or self.target.ndim == 0 or len(self.x) != len(self.target):
            raise ValueError(f"expected as many targets as inputs, got {self.x.shape} and {self.target.shape}")

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, indices: np.ndarray, dtype: Any) -> tuple[np.ndarray, Any]:
        return self.x[indices], self.target[indices]


def _as_data(source: Any, name: str) -> Data:
    data = _Arrays(source) if isinstance(source, tuple) and len(source) == 2 else source
    if not hasattr(data, "batch") or not hasattr(data, "__len__"):
        raise TypeError(f"{name}: expected a dataset or a pair of arrays (x, target), got {type(source).__name__}")
    if not len(data):
        raise ValueError(f"{name}: expected at least one example, got none")
    return data


@dataclass
class Progress:
    """The place in a training, and the running sums of the epoch.

    Attributes
    ----------
    epoch : int
        Epochs completed.
    batch : int
        Batches completed in the epoch after them.
    batch_size, examples : int
        Of the data that this epoch goes through.
    loss_sum : float
        Of all examples of the epoch so far.
    correct, seen : int
        Examples of the epoch so far.
    labelled : bool
        Whether the targets are labels, so that outputs can be correct.
    seconds : float
        Spent on the epoch so far.
    stop_reason : str
        Empty unless the training was stopped early.
    """

    epoch: int = 0
    batch: int = 0
    batch_size: int = 0
    examples: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    seen: int = 0
    labelled: bool = False
    seconds: float = 0.0
    stop_reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def _hits(y: np.ndarray, target: Any) -> int | None:
    """Return how many rows have their largest output at the label, or None where the targets are no labels."""
    target = np.asarray(target)
    if y.ndim != 2 or target.ndim != 1 or target.dtype.kind not in "iu":
        return None
    return int((y.argmax(axis=1) == target).sum())


class Trainer:
    """Trains a model on a dataset.

    Parameters
    ----------
    model : Sequential
        Built.
    loss : Loss
    optimizer : Optimizer
    callbacks : sequence of Callback
    seed : int
        Determines the order of the examples in each epoch.

    Attributes
    ----------
    history : History
        One record for each epoch completed.
    progress : Progress
        The place in the training.

    Examples
    --------
    >>> import numpy as np
    >>> from numpycnn import Adam, CrossEntropy, Dense, Sequential
    >>> x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    >>> labels = (x[:, 0] > x[:, 1]).astype(np.int64)
    >>> model = Sequential([Dense(2)], input_shape=(2,), seed=0)
    >>> trainer = Trainer(model, loss=CrossEntropy(), optimizer=Adam(lr=0.1))
    >>> history = trainer.fit((x, labels), epochs=5, progress=False)
    >>> bool(trainer.evaluate((x, labels))["accuracy"] > 0.9)
    True
    """

    def __init__(
        self, model: Sequential, *, loss: Loss, optimizer: Optimizer, callbacks: Sequence[Callback] = (), seed: int = 0
    ) -> None:
        for value, kind, name in (
            (model, Sequential, "model"),
            (loss, Loss, "loss"),
            (optimizer, Optimizer, "optimizer"),
        ):
            if not isinstance(value, kind):
                hint = f"; write {value.__name__}(...)" if isinstance(value, type) else ""
                raise TypeError(f"Trainer: expected {name} to be a {kind.__name__}, got {value!r}{hint}")
        if model.output_shape is None:
            raise RuntimeError("Trainer: the model is not built yet; give it an input_shape")
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.callbacks = sorted(callbacks, key=lambda callback: callback.order)
        self.seed = whole_number(seed, "seed", "Trainer", minimum=0)
        self.history = History()
        self.progress = Progress()
        self.last_lr = optimizer.learning_rate

    # ------------------------------------------------------------------------------------------------------- training

    def fit(
        self,
        train: Any,
        *,
        epochs: int,
        batch_size: int = 32,
        validation: Any = None,
        shuffle: bool = True,
        progress: bool | TextIO = True,
    ) -> History:
        """Train until so many epochs are completed, those before an interruption included.

        Parameters
        ----------
        train : dataset or (x, target)
        epochs : int
            Times through the data, in total.
        batch_size : int
            Examples for each step of the optimizer.
        validation : dataset or (x, target), optional
            Evaluated after each epoch.
        shuffle : bool
            Whether each epoch has its own order.
        progress : bool or file
            Whether, or where, to show the progress: a bar in a terminal, a line for each epoch elsewhere. True is the
            standard error stream.

        Returns
        -------
        History

        Raises
        ------
        FloatingPointError
            If the loss or a gradient is not finite any more; the message names the first layer that produced it.
        KeyboardInterrupt
            If the user pressed Ctrl-C: after the step under way, and after callbacks have saved.
        ValueError
            If the data does not fit the model, or is not what a resumed training had begun with.
        """
        data = _as_data(train, "train")
        held_out = None if validation is None else _as_data(validation, "validation")
        epochs = whole_number(epochs, "epochs", "fit")
        batch_size = whole_number(batch_size, "batch_size", "fit")
        self._begin(len(data), batch_size)
        display = Display(stream_for(progress))
        for callback in self.callbacks:
            callback.on_train_begin(self)
        with deferred_interrupt() as interrupt:
            while self.progress.epoch < epochs and not self.progress.stop_reason:
                display.begin_epoch(self.progress.epoch + 1, epochs, self.progress.seen, len(data))
                record = None
                try:
                    for indices in self._batches(len(data), batch_size, shuffle):
                        self._step(data, indices)
                        display.advance(len(indices), *self._running())
                        for callback in self.callbacks:
                            callback.on_batch_end(self)
                        if interrupt.requested:
                            for callback in self.callbacks:
                                callback.on_interrupt(self)
                            raise KeyboardInterrupt
                    record = self._close_epoch(held_out)
                finally:
                    display.end_epoch(record, epochs)
        if self.progress.stop_reason:
            display.say(f"stopped after epoch {self.progress.epoch}: {self.progress.stop_reason}")
        for callback in self.callbacks:
            callback.on_train_end(self)
        return self.history

    def _begin(self, examples: int, batch_size: int) -> None:
        """Check that an epoch begun before an interruption goes on over the same batches."""
        place = self.progress
        if place.batch and (place.examples, place.batch_size) != (examples, batch_size):
            raise ValueError(
                f"fit: this training stopped within an epoch of {place.examples} examples in batches of "
                f"{place.batch_size}; expected the same to go on, got {examples} in batches of {batch_size}"
            )
        place.examples, place.batch_size = examples, batch_size

    def _batches(self, examples: int, batch_size: int, shuffle: bool) -> Iterator[np.ndarray]:
        """Go through the rest of the epoch; its order follows from the seed and its number alone."""
        order = np.arange(examples)
        if shuffle:
            order = np.random.default_rng((self.seed, self.progress.epoch)).permutation(examples)
        for start in range(self.progress.batch * batch_size, examples, batch_size):
            yield order[start : start + batch_size]

    def _step(self, data: Data, indices: np.ndarray) -> None:
        begin = time.perf_counter()
        x, target = data.batch(indices, self.model.dtype)
        parameters = self.model.parameters()
        y = self.model.forward(x, training=True)
        value = self.loss.forward(y, target) + self.loss.penalty(parameters)
        finite = bool(np.isfinite(value))
        if finite:
            self.model.backward_parameters(self.loss.backward())
            self.loss.add_penalty_gradient(parameters)
            finite = all(all_finite(parameter.grad) for parameter in parameters.values())
        if not finite:
            where = f"epoch {self.progress.epoch + 1}, batch {self.progress.batch + 1}"
            what = "a gradient is not finite" if np.isfinite(value) else f"the loss is {value}"
            raise FloatingPointError(f"{what} in {where}: {first_non_finite(self.model, self.loss, x, target)}")
        self.last_lr = self.optimizer.learning_rate
        self.optimizer.step(parameters)
        place = self.progress
        place.batch += 1
        place.seen += len(indices)
        place.loss_sum += value * len(indices)
        hits = _hits(y, target)
        place.labelled = hits is not None
        place.correct += hits or 0
        place.seconds += time.perf_counter() - begin

    def _running(self) -> tuple[float, float | None]:
        """Return loss and accuracy of the epoch so far."""
        place = self.progress
        return place.loss_sum / place.seen, place.correct / place.seen if place.labelled else None

    def _close_epoch(self, validation: Data | None) -> dict[str, float]:
        place = self.progress
        loss, accuracy = self._running()
        record: dict[str, float] = {"epoch": place.epoch + 1, "loss": loss}
        if accuracy is not None:
            record["accuracy"] = accuracy
        if validation is not None:
            record |= {f"val_{name}": value for name, value in self.evaluate(validation).items()}
        record |= {
            "lr": self.last_lr,
            "seconds": round(place.seconds, 3),
            "images_per_second": round(place.seen / max(place.seconds, 1e-9), 1),
        }
        for callback in self.callbacks:
            callback.on_epoch_end(self, record)
        self.history.records.append(record)
        self.progress = Progress(epoch=place.epoch + 1, stop_reason=self.progress.stop_reason)
        self.progress.examples, self.progress.batch_size = place.examples, place.batch_size
        for callback in self.callbacks:
            callback.on_epoch_closed(self)
        return record

    def stop(self, reason: str) -> None:
        """Ask for the training to end after this epoch; for callbacks."""
        self.progress.stop_reason = reason

    # ----------------------------------------------------------------------------------------------------- afterwards

    def evaluate(self, dataset: Any, *, batch_size: int = 256) -> dict[str, float]:
        """Return the mean loss without penalties, and the accuracy where the targets are labels.

        Parameters
        ----------
        dataset : dataset or (x, target)
        batch_size : int
            How many at a time.

        Returns
        -------
        dict
            ``{"loss": ..., "accuracy": ...}``, the accuracy from 0 to 1.
        """
        data = _as_data(dataset, "evaluate")
        batch_size = whole_number(batch_size, "batch_size", "evaluate")
        loss, correct, labelled = 0.0, 0, True
        for start in range(0, len(data), batch_size):
            indices = np.arange(start, min(start + batch_size, len(data)))
            x, target = data.batch(indices, self.model.dtype)
            y = self.model.forward(x)
            loss += self.loss.value(y, target) * len(indices)
            hits = _hits(y, target)
            labelled = hits is not None
            correct += hits or 0
        result = {"loss": loss / len(data)}
        return result | {"accuracy": correct / len(data)} if labelled else result

    def save(self, path: str | Path) -> None:
        """Write everything that is needed to go on to one safetensors file, all or nothing."""
        save_trainer(self, path)

    @classmethod
    def resume(
        cls,
        path: str | Path,
        *,
        callbacks: Sequence[Callback] = (),
        layers: Sequence[type[Layer]] = (),
        parts: Sequence[type] = (),
    ) -> "Trainer":
        """Return a trainer that goes on where the one that wrote the file was.

        Then call `fit` with the same data, batch size and number of epochs: the result has the same bits as if the
        training had not been interrupted.

        Parameters
        ----------
        path : str or Path
            Written by `save` or by a `ModelCheckpoint`.
        callbacks : sequence of Callback
            Those of the first training, made anew; what they have to remember is given back to them.
        layers, parts : sequence of type
            Your own kinds of layers, optimizers, schedules and losses that the file may name.

        Raises
        ------
        DataFormatError
            If the file is no checkpoint, or a damaged one.
        FileNotFoundError
            If there is no such file.
        """
        ordered = sorted(callbacks, key=lambda callback: callback.order)
        found = load_parts(path, ordered, layers, parts)
        trainer = cls(
            found["model"], loss=found["loss"], optimizer=found["optimizer"], callbacks=ordered, seed=found["seed"]
        )
        trainer.history = History(found["history"])
        trainer.progress = Progress(**found["progress"])
        return trainer
