"""From what a user calls a data set to its training and test set: a name of the catalog, or a folder of pictures."""

import argparse
import os
from pathlib import Path

from numpycnn.cli.console import CommandError, refusing, shape, spell_path, warnings_as_notes
from numpycnn.data import CATALOG, Dataset, PictureReader, load_image_folder
from numpycnn.data.image_folder import name_of

SIZE = (64, 64)  # of the pictures of a folder


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
    if text not in CATALOG and not os.path.exists(text):
        names = ", ".join(map(repr, CATALOG))
        raise argparse.ArgumentTypeError(
            f"invalid choice: {text!r} (choose from {names}, or name a folder or a zip of pictures that is there)"
        )
    return text


def size(text: str) -> tuple[int, int]:
    """Read a height and a width such as ``64,64``."""
    sizes = shape(text)
    if len(sizes) != 2:
        raise argparse.ArgumentTypeError(f"expected height and width such as 64,64, got {text!r}")
    return sizes[0], sizes[1]


def label_of(text: str) -> str:
    """Return what the data set is called where a path would be too long, as in the name of a run."""
    return text if text in CATALOG else name_of(text)


def load(
    text: str, data: Path | None, *, reader: PictureReader | None = None, skip_broken: bool = False
) -> tuple[Dataset, Dataset]:
    """Return training and test set; a stand-in, or a picture that is left out, is announced in a line.

    Parameters
    ----------
    text : str
        A name of the catalog or a path.
    data : Path, optional
        Where the files of a named data set are.
    reader : PictureReader, optional
        How the pictures of a folder are read.
    skip_broken : bool
        Leave out pictures of a folder that cannot be read.

    Raises
    ------
    CommandError, OSError, DataFormatError
        If it is not there, or cannot be read.
    """
    if text in CATALOG:
        if skip_broken:
            raise CommandError(f"--skip-broken is for folders of pictures, and {text} is none")
        with warnings_as_notes(), refusing(FileNotFoundError):
            return CATALOG[text].load(data)
    if data is not None:
        raise CommandError(
            f"--data {spell_path(data)} is for a named data set, and {spell_path(text)} is a path already"
        )
    reader = reader or PictureReader(SIZE)
    with warnings_as_notes():
        return load_image_folder(text, reader.size, channels=reader.channels, fit=reader.fit, skip_broken=skip_broken)
