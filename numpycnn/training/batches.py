"""The data of a training: batches, the order of an epoch, and the current position."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._checks import check_unmasked
from numpycnn.layers.checking import format_shapes, shapes_of

#: Augments a batch: takes examples, targets and a generator, returns examples and targets.
Augmentation = Callable[[np.ndarray, Any, np.random.Generator], tuple[np.ndarray, Any]]
KEPT = (
    "batch_size",
    "examples",
    "shuffle",
    "drop_last",
    "augment",
    "stop_reason",
)  # of a `TrainingState` in the next epoch


class Data(Protocol):
    """The methods that a trainer needs of a dataset: the first two, and for augmentation the two halves of `batch`.

    It may also have a `noun`, the word for one example, and a `describe` that returns entries for a model's metadata.
    """

    def __len__(self) -> int:
        """Return the number of examples."""

    def batch(self, indices: np.ndarray, dtype: DTypeLike) -> tuple[np.ndarray, Any]:
        """Return the inputs at some positions in a float type, and their targets."""

    def take(self, indices: np.ndarray) -> tuple[np.ndarray, Any]:
        """Return the examples at some positions as stored, and their targets."""

    def normalize(self, images: np.ndarray, dtype: DTypeLike) -> np.ndarray:
        """Convert examples to inputs, in a float type."""


#: What `Trainer.fit` trains with: a dataset or (x, target), with tuples of arrays for several inputs or targets.
Source = Data | tuple[Any, Any]


def as_tuple(arrays: Any) -> tuple[Any, ...]:
    """Return the arrays of several inputs or targets, or a single one as a tuple."""
    return arrays if isinstance(arrays, tuple) else (arrays,)


def count_examples(x: Any) -> int:
    """Return the number of examples in the inputs of a batch."""
    return len(as_tuple(x)[0])


def _as_arrays(value: Any, what: str, name: str) -> Any:
    if isinstance(value, tuple):
        return tuple(check_unmasked(item, what, name) for item in value)
    return check_unmasked(value, what, name)


def _rows(arrays: Any, indices: np.ndarray) -> Any:
    return tuple(array[indices] for array in arrays) if isinstance(arrays, tuple) else arrays[indices]


class Arrays:
    """A pair of arrays as a dataset; the inputs have the model's type already.

    For several inputs or targets, a tuple of arrays stands in place of an array: ``((a, b), y)``.
    """

    def __init__(self, x: Any, target: Any, name: str) -> None:
        self.x, self.target = _as_arrays(x, "inputs", name), _as_arrays(target, "targets", name)
        shapes = [array.shape for part in (self.x, self.target) for array in as_tuple(part)]
        if len({shape[:1] for shape in shapes}) > 1 or () in shapes:
            raise ValueError(
                f"{name}: expected as many targets as inputs, got inputs {format_shapes(shapes_of(self.x))} "
                f"and targets {format_shapes(shapes_of(self.target))}"
            )

    def __len__(self) -> int:
        return count_examples(self.x)

    def batch(self, indices: np.ndarray, dtype: DTypeLike) -> tuple[np.ndarray, Any]:
        """Return the inputs and targets at some positions."""
        return self.take(indices)

    def take(self, indices: np.ndarray) -> tuple[np.ndarray, Any]:
        """Return the inputs and targets at some positions."""
        return _rows(self.x, indices), _rows(self.target, indices)

    def normalize(self, images: np.ndarray, dtype: DTypeLike) -> np.ndarray:
        """Return the inputs unchanged."""
        return images


def as_data(source: Any, name: str) -> Data:
    """Return a dataset, or a pair of arrays as one; a TypeError for anything else, a ValueError if it is empty."""
    data = Arrays(*source, name) if isinstance(source, tuple) and len(source) == 2 else source
    if isinstance(data, type) or not hasattr(data, "batch") or not hasattr(data, "__len__"):
        raise TypeError(f"{name}: expected a dataset or a pair of arrays (x, target), got {type(source).__name__}")
    if not len(data):
        raise ValueError(f"{name}: expected at least one example, got none")
    return data


def record_inputs(data: Data, metadata: dict[str, Any]) -> None:
    """Record in a model's metadata how a data set makes its inputs, unless the same is recorded already."""
    describe = getattr(data, "describe", None)
    found = {} if describe is None else describe()
    if any(name not in metadata or metadata[name] != value for name, value in found.items() if name != "dataset"):
        metadata |= found


def epoch_order(examples: int, seed: int, epoch: int, shuffle: bool) -> np.ndarray:
    """Return the order of an epoch, (examples,); a shuffled one depends on the seed and the epoch alone."""
    if not shuffle:
        return np.arange(examples)
    return np.random.default_rng((seed, epoch)).permutation(examples)


