"""The training loop: for each batch a forward pass, a backward pass and a step of the optimizer."""

import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, Self, TextIO

import numpy as np

from numpycnn._checks import check_flag, check_int
from numpycnn.layers.base import Layer
from numpycnn.layers.building import seed_generators
from numpycnn.layers.network import Network
from numpycnn.losses import Loss
from numpycnn.losses.sums import as_loss
from numpycnn.optim import Optimizer
from numpycnn.optim.accumulation import begin_part
from numpycnn.training import step
from numpycnn.training.attributes import begin_parts, held
from numpycnn.training.batches import Augmentation, Batch, Data, Source, count_examples, record_inputs
from numpycnn.training.callbacks import Callback, in_order
from numpycnn.training.checkpoint import load_parts, save_trainer
from numpycnn.training.diagnosis import first_non_finite
from numpycnn.training.exchange import WeightExchange
from numpycnn.training.history import History, as_number
from numpycnn.training.interrupt import deferred_interrupt
from numpycnn.training.progress import Display, stream_for
from numpycnn.training.scores import Metrics, Scores, evaluate, measure
from numpycnn.training.state import TrainingState
from numpycnn.training.streams import Stream, as_source, epoch_batches, epoch_settings, training_data
from numpycnn.training.test_time import TestTimeAugmentation


