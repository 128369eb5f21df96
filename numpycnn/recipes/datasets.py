"""Resolve a data set argument, a name of the catalog or a path, to a training and a test set."""

import os
from pathlib import Path

from numpycnn.data import CATALOG, Dataset, PictureReader, Reader, load_image_folder
from numpycnn.data.image_folder import name_of
from numpycnn.recipes.errors import Setting, SettingError, as_setting_error, differing, spell_path

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
    dataset: str,
    data: Path | None,
    *,
    size: tuple[int, int] | None = None,
    trained: Reader | None = None,
    skip_broken: bool = False,
) -> tuple[Dataset, Dataset]:
    """Load training and test set, with a UserWarning for a stand-in or a skipped picture.

    `data` is where the files of a named data set are; the others are for the pictures of a folder, which are resized
    as for the `trained` model if there is one. Raises a SettingError, an OSError or a DataFormatError.
    """
    if dataset in CATALOG:
        for name, value in (("size", size), ("skip_broken", skip_broken)):
            if value:
                raise SettingError(Setting(name, value), f" is for folders of pictures, not for {dataset}")
        return CATALOG[dataset].load(data)
    if data is not None:
        named = spell_path(dataset)
        raise SettingError(Setting("data", data), f" is for a named data set, and {named} is a path already")
    with as_setting_error(Setting("size"), ": "):
        reader = PictureReader(SIZE if size is None else size)
    if isinstance(trained, PictureReader):
        if size is not None and reader.size != trained.size:
            raise differing("size", size, trained.size)
        reader = trained
    return load_image_folder(dataset, reader.size, channels=reader.channels, fit=reader.fit, skip_broken=skip_broken)
