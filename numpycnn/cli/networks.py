"""Resolve a model argument: a name of the zoo, a file, or the folder of a run."""

import argparse
import shlex
from pathlib import Path

from numpycnn.cli.console import CommandError, refusing, shape
from numpycnn.functional.checks import spell
from numpycnn.loading import load_model
from numpycnn.models import MODELS, create
from numpycnn.recipes.errors import spell_path
from numpycnn.recipes.results import CHECKPOINT, MODEL_FILE, RUNS
from numpycnn.sequential import Sequential

MODEL_HELP = f"a trained model's .safetensors file or its folder, or one of {', '.join(MODELS)}"


def add_model(command: argparse.ArgumentParser) -> None:
    """Let a command take a model and, for one of the zoo, its input shape."""
    command.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    command.add_argument(
        "--input-shape",
        type=shape,
        metavar="C,H,W",
        help="of one picture, as 1,28,28 (default: the network's own; that of a trained model is fixed)",
    )


def file_of(text: str) -> Path | None:
    """Return the file that a user means, None if there is none."""
    path = Path(text)
    if path.is_dir() and (path / MODEL_FILE).is_file():
        path = path / MODEL_FILE
    return path if path.is_file() else None


def open_model(
    text: str, input_shape: tuple[int, ...] | None = None, classes: int = 10, *, seed: int | None = 0
) -> Sequential:
    """Return the model of a name, a file or a folder; one of a name is new and untrained.

    `classes` counts with an input shape only: without one the network is built as the zoo has it. With None as its
    `seed`, a new one has no weights, which takes no time.

    Raises
    ------
    CommandError
        If there is none, or the input shape is not its own or does not fit it.
    """
    if text in MODELS:
        with refusing(ValueError, MemoryError):
            return MODELS[text](seed=seed) if input_shape is None else create(text, input_shape, classes, seed=seed)
    path = file_of(text)
    if path is None and (Path(text) / CHECKPOINT).is_file():
        raise CommandError(
            f"{spell_path(text)}: expected a finished training, found an unfinished one ({CHECKPOINT}); "
            f"{how_to_go_on(Path(text))}"
        )
    if path is None:
        raise CommandError(
            f"{spell_path(text)}: expected a .safetensors file, the folder of a training, or one of "
            f"{', '.join(MODELS)}; found nothing of that name"
        )
    model = load_model(path)
    if input_shape is not None and input_shape != model.input_shape:
        raise CommandError(
            f"{spell_path(path)}: this model takes inputs of shape {spell(model.input_shape or ())}, "
            f"got --input-shape {','.join(map(str, input_shape))}"
        )
    return model


def how_to_go_on(folder: Path) -> str:
    """Say what can be done with an unfinished training."""
    settings = load_model(folder / CHECKPOINT).metadata.get("training", {})
    dataset = settings.get("dataset", "DATASET") if isinstance(settings, dict) else "DATASET"
    resume = ["numpycnn", "train", str(dataset), "--out", str(folder), "--resume"]
    return f"finish it with: {shlex.join(resume)}; or take the model as it is so far: {folder / CHECKPOINT}"


def newest_model() -> Path:
    """Return the model of the newest run.

    Raises
    ------
    CommandError
        If there is none.
    """
    found = sorted(RUNS.glob(f"*/{MODEL_FILE}"), key=lambda path: path.stat().st_mtime_ns)
    begun = sorted(RUNS.glob(f"*/{CHECKPOINT}"), key=lambda path: path.stat().st_mtime_ns)
    if not found and begun:
        folder = begun[-1].parent
        raise CommandError(
            f"no trained model in {RUNS}: the training in {spell_path(folder)} is unfinished; {how_to_go_on(folder)}"
        )
    if not found:
        raise CommandError(
            f"no trained model in {RUNS}: expected {RUNS / '*' / MODEL_FILE}; train one with 'numpycnn train mnist', "
            "or name one with --model"
        )
    return found[-1]
