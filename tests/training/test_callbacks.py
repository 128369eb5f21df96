import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import Adam, CrossEntropy, Trainer, WarmUp, load_model
from numpycnn.io.serialization import open_arrays, write_arrays
from numpycnn.training import (
    Callback,
    CSVLogger,
    EarlyStopping,
    LearningRateLogger,
    ModelCheckpoint,
    WeightAverage,
)
from tests.training import small


class Dictate(Callback):
    """Overwrites values of the record of each epoch, before the other callbacks."""

    order = -1

    def __init__(self, **values: list[float]) -> None:
        self.values = values
        self.weights: list[str] = []

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        self.weights.append(small.bits(trainer.model.state()))
        record.update({name: values[len(trainer.history)] for name, values in self.values.items()})


def copied(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in arrays.items()}


def fit(*callbacks: Callback, epochs: int = 10) -> Trainer:
    trainer = small.plain(callbacks)
    trainer.fit(small.points(64), epochs=epochs, progress=False)
    return trainer


# ----------------------------------------------------------------------------------------------------------- in general


def test_calls_and_their_order() -> None:
    calls: list[str] = []
    last, first = small.Recorder("last", 1, calls), small.Recorder("first", 0, calls)
    fit(last, first, epochs=2)
    once = ["batch 1", "batch 2", "epoch end {0}, history {1}", "epoch closed, history {0}"]
    expected = [*(c.format(1, 0) for c in once), *(c.format(2, 1) for c in once), "train end"]
    begin = ["last train begin", "first train begin"]  # undoes the end of an earlier call
    assert calls == begin + [f"{name} {what}" for what in expected for name in ("first", "last")]


def test_equal_order_is_that_of_the_list() -> None:
    recorders = [small.Recorder(str(i)) for i in range(4)]
    assert small.plain(recorders).callbacks == recorders


def test_savers_come_last(tmp_path: Path) -> None:
    trainer = small.new_trainer(tmp_path, "adam")
    names = [type(callback).__name__ for callback in trainer.callbacks]
    assert names == ["EarlyStopping", "LearningRateLogger", "CSVLogger", "ModelCheckpoint", "ModelCheckpoint"]


def test_values_added_by_a_callback_are_kept_as_plain_numbers(tmp_path: Path) -> None:
    trainer = fit(Dictate(noise=[np.float32(0.5), np.int64(3)]), epochs=2)
    assert trainer.history["noise"] == [0.5, 3]
    assert [type(value) for value in trainer.history["noise"]] == [float, int]
    trainer.save(tmp_path / "file")
    assert Trainer.resume(tmp_path / "file").history["noise"] == [0.5, 3]


def test_the_base_class_does_nothing() -> None:
    trainer = fit(Callback(), epochs=1)
    callback = trainer.callbacks[0]
    callback.on_interrupt(trainer)
    callback.load_state({}, {})
    assert (callback.key, callback.state(), callback.arrays()) == ("Callback", {}, {})


def test_keys_distinguish_callbacks() -> None:
    assert EarlyStopping().key == "EarlyStopping val_loss"
    assert ModelCheckpoint("file").key == "ModelCheckpoint"
    assert ModelCheckpoint("file", best="loss").key == "ModelCheckpoint loss"
    assert CSVLogger("file").key == "CSVLogger"


@pytest.mark.parametrize(("mode", "best"), [("max", 2), ("min", 1)])
def test_the_mode_chooses_the_best_epoch(mode: str, best: int, tmp_path: Path) -> None:
    dictate, stopping = Dictate(score=[0.1, 0.9, 0.5]), EarlyStopping("score", patience=5, mode=mode)
    trainer = fit(dictate, stopping, ModelCheckpoint(tmp_path / "best", best="score", mode=mode), epochs=3)
    assert small.bits(trainer.model.state()) == dictate.weights[best - 1]
    assert small.bits(load_model(tmp_path / "best").state()) == dictate.weights[best - 1]


