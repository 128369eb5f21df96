"""All data sets, by name, and all readers, by the kind that a model file states."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from numpycnn.data.audio import SpectrogramReader
from numpycnn.data.cifar10 import CIFAR10, load_cifar10
from numpycnn.data.dataset import Dataset, Reader
from numpycnn.data.fashion_mnist import FASHION_MNIST, GarmentReader, load_fashion_mnist
from numpycnn.data.mnist import MNIST, DigitReader, load_mnist
from numpycnn.data.pictures import PictureReader
from numpycnn.data.sentence_polarity import SENTENCE_POLARITY, load_sentence_polarity
from numpycnn.data.source import Source
from numpycnn.data.spoken_digits import SPOKEN_DIGITS, load_spoken_digits
from numpycnn.data.text import SentenceReader

Load: TypeAlias = Callable[[str | os.PathLike[str] | None], tuple[Dataset, Dataset]]


@dataclass(frozen=True)
class Entry:
    """The description of a data set, and its loader, which returns the training and the test set."""

    source: Source
    load: Load


#: By name.
CATALOG: dict[str, Entry] = {
    entry.source.name: entry
    for entry in (
        Entry(MNIST, load_mnist),
        Entry(FASHION_MNIST, load_fashion_mnist),
        Entry(CIFAR10, load_cifar10),
        Entry(SPOKEN_DIGITS, load_spoken_digits),
        Entry(SENTENCE_POLARITY, load_sentence_polarity),
    )
}

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
