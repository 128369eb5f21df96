"""Print a model's loss and accuracy on the test set of a data set, and precision, recall and F1 of each class."""

import argparse
from collections.abc import Sequence

import numpy as np

from numpycnn._tables import WIDTH, format_table
from numpycnn.cli.arguments import MODEL_HELP, add_dataset, add_output, add_views, open_model
from numpycnn.cli.console import (
    CommandError,
    complain,
    item,
    notes_to,
    refusing,
    say,
    terminal_width,
)
from numpycnn.data import Dataset
from numpycnn.models import MODELS
from numpycnn.recipes.datasets import label_of, load
from numpycnn.recipes.errors import spell_path
from numpycnn.recipes.networks import Training, create_for, training_of
from numpycnn.recipes.scoring import expect_classifier, score, views_for
from numpycnn.recipes.settings import KEY
from numpycnn.visualize import count_confusions

HELP = "measure a model on a test set"
EXAMPLES = """\
Pictures of a folder are resized as in the model's training.

examples:
  numpycnn evaluate runs/mnist mnist
  numpycnn evaluate runs/pets photographs/pets
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    command.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    add_dataset(command)
    add_views(command)
    add_output(command)


def run(arguments: argparse.Namespace) -> int:
    """Print the figures."""
    named = arguments.model in MODELS
    model = None if named else open_model(arguments.model)
    training = None if model is None else training_of(model)
    reader = None if training is None else training.reader
    with notes_to():
        _, test = load(arguments.dataset, arguments.data, trained=reader, skip_broken=arguments.skip_broken)
    if model is None:
        complain(f"note: {arguments.model} has random weights: it has not been trained")
        with refusing(ValueError, MemoryError):
            model = create_for(arguments.model, test)
    output = expect_classifier(model, test, arguments.model, arguments.output)
    if training is not None:
        check_compatible(training, test, arguments.model)
        trained_on = model.metadata.get(KEY, {}).get("found", test.name)
        # The stand-in for MNIST, for example, is a part of MNIST's training images.
        if trained_on != test.name and training.dataset == label_of(arguments.dataset):
            complain(
                f"note: this model was trained on {trained_on}, and {test.name} may hold {test.noun}s that it has "
                "seen: the accuracy may be too high"
            )
        with refusing(ValueError, TypeError):
            test = test.replace(mean=training.mean, std=training.std)
            test.batch([0], model.dtype)  # refuses a mean or std out of range
    item("data", f"{test.name}: {len(test):,} test {test.noun}s, from {test.source}")
    if test.note:
        item("", test.note)
    with refusing(ValueError, prefix="--views: "):
        found = score(model, test, views_for(model, arguments.views), output)
    say()
    confusions = count_confusions(test.labels, found.predictions, len(test.class_names))
    say(class_table(confusions, test.class_names, f"{test.noun}s", terminal_width()))
    say()
    say(f"test loss {found.loss:.4f}")
    say(f"test accuracy {100 * found.accuracy:.2f} %")
    return 0


def check_compatible(training: Training, test: Dataset, name: str) -> None:
    """Check that a model has the classes of a data set, and was trained on examples read in the same way."""
    if training.class_names != test.class_names:
        raise CommandError(
            f"{name}: expected a model for the classes {', '.join(map(spell_path, test.class_names))}, "
            f"got one for {', '.join(map(spell_path, training.class_names))}"
        )
    if training.reader is not None and training.reader != test.reader:
        raise CommandError(
            f"{name}: expected a model for {test.noun}s as {test.name} has them, got one whose "
            f"{training.reader.noun}s were made with other settings or another vocabulary"
        )


def class_table(
    confusions: np.ndarray, class_names: Sequence[str], examples: str = "images", width: int = WIDTH
) -> str:
    """Return a table with a line for each class: examples, precision, recall, F1, most frequent mistake.

    A quotient without a prediction or an example to divide by is a dash.
    """
    head = ("class", examples, "precision", "recall", "F1", "most often mistaken for")
    rows = []
    class_names = [spell_path(name) for name in class_names]
    for k, name in enumerate(class_names):
        hits, total, predicted = confusions[k, k], confusions[k].sum(), confusions[:, k].sum()
        wrong = confusions[k].copy()
        wrong[k] = 0
        worst = int(wrong.argmax())
        mistaken = f"{class_names[worst]} ({wrong[worst]:,} times)" if wrong[worst] > 1 else ""
        mistaken = f"{class_names[worst]} (once)" if wrong[worst] == 1 else mistaken
        quotients = ((hits, predicted), (hits, total), (2 * hits, predicted + total))
        shares = [f"{100 * part / whole:.2f} %" if whole else "-" for part, whole in quotients]
        rows.append((name, f"{total:,}", *shares, mistaken))
    return format_table(head, rows, align=("left", *("right",) * 4, "left"), width=width)
