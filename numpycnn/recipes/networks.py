"""The description of a training in a model's metadata, and new networks for a data set."""

from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np

from numpycnn.data import Dataset, Reader, SentenceReader, reader_from
from numpycnn.layers.network import Network
from numpycnn.models import MODELS, create

VOCABULARY = "vocabulary"  # argument of a network of sentences: the number of words


@dataclass(frozen=True)
class Training:
    """The data set and preprocessing of a training, from a model's metadata.

    `reader` is None if the metadata has none; mean and std have one value for each channel.
    """

    dataset: str
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    reader: Reader | None = None

    def dataset_of(self, example: np.ndarray) -> Dataset:
        """Return one example as a data set with the training's normalization."""
        settings: dict[str, Any] = {"name": self.dataset, "mean": self.mean, "std": self.std, "reader": self.reader}
        return Dataset(example[np.newaxis], np.zeros(1, np.int64), self.class_names, **settings)


def training_of(model: Network) -> Training | None:
    """Return the training in a model's metadata, None if it is incomplete or invalid."""
    match model.metadata:
        case {"dataset": str(dataset), "class_names": [_, *_] as names, "mean": list(mean), "std": list(std)}:
            numbers = all(type(value) in (int, float) for value in [*mean, *std])
            settings = model.metadata.get("reader")
            if numbers and all(isinstance(name, str) for name in names):
                try:
                    reader = None if settings is None else reader_from(settings)
                except ValueError:
                    return None
                return Training(dataset, tuple(names), tuple(map(_as_float, mean)), tuple(map(_as_float, std)), reader)
    return None


def _as_float(value: float) -> float:
    """Return a number of a file as a float; an int that is too large becomes infinite, which a data set refuses."""
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def create_for(name: str, dataset: Dataset, *, seed: int = 0) -> Network:
    """Return a new network of the zoo for a data set; a ValueError if it does not take such examples."""
    shape, classes = dataset.images.shape[1:], len(dataset.class_names)
    reads = name in MODELS and VOCABULARY in signature(MODELS[name]).parameters
    if reads != isinstance(dataset.reader, SentenceReader):
        takes = "sentences and nothing else" if reads else "no sentences"
        raise ValueError(f"{name} takes {takes}, and the examples of {dataset.name} are {dataset.noun}s")
    if isinstance(dataset.reader, SentenceReader):
        return MODELS[name](shape, classes, seed=seed, **{VOCABULARY: len(dataset.reader.words)})
    return create(name, shape, classes, seed=seed)
