"""A pool of memory blocks for large arrays.

The OS maps a new array's pages lazily, on first touch: a quarter of a microsecond or more for each page of 4 KiB. A
training step needs arrays of the same sizes as the step before, and in a small network a third of its time went into
mapping them again. So large arrays are built on blocks from a pool, and a block returns to the pool with its last user.

The last user is found by ordinary object lifetime. Each array is a view of a `_Lease`, an object that exports the
block's bytes and holds nothing but the block. Every view of the array, directly or through other views, keeps the lease
alive. When the last one is gone the interpreter finalizes the lease, and only then is the block free for another array.
"""

import ctypes
import os
import threading
from collections import deque
from functools import cache, lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

SMALL = 32 * 1024  # bytes, below which the C library reuses memory well by itself
ALIGNMENT = 64  # bytes of a cache line: loading a vector that crosses two of them takes twice as long
LIMIT = 128 * 2**20  # bytes of unused blocks; a training step of mnist_cnn returns 117 MiB at batch size 128


class _Block:
    """Memory of one size class, aligned to a cache line."""

    __slots__ = ("address", "memory", "order", "size")

    def __init__(self, size: int) -> None:
        self.memory = np.empty(size + ALIGNMENT, np.uint8)
        start = self.memory.ctypes.data
        self.address = start + -start % ALIGNMENT
        self.size = size
        self.order = 0  # when it became unused


class _Lease:
    """The owner of an array's memory; its finalizer returns the block to the pool.

    It is not an ndarray: NumPy lets a view skip ndarrays in its chain of bases, but never skips another type. Nor does
    the cyclic garbage collector finalize a lease early, because it does not look inside the arrays that refer to it.
    """

    pool: "Pool"
    block: _Block

    def __del__(self) -> None:
        """Keep the block as an unused one, and drop the longest unused blocks above the limit."""
        pool, block = self.pool, self.block
        if not pool._lock.acquire(blocking=False):
            return
        try:
            pool._returns += 1
            block.order = pool._returns
            blocks = pool._free.get(block.size)
            if blocks is None:
                blocks = pool._free[block.size] = deque()
            blocks.append(block)
            pool.unused += block.size
            while pool.unused > pool.limit:
                oldest = min(filter(None, pool._free.values()), key=lambda blocks: blocks[0].order)
                pool.unused -= oldest[0].size
                oldest.popleft()
        finally:
            pool._lock.release()


@cache
def _lease_type(size: int) -> Any:
    """Return the type of the leases of one size class: a ctypes array, since those export their memory as a buffer."""
    return type("_Lease", (_Lease, ctypes.c_uint8 * size), {})


@lru_cache(maxsize=4096)
def size_class(size: int) -> int:
    """Return the size of the block for an array of `size` bytes: four classes per power of two, at most 25 % more."""
    step = 1 << max((size - 1).bit_length() - 3, 0)
    return -(-size // step) * step


class Pool:
    """Free lists of unused blocks, one for each size class, with a limit on their bytes in total.

    Neither `empty` nor the finalizer of a lease waits for the lock. A thread that finds it locked allocates a new
    block, or frees the block that it returns. Finalizers run at any point of any thread: within `empty` and another
    finalizer when garbage collection starts there, or in a thread that the holder of the lock is waiting for. Waiting
    for the lock could deadlock in both cases. A lock that an interrupt (Ctrl-C) leaves held makes every array a new
    one, which is slower and correct.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.clear()

    def clear(self) -> None:
        """Drop the unused blocks and start with a new lock. Arrays in use keep their blocks."""
        self._lock = threading.Lock()
        self._free: dict[int, deque[_Block]] = {}  # by size class, the longest unused block first
        self._returns = 0
        self.unused = 0  # bytes

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
        """Return an array of arbitrary values, like `numpy.empty`.

        Of the unused blocks it takes the one that was returned last, whose memory is likeliest to be in the cache.
        """
        size, block = prod(shape) * np.dtype(dtype).itemsize, None
        if size < SMALL:
            return np.empty(shape, dtype)
        size = size_class(size)
        lease_type = _lease_type(size)
        if self._lock.acquire(blocking=False):
            try:
                blocks = self._free.get(size)
                if blocks:
                    self.unused -= size
                    block = blocks.pop()
            finally:
                self._lock.release()
        if block is None:
            block = _Block(size)
        lease = lease_type.from_address(block.address)
        lease.pool, lease.block = self, block
        return np.ndarray(shape, dtype, lease)


_pool = Pool(LIMIT)

if hasattr(os, "register_at_fork"):  # another thread of the parent may have held the lock
    os.register_at_fork(after_in_child=lambda: _pool.clear())


empty = _pool.empty


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """Return an array of zeros, like `numpy.zeros`."""
    array = empty(shape, dtype)
    array.fill(0)
    return array


@lru_cache(maxsize=256)
def _offsets(shapes: tuple[tuple[int, ...], ...], itemsize: int) -> tuple[int, tuple[int, ...]]:
    """Return the bytes that arrays of `shapes` need in all, and the offset of each, a multiple of `ALIGNMENT`."""
    total, offsets = 0, []
    for shape in shapes:
        offsets.append(total)
        total += -(-prod(shape) * itemsize // ALIGNMENT) * ALIGNMENT
    return total, tuple(offsets)


def empty_arrays(shapes: tuple[tuple[int, ...], ...], dtype: DTypeLike) -> list[np.ndarray]:
    """Return arrays of arbitrary values on one block: the scratch memory of a kernel.

    The block returns to the pool when the last of them is gone.
    """
    size, offsets = _offsets(shapes, np.dtype(dtype).itemsize)
    block = empty((size,), np.uint8)
    return [np.ndarray(shape, dtype, block, offset) for shape, offset in zip(shapes, offsets, strict=True)]
