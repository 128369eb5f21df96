"""Resolve a data set argument, a name of the catalog or a path, to a training and a test set."""

import os
from pathlib import Path

from numpycnn.data import CATALOG, Dataset, PictureReader, load_image_folder
from numpycnn.data.image_folder import name_of
from numpycnn.recipes.errors import Setting, SettingError, spell_path

SIZE = (64, 64)  # of the pictures of a folder


def expect_dataset(dataset: str) -> None:
    """Check that this is a name of the catalog or an existing path."""
    if dataset not in CATALOG and not os.path.exists(dataset):
        names = ", ".join(map(repr, CATALOG))
        raise SettingError(
            f"invalid choice: {dataset!r} (choose from {names}, or name an existing folder or zip of pictures)"
        )


def label_of(dataset: str) -> str:
    """Return a short name of the data set, as in the folder name of a run."""
    return dataset if dataset in CATALOG else name_of(dataset)


def load(
    dataset: str, data: Path | None, *, reader: PictureReader | None = None, skip_broken: bool = False
) -> tuple[Dataset, Dataset]:
    """Load training and test set, with a UserWarning for a stand-in or a skipped picture.

    `data` is where the files of a named data set are; `reader` and `skip_broken` are for the pictures of a folder.
    Raises a SettingError, an OSError or a DataFormatError.
    """
    if dataset in CATALOG:
        if skip_broken:
            raise SettingError(Setting("skip_broken", True), f" is for folders of pictures, not for {dataset}")
        return CATALOG[dataset].load(data)
    if data is not None:
        named = spell_path(dataset)
        raise SettingError(Setting("data", data), f" is for a named data set, and {named} is a path already")
    reader = reader or PictureReader(SIZE)
    return load_image_folder(dataset, reader.size, channels=reader.channels, fit=reader.fit, skip_broken=skip_broken)