@pytest.mark.parametrize("averaged", [True, False])
def test_a_training_of_6_and_then_8_epochs_equals_one_of_8(averaged: bool, tmp_path: Path) -> None:
    """The best weights are left in the model, and the training continues with the last ones."""

    def trainer(callbacks: list[Callback]) -> Trainer:
        return small.plain(callbacks, model=small.network())

    def callbacks() -> list[Callback]:
        values = [0.5, 0.9, 0.8, 0.1, 0.7, 0.6, 0.8, 0.9]
        average = [WeightAverage(0.9)] if averaged else []
        return [*average, Dictate(loss=values), EarlyStopping("loss", patience=9)]

    settings = {"batch_size": 16, "progress": False}
    once, twice = trainer(callbacks()), trainer(callbacks())
    once.fit(small.pictures(), epochs=8, **settings)
    twice.fit(small.pictures(), epochs=6, **settings)
    best = small.bits(twice.model.state())
    twice.save(tmp_path / "training")
    resumed = Trainer.resume(tmp_path / "training", callbacks=callbacks())
    for again in (twice, resumed):
        again.fit(small.pictures(), epochs=8, **settings)
        assert small.fingerprint(again) == small.fingerprint(once)
        assert small.bits(again.model.state()) == best


@pytest.mark.parametrize("reverse", [False, True])
def test_callbacks_that_exchange_the_weights_may_be_resumed_in_another_order(reverse: bool, tmp_path: Path) -> None:
    """Also if some of them are left out: the trainer keeps the weights of the training."""

    def callbacks() -> list[Callback]:
        scores = {"loss": [0.1, 0.9, 0.8, 0.7], "accuracy": [0.1, 0.9, 0.8, 0.7]}
        return [Dictate(**scores), EarlyStopping("loss", patience=9), EarlyStopping("accuracy", patience=9)]

    once, first = fit(*callbacks(), epochs=4), fit(*callbacks(), epochs=3)
    first.save(tmp_path / "training")
    again = callbacks()
    resumed = Trainer.resume(tmp_path / "training", callbacks=again[::-1] if reverse else again)
    alone = Trainer.resume(tmp_path / "training")
    for trainer in (resumed, alone):
        assert small.bits(trainer.model.state()) == small.bits(first.model.state())
        trainer.fit(small.points(64), epochs=4, progress=False)
    straight = fit(epochs=4)
    assert small.bits(alone.model.state()) == small.bits(straight.model.state())
    assert small.bits(once.optimizer.state()) == small.bits(resumed.optimizer.state())
    assert small.bits(resumed.optimizer.state()) == small.bits(alone.optimizer.state())


def test_weights_loaded_between_two_fits_are_trained(tmp_path: Path) -> None:
    own = small.dense(seed=7).state()

    def stopped() -> Trainer:
        trainer = fit(Dictate(loss=[0.1, 0.9, 0.8]), EarlyStopping("loss", patience=9), epochs=2)
        assert trainer.weights.kept()
        return trainer

    stopped().save(tmp_path / "training")
    dictate = Dictate(loss=[0.1, 0.9, 0.8])
    resumed = Trainer.resume(tmp_path / "training", callbacks=[dictate, EarlyStopping("loss", patience=9)])
    for trainer in (stopped(), resumed):
        trainer.model.load_state(own)
        assert trainer.weights.kept() == {}
        trainer.save(tmp_path / "with own weights")
        seen: list[dict[str, np.ndarray]] = []
        for other in (trainer, Trainer.resume(tmp_path / "with own weights")):
            note = small.Recorder()
            note.on_train_begin = lambda t, seen=seen: seen.append(copied(t.model.state()))  # type: ignore[method-assign]
            other.callbacks.append(note)
            other.fit(small.points(64), epochs=3, progress=False)
        assert [small.bits(state) for state in seen] == [small.bits(own)] * 2


def test_a_file_of_an_earlier_version_has_the_weights_of_the_training_at_its_first_callback(tmp_path: Path) -> None:
    def callbacks() -> list[Callback]:
        return [WeightAverage(0.9), Dictate(loss=[0.1, 0.9, 0.8]), EarlyStopping("loss", patience=9)]

    first = fit(*callbacks(), epochs=2)
    first.save(tmp_path / "new")
    with open_arrays(tmp_path / "new") as file:
        metadata, arrays = file.metadata, {name: file.tensor(name) for name in file.names()}
    for name in first.model.state():
        arrays[f"callback.0.weights of the training/{name}"] = arrays.pop(f"training.{name}")
        arrays[f"callback.2.weights of the training/{name}"] = arrays["callback.0." + name]
    write_arrays(tmp_path / "old", arrays, metadata)
    new, old = (Trainer.resume(tmp_path / name, callbacks=callbacks()) for name in ("new", "old"))
    assert small.fingerprint(old) == small.fingerprint(new)
    for trainer in (new, old):
        trainer.fit(small.points(64), epochs=3, progress=False)
    assert small.fingerprint(old) == small.fingerprint(new)