class Trainer:
    """Trains a model on a dataset.

    Parameters
    ----------
    model : Sequential or Model
    loss : Loss or sequence of Loss
        Several losses, one for each output of the model, are added up.
    optimizer : Optimizer
    metrics : sequence of Metric, or one sequence for each output of the model
        Measured in training and validation, beside the accuracy of targets that are labels; see `numpycnn.metrics`.
    callbacks : sequence of Callback
    seed : int
        Determines the order of the examples in each epoch, their augmentation, and the dropout masks of a loaded model.
        In a model built from a seed, that seed determines the masks.

    Attributes
    ----------
    history : History
        One record for each epoch completed.
    progress : TrainingState
        The position in the training.
    scores : Scores
        The metrics, with what they have accumulated in this epoch.
    weights : WeightExchange
        Keeps the weights of the training while a callback has put others into the model.
    sample_weight : ndarray of shape (N,) or None
        The weights of the examples of the current batch, where the data has them.

    Raises
    ------
    TypeError, RuntimeError
        If an argument has the wrong type, or the model has not been built.
    ValueError
        If `seed` is negative, the model ends with a softmax or sigmoid that the loss contains as well, or
        has one output for `CrossEntropy`.

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
        self,
        model: Network,
        *,
        loss: Loss | Sequence[Loss],
        optimizer: Optimizer,
        metrics: Metrics = (),
        callbacks: Sequence[Callback] = (),
        seed: int = 0,
    ) -> None:
        self.loss = as_loss(loss)
        step.check_parts(model, self.loss, optimizer, "Trainer")
        self.model = model
        self.optimizer = optimizer
        self.scores = Scores(metrics, model)
        self.callbacks = in_order(callbacks)
        self.seed = check_int(seed, "seed", "Trainer", minimum=0)
        seed_generators(model, self.seed)
        self.history = History()
        self.progress = TrainingState()
        self.weights = WeightExchange(model)
        self.sample_weight: np.ndarray | None = None
        self._resumed = False

    def fit(
        self,
        train: Source,
        *,
        epochs: int,
        batch_size: int = 32,
        validation: Source | float | None = None,
        drop_last: bool = False,
        accumulate: int = 1,
        shuffle: bool | None = None,
        augment: Augmentation | None = None,
        prefetch: int = 2,
        progress: bool | TextIO = True,
    ) -> History:
        """Train until `epochs` epochs are completed, including those before an interruption.

        Parameters
        ----------
        train : dataset, (x, target) or (x, target, weight); or iterable of batches
            With weights of the examples, the loss of a batch is the weighted mean. Class names, normalization and
            reader of a dataset are recorded in ``model.metadata``, so that ``numpycnn predict`` reads pictures for a
            saved model in the same way. Batches are tuples of this form; the iterable is a PyTorch DataLoader, a
            generator for one epoch, or a function that returns an iterable for each epoch. Its order and batches are
            its own: `batch_size` is not used, and it cannot be shuffled or resumed exactly.
        epochs : int
            Passes over the data, in total.
        batch_size : int
            Examples for each pass, and for each step of the optimizer unless batches accumulate.
        validation : as `train`, or float, optional
            Evaluated after each epoch. A float such as 0.1 holds out this share of `train`, chosen by the seed, and of
            each class alike if the targets are labels.
        drop_last : bool
            Whether to leave out the last batch of an epoch if it has less than `batch_size` examples.
        accumulate : int
            Batches for each step of the optimizer, in memory together. Their gradients are averaged as in one batch of
            all of them, weights included; batch normalization uses the statistics of each batch.
        shuffle : bool, optional
            Whether to shuffle the examples in each epoch; by default, those of anything but an iterable of batches.
        augment : Augment, optional
            Augments each batch of `train`, see `numpycnn.data.augment`. Its randomness depends on the seed, the epoch
            and the batch alone.
        prefetch : int
            Batches that a second thread prepares in advance; with 0, there is no second thread. The result is the same.
        progress : bool or file
            Whether, or where, to show the progress: a bar in a terminal, a line for each epoch elsewhere. True is the
            standard error stream.

        Returns
        -------
        History

        Raises
        ------
        FloatingPointError
            If the loss or a gradient becomes infinite or NaN; the message names the first layer that produced it.
        KeyboardInterrupt
            If the user pressed Ctrl-C: after the current step, and after callbacks have saved.
        ValueError
            If the data does not fit the model or differs from that of a resumed training, a number is out of range, or
            the optimizer has taken steps of another training.
        TypeError, RuntimeError
            If an argument has the wrong type, or the model has not been built.

        Warns
        -----
        UserWarning
            If nothing is left to train, all parameters are frozen, or a training on an iterable of batches is resumed.
        """
        epochs = check_int(epochs, "epochs", "fit")
        data, held_out, share = training_data(train, validation, self.seed, epochs - self.progress.epoch)
        batch_size = check_int(batch_size, "batch_size", "fit")
        prefetch = check_int(prefetch, "prefetch", "fit", minimum=0)
        display = Display(stream_for(progress), getattr(data, "noun", "example"))
        self._begin(
            data,
            batch_size=batch_size,
            accumulate=check_int(accumulate, "accumulate", "fit"),
            validation=share,
            shuffle=None if shuffle is None else check_flag(shuffle, "shuffle", "fit"),
            drop_last=check_flag(drop_last, "drop_last", "fit"),
            augment=augment,
        )
        record_inputs(data, self.model.metadata)
        left = self.progress.nothing_left(epochs)
        if not left:
            self.weights.restore()
        for callback in reversed(self.callbacks):  # the reverse of on_train_end
            callback.on_train_begin(self)
        if left:
            warnings.warn(f"fit: {left}", stacklevel=2)
        elif type(self).train_step is Trainer.train_step and (reason := step.nothing_to_train(self.model)):
            warnings.warn(f"fit: {reason}", stacklevel=2)
        models = held(self, Network)
        settings: dict[str, Any] = {"seed": self.seed, "dtype": self.model.dtype, "augment": augment, "ahead": prefetch}
        with deferred_interrupt() as interrupt:
            while not self.progress.nothing_left(epochs):
                if not self.progress.batch:
                    self.scores.reset()
                display.begin_epoch(self.progress.epoch + 1, epochs, self.progress.seen, self.progress.trained)
                record = None
                try:
                    with closing(epoch_batches(data, self.progress, **settings)) as batches:
                        while parts := list(islice(batches, self.progress.accumulate)):
                            display.advance(self._step(parts, models), self._running)
                            for callback in self.callbacks:
                                callback.on_batch_end(self)
                            if interrupt.requested:
                                self._interrupt()
                    record = self._close_epoch(held_out)
                finally:
                    display.end_epoch(record, epochs)
                if interrupt.requested:  # during validation
                    self._interrupt()
        if self.progress.stop_reason and not left:
            display.say(f"stopped after epoch {self.progress.epoch}: {self.progress.stop_reason}")
        for callback in self.callbacks:
            callback.on_train_end(self)
        return self.history

    def _begin(self, data: Data | Stream, **settings: Any) -> None:
        """Check the last batch and the optimizer, and that an interrupted epoch continues with the same batches."""
        step.check_parts(self.model, self.loss, self.optimizer, "fit")
        place = self.progress
        now = replace(place, **epoch_settings(data, resumed=self._resumed or place.batch > 0, **settings))
        place.check_next(now)
        if not isinstance(data, Stream):
            step.check_batches(self.model, now.trained, now.batch_size, "fit", remedy=" or drop_last=True")
        if place.at_start:
            step.check_new(self.model, self.optimizer)
        self.progress = now
        begin_parts(self)

    def train_step(self, x: Any, target: Any) -> dict[str, float]:
        """Learn from a batch: forward, backward, and a step of the optimizer. A subclass may do something else.

        Parameters
        ----------
        x, target : ndarray of shape (N, ...), or tuple of ndarray
            A batch of the data; ``self.sample_weight`` has its weights.

        Returns
        -------
        dict
            Losses and others, such as ``{"loss": ..., "accuracy": ...}``. Their means over the examples of an epoch go
            into its record; they have to be finite.
        """
        weight = self.sample_weight
        try:
            y, value = step.take_step(self.model, self.loss, self.optimizer, x, target, weight)
        except step.NonFiniteError as error:
            error.reason = first_non_finite(self.model, self.loss, x, target, weight)
            raise
        self.scores.update(y, target)
        return {"loss": value} | step.accuracy(y, target, self.loss)

    def _step(self, parts: Sequence[Batch], models: Sequence[Network]) -> int:
        """Take a training step over the batches of a step of the optimizer; return the number of examples."""
        begin, place = time.perf_counter(), self.progress
        where = f"epoch {place.epoch + 1}, batch {place.batch + 1}"
        place.lr = float(self.optimizer.learning_rate)
        sizes = [count_examples(x) for x, _, _ in parts]
        factors = step.part_factors(self.model, self.loss, parts) if place.accumulate > 1 else []
        results = []
        for i, (x, target, self.sample_weight) in enumerate(parts):
            last = i == len(parts) - 1
            if factors:
                begin_part(held(self, Optimizer), sizes[i] / sum(sizes), factors[i], first=i == 0, last=last)
            with np.errstate(all="ignore"):  # non-finite values are reported below
                try:
                    results.append(self.train_step(x, target))
                except step.NonFiniteError as error:
                    raise FloatingPointError(f"{error} in {where}{error.reason and f': {error.reason}'}") from None
                step.check_results(results[-1], models if last else [], place.lr, where)
        for found, examples in zip(results, sizes, strict=True):
            place.add(found, examples)
        place.batch += 1
        place.seconds += time.perf_counter() - begin
        return sum(sizes)

    def _running(self) -> dict[str, float]:
        """Return losses and metrics of the epoch so far."""
        return self.progress.averages() | self.scores.results(cheap=True)

    def _close_epoch(self, validation: Data | Stream | None) -> dict[str, float]:
        place = self.progress
        record: dict[str, float] = {"epoch": place.epoch + 1} | place.averages() | self.scores.results()
        for callback in self.callbacks:
            callback.on_validation_begin(self)
        if validation is not None:
            record |= {f"val_{name}": value for name, value in self.evaluate(validation).items()}
        record |= {
            "lr": place.lr,
            "seconds": round(place.seconds, 3),
            "images_per_second": round(place.seen / max(place.seconds, 1e-9), 1),
        }
        for callback in self.callbacks:
            callback.on_epoch_end(self, record)
        record = {name: as_number(value, name) for name, value in record.items()}
        self.history.records.append(record)
        self.progress = place.next_epoch()
        begin_parts(self)
        for callback in self.callbacks:
            callback.on_epoch_closed(self)
        return record

    def _interrupt(self) -> NoReturn:
        for callback in self.callbacks:
            callback.on_interrupt(self)
        raise KeyboardInterrupt

    def stop(self, reason: str) -> None:
        """Ask for the training to end after this epoch; for callbacks.

        It stays stopped, also when resumed, until ``trainer.progress.stop_reason`` is set to an empty string.

        Parameters
        ----------
        reason : str
            Shown when the training ends.
        """
        self.progress.stop_reason = reason or "asked to stop"

    def evaluate(
        self, dataset: Source, *, batch_size: int = 256, views: TestTimeAugmentation | None = None
    ) -> dict[str, float]:
        """Return the means of what `test_step` returns over all examples, and the metrics.

        Parameters
        ----------
        dataset : dataset, (x, target) or (x, target, weight); or iterable of batches
        batch_size : int
            Examples per forward pass; an iterable has its own batches.
        views : TestTimeAugmentation, optional
            Average the predictions for several views of each image.

        Returns
        -------
        dict
            ``{"loss": ..., "accuracy": ...}`` and the metrics; the accuracy is from 0 to 1.

        Raises
        ------
        TypeError, ValueError
            If the data does not fit the model or is empty, `batch_size` is not a positive int, or there are views for a
            `test_step` of one's own.
        """
        data = as_source(dataset, "evaluate")
        batch_size = check_int(batch_size, "batch_size", "evaluate")
        return evaluate(self, data, batch_size, views, own_step=type(self).test_step is not Trainer.test_step)

    def test_step(self, x: Any, target: Any) -> dict[str, float]:
        """Measure a batch without learning from it. A subclass may measure something else.

        Parameters
        ----------
        x, target : ndarray of shape (N, ...), or tuple of ndarray
            A batch of the data; ``self.sample_weight`` has its weights.

        Returns
        -------
        dict
            ``{"loss": ...}`` without penalties, and the accuracy where the targets are labels.
        """
        return measure(self, self.model.forward(x), target)

    def save(self, path: str | Path) -> None:
        """Write everything needed to resume to one safetensors file, atomically.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If its folder does not exist, or `path` is a folder.
        TypeError
            If a layer, or another part, has a setting that JSON cannot represent.
        ValueError
            If the path has the ending of another format.
        """
        save_trainer(self, path)

    @classmethod
    def resume(
        cls,
        path: str | Path,
        *,
        callbacks: Sequence[Callback] = (),
        layers: Sequence[type[Layer]] = (),
        parts: Sequence[Callable[..., Any]] = (),
    ) -> Self:
        """Return a trainer that continues from a checkpoint.

        Then call `fit` with the same data, batch size, augmentation and number of epochs: on the same machine, with the
        same number of threads, the result has the same bits as without the interruption.

        Parameters
        ----------
        path : str or Path
            Written by `save` or by a `ModelCheckpoint`.
        callbacks : sequence of Callback
            New instances of those of the first training; their state is restored.
        layers, parts : sequence of type
            Your own classes of layers and other parts that the file may name, and functions that are learning rates.

        Returns
        -------
        Trainer

        Raises
        ------
        DataFormatError
            If the file is not a checkpoint, or is damaged.
        FileNotFoundError
            If the file does not exist.
        TypeError
            If `callbacks` is not a list of callbacks.

        Warns
        -----
        UserWarning
            If the outputs of the model do not suit the loss, as in `Trainer`.
        """
        callbacks = in_order(callbacks)
        found = load_parts(path, cls.__name__, callbacks, layers, parts)
        if wrong := step.unfit_outputs(found["model"], found["loss"]):  # earlier versions trained such a model
            warnings.warn(f"{path}: {wrong}", stacklevel=2)
            found["loss"].expects_logits = False  # not checked again
        trainer = cls.__new__(cls)  # a constructor of its own may take other arguments
        arguments = {name: found[name] for name in ("loss", "optimizer", "metrics", "seed")}
        Trainer.__init__(trainer, found["model"], callbacks=callbacks, **arguments)
        trainer.history, trainer.progress = History(found["history"]), found["progress"]
        trainer.weights.resume(found["weights"])
        vars(trainer).update(found["attributes"])
        trainer._resumed = True
        return trainer
