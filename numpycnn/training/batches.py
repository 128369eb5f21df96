"""The data of a training: batches, the order of an epoch, and examples held out."""

import re
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._checks import check_unmasked, check_weights
from numpycnn.data.splitting import split_positions
from numpycnn.layers.checking import format_shapes, shapes_of
from numpycnn.training.prefetch import prefetched
from numpycnn.training.state import TrainingState

#: Augments a batch: takes examples, targets and a generator, returns examples and targets.
Augmentation = Callable[[np.ndarray, Any, np.random.Generator], tuple[np.ndarray, Any]]
Batch = tuple[Any, Any, np.ndarray | None]  # inputs, targets, and a weight for each example or None


class Data(Protocol):
    """The methods that a trainer needs of a dataset: the first two, and for augmentation the two halves of `batch`.

    It may also have a `noun`, the word for one example, and a `describe` that returns entries for a model's metadata.
    """

    def __len__(self) -> int:
        """Return the number of examples."""

    def batch(self, indices: np.ndarray, dtype: DTypeLike) -> tuple[Any, ...]:
        """Return the inputs at some positions in a float type, their targets, and optionally their weights."""

    def take(self, indices: np.ndarray) -> tuple[Any, ...]:
        """Return the examples at some positions as stored, their targets, and optionally their weights."""

    def normalize(self, images: np.ndarray, dtype: DTypeLike) -> np.ndarray:
        """Convert examples to inputs, in a float type."""


#: A dataset, (x, target) with tuples of arrays for several inputs or targets, or (x, target, weight) with a weight for
#: each example.
Examples = Data | tuple[Any, Any] | tuple[Any, Any, Any]
#: What `Trainer.fit` trains with: examples; an iterable of such tuples, each of them a batch; or a function that makes
#: one for each epoch.
Source = Examples | Iterable[Any] | Callable[[], Iterable[Any]]


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
    """Return some examples as a copy; numbers that are repeated along an axis stay so, in a view."""
    if isinstance(arrays, tuple):
        return tuple(_rows(array, indices) for array in arrays)
    if 0 not in arrays.strides[1:]:
        return arrays[indices]
    once = tuple(slice(None if stride else 1) for stride in arrays.strides[1:])
    return np.broadcast_to(arrays[(slice(None), *once)][indices], (len(indices), *arrays.shape[1:]))


class Arrays:
    """A pair of arrays as a dataset; the inputs have the model's type already.

    For several inputs or targets, a tuple of arrays stands in place of an array: ``((a, b), y)``. A third array has
    the weight of each example.
    """

    def __init__(self, x: Any, target: Any, weight: Any = None, *, name: str) -> None:
        self.x, self.target = _as_arrays(x, "inputs", name), _as_arrays(target, "targets", name)
        shapes = [array.shape for part in (self.x, self.target) for array in as_tuple(part)]
        if len({shape[:1] for shape in shapes}) > 1 or () in shapes:
            raise ValueError(
                f"{name}: expected as many targets as inputs, got inputs {format_shapes(shapes_of(self.x))} "
                f"and targets {format_shapes(shapes_of(self.target))}"
            )
        self.weight = None if weight is None else check_weights(weight, (len(self),), "the weights", name)

    def __len__(self) -> int:
        return count_examples(self.x)

    def batch(self, indices: np.ndarray, dtype: DTypeLike) -> tuple[Any, ...]:
        """Return the inputs, targets and weights at some positions."""
        return self.take(indices)

    def take(self, indices: np.ndarray) -> tuple[Any, ...]:
        """Return the inputs, targets and weights at some positions."""
        weight = () if self.weight is None else (self.weight[indices],)
        return _rows(self.x, indices), _rows(self.target, indices), *weight

    def normalize(self, images: np.ndarray, dtype: DTypeLike) -> np.ndarray:
        """Return the inputs unchanged."""
        return images


def as_data(source: object, name: str, *, otherwise: str = "") -> Data:
    """Return a dataset, or arrays as one; a TypeError for anything else, a ValueError if it is empty.

    The error says what the caller accepts `otherwise`.
    """
    data: Any = Arrays(*source, name=name) if isinstance(source, tuple) and len(source) in (2, 3) else source
    if isinstance(data, type) or not hasattr(data, "batch") or not hasattr(data, "__len__"):
        got = type(source).__name__
        arrays = "a dataset or arrays (x, target) or (x, target, weight)"
        raise TypeError(f"{name}: expected {arrays}{otherwise}, got {got}")
    if not len(data):
        raise ValueError(f"{name}: expected at least one example, got none")
    return data