def test_a_best_value_of_the_other_direction_is_not_restored(tmp_path: Path) -> None:
    def callbacks(mode: str, *values: float) -> list[Any]:
        best = ModelCheckpoint(tmp_path / "best", best="score", mode=mode)
        return [Dictate(score=list(values)), EarlyStopping("score", patience=9, mode=mode), best]

    fit(*callbacks("min", 0.1, 0.2), epochs=2).save(tmp_path / "training")
    again = callbacks("max", 0.1, 0.2, 0.05)
    resumed = Trainer.resume(tmp_path / "training", callbacks=again)
    resumed.fit(small.points(64), epochs=3, progress=False)
    assert (again[1].best, again[1].waited, again[2].best_value) == (0.05, 0, 0.05)  # the first one that it has seen
    assert small.bits(load_model(tmp_path / "best").state()) == again[0].weights[-1]


# ------------------------------------------------------------------------------------------------------- stopping early


@pytest.mark.parametrize(
    ("name", "values", "last", "best"),
    [
        ("val_loss", [0.9, 0.5, 0.6, 0.4, 0.7, 0.41, 0.1], 6, 4),
        ("val_loss", [0.5, 0.5, 0.5, 0.1], 3, 1),
        ("val_accuracy", [0.1, 0.5, 0.4, 0.3, 0.9], 4, 2),
        ("loss", [np.nan, 3.0, np.nan, np.nan, 0.1], 4, 2),
        ("loss", [np.nan, np.nan, 0.1], 2, None),
        ("val_loss", [0.9, 0.8, 0.7, 0.6], 4, 4),  # the end comes first
    ],
)
def test_early_stopping_restores_the_best_weights(name: str, values: list[float], last: int, best: int | None) -> None:
    dictate = Dictate(**{name: values})
    stopping = EarlyStopping(name, patience=2)
    trainer = fit(dictate, stopping, epochs=min(10, len(values)))
    assert len(trainer.history) == last
    assert stopping.best == (None if best is None else values[best - 1])
    assert small.bits(trainer.model.state()) == dictate.weights[-1 if best is None else best - 1]
    if last < len(values):
        on = "" if best is None else f" on {values[best - 1]:.4g}"
        assert trainer.progress.stop_reason == f"{name} has not improved{on} for 2 epochs"
    else:
        assert trainer.progress.stop_reason == ""


def test_min_delta_is_the_smallest_improvement() -> None:
    values = [1.0, 0.95, 0.85, 0.8]
    assert len(fit(Dictate(loss=values), EarlyStopping("loss", patience=1, min_delta=0.1)).history) == 2
    assert len(fit(Dictate(loss=values), EarlyStopping("loss", patience=2, min_delta=0.1), epochs=4).history) == 4


def test_restore_best_is_a_flag() -> None:
    with pytest.raises(TypeError, match="EarlyStopping: expected restore_best to be True or False, got str 'no'"):
        EarlyStopping(restore_best="no")  # type: ignore[arg-type]


def test_the_last_weights_stay_without_restore_best() -> None:
    dictate = Dictate(loss=[0.1, 0.2, 0.3])
    trainer = fit(dictate, EarlyStopping("loss", patience=2, restore_best=False))
    assert small.bits(trainer.model.state()) == dictate.weights[-1]


def test_a_stopped_training_stays_stopped_until_the_reason_is_cleared(tmp_path: Path) -> None:
    trainer = fit(Dictate(loss=[0.1, 0.2, 0.3, 0.4, 0.5]), EarlyStopping("loss", patience=2))
    trainer.save(tmp_path / "file")
    for stopped in (trainer, Trainer.resume(tmp_path / "file", callbacks=[EarlyStopping("loss", patience=2)])):
        before = small.fingerprint(stopped)["model"]
        with pytest.warns(UserWarning, match=r"stopped after epoch 3 .*to continue, set trainer.progress.stop_"):
            stopped.fit(small.points(64), epochs=10, progress=False)
        assert (len(stopped.history), small.fingerprint(stopped)["model"]) == (3, before)
    trainer.progress.stop_reason = ""
    trainer.fit(small.points(64), epochs=10, progress=False)
    assert len(trainer.history) == 5  # it waits as many epochs again


