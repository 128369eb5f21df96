"""Restore the reader that a model file describes, by its kind."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from numpycnn.data.audio import SpectrogramReader
from numpycnn.data.dataset import Reader
from numpycnn.data.fashion_mnist import GarmentReader
from numpycnn.data.mnist import DigitReader
from numpycnn.data.pictures import PictureReader
from numpycnn.data.text import SentenceReader

#: Every kind of reader that a file may name.
READERS: dict[str, type[Any]] = {
    reader.kind: reader for reader in (DigitReader, GarmentReader, PictureReader, SpectrogramReader, SentenceReader)
}


def reader_from(settings: Mapping[str, object]) -> Reader:
    """Return the reader with these settings, which `to_json` returned.

    Parameters
    ----------
    settings : dict
        From a model's metadata.

    Returns
    -------
    Reader

    Raises
    ------
    ValueError
        If the kind is unknown, or the settings are not those of the kind or are out of range.

    Examples
    --------
    >>> reader_from({"kind": "picture", "size": [32, 32], "channels": 3, "fit": "crop"})
    PictureReader(size=(32, 32), channels=3, fit='crop')
    """
    kind = settings.get("kind") if isinstance(settings, Mapping) else None
    if not isinstance(kind, str) or kind not in READERS:
        raise ValueError(f"expected a kind of reader, one of {', '.join(READERS)}, got {kind!r}")
    given = {name: value for name, value in settings.items() if name != "kind"}
    names = [field.name for field in fields(READERS[kind])]
    if given.keys() != set(names):
        raise ValueError(
            f"expected the settings {', '.join(names) or 'none'} of a {kind} reader, got {', '.join(given) or 'none'}"
        )
    reader: Reader = READERS[kind](**given)
    return reader
