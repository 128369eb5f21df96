"""Train by a recipe: from the name of a data set to a tested model and a folder of results."""

import os
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from numpycnn._checks import check_flag
from numpycnn._settings import get_num_threads
from numpycnn.data import Dataset
from numpycnn.io.loading import load_model
from numpycnn.layers.network import Network
from numpycnn.losses import CrossEntropy
from numpycnn.recipes.datasets import expect_dataset, label_of, load
from numpycnn.recipes.errors import Setting, SettingError, as_setting_error
from numpycnn.recipes.networks import create_for, training_of
from numpycnn.recipes.record import DATA, Start, digests, expect_same_data
from numpycnn.recipes.results import (
    CHECKPOINT,
    HISTORY,
    check_folder,
    clear_folder,
    find_checkpoint,
    lock_folder,
    make_folder,
    write_results,
)
from numpycnn.recipes.scoring import expect_classifier, score
from numpycnn.recipes.settings import KEY, OPTIONS, Settings, check_options, choose, expect_same, settings_of
from numpycnn.training import Callback, CSVLogger, History, ModelCheckpoint, Trainer, WeightAverage

SAVE_EVERY = 500  # batches
Size = tuple[int, int]
Find = Callable[..., tuple[Dataset, Dataset]]


@dataclass(frozen=True)
class Run:
    """A finished training.

    Attributes
    ----------
    model : Network or Model
        The trained model, with its preprocessing in its metadata.
    history : History
        Loss and accuracy of each epoch.
    test_accuracy, test_loss : float
        On the test set, which the training does not use. The accuracy is from 0 to 1.
    folder : Path
        With ``model.safetensors``, ``history.csv``, pictures, and ``result.json``, the record of the run.
    seconds : float
        From the call of `train` to the figures; for a resumed training, of its last part.
    settings : Settings
        All settings, including those of the recipe.
    """

    model: Network = field(repr=False)
    history: History = field(repr=False)
    test_accuracy: float
    test_loss: float
    folder: Path
    seconds: float
    settings: Settings = field(repr=False)


def train(
    dataset: str | os.PathLike[str],
    recipe: str | None = None,
    *,
    model: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    optimizer: str | None = None,
    lr: float | None = None,
    schedule: str | None = None,
    augment: str | None = None,
    views: str | None = None,
    label_smoothing: float | None = None,
    l2: float | None = None,
    ema: float | None = None,
    validation: int | None = None,
    seed: int | None = None,
    out: str | os.PathLike[str] | None = None,
    data: str | os.PathLike[str] | None = None,
    size: Size | None = None,
    skip_broken: bool = False,
    resume: bool = False,
    force: bool = False,
    progress: bool | TextIO = True,
    on_start: Callable[[Start], None] | None = None,
) -> Run:
    """Train a network on a data set by a recipe, test it, and write model, history, figures and a record.

    ``numpycnn train`` calls this function, so both give the same settings, folders and weights, bit for bit. A setting
    that is None is taken from the recipe. Ctrl-C leaves a checkpoint, from which ``resume=True`` continues.

    Parameters
    ----------
    dataset : str or path
        A name of ``numpycnn.data.CATALOG``, or the path of a folder or a zip with a folder of pictures for each class.
    recipe : {"quick", "best"}, optional
        A good model in a minute or two (the default), or the best one in under an hour.
    model : str, optional
        A name of ``numpycnn.models.MODELS``.
    epochs, batch_size : int, optional
        Passes over the data, and examples per step.
    optimizer : {"adam", "adamw", "sgd", "rmsprop", "adagrad", "adadelta"}, optional
    lr : float, optional
        The highest learning rate.
    schedule : {"one-cycle", "cosine", "constant"}, optional
        Learning-rate schedule.
    augment : {"none", "digits", "crop-flip", "photographs", "speech"}, optional
        Transforms of the training examples.
    views : {"none", "flip", "shift", "flip-shift"}, optional
        Views of each picture that are averaged in the test.
    label_smoothing : float, optional
        Share of each label that is spread over all classes.
    l2 : float, optional
        Weight of the penalty on half the sum of squared weights.
    ema : float, optional
        Decay of the moving average of the weights, 0 for none.
    validation : int, optional
        Training examples to hold out for validation after each epoch, 0 for none.
    seed : int, optional
        Of weights, order, held-out examples, augmentation and dropout; 0 by default.
    out : str or path, optional
        Output folder; by default ``runs/DATASET``, numbered if that exists.
    data : str or path, optional
        Folder with the files of a named data set.
    size : tuple of int, optional
        Height and width to which the pictures of a folder are resized, 64 by 64 by default.
    skip_broken : bool
        Leave out pictures of a folder that cannot be read, with a warning.
    resume : bool
        Continue an interrupted training, the one in `out` or the newest of this data set. Given settings must equal
        its own.
    force : bool
        Replace the results that `out` holds.
    progress : bool or file
        As in `Trainer.fit`.
    on_start : callable, optional
        Called with a `Start` before the first step.

    Returns
    -------
    Run

    Raises
    ------
    SettingError
        A ValueError: if a setting does not fit the data set, the folder or the training to be resumed, the data are
        not those with which it began, or another training writes to the folder.
    ValueError
        If a name is unknown, or a number is out of range.
    TypeError
        If a setting has the wrong type.
    DataFormatError
        If a file of the data set or the checkpoint is damaged.
    FileNotFoundError
        If the data set, or the checkpoint to be resumed, does not exist.
    FloatingPointError
        If the loss or a gradient becomes infinite or NaN; a lower `lr` often helps.
    KeyboardInterrupt
        If the user pressed Ctrl-C; the checkpoint is in the output folder.

    Examples
    --------
    >>> from numpycnn import recipes
    >>> run = recipes.train("mnist", epochs=1, model="lenet", out="runs/lenet")  # doctest: +SKIP
    >>> run.test_accuracy  # doctest: +SKIP
    0.9843
    """
    options = {name: value for name, value in locals().items() if name in OPTIONS}
    began = (time.perf_counter(), time.process_time())
    dataset = os.fspath(dataset)
    if resume and force:
        raise SettingError(Setting("resume", True), " and ", Setting("force", True), " exclude each other")
    asked = check_options(options)
    for flag, name in ((skip_broken, "skip_broken"), (resume, "resume"), (force, "force")):
        check_flag(flag, name, "train")
    expect_dataset(dataset)
    find = partial(load, dataset, None if data is None else Path(data), size=size, skip_broken=skip_broken)
    folder = None if out is None else Path(out)
    with ExitStack() as held:
        if resume:
            start = _resume(dataset, find, asked, folder, held)
        else:
            start = _begin(dataset, find, asked, folder, held, force=force)
        try:
            expect_classifier(start.trainer.model, start.train, start.settings.model)
            if on_start is not None:
                on_start(start)
            _fit(start, progress)
            found = score(start.trainer.model, start.test, start.settings.test_views)
            seconds = write_results(start, found, began, resumed=resume)
        finally:
            with suppress(OSError):
                start.folder.rmdir()  # if it is empty
    return Run(
        model=start.trainer.model,
        history=start.trainer.history,
        test_accuracy=found.accuracy,
        test_loss=found.loss,
        folder=start.folder,
        seconds=seconds,
        settings=start.settings,
    )


