"""Classify pictures, recordings or sentences with a trained model, and print the probability of each class."""

import argparse
import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from numpycnn.cli.arguments import add_output, add_views, file_of, newest_model, open_model
from numpycnn.cli.console import (
    EXPECTED,
    WRONG_USE,
    CommandError,
    can_show,
    complain,
    item,
    notes_to,
    one_line,
    refusing,
    report,
    say,
    terminal_width,
)
from numpycnn.data import Reader, SentenceReader
from numpycnn.errors import DataFormatError
from numpycnn.layers.network import Network
from numpycnn.models import MODELS
from numpycnn.recipes.errors import spell_path
from numpycnn.recipes.networks import Training, training_of
from numpycnn.recipes.results import MODEL_FILE, RUNS
from numpycnn.recipes.scoring import expect_classifier, score, views_for
from numpycnn.training import TestTimeAugmentation

HELP = "classify pictures, recordings or sentences"
EXAMPLES = """\
INPUT depends on the model's training data: a PNG or JPEG picture, a WAV file of one channel, or a sentence in
quotation marks. A digit may be dark on light or light on dark, drawn or photographed, of any size: one digit per
picture, upright, since its orientation is taken as given. A piece of clothing needs a plain background.

examples:
  numpycnn predict photo.jpg
  numpycnn predict --model runs/mnist-2 *.png
  numpycnn predict --model runs/spoken_digits seven.wav
  numpycnn predict --model runs/sentence_polarity "a film that you will not forget"
  numpycnn predict --json photo.jpg
"""
BAR = 40  # characters for a probability of 1, in a terminal with room for them


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.add_argument("inputs", metavar="INPUT", nargs="+", help="PNG, JPEG or WAV files, or sentences")
    command.add_argument(
        "--model",
        metavar="MODEL",
        help=f"a trained model's .safetensors file or its folder (default: the newest {RUNS / '*' / MODEL_FILE})",
    )
    add_views(command)
    add_output(command)
    command.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print a prediction for each input; report and skip an unreadable one."""
    name = str(newest_model()) if arguments.model is None else arguments.model
    if name in MODELS and file_of(name) is None:
        raise CommandError(f"--model {name}: expected a trained model's file or folder, got a network without weights")
    model = open_model(name)
    training = training_of(model)
    if training is None or training.reader is None:
        raise CommandError(
            f"{spell_path(name)}: expected a model with its preprocessing in the metadata (dataset, class_names, mean, "
            "std, reader), as 'numpycnn train' and Trainer.fit on a data set record it; after a training loop of your "
            "own: model.metadata |= train.describe() before model.save"
        )
    noun = training.reader.noun
    if not arguments.json:
        item("model", f"{spell_path(name)}, trained on {spell_path(training.dataset)}")
    views = views_for(model, arguments.views)
    found, failed = [], False
    for text in arguments.inputs:
        try:
            probabilities = classify(model, training, training.reader, text, views, arguments.output)
        except EXPECTED as error:
            report(error)
            failed = True
            continue
        found.append({noun: text} | as_json(probabilities, training.class_names))
        if not arguments.json:
            say()
            say(as_bars(text, probabilities, training.class_names))
    if arguments.json:
        # The only control character that JSON leaves as it is; printed as JSON escapes it.
        say(json.dumps({"model": name, f"{noun}s": found}, indent=2).replace("\x7f", "\\u007f"))
    return WRONG_USE if failed else 0


def classify(
    model: Network,
    training: Training,
    reader: Reader,
    text: str,
    views: TestTimeAugmentation | None = None,
    output: str | None = None,
) -> np.ndarray:
    """Return the probabilities of the classes for one file or sentence, from the output of a name."""
    if isinstance(reader, SentenceReader) and os.path.isfile(text):  # False for a text too long for a path
        raise CommandError(f"{spell_path(text)}: expected a sentence in quotation marks, got the name of a file")
    try:
        with notes_to(lambda note: complain(f"note: {spell_path(text)}: {note}")):
            example = reader.read(text)
    except DataFormatError:  # its message names the file
        raise
    except ValueError as error:
        raise CommandError(f"{spell_path(text)}: {one_line(error)}") from error
    with refusing(ValueError, TypeError):
        dataset = training.dataset_of(example)
        dataset.batch([0], model.dtype)  # refuses a mean or std out of range
    number = expect_classifier(model, dataset, "the model", output)
    with refusing(ValueError, prefix="--views: "):
        return score(model, dataset, views, number).probabilities[0]  # (K,)


def as_json(probabilities: np.ndarray, class_names: Sequence[str]) -> dict[str, Any]:
    """Return a prediction as JSON types."""
    best = int(probabilities.argmax())
    return {
        "class": class_names[best],
        "probability": round(float(probabilities[best]), 6),
        "probabilities": {
            name: round(float(probability), 6) for name, probability in zip(class_names, probabilities, strict=True)
        },
    }


def as_bars(text: str, probabilities: np.ndarray, class_names: Sequence[str]) -> str:
    """Return a prediction as lines of text, the best class marked."""
    best = int(probabilities.argmax())
    block = "█" if can_show("█") else "#"
    class_names = [spell_path(name) for name in class_names]
    width = max(map(len, class_names))
    most = max(1, min(BAR, terminal_width() - width - len(">   100.0 %  ")))
    lines = [f"{spell_path(text)}: {class_names[best]} ({100 * probabilities[best]:.1f} %)"]
    for i, (name, probability) in enumerate(zip(class_names, probabilities, strict=True)):
        mark = ">" if i == best else " "
        bar = block * (most * round(1000 * float(probability)) // 1000)  # full where the figure is 100.0 %
        lines.append(f"{mark} {name:<{width}}  {100 * probability:5.1f} %  {bar}".rstrip())
    return "\n".join(lines)
