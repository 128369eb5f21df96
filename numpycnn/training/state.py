"""The position in a training, and the averages of the current epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from typing import Any, Self

#: Fields of a `TrainingState` that the next epoch begins with.
KEPT = ("batch_size", "accumulate", "examples", "validation", "shuffle", "drop_last", "augment", "stop_reason")
#: Names of a record that a training step may not use.
RESERVED = ("epoch", "lr", "seconds", "images_per_second")


class Mean(float):
    """A number that a training step returns: the mean of a batch, or a sum of means, with the sums that it is made of.

    The mean of an epoch is made of the sums over its batches. A loss with class weights is divided by the sum of the
    weights, an accuracy by the number of labels that count.

    Parameters
    ----------
    value : float
    sums : sequence of (float, float)
        For each mean a sum, and the weight by which it is divided.
    """

    sums: tuple[tuple[float, float], ...]

    def __new__(cls, value: float, sums: Sequence[tuple[float, float]]) -> Self:
        """Return the value with its sums."""
        number = super().__new__(cls, value)
        number.sums = tuple(sums)
        return number


@dataclass
class TrainingState:
    """The position in a training, and the running sums of the epoch."""

    epoch: int = 0  # epochs completed
    batch: int = 0  # steps completed in the current epoch, each with `accumulate` batches
    batch_size: int = 0  # of the current epoch, as the next six
    accumulate: int = 1
    examples: int = 0
    validation: float = 0.0  # share of the examples that is held out
    shuffle: bool = True
    drop_last: bool = False
    augment: str = ""
    # Of what the steps of the epoch returned: a sum and a weight for each of the means that are added up.
    sums: dict[str, list[list[float]]] = field(default_factory=dict)
    seen: int = 0
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
        counted = f"{self.examples} examples in batches of {self.batch_size}"
        parts = [counted if self.examples else "an iterable of batches"]
        parts += [f"{self.accumulate} batches a step"] * (self.accumulate > 1)
        parts += ["shuffled" if self.shuffle else "in the order given"] * bool(self.examples)
        parts += ["the last incomplete batch dropped"] * self.drop_last
        parts += [f"augmented by {self.augment}"] * bool(self.augment)
        parts += [f"a share of {self.validation:g} held out"] * bool(self.validation)
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

    def check_next(self, now: "TrainingState") -> None:
        """Check that `now`, this position with other data or settings, may follow: a ValueError if not."""
        if now.drop_last and not now.trained:
            raise ValueError(f"fit: expected at least one whole batch with drop_last=True, got {now.data}")
        if self.batch and self != now:
            raise ValueError(
                f"fit: this training stopped within an epoch of {self.data}; expected the same to go on, "
                f"got {now.data}. A new Trainer starts over"
            )
        changed = (now.examples, now.validation) != (self.examples, self.validation)
        if not self.at_start and now.validation and changed:
            raise ValueError(
                f"fit: the examples held out would have been trained on; before there were {self.data}, "
                f"now there are {now.data}"
            )

    def add(self, found: Mapping[str, float], examples: int, owner: str = "train_step") -> None:
        """Add the values that a step returned for a batch to the sums of the epoch."""
        if self.seen and found.keys() != self.sums.keys():
            before = ", ".join(self.sums)
            raise ValueError(f"{owner}: expected {before} as for the batches before, got {', '.join(found)}")
        for name, value in found.items():
            if name in RESERVED or name.startswith("val_"):
                raise ValueError(f"{owner}: expected another name than {name!r}, which a record has already")
            plain = ((float(value) * examples, float(examples)),)
            added = value.sums if isinstance(value, Mean) else plain
            if name not in self.sums:
                self.sums[name] = [[0.0, 0.0] for _ in added]
            sums = self.sums[name]
            if len(sums) != len(added):  # in a checkpoint of an earlier version, which had one
                added = plain
            if len(sums) != len(added):
                raise ValueError(f"{owner}: expected {len(sums)} sums for {name} as for the batches before")
            for pair, (total, weight) in zip(sums, added, strict=True):
                pair[0] += total
                pair[1] += weight
        self.seen += examples

    def averages(self) -> dict[str, float]:
        """Return the weighted means over the epoch so far; that of nothing is 0."""
        return {name: sum(total / (weight or 1.0) for total, weight in sums) for name, sums in self.sums.items()}

    def next_epoch(self) -> "TrainingState":
        """Return the start of the next epoch over the same data."""
        return TrainingState(epoch=self.epoch + 1, **{name: getattr(self, name) for name in KEPT})

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)

    @classmethod
    def from_json(cls, entries: Mapping[str, Any]) -> "TrainingState":
        """Return the position that `to_json` described; a ValueError if entries do not fit or contradict each other."""
        kinds: dict[str, Any] = {field.name: field.type for field in fields(cls)} | {"sums": dict}
        entries = _of_earlier_versions(entries)
        if entries.keys() != kinds.keys():
            raise ValueError(f"expected a place in the training with {', '.join(kinds)}, got {', '.join(entries)}")
        for name, value in entries.items():
            if type(value) is not kinds[name] or (kinds[name] is int and value < 0):
                raise ValueError(
                    f"expected {name} of the place in the training as {kinds[name].__name__}, got {value!r}"
                )
        if not all(map(_are_sums, entries["sums"].values())):
            raise ValueError(f"expected the sums of the place in the training as numbers, got {entries['sums']!r}")
        place = cls(**entries)
        if not place.examples and place.seen >= place.batch and bool(place.seen) == bool(place.batch):
            return place  # of an iterable: it has any number of examples
        step = place.batch_size * place.accumulate
        if place.seen != min(place.batch * step, place.trained) or (place.batch and not place.seen):
            raise ValueError(
                f"expected a place within the data, got {place.seen} of {place.examples} examples seen "
                f"after {place.batch} batches of {step}"
            )
        return place


def _of_earlier_versions(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a place; those of earlier versions had a loss and an accuracy, and fewer settings."""
    found = {"drop_last": False, "accumulate": 1, "validation": 0.0} | dict(entries)
    if "sums" not in found and {"loss_sum", "correct", "labelled"} <= found.keys():
        sums = {"loss": found.pop("loss_sum")}
        correct, labelled = found.pop("correct"), found.pop("labelled")
        if labelled:
            sums["accuracy"] = float(correct)
        found["sums"] = sums if found.get("seen") else {}
    if isinstance(found.get("sums"), dict):
        seen = float(found.get("seen", 0))
        found["sums"] = {
            name: [[value, seen]] if isinstance(value, float) else value for name, value in found["sums"].items()
        }
    return found


def _are_sums(value: object) -> bool:
    """Return whether a value is a list of pairs of finite numbers."""
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(item, float) and isfinite(item) for item in pair)
        for pair in value
    )
