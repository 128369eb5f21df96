"""Sharing the images of a batch among threads.

A kernel releases the GIL, so plain threads of the standard library run it side by side. Each thread is given a run of
consecutive images and writes to nothing else; what must be summed over the batch is summed per thread and added up
afterwards in a fixed order. The same number of threads therefore always gives the same bits.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from functools import cache
from itertools import pairwise
from typing import Any

from threadpoolctl import ThreadpoolController

_MAX_THREADS = 1024
_lock = threading.RLock()
_num_threads: int | None = None  # None until first asked for
_pool: ThreadPoolExecutor | None = None
_requests: list[int] = []  # to how many threads BLAS is to be held, by all that are open now
_held_to: int | None = None
_blas_limit: Any = None


def _check_num_threads(n: object, source: str) -> int:
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"{source}: expected an int, got {type(n).__name__}")
    if not 1 <= n <= _MAX_THREADS:
        raise ValueError(f"{source}: expected 1 to {_MAX_THREADS} threads, got {n}")
    return n


def _default_num_threads() -> int:
    text = os.environ.get("NUMPYCNN_NUM_THREADS")
    if text is not None:
        if not text.strip().isdecimal():
            raise ValueError(f"NUMPYCNN_NUM_THREADS: expected a whole number, got {text!r}")
        return _check_num_threads(int(text), "NUMPYCNN_NUM_THREADS")
    if hasattr(os, "sched_getaffinity"):  # the processors this process may use, which can be fewer than there are
        return min(len(os.sched_getaffinity(0)), _MAX_THREADS)
    return min(os.cpu_count() or 1, _MAX_THREADS)


def get_num_threads() -> int:
    """Return how many threads a layer may use.

    The default is the environment variable ``NUMPYCNN_NUM_THREADS``, or else the number of processors of this process.
    """
    global _num_threads
    with _lock:
        if _num_threads is None:
            _num_threads = _default_num_threads()
        return _num_threads


def set_num_threads(n: int) -> None:
    """Let every layer use at most `n` threads from now on.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    TypeError
        If `n` is not an int.
    ValueError
        If `n` is smaller than 1 or absurdly large.
    """
    global _num_threads, _pool
    n = _check_num_threads(n, "set_num_threads")
    with _lock:
        if n != _num_threads and _pool is not None:
            _pool.shutdown(wait=False)  # work already handed in is still finished
            _pool = None
        _num_threads = n


def _forget_threads() -> None:
    """Start anew in a forked child, which has none of its parent's threads but copies of the locks they may hold."""
    global _lock, _pool
    _lock, _pool = threading.RLock(), None
    _requests.clear()  # a limit that was open in the parent is lifted when the child's first one closes


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


@cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg.cython_blas  # noqa: F401  the BLAS behind np.dot in a kernel, loaded here to be limited as well

    return ThreadpoolController()


@contextmanager
def blas_threads(n: int) -> Iterator[None]:
    """Let matrix products use at most `n` threads each while this is open.

    The limit is one for the whole process: where several are open at once, in several threads, the smallest holds.
    """
    with _lock:
        _requests.append(n)
        _limit_blas()
    try:
        yield
    finally:
        with _lock:
            _requests.remove(n)
            _limit_blas()


def _limit_blas() -> None:
    global _blas_limit, _held_to
    wanted = min(_requests, default=None)
    if wanted == _held_to:
        return
    if _blas_limit is not None:
        _blas_limit.restore_original_limits()
        _blas_limit = None
    if wanted is not None:
        _blas_limit = _libraries().limit(limits=wanted, user_api="blas")
    _held_to = wanted


def split(n: int) -> list[tuple[int, int]]:
    """Cut ``range(n)`` into at most ``get_num_threads()`` runs ``(start, stop)`` of nearly equal length."""
    pieces = max(1, min(n, get_num_threads()))
    cuts = [n * i // pieces for i in range(pieces + 1)]
    return list(pairwise(cuts))


#: Elements for which a second thread is worth waking in a loop that does little with each.
WORTH_SHARING = 32 * 1024


def split_elements(n: int) -> list[tuple[int, int]]:
    """Cut ``range(n)`` as `split` does if there is enough of it, for loops over single elements."""
    return split(n) if n >= WORTH_SHARING else [(0, n)]


def run(kernel: Callable[..., None], chunks: Sequence[tuple[int, int]], *args: Any, blas: bool = False) -> None:
    """Call ``kernel(i, start, stop, *args)`` for each chunk ``i``, side by side, and wait for all of them.

    The calling thread does the last chunk itself. `blas` says that the kernel calls matrix products, which are then
    held to one thread each.
    """
    global _pool
    if len(chunks) == 1 and not blas:
        kernel(0, *chunks[0], *args)
        return
    with blas_threads(1) if blas else nullcontext():  # each of our threads calls BLAS by itself
        futures = []
        if len(chunks) > 1:
            with _lock:  # held while handing in, so that nobody closes the pool in between
                if _pool is None:
                    _pool = ThreadPoolExecutor(max(1, get_num_threads() - 1), thread_name_prefix="numpycnn")
                futures = [_pool.submit(kernel, i, *chunk, *args) for i, chunk in enumerate(chunks[:-1])]
        try:
            kernel(len(chunks) - 1, *chunks[-1], *args)
        finally:
            wait(futures)
        for future in futures:
            future.result()
