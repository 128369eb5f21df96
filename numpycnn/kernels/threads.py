"""Sharing the images of a batch among threads.

A kernel releases the GIL, so plain threads of the standard library run it side by side. Each thread is given a run of
consecutive images and writes to nothing else; what must be summed over the batch is summed per thread and added up
afterwards in a fixed order. The same number of threads therefore always gives the same bits.

A thread that sleeps takes 50 microseconds to wake up, which is as long as many a layer of a small network takes. So a
worker without work stays awake for some time, looking for the next piece, and only then lies down; in a training step
there is nearly always another piece by then. To hand work over then takes 2 microseconds.

The system may wake it on the processor of the very thread that it works for, though another one is free, and needs some
milliseconds to notice. So it leaves that one first; and threads that wait offer their processor to others now and then.
Without that, a LeNet-5 took 1.7 milliseconds to predict 32 digits, and some 10, instead of 1.0.
"""

import ctypes
import os
import platform
import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic, overload

from numpycnn.kernels.jit import jit

_MAX_THREADS = 1024
_num_threads: int | None = None  # None until first asked for
_workers: list["_Worker"] = []
_in_use = threading.Lock()  # held by the thread that the workers work for
_processor = getattr(ctypes.PyDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None


# --------------------------------------------------------------------------------------------------- how many there are


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

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If the environment variable is no whole number, or out of range.
    """
    global _num_threads
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
    global _num_threads
    _num_threads = _check_num_threads(n, "set_num_threads")


# ------------------------------------------------------------------------------------------------- waiting for a signal


def latest(count):
    """Return count[0] as another thread has left it."""
    return count[0]


@intrinsic
def _latest(typing_context, count):
    def generate(context, builder, signature, arguments):
        address = context.make_array(count)(context, builder, arguments[0]).data
        if platform.machine().lower() in ("x86_64", "amd64"):  # a short pause, for a sibling on the same core
            pause = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, pause, "llvm.x86.sse2.pause"), [])
        return builder.load_atomic(address, "acquire", align=8)

    return types.int64(count), generate


@overload(latest)
def _overload_latest(count):
    return lambda count: _latest(count)


def give_way():
    """Let another thread have this processor if one waits for it, as the one that is waited for may do."""
    if hasattr(os, "sched_yield"):
        os.sched_yield()


@intrinsic
def _sched_yield(typing_context):
    def generate(context, builder, signature, arguments):
        function = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, function, "sched_yield"), [])
        return context.get_dummy_value()

    return types.none(), generate


@overload(give_way)
def _overload_give_way():
    if hasattr(os, "sched_yield"):
        return lambda: _sched_yield()
    return lambda: None


@jit
def tell_and_wait(mine, number, theirs, wanted, looks, more):
    """Let ``mine`` be ``number``, then look up to ``looks`` times whether ``theirs`` has come to ``wanted``.

    It is told from here, and not from Python, because here the GIL is not held, which the other thread needs next. If
    it had to wait for it, it would fall asleep over that. For the same reason one can stay for some ``more`` looks.
    """
    mine[0] = number
    for i in range(looks):
        if latest(theirs) >= wanted:
            for _ in range(more):
                latest(theirs)
            return True
        if i % 512 == 511:
            give_way()
    return False


#: How often a thread looks before it lies down, 1 millisecond, and how often a caller looks on when its worker has
#: begun: 6 to 10 microseconds, after which the worker is in its loop and has let go of the GIL. A caller that wants it
#: before falls asleep; handing over takes 32 microseconds then, and so 10. Looking is slow without the compiler.
LOOKS, BEGINNING = (1, 0) if getattr(config, "DISABLE_JIT", False) else (30_000, 250)


def processor() -> int:
    """Return the number of the processor that the calling thread is on, or -1 where that cannot be known."""
    return _processor() if _processor else -1


def step_aside(number: int) -> None:
    """Leave processor `number`, if there is another one for the calling thread."""
    allowed = os.sched_getaffinity(0) if number >= 0 else set()
    if len(allowed) > 1 and number in allowed:
        os.sched_setaffinity(0, allowed - {number})
        os.sched_setaffinity(0, allowed)


def _counter() -> np.ndarray:
    return np.zeros(16, np.int64)  # of which one is used, and has its cache line to itself


class _Worker:
    """A thread that does one piece of work after another."""

    def __init__(self) -> None:
        self._given, self._begun, self._done = _counter(), _counter(), _counter()  # how many pieces of work
        self._lock, self._alarm, self._asleep = threading.Lock(), threading.Semaphore(0), False
        self._pieces, self._waker = 0, -1
        self._work: Any = None
        self._error: BaseException | None = None
        threading.Thread(target=self._live, name="numpycnn", daemon=True).start()

    def _live(self) -> None:
        number = 0
        while True:
            number += 1
            # Again after waking up: the caller may have noticed late that this thread fell asleep after the last piece.
            while not tell_and_wait(self._done, number - 1, self._given, number, LOOKS, 0):
                with self._lock:
                    self._asleep = self._given[0] < number
                    asleep = self._asleep
                if asleep:
                    self._alarm.acquire()
                    step_aside(self._waker)
            (kernel, arguments), self._work = self._work, None
            self._begun[0] = number
            try:
                kernel(*arguments)
            except BaseException as error:
                self._error = error
            kernel = arguments = None

    def start(self, kernel: Callable[..., None], *arguments: Any) -> None:
        """Hand over a piece of work."""
        self._pieces += 1
        self._work, self._error = (kernel, arguments), None
        if self._asleep or not tell_and_wait(self._given, self._pieces, self._begun, self._pieces, LOOKS, BEGINNING):
            with self._lock:
                self._given[0] = self._pieces
                if self._asleep:
                    self._asleep, self._waker = False, processor()
                    self._alarm.release()

    def finish(self) -> BaseException | None:
        """Wait for the end of the work, and return the error that came up in it."""
        while not tell_and_wait(self._given, self._pieces, self._done, self._pieces, LOOKS, 0):
            time.sleep(5e-5)
        return self._error


def _forget_threads() -> None:
    """Start anew in a forked child, which has none of its parent's threads but copies of the locks they may hold."""
    global _in_use, _workers
    _in_use, _workers = threading.Lock(), []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


# ----------------------------------------------------------------------------------------------------- sharing the work


#: Multiplications with a weight, and elements that a simple loop goes through, from which on the work is shared. At 125
#: multiplications a nanosecond the first take 16 microseconds, four times as long as handing over half of them.
MULTIPLICATIONS = 2_000_000
WORTH_SHARING = 32 * 1024


def split(n: int, multiplications: float = MULTIPLICATIONS, most: int | None = None) -> list[tuple[int, int]]:
    """Cut ``range(n)`` into at most `most` runs ``(start, stop)`` of nearly equal length.

    Without `most` there are as many as threads. If there are few `multiplications` to be done in all, it stays in one.
    """
    pieces = max(1, min(n, most or get_num_threads())) if multiplications >= MULTIPLICATIONS else 1
    cuts = [n * i // pieces for i in range(pieces + 1)]
    return list(pairwise(cuts))


def split_elements(n: int) -> list[tuple[int, int]]:
    """Cut ``range(n)`` as `split` does if there is enough of it, for loops over single elements."""
    return split(n) if n >= WORTH_SHARING else [(0, n)]


def run(kernel: Callable[..., None], chunks: Sequence[tuple[int, int]], *args: Any) -> None:
    """Call ``kernel(i, start, stop, *args)`` for each chunk ``i``, side by side, and wait for all of them.

    The calling thread does the last chunk itself, and all of them if the workers are working for another one.
    """
    if len(chunks) == 1 or not _in_use.acquire(blocking=False):
        for i, chunk in enumerate(chunks):
            kernel(i, *chunk, *args)
        return
    busy = True
    try:
        while len(_workers) < len(chunks) - 1:
            _workers.append(_Worker())
        used = _workers[: len(chunks) - 1]
        for i, worker in enumerate(used):
            worker.start(kernel, i, *chunks[i], *args)
        own: Exception | None = None
        try:
            kernel(len(chunks) - 1, *chunks[-1], *args)
        except Exception as error:
            own = error
        found = [own, *(worker.finish() for worker in used)]
        busy = False
        for problem in found:
            if problem is not None:
                raise problem
    finally:
        if busy:  # the user wants to go: what these have begun they finish, and are not asked again
            _workers.clear()
        _in_use.release()
