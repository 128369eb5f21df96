"""Examples on disk that look like an array: only the rows that an index selects are read."""

import mmap
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

CHUNK = 256  # examples at a time, where all of them are needed


class Rows:
    """An array of shape (N, ...) with rows that are read when they are indexed.

    Parameters
    ----------
    read : callable
        Takes row numbers, (B,), and returns the rows as a new array, (B, ...).
    rows : ndarray of int, shape (N,)
        The row numbers, in order.
    shape : tuple of int
        Shape of a row.
    dtype : dtype

    Notes
    -----
    ``rows[3]`` is one row, ``rows[2:5]`` and ``rows[[4, 0]]`` are arrays, and `select` is a part that stays on disk.
    ``np.asarray(rows)`` reads everything.
    """

    def __init__(
        self, read: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, shape: tuple[int, ...], dtype: DTypeLike
    ) -> None:
        self._read, self._rows = read, np.asarray(rows, np.intp)
        self.shape, self.dtype = (len(self._rows), *shape), np.dtype(dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        first, *rest = index if isinstance(index, tuple) else (index,)
        chosen = self._rows[first]
        rows = self._read(np.atleast_1d(chosen))
        if chosen.ndim == 0:
            return rows[(0, *rest)]
        return rows[(slice(None), *rest)] if rest else rows

    def select(self, index: Any) -> "Rows":
        """Return the rows that a slice, a list of indices or a mask selects, without reading them."""
        return Rows(self._read, self._rows[index], self.shape[1:], self.dtype)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("rows on disk cannot become an array without a copy")
        array = np.empty(self.shape, self.dtype)
        for begin in range(0, len(self), CHUNK):
            array[begin : begin + CHUNK] = self[begin : begin + CHUNK]
        return array if dtype is None else array.astype(dtype, copy=False)


def is_mapped(array: Any) -> bool:
    """Return whether the memory of an array is mapped from a file; a copy of a ``np.memmap`` is not."""
    while isinstance(array, np.ndarray):
        array = array.base
    return isinstance(array, mmap.mmap)


def as_native(array: Any) -> Any:
    """Return an array in native byte order; rows of a mapped one are converted when they are read."""
    if array.dtype.isnative:
        return array
    dtype = array.dtype.newbyteorder("=")
    if is_mapped(array):
        return Rows(lambda chosen: array[chosen].astype(dtype), np.arange(len(array)), array.shape[1:], dtype)
    return array.astype(dtype)


def select_rows(array: Any, index: Any) -> Any:
    """Return the rows that a slice, a list of indices or a mask selects; those on disk stay there."""
    if isinstance(array, Rows):
        return array.select(index)
    if is_mapped(array) and not isinstance(index, slice):
        rows = np.arange(len(array))[index]
        return Rows(lambda chosen: array[chosen], rows, array.shape[1:], array.dtype)
    return array[index]


def chunks(array: Any) -> list[slice]:
    """Return slices that cover the rows: a few at a time if they are on disk, else all of them at once."""
    if isinstance(array, Rows) or is_mapped(array):
        return [slice(begin, begin + CHUNK) for begin in range(0, len(array), CHUNK)]
    return [slice(0, len(array))]
