"""Metrics in a training: where they are shown and kept, which direction is better, and an interrupted epoch."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    SGD,
    Adam,
    BinaryCrossEntropy,
    CrossEntropy,
    Dense,
    Input,
    MeanSquaredError,
    Model,
    ReLU,
    Sequential,
    Sigmoid,
    Trainer,
    load_model,
)
from numpycnn.errors import DataFormatError
from numpycnn.io.serialization import open_arrays, write_arrays
from numpycnn.metrics import F1, ROCAUC, Accuracy, MeanAbsoluteError, Metric, RSquared, TopKAccuracy
from numpycnn.training import Callback, CSVLogger, EarlyStopping, ModelCheckpoint, TestTimeAugmentation
from tests.training import small


def measured(*callbacks: Callback, metrics: Any = None, seed: int = 0) -> Trainer:
    metrics = [F1(), F1(None, name="f"), ROCAUC(), TopKAccuracy(1)] if metrics is None else metrics
    return Trainer(
        small.dense(seed=seed), loss=CrossEntropy(), optimizer=SGD(0.1), metrics=metrics, callbacks=callbacks
    )


def test_metrics_are_recorded_shown_and_logged(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    trainer, text = measured(CSVLogger(file)), io.StringIO()
    trainer.fit(small.points(200), epochs=2, validation=small.points(60, seed=1), progress=text)
    names = ["f1", "f_0", "f_1", "roc_auc", "top_1_accuracy"]
    record = trainer.history.records[-1]
    assert list(record) == [
        *("epoch", "loss", "accuracy", *names, "val_loss", "val_accuracy"),
        *(f"val_{name}" for name in names),
        *("lr", "seconds", "images_per_second"),
    ]
    assert record["top_1_accuracy"] == record["accuracy"]
    assert record["val_top_1_accuracy"] == record["val_accuracy"]
    line = text.getvalue().splitlines()[-1]
    for name in ("f1", "roc auc", "validation f1", "validation f 1", "validation roc auc"):
        key = name.replace("validation ", "val_").replace(" ", "_")
        assert f"  {name} {record[key]:.4f}  " in line
    assert f"  top 1 accuracy {100 * record['accuracy']:.2f} %  " in line
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [float(row["val_roc_auc"]) for row in rows] == trainer.history["val_roc_auc"]


def test_evaluate_gives_the_metrics_of_all_examples() -> None:
    trainer, (x, labels) = measured(), small.points(130)
    trainer.fit((x, labels), epochs=1, progress=False)
    kept = trainer.scores.state()
    found = trainer.evaluate((x, labels), batch_size=7)
    expected = F1()
    expected.update(trainer.model.forward(x), labels)
    assert found["f1"] == expected.result()
    for name, array in trainer.scores.state().items():  # those of the training are not touched
        np.testing.assert_array_equal(array, kept[name])


def test_an_accuracy_of_ones_own_replaces_the_default() -> None:
    trainer = measured(metrics=[Accuracy(ignore_index=1)])
    trainer.fit(small.points(), epochs=1, progress=False)
    assert trainer.evaluate(small.points())["accuracy"] == trainer.evaluate(small.points())["accuracy"] > 0
    assert list(trainer.history.records[0])[:3] == ["epoch", "loss", "accuracy"]


class Interrupt(Callback):
    def __init__(self, batch: int) -> None:
        self.batch = batch

    def on_batch_end(self, trainer: Trainer) -> None:
        if (trainer.progress.epoch, trainer.progress.batch) == (1, self.batch):
            raise KeyboardInterrupt


@pytest.mark.parametrize("batch", [1, 3])
def test_an_interrupted_epoch_ends_with_the_same_metrics(batch: int, tmp_path: Path) -> None:
    data, settings = small.points(100), {"epochs": 3, "batch_size": 16, "progress": False}
    whole = measured()
    whole.fit(data, **settings)
    file = tmp_path / "training"
    with pytest.raises(KeyboardInterrupt):
        measured(ModelCheckpoint(file, every_batches=1), Interrupt(batch)).fit(data, **settings)
    resumed = Trainer.resume(file)
    assert repr([metric for _, metric in resumed.scores.parts]) == repr([metric for _, metric in whole.scores.parts])
    resumed.fit(data, **settings)
    for one, other in zip(whole.history, resumed.history, strict=True):
        assert {k: v for k, v in one.items() if k not in small.TIMES} == {
            k: v for k, v in other.items() if k not in small.TIMES
        }


class Spread(Metric):
    """Standard deviation of the outputs: smaller is better, for this test."""

    larger_is_better = False
    default_name = "spread"

    def _update(self, y: np.ndarray, target: np.ndarray) -> None:
        self._add("squares", (y.astype(np.float64) ** 2).sum())

    def result(self) -> float:
        self._check_updated()
        return float(self._sums["squares"])


@pytest.mark.parametrize("smaller", [True, False])
def test_callbacks_take_the_direction_from_the_metric(smaller: bool, tmp_path: Path) -> None:
    metric = Spread()
    metric.larger_is_better = not smaller
    stopping, best = EarlyStopping("val_spread", patience=2), ModelCheckpoint(tmp_path / "best", best="val_spread")
    trainer = measured(stopping, best, metrics=[metric])
    trainer.fit(small.points(), epochs=6, validation=small.points(seed=1), progress=False)  # the outputs grow
    assert (stopping.mode, best.mode) == (("min", "min") if smaller else ("max", "max"))
    assert len(trainer.history) == (3 if smaller else 6)
    found = Trainer(load_model(tmp_path / "best"), loss=CrossEntropy(), optimizer=SGD(0.1), metrics=[Spread()])
    values = trainer.history["val_spread"]
    assert found.evaluate(small.points(seed=1))["spread"] == (min(values) if smaller else max(values))


def test_a_resumed_callback_keeps_its_best_value(tmp_path: Path) -> None:
    def callbacks() -> list[Callback]:
        return [EarlyStopping("val_spread", patience=9), ModelCheckpoint(tmp_path / "best", best="val_spread")]

    data = {"validation": small.points(seed=1), "progress": False}
    trainer = measured(*callbacks(), metrics=[Spread()])
    trainer.fit(small.points(), epochs=2, **data)
    trainer.save(tmp_path / "file")
    stopping, best = callbacks()
    resumed = Trainer.resume(tmp_path / "file", callbacks=[stopping, best], parts=[Spread])
    resumed.fit(small.points(), epochs=3, **data)
    assert stopping.best == best.best_value == min(resumed.history["val_spread"])  # type: ignore[attr-defined]
    with pytest.raises(DataFormatError, match=r"unknown part 'Spread'; pass a class of your own"):
        Trainer.resume(tmp_path / "file")


def two_outputs() -> Model:
    point = Input((2,))
    h = ReLU()(Dense(4)(point))
    return Model(point, [Dense(2)(h), Dense(1)(h)], seed=0)


def test_each_output_has_its_metrics(tmp_path: Path) -> None:
    x, labels = small.points(60)
    data = x, (labels, x.sum(axis=1, keepdims=True))
    losses = [CrossEntropy(), MeanSquaredError()]
    metrics = [[Accuracy(), F1()], [RSquared(), MeanAbsoluteError()]]
    trainer = Trainer(two_outputs(), loss=losses, optimizer=Adam(0.01), metrics=metrics)
    trainer.fit(data, epochs=2, validation=data, progress=False)
    y = trainer.model.forward(x)
    expected = Accuracy(), RSquared()
    for metric, *pair in zip(expected, y, data[1], strict=True):
        metric.update(*pair)
    record = trainer.history.records[-1]
    assert record["val_accuracy"] == expected[0].result()
    assert record["val_r_squared"] == expected[1].result()
    trainer.save(tmp_path / "file")
    assert repr(Trainer.resume(tmp_path / "file").scores.parts) == repr(trainer.scores.parts)


def test_a_file_without_metrics_is_resumed(tmp_path: Path) -> None:
    trainer = small.plain()
    trainer.fit(small.points(), epochs=1, progress=False)
    trainer.save(tmp_path / "new")
    with open_arrays(tmp_path / "new") as file:
        arrays = {name: file.tensor(name) for name in file.names("")}
        metadata = {key: value for key, value in file.metadata.items() if key != "metrics"}
    write_arrays(tmp_path / "old", arrays, metadata)
    old = Trainer.resume(tmp_path / "old")
    assert old.scores.parts == []
    old.fit(small.points(), epochs=2, progress=False)


@pytest.mark.parametrize(
    ("metrics", "error", "text"),
    [
        (F1(), TypeError, "Trainer: expected metrics to be a list of metrics, got F1"),
        ("f1", TypeError, "Trainer: expected metrics to be a list of metrics, got 'f1'"),
        (["f1"], TypeError, r"each of the metrics to be a Metric, got 'f1'; write Accuracy\(\), or another of"),
        ([F1], TypeError, r"expected each of the metrics to be a Metric, got <class .*; write F1\(...\)"),
        (
            [F1(), F1(None)],
            ValueError,
            "Trainer: expected metrics with different names, got f1 twice; give one a name=",
        ),
        ([[F1()], [Accuracy()]], ValueError, "Trainer: expected one list of metrics for each of the 1 outputs, got 2"),
    ],
)
def test_bad_metrics(metrics: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        measured(metrics=metrics)


def test_several_outputs_need_several_lists() -> None:
    with pytest.raises(TypeError, match=r"one list of metrics for each of the 2 outputs, as in \[\[...\], \[...\]\]"):
        Trainer(two_outputs(), loss=[CrossEntropy(), MeanSquaredError()], optimizer=SGD(0.1), metrics=[F1()])


def test_a_threshold_for_logits_behind_a_sigmoid_is_refused() -> None:
    model = Sequential([Dense(1), Sigmoid()], input_shape=(2,))
    parts: dict[str, Any] = {"loss": BinaryCrossEntropy(from_logits=False), "optimizer": Adam(0.05)}
    with pytest.raises(ValueError, match=r"above the threshold 0 of Accuracy\(\); set threshold=0.5"):
        Trainer(model, **parts, metrics=[Accuracy()])
    x, labels = small.points()
    trainer = Trainer(model, **parts, metrics=[Accuracy(threshold=0.5), ROCAUC()])
    trainer.fit((x, labels), epochs=10, progress=False)
    found = trainer.evaluate((x, labels))
    assert found["accuracy"] > 0.9
    assert found["roc_auc"] > 0.9


class Absolute(Trainer):
    """Measures another quantity than the loss."""

    def test_step(self, x: Any, target: Any) -> Any:
        y = self.model.forward(x)
        self.scores.update(y, target)
        return {"largest": float(np.abs(y).max(axis=1).mean())}


def test_a_test_step_of_ones_own_is_averaged_over_the_examples() -> None:
    x, labels = small.points()
    trainer = Absolute(small.dense(), loss=CrossEntropy(), optimizer=SGD(0.1), metrics=[TopKAccuracy(1)])
    expected = np.abs(trainer.model.predict(x)).max(axis=1).mean()
    for batch_size in (1, 7, len(x)):
        found = trainer.evaluate((x, labels), batch_size=batch_size)
        assert found["largest"] == pytest.approx(expected, rel=1e-6)
        assert found.keys() == {"largest", "top_1_accuracy"}
    history = trainer.fit((x, labels), epochs=1, validation=(x, labels), progress=False)
    assert {"loss", "val_largest", "val_top_1_accuracy"} < history.records[0].keys()
    with pytest.raises(ValueError, match=r"evaluate: expected views=None with a test_step of your own"):
        trainer.evaluate((x, labels), views=TestTimeAugmentation(flip=True))


def test_a_test_step_returns_numbers() -> None:
    trainer = Absolute(small.dense(), loss=CrossEntropy(), optimizer=SGD(0.1))
    trainer.test_step = lambda x, target: None  # type: ignore[method-assign]
    with pytest.raises(TypeError, match="test_step: expected a dict of numbers to return, got NoneType"):
        trainer.evaluate(small.points())
