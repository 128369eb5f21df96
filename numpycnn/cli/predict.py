"""``numpycnn predict``: what a trained model sees in pictures from disk."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn.cli import recipes
from numpycnn.cli.console import (
    EXPECTED,
    WRONG_USE,
    CommandError,
    Commands,
    add_threads,
    can_show,
    item,
    refusing,
    report,
    say,
    spell_path,
    use_threads,
)
from numpycnn.cli.networks import MODEL_FILE, RUNS, Training, file_of, newest_model, open_model, training_of
from numpycnn.cli.scoring import expect_classifier, score
from numpycnn.data import read_picture
from numpycnn.models import MODELS
from numpycnn.sequential import Sequential

EXAMPLES = """\
A digit may be dark on light or light on dark, drawn or photographed, of any size: one digit a picture.

examples:
  numpycnn predict photo.jpg
  numpycnn predict --model runs/mnist-2 *.png
  numpycnn predict --json photo.jpg
"""
BAR = 40  # characters for a probability of 1


def add(commands: Commands) -> None:
    """Add the command."""
    about = "Print what a trained model sees in PNG or JPEG pictures, with the probability of each class."
    command = commands.add_parser("predict", help="classify pictures", description=about, epilog=EXAMPLES)
    command.add_argument("pictures", metavar="PICTURE", nargs="+", help="PNG or JPEG files")
    command.add_argument(
        "--model",
        metavar="MODEL",
        help=f"a trained model's .safetensors file or its folder (default: the newest {RUNS / '*' / MODEL_FILE})",
    )
    command.add_argument("--json", action="store_true", help="print JSON, for programs")
    add_threads(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a prediction for each picture; one that cannot be read is reported, and the others still are predicted."""
    use_threads(arguments.threads)
    name = str(newest_model()) if arguments.model is None else arguments.model
    if name in MODELS and file_of(name) is None:
        raise CommandError(f"--model {name}: expected a trained model's file or folder, got a network without weights")
    model = open_model(name)
    training = training_of(model)
    if training is None or training.dataset not in recipes.SOURCES:
        raise CommandError(
            f"{spell_path(name)}: expected a model whose metadata says how its inputs are made (dataset, class_names, "
            "mean, std), as that of 'numpycnn train' does"
        )
    if not arguments.json:
        item("model", f"{spell_path(name)}, trained on {training.dataset}")
    found, failed = [], False
    for picture in arguments.pictures:
        try:
            probabilities = classify(model, training, picture)
        except EXPECTED as error:
            report(error)
            failed = True
            continue
        found.append(as_json(picture, probabilities, training.class_names))
        if not arguments.json:
            say()
            say(as_bars(picture, probabilities, training.class_names))
    if arguments.json:
        say(json.dumps({"model": name, "pictures": found}, indent=2))
    return WRONG_USE if failed else 0


def classify(model: Sequential, training: Training, picture: str) -> np.ndarray:
    """Return the probabilities of the classes for one picture."""
    pixels = read_picture(picture)
    with refusing(ValueError, prefix=f"{spell_path(picture)}: "):
        image = recipes.SOURCES[training.dataset].prepare(pixels)  # (C, H, W)
    dataset = training.dataset_of(image[np.newaxis], np.zeros(1, np.int64), name=training.dataset)
    expect_classifier(model, dataset, "the model")
    return score(model, dataset).probabilities[0]  # (K,)


def as_json(picture: str, probabilities: np.ndarray, class_names: Sequence[str]) -> dict[str, Any]:
    """Return a prediction as JSON can hold it."""
    best = int(probabilities.argmax())
    return {
        "picture": picture,
        "class": class_names[best],
        "probability": round(float(probabilities[best]), 6),
        "probabilities": {
            name: round(float(probability), 6) for name, probability in zip(class_names, probabilities, strict=True)
        },
    }


def as_bars(picture: str, probabilities: np.ndarray, class_names: Sequence[str]) -> str:
    """Return a prediction as lines of text, the best class marked."""
    best = int(probabilities.argmax())
    block = "█" if can_show("█") else "#"
    width = max(map(len, class_names))
    lines = [f"{spell_path(picture)}: {class_names[best]} ({100 * probabilities[best]:.1f} %)"]
    for i, (name, probability) in enumerate(zip(class_names, probabilities, strict=True)):
        mark = ">" if i == best else " "
        bar = block * (BAR * round(1000 * float(probability)) // 1000)  # full where the figure is 100.0 %
        lines.append(f"{mark} {name:<{width}}  {100 * probability:5.1f} %  {bar}".rstrip())
    return "\n".join(lines)
