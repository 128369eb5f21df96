"""Pictures from disk through a trained model, as text and as JSON."""

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import numpycnn
from numpycnn.cli import main
from numpycnn.cli.predict import as_bars
from numpycnn.training import TestTimeAugmentation

Run = Callable[..., Any]
PROBABILITIES = np.array([0.05, 0.9, 0.05])


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A dark stroke on white paper."""
    pixels = np.full((90, 70), 255, np.uint8)
    pixels[20:70, 30:38] = 10
    Image.fromarray(pixels).save(tmp_path / "one.png")
    return tmp_path / "one.png"


def test_a_prediction_as_bars(run: Run, trained: Path, picture: Path) -> None:
    outcome = run("predict", "--model", trained, "one.png")
    assert outcome.status == 0
    assert outcome.err == ""
    lines = outcome.out.splitlines()
    assert lines[:2] == [f"model     {trained}, trained on mnist", ""]
    model = numpycnn.load_model(trained / "model.safetensors")
    image = numpycnn.data.prepare_digit(numpycnn.data.read_picture(picture))
    x = ((image[np.newaxis] / 255 - 0.1307) / 0.3081).astype(np.float32)
    expected = numpycnn.functional.softmax(model(x))[0]
    best = int(expected.argmax())
    assert lines[2] == f"one.png: {best} ({100 * expected[best]:.1f} %)"
    for digit, line in enumerate(lines[3:]):
        assert line.startswith(f"{'>' if digit == best else ' '} {digit}  {100 * expected[digit]:5.1f} %")
        assert line.count("█") == 40 * round(1000 * float(expected[digit])) // 1000
    assert len(lines) == 13


def test_two_digits_in_a_picture_are_noted(run: Run, trained: Path, picture: Path) -> None:
    pixels = np.full((90, 140), 255, np.uint8)
    pixels[20:70, 30:38] = pixels[20:70, 90:98] = 10
    Image.fromarray(pixels).save("two.png")
    outcome = run("predict", "--model", trained, "--json", picture, "two.png")
    assert outcome.status == 0
    assert len(json.loads(outcome.out)["pictures"]) == 2
    assert outcome.err.startswith("note: two.png: expected a picture of one digit, found 2 separate shapes, which are")
    assert outcome.err.count("\n") == 1
    assert "its orientation is taken as given" in " ".join(run("predict", "--help").out.split())


def test_views_are_averaged(run: Run, trained: Path, picture: Path) -> None:
    plain, averaged = (
        json.loads(run("predict", "--model", trained, "--json", "--views", views, picture).out)["pictures"][0]
        for views in ("none", "shift")
    )
    model = numpycnn.load_model(trained / "model.safetensors")
    image = numpycnn.data.prepare_digit(numpycnn.data.read_picture(picture))
    x = ((image[np.newaxis] / 255 - 0.1307) / 0.3081).astype(np.float32)
    expected = numpycnn.functional.softmax(TestTimeAugmentation(shift=1)(model, x))[0]
    np.testing.assert_allclose(list(averaged["probabilities"].values()), expected, atol=2e-6)
    assert plain["probabilities"] != averaged["probabilities"]


def test_bars_are_aligned_and_the_best_is_marked() -> None:
    assert as_bars("a.png", PROBABILITIES, ["cat", "horse", "ox"]).splitlines() == [
        "a.png: horse (90.0 %)",
        "  cat      5.0 %  ██",
        "> horse   90.0 %  ████████████████████████████████████",
        "  ox       5.0 %  ██",
    ]


def test_a_bar_is_full_only_at_100_percent() -> None:
    for probability, line in [(0.9994, f"> no    99.9 %  {'█' * 39}"), (0.9996, f"> no   100.0 %  {'█' * 40}")]:
        assert as_bars("a.png", np.array([probability, 1 - probability]), ["no", "yes"]).splitlines()[1] == line


def test_bars_fit_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = as_bars("a.png", PROBABILITIES, ["cat", "horse of a kind", "ox"]).splitlines()
    assert lines[1:] == [
        "  cat                5.0 %",
        "> horse of a kind   90.0 %  ██████████",
        "  ox                 5.0 %",
    ]


def test_bars_on_a_terminal_without_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert as_bars("a.png", PROBABILITIES, ["cat", "horse", "ox"]).splitlines()[1] == "  cat      5.0 %  ##"


def test_names_that_the_terminal_cannot_encode(trained: Path, picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = picture.with_name("eins ①.png")
    picture.rename(other)
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["predict", "--model", str(trained), str(other)]) == 0
    assert rb"eins \u2460.png: " in stream.buffer.getvalue()  # type: ignore[attr-defined]


@pytest.mark.skipif(os.name != "posix", reason="names of any bytes are POSIX's")
def test_names_with_control_characters(run: Run, trained: Path, picture: Path) -> None:
    name = os.fsdecode(b"\xff\n.png")
    picture.rename(picture.with_name(name))
    outcome = run("predict", "--model", trained, name)
    assert outcome.status == 0
    assert outcome.out.splitlines()[2].startswith(r"'\udcff\n.png': ")
    assert json.loads(run("predict", "--json", "--model", trained, name).out)["pictures"][0]["picture"] == name


def test_a_prediction_for_programs(run: Run, trained: Path, picture: Path) -> None:
    outcome = run("predict", "--json", "--model", trained, "one.png", picture)
    answer = json.loads(outcome.out)
    assert answer["model"] == str(trained)
    first, second = answer["pictures"]
    assert (first["picture"], second["picture"]) == ("one.png", str(picture))
    assert list(first["probabilities"]) == list("0123456789")
    assert sum(first["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert first["probability"] == max(first["probabilities"].values()) == first["probabilities"][first["class"]]


def test_the_newest_model_is_the_default(run: Run, trained: Path, picture: Path) -> None:
    for number, name in enumerate(["mnist-2", "mnist", "other"]):
        folder = Path("runs") / name
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes((trained / "model.safetensors").read_bytes())
        os.utime(folder / "model.safetensors", (1000, 1000 + (number == 1)))
    assert run("predict", "one.png").out.startswith(
        f"model     {Path('runs/mnist/model.safetensors')}, trained on mnist\n"
    )


@pytest.fixture
def unfinished(trained: Path) -> Path:
    """A folder with only a checkpoint, as after Ctrl-C."""
    model = numpycnn.load_model(trained / "model.safetensors")
    trainer = numpycnn.Trainer(model, loss=numpycnn.CrossEntropy(), optimizer=numpycnn.SGD(0.1))
    folder = Path("runs/first try")
    folder.mkdir(parents=True)
    trainer.save(folder / "checkpoint.safetensors")
    return folder


def test_an_unfinished_training_is_reported(run: Run, refused: Run, picture: Path, unfinished: Path) -> None:
    advice = (
        "finish it with: numpycnn train mnist --out 'runs/first try' --resume; "
        "or use the model trained so far: runs/first try/checkpoint.safetensors"
    )
    refused(
        run("predict", "--model", unfinished, "one.png"),
        f"runs/first try: expected a finished training, found an unfinished one (checkpoint.safetensors); {advice}",
    )
    refused(
        run("predict", "one.png"),
        f"no trained model in runs: the training in runs/first try is unfinished; {advice}",
    )
    assert run("predict", "--model", unfinished / "checkpoint.safetensors", "one.png").status == 0


def test_no_model_yet(run: Run, refused: Run, picture: Path) -> None:
    refused(run("predict", "one.png"), "no trained model in runs: expected runs/*/model.safetensors; train one with")


def test_unreadable_pictures_do_not_stop_the_others(run: Run, trained: Path, picture: Path) -> None:
    Path("text.png").write_text("no picture")
    Image.new("L", (40, 40), 255).save("blank.png")
    Path("cut.png").write_bytes(picture.read_bytes()[:60])
    outcome = run("predict", "--model", trained, "none.png", "text.png", "blank.png", "cut.png", ".", "one.png")
    assert outcome.status == 2
    errors = outcome.err.splitlines()
    assert [line.split(": ")[:3] for line in errors] == [
        ["numpycnn", "error", name] for name in ("none.png", "text.png", "blank.png", "cut.png", ".")
    ]
    assert "found no such file" in errors[0]
    assert "found another kind of file" in errors[1]
    assert errors[2].startswith("numpycnn: error: blank.png: expected a picture of a digit, found only background")
    assert "found a folder" in errors[4]
    assert "\none.png: " in outcome.out


def test_a_network_without_weights(run: Run, refused: Run, picture: Path) -> None:
    refused(
        run("predict", "--model", "lenet", "one.png"),
        "--model lenet: expected a trained model's file or folder, got a network without weights",
    )


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"dataset": "mnist", "class_names": list("0123456789"), "mean": [0.1]},
        {"dataset": "mnist", "class_names": "0123456789", "mean": [0.1], "std": [0.3]},
        {"dataset": "mnist", "class_names": list("0123456789"), "mean": ["0.1"], "std": [0.3]},
        {"dataset": "mnist", "class_names": list("0123456789"), "mean": [0.1], "std": [0.3]},
        {
            "dataset": "mnist",
            "class_names": list("0123456789"),
            "mean": [0.1],
            "std": [0.3],
            "reader": {"kind": "video"},
        },
    ],
)
def test_a_model_without_complete_metadata(run: Run, refused: Run, picture: Path, metadata: dict[str, Any]) -> None:
    model = numpycnn.models.mlp()
    model.metadata = metadata
    model.save("m.safetensors")
    text = "m.safetensors: expected a model with its preprocessing in the metadata"
    refused(run("predict", "--model", "m.safetensors", "one.png"), text)


def test_invalid_metadata(run: Run, picture: Path) -> None:
    model = numpycnn.models.mlp()
    model.metadata = {"dataset": "mnist", "class_names": list("0123456789"), "mean": [0.1], "std": [-1.0]}
    model.metadata["reader"] = {"kind": "digit"}
    model.save("m.safetensors")
    outcome = run("predict", "--model", "m.safetensors", "one.png")
    assert outcome.status == 2
    assert outcome.err == "numpycnn: error: Dataset 'mnist': std must be positive, got [-1.0]\n"


def copy_with(trained: Path, scale: float = 1.0, **metadata: Any) -> str:
    """Save the trained model as `copy.safetensors`, its weights scaled, with other metadata; return the name."""
    model = numpycnn.load_model(trained / "model.safetensors")
    model.load_state({name: scale * array for name, array in model.state().items()})
    model.metadata |= metadata
    model.save("copy.safetensors")
    return "copy.safetensors"


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({"mean": [1e308]}, "expected mean and std in the range of float32, got mean [1e+308]"),
        ({"mean": [10**400]}, "mean must be finite, got [inf]"),
        ({"mean": [float("nan")]}, "mean must be finite, got [nan]"),
        ({"std": [10**400]}, "std must be finite, got [inf]"),
        ({"std": [1e308]}, "expected mean and std in the range of float32"),
        ({"std": [1e-320]}, "expected mean and std in the range of float32"),
        ({"std": [0]}, "std must be positive"),
    ],
    ids=str,
)
@pytest.mark.parametrize("command", [["predict", "--json", "--model"], ["explain"], ["evaluate"]], ids=lambda c: c[0])
def test_metadata_out_of_range_is_one_error(
    run: Run, trained: Path, picture: Path, command: list[str], metadata: dict[str, Any], found: str
) -> None:
    outcome = run(*command, copy_with(trained, **metadata), "mnist" if command == ["evaluate"] else picture)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert found in outcome.err


@pytest.mark.parametrize("command", [["predict", "--json", "--model"], ["explain"]], ids=lambda c: c[0])
def test_equal_class_names_are_one_error(run: Run, trained: Path, picture: Path, command: list[str]) -> None:
    """As JSON, one of the two classes would be lost."""
    outcome = run(*command, copy_with(trained, class_names=[*"012345678", "0"]), picture)
    assert outcome.status == 2
    assert outcome.err.endswith("expected different class_names, got '0' more than once\n")


@pytest.mark.parametrize("command", [["predict", "--json", "--model"], ["explain"], ["evaluate"]], ids=lambda c: c[0])
def test_outputs_that_are_not_finite_are_one_error(run: Run, trained: Path, picture: Path, command: list[str]) -> None:
    outcome = run(*command, copy_with(trained, 1e30), "mnist" if command == ["evaluate"] else picture)
    assert outcome.status == 2
    assert outcome.err.count("\n") == 1
    assert "expected finite outputs of the model, got infinity or NaN" in outcome.err
    assert "probabilities" not in outcome.out


def test_names_of_a_file_are_printed_without_control_characters(run: Run, trained: Path, picture: Path) -> None:
    names = ["\x1b[2J\nzero", "o\x7fne", *"23456789"]
    model = copy_with(trained, class_names=names, dataset="\x1b]0;title\x07")
    outcome = run("predict", "--model", model, picture)
    assert outcome.out.replace("\n", "").isprintable()
    assert len(outcome.out.splitlines()) == 13
    assert r"'\x1b[2J\nzero'" in outcome.out
    refusal = run("evaluate", model, "mnist")
    assert refusal.status == 2
    assert r"got one for '\x1b[2J\nzero', 'o\x7fne', 2" in refusal.err
    assert refusal.err.removesuffix("\n").isprintable()
    [prediction] = json.loads(run("predict", "--json", "--model", model, picture).out)["pictures"]
    assert list(prediction["probabilities"]) == names


def test_a_model_trained_by_fit_reads_pictures(run: Run, picture: Path, tmp_path: Path) -> None:
    train, _ = numpycnn.data.load_mnist()
    model = numpycnn.Sequential([numpycnn.Flatten(), numpycnn.Dense(10)], input_shape=(1, 28, 28), seed=0)
    trainer = numpycnn.Trainer(model, loss=numpycnn.CrossEntropy(), optimizer=numpycnn.Adam(lr=1e-3))
    trainer.fit(train, epochs=1, progress=False)
    model.save("digits.safetensors")
    [found] = json.loads(run("predict", "--json", "--model", "digits.safetensors", picture).out)["pictures"]
    image = numpycnn.data.prepare_digit(numpycnn.data.read_picture(picture))
    expected = numpycnn.functional.softmax(model.predict(train.normalize(image[np.newaxis])))[0]
    np.testing.assert_allclose(list(found["probabilities"].values()), expected, atol=2e-6)
    assert run("evaluate", "digits.safetensors", "mnist").status == 0


def test_a_model_without_preprocessing_is_refused_with_the_remedy(
    run: Run, picture: Path, refused: Callable[[Any, str], None]
) -> None:
    numpycnn.Sequential([numpycnn.Flatten(), numpycnn.Dense(10)], input_shape=(1, 28, 28)).save("own.safetensors")
    refused(
        run("predict", "--model", "own.safetensors", picture), "model.metadata |= train.describe() before model.save"
    )
