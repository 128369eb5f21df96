import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    BinaryCrossEntropy,
    CosineSchedule,
    CrossEntropy,
    Dense,
    ExponentialSchedule,
    Layer,
    Loss,
    MeanSquaredError,
    Optimizer,
    PerEpoch,
    RMSProp,
    Sequential,
    StepSchedule,
    Trainer,
    WarmUp,
    load_model,
)
from numpycnn.data.augment import Flip
from numpycnn.errors import DataFormatError
from numpycnn.io.serialization import open_arrays, write_arrays
from numpycnn.training import (
    Callback,
    EarlyStopping,
    LearningRateLogger,
    ModelCheckpoint,
    UpdateRatios,
    WeightAverage,
)
from tests.training import small

ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = {"NUMPYCNN_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def worker(*arguments: str, **environment: str) -> Any:
    """Run a task of worker.py, and return its output."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.training.worker", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ------------------------------------------------------------------------------------------------- to the same bits


@pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked, which saves starting Python for each")
def test_killed_at_random_moments_and_resumed_gives_the_same_bits(tmp_path: Path) -> None:
    """Killed between batches, while a file is written, at the end of an epoch, after the last one; some repeatedly."""
    rng = np.random.default_rng(0)
    plan = []
    for i in range(24):
        first = int(rng.integers(1, 70))
        later = rng.integers(1, 30, size=i % 3).tolist()
        plan.append([small.VARIANTS[i % 2], [first, *later]])
    plan += [["adam", [1000]], ["sgd", [1, 1, 1]]]
    found = worker("kill", str(tmp_path), json.dumps(plan), "small", **ONE_THREAD)

    assert found["expected"]["adam"]["progress"]["stop_reason"].startswith("val_loss has not improved on 0.")
    assert found["expected"]["sgd"]["progress"]["epoch"] == small.EPOCHS
    assert [run["kills"] for run in found["runs"]] == [len(moments) for _, moments in plan]
    for run in found["runs"]:
        assert run["result"] == found["expected"][run["variant"]]
        unbroken, resumed = tmp_path / run["variant"], Path(run["folder"])
        assert (resumed / "rates.csv").read_bytes() == (unbroken / "rates.csv").read_bytes()
        assert small.bits(load_model(resumed / "best.safetensors").state()) == small.bits(
            load_model(unbroken / "best.safetensors").state()
        )


def test_a_training_of_a_loaded_model_is_resumed_to_the_same_bits(tmp_path: Path) -> None:
    """Saved before the first batch, and after the third: the masks continue, and are not drawn from the seed again."""
    small.network().save(tmp_path / "model")

    def fit(trainer: Trainer) -> dict[str, Any]:
        trainer.fit(small.pictures(), epochs=2, batch_size=small.BATCH_SIZE, progress=False)
        return small.fingerprint(trainer)

    class SaveThird(Callback):
        def on_batch_end(self, trainer: Trainer) -> None:
            if trainer.optimizer.step_count == 3:
                trainer.save(tmp_path / "third")

    def trainer(*callbacks: Callback) -> Trainer:
        model = load_model(tmp_path / "model")
        return Trainer(model, loss=CrossEntropy(), optimizer=Adam(0.01), callbacks=callbacks, seed=5)

    first = trainer(SaveThird())
    first.save(tmp_path / "none")
    expected = fit(first)
    assert fit(Trainer.resume(tmp_path / "none")) == expected
    assert fit(Trainer.resume(tmp_path / "third")) == expected


@pytest.mark.parametrize("variant", small.VARIANTS)
def test_resumed_from_any_batch_gives_the_same_bits(
    variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)  # thousands of files that need not survive a power cut
    files = []

    class SaveAll(ModelCheckpoint):
        order = 200

        def on_batch_end(self, trainer: Trainer) -> None:
            files.append(tmp_path / f"{trainer.optimizer.step_count}.safetensors")
            trainer.save(files[-1])

    unbroken = small.fit(small.new_trainer(tmp_path, variant, more=[SaveAll(tmp_path / "last")]))
    expected = small.fingerprint(unbroken)
    *kept, _ = expected["callbacks"]
    assert [entry[0] for entry in kept] == [
        "EarlyStopping val_loss",
        "LearningRateLogger",
        "ModelCheckpoint val_accuracy",
        "ModelCheckpoint",
    ]
    assert len(files) == small.BATCHES * len(unbroken.history)
    for file in files:
        resumed = small.go_on(tmp_path, variant, file=file)
        assert resumed.optimizer.step_count == int(file.stem)
        assert small.fingerprint(small.fit(resumed)) == {**expected, "callbacks": kept}


def test_a_training_without_the_last_incomplete_batch_is_resumed_to_the_same_bits(tmp_path: Path) -> None:
    files = {step: tmp_path / str(step) for step in (3, 5, 7)}  # within an epoch of 5 batches, at its end, and later
    saving = [small.At(step, lambda trainer, file=file: trainer.save(file)) for step, file in files.items()]
    once = small.fit(small.plain(saving, model=small.network()), drop_last=True)
    assert (once.optimizer.step_count, once.progress.trained) == (5 * small.EPOCHS, 40)
    for file in files.values():
        resumed = small.fit(Trainer.resume(file), drop_last=True)
        assert small.fingerprint(resumed) == small.fingerprint(once)


def test_a_training_of_several_calls_is_one_of_a_single_call(tmp_path: Path) -> None:
    once, often = small.plain(), small.plain()
    once.fit(small.points(), epochs=6, progress=False)
    for epochs in (1, 2, 6):
        often.fit(small.points(), epochs=epochs, progress=False)
    assert small.fingerprint(often) == small.fingerprint(once)


class Extra(Callback):
    """Adds a value to each record, and keeps it."""

    order = -1  # before those that monitor it

    def __init__(self, value: Any) -> None:
        self.value, self.restored = value, None

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        record["extra_loss"] = self.value

    def state(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state(self, state: Any, arrays: Any) -> None:
        self.restored = state["value"]


@pytest.mark.parametrize(
    "value", [np.float32(0.5), np.int64(2), np.array(0.5, np.float32), np.float64("inf"), np.longdouble(0.5), 3]
)
def test_numbers_of_numpy_are_saved(value: Any, tmp_path: Path) -> None:
    """In a record, in the state of a callback that adds them, and in those of callbacks that monitor them."""
    monitors = [
        EarlyStopping("extra_loss", mode="min"),
        ModelCheckpoint(tmp_path / "best", best="extra_loss", mode="min"),
    ]
    saving = ModelCheckpoint(tmp_path / "training")
    trainer = small.plain([Extra(value), *monitors, saving])
    trainer.fit(small.points(), epochs=1, progress=False)
    extra = Extra(None)
    resumed = Trainer.resume(tmp_path / "training", callbacks=[extra, EarlyStopping("extra_loss", mode="min")])
    assert isinstance(resumed.history["extra_loss"][0], int | float)
    assert extra.restored == value
    assert resumed.history["extra_loss"] == trainer.history["extra_loss"] == [value]


@pytest.mark.parametrize("value", ["text", None, np.ones(2), [1.0]])
def test_a_record_holds_numbers_alone(value: Any) -> None:
    with pytest.raises(TypeError, match=r"fit: expected the values that callbacks add .* numbers, got extra_loss "):
        small.plain([Extra(value)]).fit(small.points(), epochs=1, progress=False)


def test_the_model_inside_a_checkpoint_can_be_loaded_alone(tmp_path: Path) -> None:
    trainer = small.fit(small.new_trainer(tmp_path, "sgd"))
    trainer.save(tmp_path / "now.safetensors")
    x, _ = small.pictures()
    assert np.array_equal(load_model(tmp_path / "now.safetensors").predict(x), trainer.model.predict(x))


# -------------------------------------------------------------------------------------------- what a file can name

LOSSES = [
    CrossEntropy(label_smoothing=0.1, l1=0.25),
    BinaryCrossEntropy(l2=0.5),
    MeanSquaredError(),
]
OPTIMIZERS = [
    SGD(0.5),
    SGD(StepSchedule(0.5, every=3, factor=0.5), momentum=0.5, nesterov=True, weight_decay=0.125),
    Adam(WarmUp(CosineSchedule(0.25, steps=9), steps=4), betas=(0.5, 0.75), eps=1e-7, weight_decay=0.5),
    AdamW(WarmUp(0.25, steps=4), weight_decay=0.5),
    RMSProp(0.125, alpha=0.5, eps=1e-7, weight_decay=0.25),
    Adagrad(0.25, eps=1e-7, clip_value=0.5),
    Adadelta(0.5, rho=0.75, clip_norm=2.0),
    SGD(PerEpoch(ExponentialSchedule(0.5, every=1, factor=0.5)), momentum=0.5),
    Adam(0.25, param_groups={"0.": {"lr": StepSchedule(0.5, every=3)}, "0.bias": {"weight_decay": 0.5}}),
]


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_losses_are_restored(loss: Loss, tmp_path: Path) -> None:
    Trainer(small.dense(), loss=loss, optimizer=SGD(0.5)).save(tmp_path / "file")
    again = Trainer.resume(tmp_path / "file").loss
    assert (type(again), again.config()) == (type(loss), loss.config())


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_optimizers_and_schedules_are_restored(optimizer: Optimizer, tmp_path: Path) -> None:
    trainer = Trainer(small.dense(), loss=CrossEntropy(), optimizer=optimizer, seed=7)
    trainer.fit(small.points(50), epochs=1, batch_size=10, progress=False)
    trainer.save(tmp_path / "file")
    again = Trainer.resume(tmp_path / "file")
    assert (type(again.optimizer), repr(again.optimizer)) == (type(optimizer), repr(optimizer))
    assert small.fingerprint(again) == small.fingerprint(trainer)
    assert again.optimizer.learning_rate == optimizer.learning_rate
    assert again.seed == 7


def falling(step: int) -> float:
    return 0.5 / (1 + step)


def test_a_function_of_ones_own_is_restored(tmp_path: Path) -> None:
    def trainer() -> Trainer:
        optimizer = SGD(PerEpoch(falling), momentum=0.5, param_groups={"0.bias": {"lr": falling}})
        return Trainer(small.dense(), loss=CrossEntropy(), optimizer=optimizer)

    def fit(one: Trainer, epochs: int = 3) -> Trainer:
        one.fit(small.points(50), epochs=epochs, batch_size=10, progress=False)
        return one

    fit(trainer(), epochs=2).save(tmp_path / "file")
    again = fit(Trainer.resume(tmp_path / "file", parts=[falling]))
    assert small.fingerprint(again) == small.fingerprint(fit(trainer()))
    assert again.history["lr"] == [0.5, 0.25, 0.5 / 3]
    with pytest.raises(
        DataFormatError, match=r"unknown part 'falling'; pass a function of your own as resume\(\.\.\., "
    ):
        Trainer.resume(tmp_path / "file")
    with pytest.raises(DataFormatError, match="unknown part 'falling'; pass a function"):
        Trainer.resume(tmp_path / "file", parts=[type("falling", (), {})])


def test_a_function_without_a_name_is_not_saved(tmp_path: Path) -> None:
    one = Trainer(small.dense(), loss=CrossEntropy(), optimizer=SGD(lambda step: 0.5))
    with pytest.raises(TypeError, match=r"expected a function with a name of its own to save, got .*; define it"):
        one.save(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


class Doubled(Dense):
    pass


class Gentle(SGD):
    pass


def own_kinds(path: Path) -> None:
    model = Sequential([Doubled(2)], input_shape=(2,))
    Trainer(model, loss=CrossEntropy(), optimizer=Gentle(0.5)).save(path)


def test_custom_layers_and_optimizers_are_passed_to_resume(tmp_path: Path) -> None:
    own_kinds(tmp_path / "file")
    trainer = Trainer.resume(tmp_path / "file", layers=[Doubled], parts=[Gentle])
    assert (type(trainer.model[0]), type(trainer.optimizer)) == (Doubled, Gentle)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"parts": [Gentle]}, "unknown layer 'Doubled'"),
        (
            {"layers": [Doubled]},
            r"unknown part 'Gentle'; pass a class of your own as resume\(\.\.\., parts=\[Gentle\]\)",
        ),
    ],
)
def test_unknown_kinds_are_named(given: dict[str, list[type[Layer]]], text: str, tmp_path: Path) -> None:
    own_kinds(tmp_path / "file")
    with pytest.raises(DataFormatError, match=text):
        Trainer.resume(tmp_path / "file", **given)


# ------------------------------------------------------------------------------------ callbacks that are not the same


def test_each_callback_gets_its_own_state_back_in_any_order(tmp_path: Path) -> None:
    def make() -> list[EarlyStopping]:
        return [EarlyStopping("loss", patience=50), EarlyStopping("accuracy", patience=50, restore_best=False)]

    first = small.plain(make())
    first.fit(small.points(), epochs=3, progress=False)
    first.save(tmp_path / "file")
    by_loss, by_accuracy = make()
    Trainer.resume(tmp_path / "file", callbacks=[by_accuracy, by_loss])
    assert [by_loss.best, by_accuracy.best] == [callback.best for callback in first.callbacks]
    assert (len(by_loss.arrays()), len(by_accuracy.arrays())) == (2, 0)


def test_callbacks_with_the_same_key_keep_their_order(tmp_path: Path) -> None:
    def make() -> list[EarlyStopping]:
        return [EarlyStopping("loss", patience=50, min_delta=delta) for delta in (0.0, 100.0)]

    first = small.plain(make())
    first.fit(small.points(), epochs=3, progress=False)
    first.save(tmp_path / "file")
    again = make()
    Trainer.resume(tmp_path / "file", callbacks=again)
    assert [callback.waited for callback in again] == [0, 2]


def test_a_new_callback_starts_fresh_and_a_missing_one_is_ignored(tmp_path: Path) -> None:
    trainer = small.plain([EarlyStopping("loss"), ModelCheckpoint(tmp_path / "file")])
    trainer.fit(small.points(), epochs=2, progress=False)
    new = EarlyStopping("accuracy")
    resumed = Trainer.resume(tmp_path / "file", callbacks=[new])
    assert (new.best, new.waited) == (None, 0)
    resumed.fit(small.points(), epochs=3, progress=False)
    assert new.best == resumed.history["accuracy"][-1]


# ------------------------------------------------------------------------------------------------------ wrong files


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A checkpoint of a training stopped within its second epoch."""
    folder = tmp_path_factory.mktemp("checkpoint")
    keep = small.At(9, lambda trainer: trainer.save(folder / "kept"))
    small.fit(small.new_trainer(folder, "sgd", more=[keep]))
    return (folder / "kept").read_bytes()


@pytest.fixture
def checkpoint(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(content)
    return path


def resume(path: Path) -> Trainer:
    return Trainer.resume(path, callbacks=[EarlyStopping(), LearningRateLogger(path.with_name("rates.csv"))])


def test_the_unchanged_checkpoint_is_valid(checkpoint: Path) -> None:
    trainer = resume(checkpoint)
    assert (trainer.progress.epoch, trainer.progress.batch, trainer.progress.seen) == (1, 3, 24)


def test_a_model_is_not_a_checkpoint(tmp_path: Path) -> None:
    small.dense().save(tmp_path / "model")
    with pytest.raises(DataFormatError, match=r"model: a model, not a training .*; load_model reads it"):
        Trainer.resume(tmp_path / "model")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing: no such file"):
        Trainer.resume(tmp_path / "nothing")


def test_a_truncated_file_is_refused(checkpoint: Path, content: bytes) -> None:
    header = struct.unpack("<Q", content[:8])[0]
    for size in (0, 5, 8, 100, 8 + header - 1, 8 + header, len(content) // 2 + header // 2, len(content) - 1):
        checkpoint.write_bytes(content[:size])
        with pytest.raises(DataFormatError, match=r"checkpoint\.safetensors: not a safetensors file, or a damaged one"):
            resume(checkpoint)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and so on" * 40, b"\x00" * 4096, b"\xff" * 4096])
def test_foreign_files_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DataFormatError, match="file: not a safetensors file, or a damaged one"):
        Trainer.resume(tmp_path / "file")


def test_safetensors_of_another_program_are_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(3)}, str(tmp_path / "file"))
    with pytest.raises(DataFormatError, match="expected a file of format numpycnn-1, got 'none'"):
        Trainer.resume(tmp_path / "file")


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, np.ndarray]], Any]) -> None:
    """Change metadata and arrays of a checkpoint."""
    with open_arrays(path) as file:
        metadata, arrays = file.metadata, {name: file.tensor(name) for name in file.names()}
    change(metadata, arrays)
    write_arrays(path, arrays, metadata)