def check_augmentation(augment: object, data: Data) -> str:
    """Check an augmentation of data, and return a name that identifies it, empty for None."""
    if augment is None:
        return ""
    if isinstance(augment, type) or not callable(augment):
        raise TypeError(f"fit: expected augment to be an augmentation, as in Augment([Flip()]), got {augment!r}")
    if isinstance(data, Arrays) and isinstance(data.x, tuple):
        raise TypeError("fit: expected one input to augment, got several; augment them before")
    for method in ("take", "normalize"):
        if not hasattr(data, method):
            raise TypeError(f"fit: expected data with the method {method} to augment it, got {type(data).__name__}")
    name = getattr(augment, "__qualname__", None) or repr(augment)
    return re.sub(r" at 0x[0-9a-fA-F]+", "", name)  # the address differs from process to process


def prepare(
    data: Data, indices: np.ndarray, dtype: DTypeLike, augment: Augmentation | None, seed: tuple[int, ...]
) -> tuple[np.ndarray, Any]:
    """Return a batch for the network; its randomness depends on `seed` alone."""
    if augment is None:
        return data.batch(indices, dtype)
    images, target = augment(*data.take(indices), np.random.default_rng(seed))
    if len(images) != len(indices):
        raise ValueError(f"augment: expected as many examples back as were given, {len(indices)}, got {len(images)}")
    return data.normalize(images, dtype), target


@dataclass
class TrainingState:
    """The position in a training, and the running sums of the epoch."""

    epoch: int = 0  # epochs completed
    batch: int = 0  # batches completed in the current epoch
    batch_size: int = 0  # of the current epoch, as the next four
    examples: int = 0
    shuffle: bool = True
    drop_last: bool = False
    augment: str = ""
    loss_sum: float = 0.0  # over the examples of the epoch so far
    correct: int = 0  # of the examples of the epoch so far
    seen: int = 0
    labelled: bool = False  # whether the targets are labels, so that outputs can be correct
    lr: float = 0.0  # of the last step of the epoch
    seconds: float = 0.0  # spent on the epoch so far, without validation
    stop_reason: str = ""  # why a callback has ended the training; empty if none has

    @property
    def at_start(self) -> bool:
        """Whether no step has been taken yet."""
        return not self.epoch and not self.batch

    @property
    def trained(self) -> int:
        """The number of examples in the batches of the epoch."""
        return self.examples - (self.examples % max(self.batch_size, 1) if self.drop_last else 0)

    @property
    def data(self) -> str:
        """The batches of the epoch in words."""
        order = "shuffled" if self.shuffle else "in the order given"
        parts = [f"{self.examples} examples in batches of {self.batch_size}", order]
        parts += ["the last incomplete batch dropped"] * self.drop_last + [f"augmented by {self.augment}"] * bool(
            self.augment
        )
        return ", ".join(parts)

    def nothing_left(self, epochs: int) -> str:
        """Return why no batch is left to train, and how to go on; empty if there is one."""
        if self.epoch >= epochs:
            done = f"nothing left to train: epoch {epochs} of {epochs} is completed"
            return f"{done}; `epochs` counts them too, so epochs={self.epoch + 1} trains one more"
        if self.stop_reason and not self.batch:
            return (
                f"nothing left to train: stopped after epoch {self.epoch} ({self.stop_reason}); to continue, set "
                'trainer.progress.stop_reason = ""; to start over, make a new Trainer'
            )
        return ""

    def next_epoch(self) -> "TrainingState":
        """Return the start of the next epoch over the same data."""
        return TrainingState(epoch=self.epoch + 1, **{name: getattr(self, name) for name in KEPT})

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)

    @classmethod
    def from_json(cls, entries: Mapping[str, Any]) -> "TrainingState":
        """Return the position that `to_json` described; a ValueError if entries do not fit or contradict each other."""
        kinds: dict[str, Any] = {field.name: field.type for field in fields(cls)}
        entries = {"drop_last": False} | dict(entries)  # earlier versions had no such setting
        if entries.keys() != kinds.keys():
            raise ValueError(f"expected a place in the training with {', '.join(kinds)}, got {', '.join(entries)}")
        for name, value in entries.items():
            if type(value) is not kinds[name] or (kinds[name] is int and value < 0):
                raise ValueError(
                    f"expected {name} of the place in the training as {kinds[name].__name__}, got {value!r}"
                )
        place = cls(**entries)
        if place.seen != min(place.batch * place.batch_size, place.trained) or (place.batch and not place.seen):
            raise ValueError(
                f"expected a place within the data, got {place.seen} of {place.examples} examples seen "
                f"after {place.batch} batches of {place.batch_size}"
            )
        return place
