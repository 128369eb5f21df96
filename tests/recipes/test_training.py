"""A recipe from Python: the same run as from the command line, silent, and with Python's errors."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import numpycnn
from numpycnn import recipes
from numpycnn.cli import main
from numpycnn.recipes import SettingError, Start, training
from numpycnn.training import WeightAverage

OPTIONS: dict[str, Any] = {
    "model": "keras_cnn",  # with dropout
    "epochs": 2,
    "augment": "digits",
    "label_smoothing": 0.1,
    "l2": 1e-4,
    "ema": 0.9,
    "views": "shift",
    "seed": 5,
}
MLP: dict[str, Any] = {"model": "mlp", "epochs": 1, "progress": False}
TIMES = ("seconds", "cpu_seconds", "training_seconds", "finished", "history")

pytestmark = pytest.mark.usefixtures("known_digits")


def weights(folder: Path) -> dict[str, bytes]:
    state = numpycnn.load_model(folder / "model.safetensors").state()
    return {name: array.tobytes() for name, array in state.items()}


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "result.json").read_text())


def test_python_and_the_command_line_give_the_same_run() -> None:
    words = [word for name, value in OPTIONS.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    assert main(["train", "mnist", "--recipe", "best", *words, "--out", "command"]) == 0
    run = recipes.train("mnist", "best", **OPTIONS, out="python", progress=False)
    assert run.settings.to_json().items() >= (OPTIONS | {"recipe": "best"}).items()
    assert weights(run.folder) == weights(Path("command"))
    assert {path.name for path in Path("python").iterdir()} == {path.name for path in Path("command").iterdir()}
    python, command = record(Path("python")), record(Path("command"))
    assert python.keys() == command.keys()
    assert {key: value for key, value in python.items() if key not in TIMES} == {
        key: value for key, value in command.items() if key not in TIMES
    }
    losses = [[epoch["loss"] for epoch in result["history"]] for result in (python, command)]
    assert losses[0] == losses[1]


def test_a_run_is_returned() -> None:
    run = recipes.train("mnist", model="mlp", epochs=2, lr=0.01, progress=False)
    assert run.folder == Path("runs/mnist")
    result = record(run.folder)
    assert (run.test_accuracy, run.test_loss) == (result["test_accuracy"], result["test_loss"])
    assert run.test_accuracy > 0.9
    assert run.settings.to_json() == {name: result["settings"][name] for name in run.settings.to_json()}
    assert [epoch["epoch"] for epoch in run.history] == [1, 2]
    assert result["cpu_seconds"] > 0
    assert result["seconds"] == round(run.seconds, 2)
    x = np.zeros((1, 1, 28, 28), np.float32)
    np.testing.assert_array_equal(run.model.forward(x), numpycnn.load_model("runs/mnist/model.safetensors").forward(x))
    with pytest.raises(AttributeError):
        run.seconds = 0  # type: ignore[misc]


def test_nothing_is_printed_but_the_progress(capsys: pytest.CaptureFixture[str]) -> None:
    recipes.train("mnist", **MLP)
    assert capsys.readouterr() == ("", "")
    progress = io.StringIO()
    recipes.train("mnist", model="mlp", epochs=1, progress=progress)
    assert progress.getvalue().startswith("epoch 1/1  loss ")
    assert capsys.readouterr() == ("", "")


def test_the_start_is_announced_before_the_first_step() -> None:
    seen = []

    def on_start(start: Start) -> None:
        seen.append((start.trainer.progress.epoch, start.settings.model, len(start.train), len(start.test)))
        assert start.folder.is_dir()

    run = recipes.train("mnist", **MLP, on_start=on_start)
    assert seen == [(0, "mlp", 480, 120)]
    assert run.folder.is_dir()


@pytest.mark.parametrize(("ema", "averages"), [(0.75, [0.75]), (0.0, [])])
@pytest.mark.parametrize("validation", [0, 12])
def test_the_settings_reach_the_trainer(ema: float, averages: list[float], validation: int) -> None:
    starts: list[Start] = []
    options = {"label_smoothing": 0.125, "l2": 0.5, "ema": ema, "validation": validation}
    run = recipes.train("mnist", **MLP, **options, on_start=starts.append)
    trainer = starts[0].trainer
    config = trainer.loss.config()
    assert {name: config[name] for name in ("label_smoothing", "l1", "l2")} == {
        "label_smoothing": 0.125,
        "l1": 0.0,
        "l2": 0.5,
    }
    assert [callback.decay for callback in trainer.callbacks if isinstance(callback, WeightAverage)] == averages
    assert ("val_loss" in run.history.names()) == bool(validation)
    assert trainer.optimizer.step_count == -(-(480 - validation) // 32)


def test_an_interrupted_run_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*arguments: object, **settings: object) -> None:
        raise KeyboardInterrupt

    through = recipes.train("mnist", **MLP, out="through")
    with monkeypatch.context() as patch:
        patch.setattr(training, "write_results", press)
        with pytest.raises(KeyboardInterrupt):
            recipes.train("mnist", **MLP)
    with pytest.raises(SettingError, match=r"^seed=1: the training to be resumed has seed=0; leave the option out"):
        recipes.train("mnist", seed=1, resume=True)
    with pytest.raises(SettingError, match=r"^runs/mnist: holds an unfinished training .*; add resume=True to"):
        recipes.train("mnist", **MLP, out="runs/mnist")
    run = recipes.train("mnist", resume=True, progress=False)
    assert run.folder == Path("runs/mnist")
    assert record(run.folder)["resumed"] is True
    assert weights(run.folder) == weights(through.folder)


def test_results_are_protected() -> None:
    recipes.train("mnist", **MLP, out="out")
    with pytest.raises(SettingError, match=r"^out: holds a finished training .*; name another out=, or add force=True"):
        recipes.train("mnist", **MLP, out="out")
    assert recipes.train("mnist", **MLP, out=Path("out"), force=True).folder == Path("out")


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"model": "vgg"}, ValueError, "train: expected model to be one of"),
        ({"epochs": "3"}, TypeError, "train: expected epochs to be an int, got str '3'"),
        ({"resume": 1}, TypeError, "train: expected resume to be True or False"),
        ({"resume": True, "force": True}, ValueError, "resume=True and force=True exclude each other"),
        ({"resume": True}, FileNotFoundError, "expected runs/mnist/checkpoint.safetensors or a numbered one"),
        ({"validation": 480}, ValueError, "validation=480: expected fewer than the 480 training images"),
        ({"size": (9, 9)}, ValueError, r"size=\(9, 9\) is for folders of pictures, not for mnist"),
        ({"skip_broken": True}, ValueError, "skip_broken=True is for folders of pictures, not for mnist"),
        ({"data": "nowhere"}, FileNotFoundError, "MNIST: expected train-images-idx3-ubyte"),
        ({"model": "text_cnn"}, ValueError, "^text_cnn takes sentences and nothing else"),
        ({"epochs": 2_000_000_000}, ValueError, "epochs=2000000000: OneCycleSchedule: expected steps from 1"),
    ],
)
def test_settings_that_do_not_fit(options: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        recipes.train("mnist", **options)
    assert not Path("runs").exists()


def test_an_unknown_data_set() -> None:
    with pytest.raises(ValueError, match=r"invalid choice: 'minst' \(choose from 'mnist', "):
        recipes.train("minst")


def test_a_diverging_training() -> None:
    with pytest.raises(FloatingPointError, match="epoch 1, batch "):
        recipes.train("mnist", **MLP, optimizer="sgd", lr=1e30)
    assert list(Path("runs").iterdir()) == []  # the empty folder is removed
