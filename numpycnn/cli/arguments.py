"""Arguments that several commands share: a data set, views, a size, and a model."""

import argparse
import shlex
from pathlib import Path

from numpycnn.cli.console import CommandError, refusing, shape
from numpycnn.data import CATALOG
from numpycnn.io.loading import load_model
from numpycnn.layers.checking import format_shapes
from numpycnn.layers.network import Network
from numpycnn.models import MODELS, create
from numpycnn.recipes import VIEWS, SettingError
from numpycnn.recipes.datasets import expect_dataset
from numpycnn.recipes.errors import spell_path
from numpycnn.recipes.results import CHECKPOINT, MODEL_FILE, RUNS

MODEL_HELP = f"a trained model's .safetensors file or its folder, or one of {', '.join(MODELS)}"


def add_dataset(command: argparse.ArgumentParser) -> None:
    """Add the data set arguments to a command."""
    named = "; ".join(f"{name}: {entry.source.about}" for name, entry in CATALOG.items())
    command.add_argument(
        "dataset",
        metavar="DATASET",
        type=dataset,
        help=f"{named}; or the path of a folder or a zip that has a folder of PNG or JPEG pictures for each class, "
        "optionally within folders 'train' and 'test'",
    )
    command.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="where the files of a named data set are (default: NUMPYCNN_DATA, the cache, then a download)",
    )
    command.add_argument(
        "--skip-broken", action="store_true", help="skip unreadable pictures of a folder, and list them"
    )


def dataset(text: str) -> str:
    """Parse a name of the catalog or an existing path."""
    try:
        expect_dataset(text)
    except SettingError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def size(text: str) -> tuple[int, int]:
    """Parse a height and a width such as ``64,64``."""
    sizes = shape(text)
    if len(sizes) != 2:
        raise argparse.ArgumentTypeError(f"expected height and width such as 64,64, got {text!r}")
    return sizes[0], sizes[1]


def add_views(command: argparse.ArgumentParser) -> None:
    """Add ``--views`` to a command."""
    command.add_argument(
        "--views",
        choices=list(VIEWS),
        metavar="NAME",
        help=f"views of each picture to average: {', '.join(VIEWS)} (default: those the model was tested with)",
    )


def add_output(command: argparse.ArgumentParser) -> None:
    """Add ``--output`` to a command."""
    command.add_argument(
        "--output",
        metavar="NAME",
        help="the output to use, of a model with several (default: the only one with a value for each class)",
    )


def add_model(command: argparse.ArgumentParser) -> None:
    """Add a model argument to a command and, for a network of the zoo, its input shape."""
    command.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    command.add_argument(
        "--input-shape",
        type=shape,
        metavar="C,H,W",
        help="of one picture, such as 1,28,28 (default: the network's own; that of a trained model is fixed)",
    )


def file_of(text: str) -> Path | None:
    """Return the model file of a path, None if there is none."""
    path = Path(text)
    if path.is_dir() and (path / MODEL_FILE).is_file():
        path = path / MODEL_FILE
    return path if path.is_file() else None


def open_model(text: str, input_shape: tuple[int, ...] | None = None, *, seed: int | None = 0) -> Network:
    """Return the model of a name, a file or a folder; a named network is new, and without a `seed` has no weights."""
    if text in MODELS:
        with refusing(ValueError, MemoryError):
            return MODELS[text](seed=seed) if input_shape is None else create(text, input_shape, 10, seed=seed)
    path = file_of(text)
    if path is None and (Path(text) / CHECKPOINT).is_file():
        raise CommandError(
            f"{spell_path(text)}: expected a finished training, found an unfinished one ({CHECKPOINT}); "
            f"{describe_resume(Path(text))}"
        )
    if path is None:
        raise CommandError(
            f"{spell_path(text)}: expected a .safetensors file, the folder of a training, or one of "
            f"{', '.join(MODELS)}; found nothing of that name"
        )
    model = load_model(path)
    if input_shape is not None and input_shape != model.input_shape:
        raise CommandError(
            f"{spell_path(path)}: this model takes inputs of shape {format_shapes(model.input_shape or ())}, "
            f"got --input-shape {','.join(map(str, input_shape))}"
        )
    return model


def describe_resume(folder: Path) -> str:
    """Return advice on an unfinished training."""
    settings = load_model(folder / CHECKPOINT).metadata.get("training", {})
    dataset = settings.get("dataset", "DATASET") if isinstance(settings, dict) else "DATASET"
    resume = ["numpycnn", "train", str(dataset), "--out", str(folder), "--resume"]
    return f"finish it with: {shlex.join(resume)}; or use the model trained so far: {folder / CHECKPOINT}"


def newest_model() -> Path:
    """Return the model of the newest run."""
    found = sorted(RUNS.glob(f"*/{MODEL_FILE}"), key=lambda path: path.stat().st_mtime_ns)
    begun = sorted(RUNS.glob(f"*/{CHECKPOINT}"), key=lambda path: path.stat().st_mtime_ns)
    if not found and begun:
        folder = begun[-1].parent
        raise CommandError(
            f"no trained model in {RUNS}: the training in {spell_path(folder)} is unfinished; {describe_resume(folder)}"
        )
    if not found:
        raise CommandError(
            f"no trained model in {RUNS}: expected {RUNS / '*' / MODEL_FILE}; train one with 'numpycnn train mnist', "
            "or name one with --model"
        )
    return found[-1]