def test_a_reason_is_never_empty() -> None:
    class Stop(Callback):
        def on_batch_end(self, trainer: Trainer) -> None:
            trainer.stop("")

    trainer = fit(Stop())
    assert (len(trainer.history), trainer.progress.batch) == (1, 0)  # the epoch is finished first
    assert trainer.progress.stop_reason == "asked to stop"


def test_an_epoch_with_a_stop_request_is_finished_after_an_interruption_too(tmp_path: Path) -> None:
    def stop(trainer: Trainer) -> None:
        trainer.stop("enough")

    trainer = small.plain([small.At(3, stop), small.At(4, lambda trainer: trainer.save(tmp_path / "file"))])
    trainer.fit(small.points(), epochs=9, progress=False)
    resumed = Trainer.resume(tmp_path / "file")
    assert (resumed.progress.batch, resumed.progress.stop_reason) == (4, "enough")
    resumed.fit(small.points(), epochs=9, progress=False)
    assert small.fingerprint(resumed) == small.fingerprint(trainer)
    assert len(resumed.history) == 1


def test_stopping_when_the_epoch_is_closed() -> None:
    class Stop(Callback):
        def on_epoch_closed(self, trainer: Trainer) -> None:
            trainer.stop("enough")

    assert len(fit(Stop()).history) == 1


def test_a_callback_forgets_the_training_before(tmp_path: Path) -> None:
    stopping, best = EarlyStopping("loss", patience=2), ModelCheckpoint(os.devnull, best="loss")
    first = fit(Dictate(loss=[0.1, 0.2, 0.3]), stopping)
    second = small.plain([Dictate(loss=[0.9, 0.8]), stopping], model=small.dense(seed=1))
    second.fit(small.points(64), epochs=2, progress=False)
    assert stopping.best == 0.8
    assert small.bits(second.model.state()) != small.bits(first.model.state())
    best.best_value = 0.1
    best.on_train_begin(small.plain())
    assert best.best_value is None
    rates = LearningRateLogger(tmp_path / "rates.csv")
    fit(rates, epochs=3)
    fit(rates, epochs=1)
    assert [step for step, _ in rates.rates] == [1, 2]


