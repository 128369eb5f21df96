"""Readers by the name that their settings bear: what a model file says of its inputs becomes a reader again."""

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


def reader_from(settings: Any) -> Reader:
    """Return the reader whose `to_json` gave these settings.

    Parameters
    ----------
    settings : dict
        As it comes out of a model's metadata.

    Returns
    -------
    Reader

    Raises
    ------
    ValueError
        If there is no such kind of reader, or its settings are others or make no sense.

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