Change = Callable[[dict[str, Any], dict[str, np.ndarray]], Any]
VELOCITY = "optimizer.velocity.0.weight"
KEPT = "the weights that EarlyStopping val_loss keeps are not those of its model"
WRONG: list[tuple[str, Change, str]] = [
    ("no history", lambda m, a: m.pop("history"), "expected history in its metadata, got None"),
    ("history of strings", lambda m, a: m["history"][0].update(loss="low"), r"expected a history of numbers, got \{"),
    ("history of lists", lambda m, a: m.update(history=[[1, 2]]), r"expected a history of numbers, got \[1, 2\]"),
    ("unknown part", lambda m, a: m["loss"].update(part="os.system"), "unknown part 'os.system'"),
    ("a part that is a list", lambda m, a: m["loss"].update(part=[]), "no training can be resumed from it"),
    ("a function as a part", lambda m, a: m.update(loss={"function": "CrossEntropy"}), "unknown part 'CrossEntropy'"),
    ("a function of a list", lambda m, a: m.update(loss={"function": []}), "no training can be resumed from it"),
    ("groups of text", lambda m, a: m.update(loss={"mapping": ""}), "no training can be resumed from it"),
    (
        "epochs below 0",
        lambda m, a: m["optimizer"].update(epoch_count=-1),
        "expected epoch_count from 0 to 2147483647, got -1",
    ),
    ("an unknown argument", lambda m, a: m["loss"]["config"].update(l3=1), "unexpected keyword argument 'l3'"),
    ("a bad argument", lambda m, a: m["loss"]["config"].update(l1=-1), "expected l1 .*, got -1"),
    ("arguments as a list", lambda m, a: m["loss"].update(config=[]), "no training can be resumed from it"),
    ("no arguments", lambda m, a: m["loss"].pop("config"), "'config' is missing"),
    (
        "an optimizer as the loss",
        lambda m, a: m.update(loss=m["optimizer"]["encoded"]),
        "expected an instance of Loss, got SGD",
    ),
    (
        "a loss as the optimizer",
        lambda m, a: m["optimizer"].update(encoded=m["loss"]),
        "expected an instance of Optimizer, got CrossEntropy",
    ),
    (
        "steps below 0",
        lambda m, a: m["optimizer"].update(step_count=-1),
        "expected step_count from 0 to 2147483647, got -1",
    ),
    ("no steps", lambda m, a: m["optimizer"].pop("step_count"), "'step_count' is missing"),
    ("an array of another optimizer", lambda m, a: a.update({"optimizer.square.0.weight": a[VELOCITY]}), "got square"),
    (
        "an array of another model",
        lambda m, a: a.update({"optimizer.velocity.17.weight": a[VELOCITY]}),
        "keeps velocity.17.weight of a parameter that the model does not have",
    ),
    (
        "an array of another shape",
        lambda m, a: a.update({VELOCITY: a[VELOCITY][:2]}),
        r"expected velocity\.0\.weight \(3, 1, 3, 3\) of float32, got \(2, 1, 3, 3\) of float32",
    ),
    (
        "an array of another type",
        lambda m, a: a.update({VELOCITY: a[VELOCITY].astype(np.float64)}),
        r"expected velocity\.0\.weight .* of float32, got .* of float64",
    ),
    ("a weight left out", lambda m, a: a.pop("model.9.bias"), "missing 9.bias"),
    ("a weight too many", lambda m, a: a.update({"model.9.extra": a[VELOCITY]}), "unknown 9.extra"),
    (
        "random state left out",
        lambda m, a: m["random"].pop("4._rng"),
        r"expected the random states of \['4\._rng', '8\._rng'\], got \['8\._rng'\]",
    ),
    (
        "random state of another generator",
        lambda m, a: m["random"]["4._rng"].update(bit_generator="MT19937"),
        "no training can be resumed from it: state must be for a PCG64",
    ),
    ("random state without its numbers", lambda m, a: m["random"]["4._rng"].pop("state"), "'state' is missing"),
    ("random state of strings", lambda m, a: m["random"].update({"4._rng": "seed 0"}), "no training can be resumed"),
    (
        "random state too large",
        lambda m, a: m["random"]["4._rng"]["state"].update(state=2**200),
        "no training can be resumed from it",
    ),
    ("no seed", lambda m, a: m["progress"].pop("seed"), "'seed' is missing"),
    ("a seed of text", lambda m, a: m["progress"].update(seed="0"), "expected seed to be an int, got str '0'"),
    ("no place", lambda m, a: m["progress"].pop("epoch"), "expected a place in the training with epoch, batch, "),
    ("a place too much", lambda m, a: m["progress"].update(week=3), "expected a place in the training with epoch"),
    ("a place of text", lambda m, a: m["progress"].update(batch="3"), "expected batch of the place .* as int, got '3'"),
    ("a place below 0", lambda m, a: m["progress"].update(epoch=-1), "expected epoch of the place .* as int, got -1"),
    (
        "a place outside of the data",
        lambda m, a: m["progress"].update(batch=7),
        "expected a place within the data, got 24 of 44 examples seen after 7 batches of 8",
    ),
    ("callbacks without keys", lambda m, a: m["callbacks"][0].pop("key"), "'key' is missing"),
    ("a callback's state of text", lambda m, a: m["callbacks"][0].update(state=""), "no training can be resumed"),
    ("a callback's memory empty", lambda m, a: m["callbacks"][0].update(state={}), "'best' is missing"),
    ("a best value of text", lambda m, a: m["callbacks"][0]["state"].update(best="0.5"), "best value to be a number"),
    ("a best value of NaN", lambda m, a: m["callbacks"][0]["state"].update(best=float("nan")), "or None, got NaN"),
    ("epochs waited of text", lambda m, a: m["callbacks"][0]["state"].update(waited="1"), "waited to be an int"),
    ("epochs waited below 0", lambda m, a: m["callbacks"][0]["state"].update(waited=-1), "expected waited from 0"),
    ("no list of callbacks", lambda m, a: m.update(callbacks=[3]), "no training can be resumed"),
    (
        "weights of the training incomplete",
        lambda m, a: a.update({"training.0.weight": a["model.0.weight"]}),
        "do not match its architecture: missing",
    ),
    ("kept weights incomplete", lambda m, a: a.pop("callback.0.0.weight"), KEPT),
    ("kept weights of another name", lambda m, a: a.update({"callback.0.x": a.pop("callback.0.0.weight")}), KEPT),
    ("kept weights of another shape", lambda m, a: a.update({"callback.0.0.weight": np.zeros(3, np.float32)}), KEPT),
    (
        "rates of another shape",
        lambda m, a: a.update({"callback.1.rates": np.zeros((2, 3))}),
        "too many values to unpack",
    ),
]


