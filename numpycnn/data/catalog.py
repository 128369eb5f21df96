"""All data sets, by name."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from numpycnn.data.cifar10 import CIFAR10, load_cifar10
from numpycnn.data.dataset import Dataset
from numpycnn.data.fashion_mnist import FASHION_MNIST, load_fashion_mnist
from numpycnn.data.mnist import MNIST, load_mnist
from numpycnn.data.sentence_polarity import SENTENCE_POLARITY, load_sentence_polarity
from numpycnn.data.source import Source
from numpycnn.data.spoken_digits import SPOKEN_DIGITS, load_spoken_digits

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
