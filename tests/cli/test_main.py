"""The command line as a whole: help, errors, exit statuses, pipes, and a real process that is interrupted."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import numpycnn
from numpycnn.cli import console, main, summary
from numpycnn.io.serialization import open_arrays

Run = Callable[..., Any]
COMMANDS = ["train", "evaluate", "predict", "data", "explain", "draw", "summary", "gradcheck", "exercise"]
REPOSITORY = Path(__file__).resolve().parents[2]

# The command in a process of its own, with made-up digits as MNIST; the folder of the digits is the first argument.
CHILD = """
import dataclasses, hashlib, pathlib, runpy, sys
import numpycnn.data.mnist as module
folder = pathlib.Path(sys.argv.pop(1))
form = module.MNIST.forms[0]
sums = tuple(hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in form.files)
module.MNIST = dataclasses.replace(module.MNIST, forms=(dataclasses.replace(form, sha256=sums),))
runpy.run_module("numpycnn", run_name="__main__", alter_sys=True)
"""


# ---------------------------------------------------------------------------------------------------------------- helps


def test_the_help_names_every_command(run: Run) -> None:
    outcome = run("--help")
    assert outcome.status == 0
    assert outcome.err == ""
    for command in COMMANDS:
        assert f"\n    {command} " in outcome.out
    assert "numpycnn train mnist" in outcome.out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_help_with_an_example(run: Run, command: str) -> None:
    outcome = run(command, "--help")
    assert outcome.status == 0
    usage, about = outcome.out.split("\n\n")[:2]
    assert usage.startswith(f"usage: numpycnn {command} ")
    assert about.endswith(".")
    assert f"  numpycnn {command} " in outcome.out.partition("example")[2]


@pytest.mark.parametrize("command", [[], *([command] for command in COMMANDS)], ids=str)
@pytest.mark.parametrize("columns", [50, 60, 100])
def test_a_help_fits_into_the_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = run(*command, "--help").out
    assert [line for line in out.splitlines() if len(line) > columns] == []
    examples = out.partition("\nexample")[2].replace("\\\n", "").split("\n  ")[1:]
    assert all(example.startswith(("numpycnn ", "    ")) for example in examples)
    if command == ["train"]:
        assert ["numpycnn", "train", "mnist", "--model", "lenet", "--epochs", "2", "--out", "runs/lenet"] in [
            example.split() for example in examples
        ]


def test_the_version(run: Run) -> None:
    assert run("--version").out == f"numpycnn {numpycnn.__version__}\n"


def test_help_loads_no_heavy_library() -> None:
    code = "import sys; from numpycnn.cli import parser; parser().format_help(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "numpycnn" in loaded
    assert not loaded & {"matplotlib", "PIL", "skimage", "rich", "requests", "safetensors", "mlxtend"}


# ------------------------------------------------------------------------------------------------------------ wrong use

WRONG = [
    ([], "the following arguments are required: COMMAND (see numpycnn --help)"),
    (["bogus"], "invalid choice: 'bogus'"),
    (["train"], "the following arguments are required: DATASET (see numpycnn train --help)"),
    (["train", "cifar"], "argument DATASET: invalid choice: 'cifar'"),
    (["train", "mnist", "--epochs", "0"], "argument --epochs: expected a whole number from 1 to 2147483647, got '0'"),
    (["train", "mnist", "--epochs", "9" * 5000], "argument --epochs: expected a whole number from 1 to"),
    (["train", "mnist", "--batch-size", "-1"], "argument --batch-size: expected a whole number from 1 to"),
    (["train", "mnist", "--seed", "1.5"], "argument --seed: expected a whole number from 0 to 2147483647, got '1.5'"),
    (["train", "mnist", "--lr", "fast"], "argument --lr: expected a number above 0, got 'fast'"),
    (["train", "mnist", "--lr", "nan"], "argument --lr: expected a number above 0, got 'nan'"),
    (["train", "mnist", "--lr", "0"], "argument --lr: expected a number above 0, got '0'"),
    (["train", "mnist", "--model", "x"], "argument --model: invalid choice: 'x'"),
    (["train", "mnist", "--optimizer", "x"], "argument --optimizer: invalid choice: 'x'"),
    (["train", "mnist", "--resume", "--force"], "argument --force: not allowed with argument --resume"),
    (["train", "mnist", "--threads", "5000"], "expected n from 1 to 1024, got 5000"),
    (["train", "mnist", "--ep", "1"], "unrecognized arguments: --ep 1"),
    (["evaluate", "lenet", "cifar"], "argument DATASET: invalid choice: 'cifar'"),
    (["summary", "lenet", "--input-shape", "1,x"], "expected sizes of at least 1, such as 1,28,28, got '1,x'"),
    (["gradcheck", "lenet", "--samples", "0"], "argument --samples: expected a whole number from 1"),
    (["predict"], "the following arguments are required: INPUT"),
]


@pytest.mark.parametrize(("arguments", "text"), WRONG, ids=lambda value: " ".join(value)[:40] if value else "none")
def test_wrong_use_is_one_line(run: Run, refused: Run, tmp_path: Path, arguments: list[str], text: str) -> None:
    refused(run(*arguments), text)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("NUMPYCNN_NUM_THREADS", "many", "NUMPYCNN_NUM_THREADS: expected a whole number, got 'many'"),
        (
            "NUMPYCNN_BACKEND",
            "numpy",
            "NUMPYCNN_BACKEND: expected one of the backends 'plain', 'fast', got 'numpy'",
        ),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        "train mnist",
        "evaluate mlp mnist",
        "predict x",
        "data",
        "explain mlp x",
        "draw mlp",
        "summary mlp",
        "gradcheck mlp",
        "exercise",
    ],
)
def test_a_wrong_setting_of_the_environment_is_named_by_every_command(
    run: Run, refused: Run, monkeypatch: pytest.MonkeyPatch, command: str, name: str, value: str, text: str
) -> None:
    monkeypatch.setattr("numpycnn._settings._num_threads", None)
    monkeypatch.setattr("numpycnn._settings._operations", None)
    monkeypatch.setenv(name, value)
    refused(run(*command.split()), text)


EXPECTED = [
    (PermissionError(13, "Permission denied", "a/b"), "numpycnn: error: a/b: Permission denied\n"),
    (OSError(28, "No space left on device"), "numpycnn: error: No space left on device\n"),
    (FloatingPointError("the loss is nan"), "numpycnn: error: the loss is nan\n"),
    (MemoryError("Unable to allocate"), "numpycnn: error: not enough memory: Unable to allocate\n"),
    (MemoryError(), "numpycnn: error: not enough memory: try a smaller model or batch\n"),
    (numpycnn.DataFormatError("x: two\n lines"), "numpycnn: error: x: two lines\n"),
]


@pytest.mark.parametrize(("error", "text"), EXPECTED, ids=lambda value: type(value).__name__)
def test_a_user_error_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, text: str) -> None:
    def fail(*arguments: object, **settings: object) -> None:
        raise error

    monkeypatch.setattr(summary, "open_model", fail)
    assert run("summary", "lenet") == (2, "", text)


def test_a_bug_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **settings: object) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr(summary, "open_model", fail)
    with pytest.raises(ValueError, match="a defect"):
        run("summary", "lenet")


def test_ctrl_c_anywhere(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **settings: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(summary, "open_model", fail)
    assert run("summary", "lenet") == (130, "", "interrupted\n")


# ---------------------------------------------------------------------------------------------------------------- pipes


class GonePipe(io.StringIO):
    """A stream with a closed reader."""

    def flush(self) -> None:
        raise BrokenPipeError


@pytest.mark.parametrize("arguments", [["summary", "lenet"], ["--help"]])
def test_a_closed_reader_is_not_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", GonePipe())
    assert main(arguments) == 141
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_of_a_real_process_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "numpycnn", "summary", "lenet"]
        done = subprocess.run(command, cwd=REPOSITORY, stdout=writer, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_closed_streams_are_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["summary", "lenet"]) == 0
    assert main(["summary", "nothing"]) == 2


# ------------------------------------------------------------------------------------------------------- a real process


def child(digits: Path, *arguments: str, cwd: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(digits), *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("default_ctrl_c")
def test_ctrl_c_leaves_a_checkpoint_that_resume_finishes(digits: Path, tmp_path: Path) -> None:
    settings = ["--model", "mlp", "--data", str(digits), "--batch-size", "4"]
    with child(digits, "train", "mnist", *settings, "--epochs", "40", cwd=tmp_path) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("epoch  1/40  loss ")  # training is under way
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "output    runs/mnist\n" in out
    assert "Traceback" not in err
    said = "interrupted: the training so far is in runs/mnist/checkpoint.safetensors; to resume it: "
    assert err.splitlines()[-1] == (f"{said}numpycnn train mnist --out runs/mnist --resume --data {digits}")
    assert not (tmp_path / "runs/mnist/model.safetensors").exists()
    with open_arrays(tmp_path / "runs/mnist/checkpoint.safetensors") as file:
        progress = file.get("progress", dict)
    assert 1 <= progress["epoch"] < 40

    with child(digits, "train", "mnist", "--resume", "--data", str(digits), cwd=tmp_path) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "resumed   after " in out
    assert err.splitlines()[-1].startswith("epoch 40/40  loss ")
    assert sorted(path.name for path in (tmp_path / "runs/mnist").iterdir()) == [
        "confusion_matrix.png",
        "history.csv",
        "learning_curves.png",
        "misclassified.png",
        "model.safetensors",
        "result.json",
    ]


@pytest.mark.parametrize(
    ("interrupted", "command"),
    [
        ("numpy", ["-c", "import sys, numpycnn_command; sys.exit(numpycnn_command.main())"]),
        ("argparse", ["-m", "numpycnn", "summary", "lenet"]),
    ],
)
def test_ctrl_c_during_the_imports_is_quiet(tmp_path: Path, interrupted: str, command: list[str]) -> None:
    (tmp_path / f"{interrupted}.py").write_text("raise KeyboardInterrupt")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_python_m_numpycnn() -> None:
    command = [sys.executable, "-m", "numpycnn", "predict", "--model", "nothing", "x.png"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == console.WRONG_USE
    assert done.stderr.startswith("numpycnn: error: nothing: expected a .safetensors file")
    assert done.stderr.count("\n") == 1
