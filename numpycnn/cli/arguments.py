"""Arguments that several commands share: a data set, views, a size."""

import argparse
from pathlib import Path

from numpycnn.cli.console import shape
from numpycnn.data import CATALOG
from numpycnn.recipes import VIEWS, SettingError
from numpycnn.recipes.datasets import expect_dataset


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