@pytest.mark.parametrize(
    "callback", [EarlyStopping(), EarlyStopping("val_accuracy"), EarlyStopping("losss", mode="min")]
)
def test_an_unmeasured_quantity_cannot_be_monitored(callback: EarlyStopping) -> None:
    known = "epoch, loss, accuracy, lr, seconds, images_per_second"
    text = f"^EarlyStopping: expected one of {known} to monitor, got '{callback.monitor}'; names that begin"
    with pytest.raises(ValueError, match=text):
        fit(callback)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: EarlyStopping(patience=0), ValueError, "EarlyStopping: expected patience from 1 to"),
        (lambda: EarlyStopping(patience=1.5), TypeError, "EarlyStopping: expected patience to be an int"),
        (lambda: EarlyStopping(min_delta=-0.1), ValueError, "EarlyStopping: expected min_delta .*, got -0.1"),
        (lambda: EarlyStopping(min_delta="1"), TypeError, "EarlyStopping: expected min_delta to be a number, got str"),
        (
            lambda: EarlyStopping(5),
            TypeError,
            "EarlyStopping: expected the name of a quantity, such as 'val_loss', got 5",
        ),
        (
            lambda: ModelCheckpoint("x", best=5),
            TypeError,
            "ModelCheckpoint: expected the name of a quantity, .*, got 5",
        ),
        (lambda: ModelCheckpoint("x", mode="max"), ValueError, "ModelCheckpoint: expected best, .* for mode='max'"),
        (lambda: ModelCheckpoint("x", every_batches=0), ValueError, "ModelCheckpoint: expected every_batches from 1"),
        (lambda: ModelCheckpoint("x", every_batches=True), TypeError, "expected every_batches to be an int, got bool"),
        (
            lambda: ModelCheckpoint("x", every_batches=5, best="loss"),
            ValueError,
            "ModelCheckpoint: expected every_batches or best, got both",
        ),
    ],
)
def test_bad_settings(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


# --------------------------------------------------------------------------------------------------------------- saving


def test_saving_every_few_batches_and_after_each_epoch(tmp_path: Path) -> None:
    saved = []

    class Watch(ModelCheckpoint):
        order = 101

        def on_batch_end(self, trainer: Trainer) -> None:
            place = Trainer.resume(tmp_path / "file").progress if (tmp_path / "file").exists() else None
            saved.append(None if place is None else (place.epoch, place.batch))

    callbacks = [ModelCheckpoint(tmp_path / "file", every_batches=3), Watch(tmp_path / "other")]
    small.plain(callbacks).fit(small.points(80), epochs=2, batch_size=10, progress=False)
    first = [None, None, (0, 3), (0, 3), (0, 3), (0, 6), (0, 6), (0, 6)]
    assert saved == [*first, (1, 0), (1, 0), (1, 3), (1, 3), (1, 3), (1, 6), (1, 6), (1, 6)]
    assert Trainer.resume(tmp_path / "file").progress.epoch == 2


def test_the_best_model_is_kept(tmp_path: Path) -> None:
    dictate = Dictate(val_accuracy=[0.5, 0.7, 0.6, 0.7])
    trainer = fit(dictate, ModelCheckpoint(tmp_path / "best", best="val_accuracy"), epochs=4)
    assert small.bits(load_model(tmp_path / "best").state()) == dictate.weights[1]
    assert trainer.callbacks[-1].state() == {"best_value": 0.7, "mode": "max"}


def test_the_best_of_an_unknown_quantity(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ModelCheckpoint: expected one of epoch, .* to monitor, got 'val_loss'"):
        fit(ModelCheckpoint(tmp_path / "best", best="val_loss"))


WRITERS = [ModelCheckpoint, CSVLogger, LearningRateLogger]


@pytest.mark.parametrize("kind", WRITERS)
def test_an_unwritable_file_is_reported_before_the_training(kind: Any, tmp_path: Path) -> None:
    trainer = small.plain([kind(tmp_path / "none" / "file")])
    with pytest.raises(
        FileNotFoundError, match=rf"{kind.__name__}: expected an existing folder to write file to, got .*none"
    ):
        trainer.fit(small.points(), epochs=1, progress=False)
    trainer = small.plain([kind(tmp_path)])
    with pytest.raises(IsADirectoryError, match=rf"{kind.__name__}: expected a file to write to, got the folder"):
        trainer.fit(small.points(), epochs=1, progress=False)
    assert trainer.progress.batch == 0


# -------------------------------------------------------------------------------------------------------------- logging


def test_the_csv_log_is_up_to_date_after_each_epoch(tmp_path: Path) -> None:
    rows = []

    class Read(Callback):
        order = 91

        def on_epoch_closed(self, trainer: Trainer) -> None:
            with open(tmp_path / "log.csv", newline="", encoding="utf-8") as file:
                rows.append(list(csv.DictReader(file)))

    trainer = fit(CSVLogger(tmp_path / "log.csv"), Read(), epochs=3)
    assert [len(table) for table in rows] == [1, 2, 3]
    assert [{name: float(text) for name, text in row.items()} for row in rows[-1]] == trainer.history.records
    assert list(rows[0][0]) == ["epoch", "loss", "accuracy", "lr", "seconds", "images_per_second"]


def test_the_learning_rates_are_those_of_the_steps(tmp_path: Path) -> None:
    schedule = WarmUp(0.4, steps=4)
    trainer = Trainer(
        small.dense(),
        loss=CrossEntropy(),
        optimizer=Adam(schedule),
        callbacks=[LearningRateLogger(tmp_path / "rates.csv")],
    )
    trainer.fit(small.points(64), epochs=3, progress=False)
    lines = (tmp_path / "rates.csv").read_text().splitlines()
    assert lines == ["step,lr", *(f"{step + 1},{schedule(step)}" for step in range(6))]
    assert trainer.history["lr"] == [schedule(1), schedule(3), schedule(5)]
