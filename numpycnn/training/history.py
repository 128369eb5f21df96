"""The history of a training: one record for each epoch."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from numpycnn._checks import to_python
from numpycnn.io.serialization import replacing

Record = dict[str, float]


def as_number(value: Any, name: str) -> float:
    """Return a value of a record as Python's int or float."""
    value = to_python(value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value)
    if not isinstance(value, int | float):
        raise TypeError(f"fit: expected the values that callbacks add to a record to be numbers, got {name} {value!r}")
    return value


def write_csv(path: str | Path, names: Iterable[str], rows: Iterable[Mapping[str, float]]) -> None:
    """Write a CSV file atomically; missing values stay empty."""
    with replacing(Path(path)) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(names), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


class History:
    """One record for each epoch: ``loss``, ``accuracy``, ``val_loss``, ``val_accuracy``, ``lr``, ``seconds``, ...

    Parameters
    ----------
    records : list of dict of str to float, optional

    Examples
    --------
    >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    >>> history["loss"]
    [0.5, 0.25]
    """

    def __init__(self, records: list[Record] | None = None) -> None:
        self.records = list(records or [])

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, name: str) -> list[float]:
        """Return one quantity over the epochs.

        Raises
        ------
        KeyError
            If it was not measured.
        """
        if not any(name in record for record in self.records):
            known = ", ".join(self.names()) or "nothing yet"
            raise KeyError(f"{name} was not measured; there is {known}")
        return [record[name] for record in self.records if name in record]

    def names(self) -> list[str]:
        """Return the names of the quantities, in order of first appearance."""
        return list(dict.fromkeys(name for record in self.records for name in record))

    def save(self, path: str | Path) -> None:
        """Write a CSV file with a line for each epoch.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        FileNotFoundError, IsADirectoryError
            If its folder does not exist, or `path` is a folder.
        """
        write_csv(path, self.names(), self.records)

    def __repr__(self) -> str:
        return f"History({len(self)} epochs: {', '.join(self.names())})"
