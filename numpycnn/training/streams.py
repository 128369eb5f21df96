"""Training on an iterable of batches: a generator, a list, PyTorch's DataLoader.

Its order is its own and its length is unknown: it is not shuffled here, and it can only be iterated from the start.
"""

import itertools
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from numpycnn._checks import check_number, check_unmasked, check_weights
from numpycnn.training.batches import (
    Augmentation,
    Batch,
    Data,
    Source,
    as_batch,
    as_data,
    as_tuple,
    augmented,
    batches_in_order,
    check_augmentation,
    count_examples,
    hold_out,
    name_augmentation,
)
from numpycnn.training.prefetch import prefetched
from numpycnn.training.state import TrainingState

ONCE = "a generator gives its batches once; pass a function that makes one, as in lambda: batches(files)"


class Stream:
    """The batches of an iterable, or of a function that returns one for each epoch; see `Source`."""

    def __init__(self, source: Iterable[Any] | Callable[[], Iterable[Any]], name: str) -> None:
        self.source, self.name = source, name

    def check_epochs(self, epochs: int) -> None:
        """Refuse a generator for several epochs."""
        if epochs > 1 and isinstance(self.source, Iterator):
            raise ValueError(f"{self.name}: expected batches for {epochs} epochs; {ONCE}")

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches as arrays; a ValueError if there is none."""
        empty, batches = True, self.source() if callable(self.source) else self.source
        if not isinstance(batches, Iterable):
            expected = "a function that returns an iterable of batches"
            raise TypeError(f"{self.name}: expected {expected}, got one that returns {type(batches).__name__}")
        for item in batches:
            yield self._convert(item)
            empty = False
        if empty:
            hint = f"; {ONCE}" if isinstance(self.source, Iterator) else ""
            raise ValueError(f"{self.name}: expected at least one batch, got none{hint}")

    def _convert(self, item: Any) -> Batch:
        """Return a batch as new arrays: an iterable may reuse its own, and batches are made ahead."""
        if not isinstance(item, tuple | list) or len(item) not in (2, 3):
            kind = f"{type(item).__name__} of {len(item)}" if isinstance(item, tuple | list) else type(item).__name__
            raise TypeError(f"{self.name}: expected each batch as (x, target) or (x, target, weight), got {kind}")
        x, target = self._arrays(item[0], "inputs"), self._arrays(item[1], "targets")
        counts = {len(array) if array.ndim else 0 for part in (x, target) for array in as_tuple(part)}
        if len(counts) > 1 or 0 in counts:
            got = "and".join(f" {count} " for count in sorted(counts)).strip()
            raise ValueError(f"{self.name}: expected as many targets as inputs in a batch, at least one, got {got}")
        if len(item) == 2:
            return x, target, None
        return x, target, check_weights(item[2], (*counts,), "the weights", self.name)

    def _arrays(self, part: Any, what: str) -> Any:
        if isinstance(part, tuple) or (isinstance(part, list) and all(hasattr(array, "shape") for array in part)):
            return tuple(np.array(check_unmasked(array, what, self.name)) for array in part)
        return np.array(check_unmasked(part, what, self.name))


def as_source(source: Any, name: str) -> Data | Stream:
    """Return a dataset, arrays as one, or an iterable of batches as a stream; a TypeError for anything else."""
    if isinstance(source, Stream):
        return source
    batches = isinstance(source, list) and source and all(isinstance(item, tuple) for item in source)
    simple = isinstance(source, tuple | list | dict | str | bytes | np.ndarray | type) or hasattr(source, "batch")
    if batches or (not simple and (hasattr(source, "__iter__") or callable(source))):
        return Stream(source, name)
    return as_data(source, name, otherwise=", or an iterable of such batches")


def training_data(
    train: Source, validation: object, seed: int, epochs: int
) -> tuple[Data | Stream, Data | Stream | None, float]:
    """Return the data to train with, that to validate with, and which share of the first has become the second.

    A generator serves one of the `epochs`, so it is refused for more.
    """
    data = as_source(train, "train")
    if isinstance(data, Stream):
        data.check_epochs(epochs)
    if validation is None:
        return data, None, 0.0
    if not isinstance(validation, Real):
        held_out = as_source(validation, "validation")
        if isinstance(held_out, Stream):
            held_out.check_epochs(epochs)
        return data, held_out, 0.0
    share = check_number(validation, "validation", "fit", minimum=0, below=1)
    if isinstance(data, Stream):
        raise ValueError(
            f"fit: validation={share:g} needs a data set, an iterable of batches has an unknown number of examples; "
            "pass a second iterable as validation"
        )
    return *hold_out(data, share, seed), share


def epoch_settings(
    data: Data | Stream,
    *,
    resumed: bool,
    batch_size: int,
    accumulate: int,
    validation: float,
    shuffle: bool | None,
    drop_last: bool,
    augment: Augmentation | None,
) -> dict[str, Any]:
    """Return what a `TrainingState` says about the batches of an epoch; the settings that cannot hold are errors.

    For an iterable the number of examples and the size of a batch are unknown, and 0. It may yield other batches when a
    training is resumed, so that a warning is given.
    """
    settings = {"accumulate": accumulate, "validation": validation, "drop_last": drop_last}
    if not isinstance(data, Stream):
        return settings | {
            "examples": len(data),
            "batch_size": batch_size,
            "shuffle": shuffle is None or shuffle,
            "augment": check_augmentation(augment, data),
        }
    for name, value, remedy in (
        ("shuffle", shuffle, "shuffle in the iterable"),
        ("drop_last", drop_last, "leave the batch out in the iterable"),
    ):
        if value:
            raise ValueError(
                f"fit: {name}={value} needs a data set, an iterable of batches has its own order and batches; {remedy}"
            )
    if resumed:
        warnings.warn(
            "fit: a training on an iterable of batches is resumed exactly only if it yields the same batches again",
            stacklevel=4,  # the caller of `fit`
        )
    return settings | {"examples": 0, "batch_size": 0, "shuffle": False, "augment": name_augmentation(augment)}


def epoch_batches(
    data: Data | Stream, place: TrainingState, *, seed: int, dtype: DTypeLike, augment: Augmentation | None, ahead: int
) -> Generator[Batch, None, None]:
    """Yield the remaining batches of the epoch; the time spent waiting for them counts."""
    if isinstance(data, Stream):
        source = _streamed(data, place, seed, augment, ahead)
    else:
        source = batches_in_order(data, place, seed=seed, dtype=dtype, augment=augment, ahead=ahead)
    with closing(source) as batches:
        while True:
            begin = time.perf_counter()
            found = next(batches, None)
            place.seconds += time.perf_counter() - begin
            if found is None:
                return
            yield found


def _streamed(
    data: Stream, place: TrainingState, seed: int, augment: Augmentation | None, ahead: int
) -> Generator[Batch, None, None]:
    items, epoch, seen, done = iter(data), place.epoch, 0, 0

    def batch(number: int) -> Batch | None:  # counted from 1, as those of a data set
        item = next(items, None)
        return item if item is None or augment is None else augmented(item, augment, (seed, epoch, number))

    while seen < place.seen:
        item = next(items, None)
        seen += 0 if item is None else count_examples(item[0])
        done += 1
        if item is None or seen > place.seen:
            raise ValueError(
                f"{data.name}: expected first batches of the {place.seen} examples trained already, got others"
            )
    with closing(prefetched(batch, itertools.count(done + 1), ahead)) as batches:
        for found in batches:
            if found is None:
                return
            yield found


def whole_batches(data: Data | Stream, batch_size: int, dtype: DTypeLike) -> Iterator[Batch]:
    """Yield all batches in order."""
    if isinstance(data, Stream):
        yield from data
        return
    for start in range(0, len(data), batch_size):
        yield as_batch(data.batch(np.arange(start, min(start + batch_size, len(data))), dtype))