def record_inputs(data: object, metadata: dict[str, Any]) -> None:
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


def name_augmentation(augment: object) -> str:
    """Check that this is an augmentation, and return a name that identifies it, empty for None."""
    if augment is None:
        return ""
    if isinstance(augment, type) or not callable(augment):
        raise TypeError(f"augment: expected an augmentation, as in Augment([Flip()]), got {augment!r}")
    name = getattr(augment, "__qualname__", None) or repr(augment)
    return re.sub(r" at 0x[0-9a-fA-F]+", "", name)  # the address differs from process to process


def check_augmentation(augment: object, data: Data) -> str:
    """Check an augmentation of data, and return its name, empty for None."""
    name = name_augmentation(augment)
    if not name:
        return ""
    data = data.data if isinstance(data, Part) else data
    for method in ("take", "normalize"):
        if not hasattr(data, method):
            raise TypeError(f"augment: expected data with the method {method}, got {type(data).__name__}")
    if getattr(augment, "mixes", False) and getattr(data, "class_names", None) == ():
        raise ValueError(f"augment: expected classes to mix them with {name}, got a data set of numbers to predict")
    return name


def as_batch(found: tuple[Any, ...]) -> Batch:
    """Return inputs, targets and weights, with None for weights that a dataset does not give."""
    x, target, *weight = found
    return x, target, weight[0] if weight else None


def prepare(
    data: Data, indices: np.ndarray, dtype: DTypeLike, augment: Augmentation | None, seed: tuple[int, ...]
) -> Batch:
    """Return a batch for the network; its randomness depends on `seed` alone."""
    if augment is None:
        return as_batch(data.batch(indices, dtype))
    images, target, weight = augmented(as_batch(data.take(indices)), augment, seed)
    return data.normalize(images, dtype), target, weight


def augmented(batch: Batch, augment: Augmentation, seed: tuple[int, ...]) -> Batch:
    """Return a batch after augmentation."""
    x, target, weight = batch
    if isinstance(x, tuple):
        raise TypeError("augment: expected one input, got several; augment them before")
    images, target = augment(x, target, np.random.default_rng(seed))
    if len(images) != count_examples(x):
        expected = f"as many examples back as were given, {count_examples(x)}"
        raise ValueError(f"augment: expected {expected}, got {len(images)}")
    return images, target, weight


class Part:
    """The examples of a dataset at some positions, as a dataset."""

    def __init__(self, data: Data, indices: np.ndarray) -> None:
        self.data, self.indices = data, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getattr__(self, name: str) -> Any:
        """Return what the dataset has: `normalize`, `describe`, `noun`."""
        return getattr(self.data, name)

    def batch(self, indices: np.ndarray, dtype: DTypeLike) -> tuple[Any, ...]:
        """Return the inputs and targets at some of the positions."""
        return self.data.batch(self.indices[indices], dtype)

    def take(self, indices: np.ndarray) -> tuple[Any, ...]:
        """Return the examples at some of the positions as stored, and their targets."""
        return self.data.take(self.indices[indices])


def hold_out(data: Data, share: float, seed: int) -> tuple[Part, Part]:
    """Return a dataset without a share of its examples, and this share; of each class alike if there are classes."""
    labels = getattr(data, "target", getattr(data, "labels", None))
    single = not isinstance(labels, tuple | None) and getattr(labels, "ndim", 1) == 1  # masks may be on disk
    labels = np.asarray(labels) if single else None
    if labels is not None and (labels.ndim != 1 or labels.dtype.kind not in "iub"):
        labels = None
    count = round(share * len(data))
    if not 0 < count < len(data):
        raise ValueError(
            f"fit: expected a share for validation that leaves examples in both parts, got {share:g} of {len(data)}"
        )
    held, rest = split_positions(len(data), count, seed, labels)
    return Part(data, np.sort(rest)), Part(data, np.sort(held))


def batches_in_order(
    data: Data, place: TrainingState, *, seed: int, dtype: DTypeLike, augment: Augmentation | None, ahead: int
) -> Generator[Batch, None, None]:
    """Yield the remaining batches of the epoch, with `ahead` of them made in advance by a second thread."""
    order = epoch_order(place.examples, seed, place.epoch, place.shuffle)

    def batch(begin: int) -> Batch:
        indices = order[begin : begin + place.batch_size]
        # Counted from 1: a seed that ends in 0 equals the one without it, that of the epoch's order.
        return prepare(data, indices, dtype, augment, (seed, place.epoch, begin // place.batch_size + 1))

    begins = range(place.seen, place.trained, place.batch_size)
    with closing(prefetched(batch, begins, ahead)) as batches:
        yield from batches
