"""Arguments that several commands share: a data set, views, a size."""

import argparse
from pathlib import Path

from numpycnn.cli.console import shape
from numpycnn.data import CATALOG
from numpycnn.recipes import VIEWS, SettingError
from numpycnn.recipes.datasets import expect_dataset


def add_dataset(command: argparse.ArgumentParser) -> None:
    """Let a command take a data set."""
    named = "; ".join(f"{name}: {entry.source.about}" for name, entry in CATALOG.items())
    command.add_argument(
        "dataset",
        metavar="DATASET",
        type=dataset,
        help=f"{named}; or the path of a folder or a zip that has a folder of PNG or JPEG pictures for each class, "
        "perhaps within folders 'train' and 'test'",
    )
    command.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="where the files of a named data set are (default: NUMPYCNN_DATA, the cache, then a download)",
    )
    command.add_argument(
        "--skip-broken", action="store_true", help="leave out pictures of a folder that cannot be read, and say which"
    )


def dataset(text: str) -> str:
    """Read a name of the catalog, or the path of something that is there."""
    try:
        expect_dataset(text)
    except SettingError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def size(text: str) -> tuple[int, int]:
    """Read a height and a width such as ``64,64``."""
    sizes = shape(text)
    if len(sizes) != 2:
        raise argparse.ArgumentTypeError(f"expected height and width such as 64,64, got {text!r}")
    return sizes[0], sizes[1]


def add_views(command: argparse.ArgumentParser) -> None:
    """Let a command take ``--views``."""
    command.add_argument(
        "--views",
        choices=list(VIEWS),
        metavar="NAME",
        help=f"views of each picture that are averaged: {', '.join(VIEWS)} (default: those the model was tested with)",
    )
