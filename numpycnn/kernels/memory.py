"""Arrays in memory that was in use before: what a training step needs, the next one needs again.

A fresh array of some size is a promise of the operating system, kept page by page at the first touch: a quarter of a
microsecond, and often more, for each 4 KiB. In a training step of a small network that was a third of the time. So
large arrays are cut from blocks that are kept here, and a block is free again as soon as no array refers to it.

Nothing has to be given back: Python counts the references to a block anyway. Blocks that have not been asked for during
a while are let go.
"""

import os
import sys
import threading
from math import prod
from typing import Any

import numpy as np

SMALL = 32 * 1024  # bytes, below which NumPy and the C library do the same by themselves
ALIGNMENT = 64  # bytes of a cache line: a vector that lies across two of them takes twice as long to load
PATIENCE = 512  # requests after which a block that nobody uses is let go
_UNUSED = 3  # references to a block while it is looked at: of the list, of the loop, and of the function that counts

_lock = threading.Lock()
_blocks: dict[int, list[tuple[np.ndarray, list[int]]]] = {}  # by size; each with the number of the last request for it
_requests = 0


def _block(size: int) -> np.ndarray:
    global _requests
    with _lock:
        _requests += 1
        blocks = _blocks.setdefault(size, [])
        for memory, last in blocks:
            if sys.getrefcount(memory) == _UNUSED:
                last[0] = _requests
                return memory
        if _requests % 64 == 0:
            _let_go()
        memory = np.empty(size + ALIGNMENT, np.uint8)
        blocks.append((memory, [_requests]))
        return memory


def _forget() -> None:
    """Start anew in a forked child: another thread of the parent may have been in the middle of this."""
    global _lock
    _lock = threading.Lock()
    _blocks.clear()  # arrays that are in use keep theirs


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _let_go() -> None:
    for size in list(_blocks):
        _blocks[size] = [entry for entry in _blocks[size] if _requests - entry[1][0] < PATIENCE]
        if not _blocks[size]:
            del _blocks[size]


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an array with anything in it, like `numpy.empty`."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    if size < SMALL:
        return np.empty(shape, dtype)
    memory = _block(size)
    return np.ndarray(shape, dtype, memory, -memory.ctypes.data % ALIGNMENT)


def zeros(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an array of zeros, like `numpy.zeros`."""
    array = empty(shape, dtype)
    array.fill(0)
    return array
