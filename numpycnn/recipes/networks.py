"""What a model says of its training, and new networks for a data set."""

from dataclasses import dataclass
from inspect import signature

import numpy as np

from numpycnn.data import Dataset, Reader, SentenceReader, reader_from
from numpycnn.models import MODELS, create
from numpycnn.sequential import Sequential

VOCABULARY = "vocabulary"  # the argument of a network that reads, the number of words that it knows


@dataclass(frozen=True)
class Training:
    """What a model's metadata says of its training: enough to make any file or sentence into its input.

    `reader` is None where the metadata does not say how; the numbers of mean and std are one for each channel.
    """

    dataset: str
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    reader: Reader | None = None

    def dataset_of(self, images: np.ndarray, labels: np.ndarray, *, name: str, source: str = "memory") -> Dataset:
        """Return examples as a data set that is normalised as the training's was."""
        return Dataset(
            images,
            labels,
            self.class_names,
            name=name,
            mean=self.mean,
            std=self.std,
            source=source,
            reader=self.reader,
        )


def training_of(model: Sequential) -> Training | None:
    """Return what the metadata says, None if it does not say all of it or makes no sense."""
    match model.metadata:
        case {"dataset": str(dataset), "class_names": [_, *_] as names, "mean": list(mean), "std": list(std)}:
            numbers = all(type(value) in (int, float) for value in [*mean, *std])
            settings = model.metadata.get("reader")
            if numbers and all(isinstance(name, str) for name in names):
                try:
                    reader = None if settings is None else reader_from(settings)
                except ValueError:
                    return None
                return Training(dataset, tuple(names), tuple(map(float, mean)), tuple(map(float, std)), reader)
    return None


def create_for(name: str, dataset: Dataset, *, seed: int = 0) -> Sequential:
    """Return a new network of the zoo for the examples and classes of a data set.

    Raises
    ------
    ValueError
        If there is none of this name, or it does not take such examples.
    """
    shape, classes = dataset.images.shape[1:], len(dataset.class_names)
    reads = name in MODELS and VOCABULARY in signature(MODELS[name]).parameters
    if reads != isinstance(dataset.reader, SentenceReader):
        takes = "sentences and nothing else" if reads else "no sentences"
        raise ValueError(f"{name} takes {takes}, and the examples of {dataset.name} are {dataset.noun}s")
    if isinstance(dataset.reader, SentenceReader):
        return MODELS[name](shape, classes, seed=seed, **{VOCABULARY: len(dataset.reader.words)})
    return create(name, shape, classes, seed=seed)