@pytest.mark.parametrize(
    ("callback", "state", "arrays"),
    [
        (ModelCheckpoint("best.safetensors", best="val_loss"), {"best_value": "0.5"}, {}),
        (WeightAverage(), {"updates": 1}, {"0.weight": np.zeros(3)}),
        (UpdateRatios(), {}, {"0.weight": np.zeros((2, 2))}),
    ],
    ids=["ModelCheckpoint", "WeightAverage", "UpdateRatios"],
)
def test_a_damaged_state_of_other_callbacks_is_refused(
    callback: Callback, state: dict[str, Any], arrays: dict[str, np.ndarray], checkpoint: Path
) -> None:
    def change(metadata: dict[str, Any], found: dict[str, np.ndarray]) -> None:
        metadata["callbacks"].append({"key": callback.key, "state": state})
        found |= {f"callback.{len(metadata['callbacks']) - 1}.{name}": array for name, array in arrays.items()}

    rewrite(checkpoint, change)
    with pytest.raises(DataFormatError, match=r"checkpoint\.safetensors: no training can be resumed from it"):
        Trainer.resume(checkpoint, callbacks=[callback])


@pytest.mark.parametrize(("change", "text"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_contradictory_contents_are_refused(change: Change, text: str, checkpoint: Path) -> None:
    rewrite(checkpoint, change)
    with pytest.raises(DataFormatError, match=rf"checkpoint\.safetensors: .*{text}"):
        resume(checkpoint)


@pytest.mark.parametrize(
    ("data", "settings", "text"),
    [
        (small.pictures(40), {}, "got 40 examples in batches of 8, shuffled"),
        (small.pictures(), {"batch_size": 4}, "got 44 examples in batches of 4, shuffled"),
        (small.pictures(), {"shuffle": False}, "got 44 examples in batches of 8, in the order given, augmented by"),
        (small.pictures(), {"drop_last": True}, "got 44 examples in batches of 8, shuffled, the last incomplete batch"),
        (small.pictures(), {"augment": None}, "got 44 examples in batches of 8, shuffled"),
        (small.pictures(), {"augment": Flip()}, r"got .* shuffled, augmented by Flip\(\)"),
    ],
    ids=["data", "batch size", "order", "last batch", "without augmentation", "another augmentation"],
)
def test_an_epoch_continues_with_the_same_batches_only(
    data: tuple[np.ndarray, np.ndarray], settings: dict[str, Any], text: str, checkpoint: Path
) -> None:
    trainer = resume(checkpoint)
    before = small.fingerprint(trainer)
    expected = (
        r"fit: this training stopped within an epoch of 44 examples in batches of 8, shuffled, augmented by "
        r"Augment\(\[PadCrop\(1\), Flip\(\), Noise\(std=0\.1\)\]\); expected the same"
    )
    with pytest.raises(ValueError, match=rf"^{expected} to go on, {text}.*\. A new Trainer starts over$"):
        trainer.fit(data, **{"epochs": 3, "batch_size": 8, "augment": small.AUGMENT, "progress": False} | settings)
    assert small.fingerprint(trainer) == before


def test_a_failed_write_leaves_no_temporary_file_and_keeps_the_old_one(tmp_path: Path) -> None:
    trainer = small.plain()
    trainer.save(tmp_path / "file")
    content = (tmp_path / "file").read_bytes()
    trainer.history.records.append({"loss": object()})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="not JSON serializable"):
        trainer.save(tmp_path / "file")
    with pytest.raises(IsADirectoryError, match="expected a file to write to, got a folder"):
        small.plain().save(tmp_path)
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_bytes() == content