def _begin(dataset: str, find: Find, asked: dict[str, Any], out: Path | None, held: ExitStack, *, force: bool) -> Start:
    check_folder(out, force=force)
    train, test = find()
    settings = choose(dataset, asked, train)
    label = label_of(dataset)
    with as_setting_error():
        model = create_for(settings.model, train, seed=settings.seed)
    model.metadata = train.describe() | {"dataset": label, KEY: settings.to_json(), DATA: digests(train, test)}
    with as_setting_error(Setting("epochs", settings.epochs), ": "):
        optimizer = settings.new_optimizer()
    folder = make_folder(label, out)
    held.enter_context(lock_folder(folder))
    check_folder(out, force=force)  # again: another training may have ended here since
    clear_folder(folder)  # last, once every setting is checked
    loss = CrossEntropy(settings.label_smoothing, l2=settings.l2)
    callbacks = callbacks_for(settings, folder)
    trainer = Trainer(model, loss=loss, optimizer=optimizer, callbacks=callbacks, seed=settings.seed)
    return Start(settings, trainer, train, test, folder, get_num_threads())


def _resume(dataset: str, find: Find, asked: dict[str, Any], out: Path | None, held: ExitStack) -> Start:
    checkpoint = find_checkpoint(label_of(dataset), out)
    held.enter_context(lock_folder(checkpoint.parent))
    settings = settings_of(load_model(checkpoint), checkpoint)
    trainer = Trainer.resume(checkpoint, callbacks=callbacks_for(settings, checkpoint.parent))
    training = training_of(trainer.model)
    train, test = find(trained=None if training is None else training.reader)
    expect_same(settings, dataset, asked, train)
    expect_same_data(trainer.model, train, test)
    return Start(settings, trainer, train, test, checkpoint.parent, get_num_threads())


def callbacks_for(settings: Settings, folder: Path) -> list[Callback]:
    """Return the callbacks that average the weights, and write history and checkpoint to a folder."""
    average = [WeightAverage(settings.ema)] if settings.ema else []
    return [*average, CSVLogger(folder / HISTORY), ModelCheckpoint(folder / CHECKPOINT, every_batches=SAVE_EVERY)]


def _fit(start: Start, progress: bool | TextIO) -> None:
    settings = start.settings
    held_out, rest = None, start.train
    if settings.validation:
        held_out, rest = start.train.split(settings.validation, settings.seed)
    with np.errstate(over="ignore", invalid="ignore"), warnings.catch_warnings():  # the trainer reports such values
        warnings.filterwarnings("ignore", "fit: nothing left to train")  # interrupted while the results were written
        start.trainer.fit(
            rest,
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            validation=held_out,
            augment=settings.augmentation,
            progress=progress,
        )
