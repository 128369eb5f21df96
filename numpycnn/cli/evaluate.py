"""``numpycnn evaluate``: loss and accuracy of a model on a test set, and how well it knows each class."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from numpycnn.cli import recipes
from numpycnn.cli.console import CommandError, Commands, add_threads, complain, item, say, use_threads
from numpycnn.cli.networks import MODEL_HELP, open_model, training_of
from numpycnn.cli.scoring import expect_classifier, score
from numpycnn.cli.settings import KEY
from numpycnn.models import MODELS

EXAMPLES = """\
example:
  numpycnn evaluate runs/mnist mnist
"""


def add(commands: Commands) -> None:
    """Add the command."""
    about = "Print a model's loss and accuracy on the test set of a data set, and its recall of each class."
    command = commands.add_parser("evaluate", help="measure a model on a test set", description=about, epilog=EXAMPLES)
    command.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    add_dataset(command)
    add_threads(command)
    command.set_defaults(run=run)


def add_dataset(command: argparse.ArgumentParser) -> None:
    """Let a command take a data set."""
    command.add_argument(
        "dataset",
        metavar="DATASET",
        choices=list(recipes.SOURCES),
        help="; ".join(f"{name}: {source.about}" for name, source in recipes.SOURCES.items()),
    )
    command.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="where its files are (default: NUMPYCNN_DATA, the cache, then a download)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the figures."""
    use_threads(arguments.threads)
    named = arguments.model in MODELS
    model = None if named else open_model(arguments.model)
    _, test = recipes.load(arguments.dataset, arguments.data)
    if model is None:
        complain(f"note: {arguments.model} has random weights: it has not been trained")
        model = open_model(arguments.model, test.images.shape[1:], len(test.class_names))
    expect_classifier(model, test, arguments.model)
    training = training_of(model)
    if training is not None:
        if training.class_names != test.class_names:
            raise CommandError(
                f"{arguments.model}: expected a model for the classes {', '.join(test.class_names)}, "
                f"got one for {', '.join(training.class_names)}"
            )
        trained_on = model.metadata.get(KEY, {}).get("found", test.name)
        if trained_on != test.name:  # as the stand-in for MNIST is a part of MNIST's training images
            complain(
                f"note: this model was trained on {trained_on}, and {test.name} may hold images that it has seen: "
                "this is no honest test of it"
            )
        test = training.dataset_of(test.images, test.labels, name=test.name, source=test.source)
    item("data", f"{test.name}: {len(test):,} test images, from {test.source}")
    found = score(model, test)
    say()
    say(recall_table(found.confusions, test.class_names))
    say()
    say(f"test loss {found.loss:.4f}")
    say(f"test accuracy {100 * found.accuracy:.2f} %")
    return 0


def recall_table(confusions: np.ndarray, class_names: Sequence[str]) -> str:
    """Return a line for each class: how many there are, how many were recognised, and what it is mistaken for most."""
    rows = [("class", "images", "recognised", "recall", "most often mistaken for")]
    for row, name in enumerate(class_names):
        total, right = int(confusions[row].sum()), int(confusions[row, row])
        wrong = confusions[row].copy()
        wrong[row] = 0
        worst = int(wrong.argmax())
        mistaken = f"{class_names[worst]} ({wrong[worst]:,} times)" if wrong[worst] > 1 else ""
        mistaken = f"{class_names[worst]} (once)" if wrong[worst] == 1 else mistaken
        share = f"{100 * right / total:.2f} %" if total else "-"
        rows.append((name, f"{total:,}", f"{right:,}", share, mistaken))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = []
    for name, *counts, mistaken in rows:
        right_aligned = "  ".join(cell.rjust(width) for cell, width in zip(counts, widths[1:4], strict=True))
        lines.append(f"{name.ljust(widths[0])}  {right_aligned}  {mistaken}".rstrip())
    return "\n".join([lines[0], "-" * (sum(widths) + 8), *lines[1:]])
