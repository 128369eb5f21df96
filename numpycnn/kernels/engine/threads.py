"""A pool of worker threads that share the images of a batch.

A kernel releases the GIL, so threads of the standard library run it in parallel. Each thread gets a chunk of
consecutive images and writes to nothing else; sums over the batch are partial sums per thread, added in a fixed order.
The same number of threads therefore always gives the same bits.

Waking a blocked thread takes 50 microseconds, as long as many layers of a small network. So an idle worker spins for
a millisecond before it blocks; in a training step the next call nearly always arrives before that, and handing
it over takes 2 microseconds.

The OS may wake a worker on the processor of its caller although another one is idle, and takes milliseconds to migrate
it. So a woken worker first moves away from that processor, and spinning threads yield their processor now and then.
Without that, LeNet-5 took 1.7 milliseconds to predict 32 digits, and sometimes 10, instead of 1.0.
"""

import ctypes
import os
import platform
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic, overload

from numpycnn._settings import get_num_threads
from numpycnn.kernels.engine.jit import jit

_workers: list["_Worker"] = []
_in_use = threading.Lock()  # held by the thread that the workers work for


# -------------------------------------------------------------------------------------------------- signals by spinning


def load_atomic(count):
    """Return count[0] as last written by another thread."""
    return count[0]


@intrinsic
def _load_atomic(typing_context, count):
    def generate(context, builder, signature, arguments):
        address = context.make_array(count)(context, builder, arguments[0]).data
        if platform.machine().lower() in ("x86_64", "amd64"):  # leaves the core to the other hardware thread
            pause = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, pause, "llvm.x86.sse2.pause"), [])
        return builder.load_atomic(address, "acquire", align=8)

    return types.int64(count), generate


@overload(load_atomic)
def _overload_load_atomic(count):
    return lambda count: _load_atomic(count)


def yield_processor():
    """Let another runnable thread have this processor: it may be the one that the caller waits for."""
    if hasattr(os, "sched_yield"):
        os.sched_yield()


@intrinsic
def _sched_yield(typing_context):
    def generate(context, builder, signature, arguments):
        function = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, function, "sched_yield"), [])
        return context.get_dummy_value()

    return types.none(), generate


@overload(yield_processor)
def _overload_yield_processor():
    if hasattr(os, "sched_yield"):
        return lambda: _sched_yield()
    return lambda: None


@jit
def signal_and_spin(mine, number, theirs, target, spins, extra_spins):
    """Set ``mine`` to ``number``, then spin up to ``spins`` times until ``theirs`` has reached ``target``.

    The signal is set here and not in Python because the GIL is released here, and the other thread needs it next:
    waiting for the GIL would block that thread. ``extra_spins`` keep the GIL released for longer.
    """
    mine[0] = number
    for i in range(spins):
        if load_atomic(theirs) >= target:
            for _ in range(extra_spins):
                load_atomic(theirs)
            return True
        if i % 512 == 511:
            yield_processor()
    return False


#: Spins before a thread blocks (1 millisecond), and spins of a caller after its worker has started (6 to 10
#: microseconds): by then the worker is in its loop and has released the GIL. A caller that takes the GIL earlier blocks
#: the worker, and handing over takes 32 microseconds instead of 10. Uncompiled, spinning is slow.
SPINS, START_SPINS = (1, 0) if getattr(config, "DISABLE_JIT", False) else (30_000, 250)


#: Returns the number of the processor that runs the calling thread; None on platforms that do not report it.
processor: Callable[[], int] | None = None
if hasattr(os, "sched_setaffinity"):
    processor = getattr(ctypes.PyDLL(None), "sched_getcpu", None)


def leave_processor(number: int) -> None:
    """Migrate the calling thread away from processor `number`, if it may run on another one."""
    allowed = os.sched_getaffinity(0) if number >= 0 else set()
    if len(allowed) > 1 and number in allowed:
        os.sched_setaffinity(0, allowed - {number})
        os.sched_setaffinity(0, allowed)


def _counter() -> np.ndarray:
    return np.zeros(16, np.int64)  # the first one is used; the rest keeps its cache line free of other data


class _Worker:
    """A thread that runs one kernel after another."""

    def __init__(self) -> None:
        self._given, self._begun, self._done = _counter(), _counter(), _counter()  # numbers of calls
        self._lock, self._wake, self._asleep = threading.Lock(), threading.Semaphore(0), False
        self._calls, self._waker = 0, -1
        self._work: Any = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run_forever, name="numpycnn", daemon=True).start()

    def _run_forever(self) -> None:
        number = 0
        while True:
            number += 1
            # In a loop: the wake-up may come late, for a call that has run already.
            while not signal_and_spin(self._done, number - 1, self._given, number, SPINS, 0):
                with self._lock:
                    self._asleep = self._given[0] < number
                    asleep = self._asleep
                if asleep:
                    self._wake.acquire()
                    leave_processor(self._waker)
            (kernel, arguments), self._work = self._work, None
            self._begun[0] = number
            try:
                kernel(*arguments)
            except BaseException as error:
                self._error = error
            kernel = arguments = None

    def start(self, kernel: Callable[..., None], *arguments: object) -> None:
        """Hand over a call of `kernel`."""
        self._calls += 1
        self._work, self._error = (kernel, arguments), None
        if self._asleep or not signal_and_spin(self._given, self._calls, self._begun, self._calls, SPINS, START_SPINS):
            with self._lock:
                self._given[0] = self._calls
                if self._asleep:
                    self._asleep, self._waker = False, processor() if processor else -1
                    self._wake.release()

    def finish(self) -> BaseException | None:
        """Wait until the call has returned, and return the exception that it raised."""
        while not signal_and_spin(self._given, self._calls, self._done, self._calls, SPINS, 0):
            time.sleep(5e-5)
        return self._error


def _forget_threads() -> None:
    """Start without workers in a forked child: it has copies of its parent's locks, but none of the threads."""
    global _in_use, _workers
    _in_use, _workers = threading.Lock(), []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


# ----------------------------------------------------------------------------------------------------- sharing the work


#: Multiplications by a weight, and elements of a simple loop, from which the work is shared. At 125 multiplications a
#: nanosecond the first take 16 microseconds, four times as long as handing over half of them.
MULTIPLICATIONS = 2_000_000
ELEMENTS = 32 * 1024

Chunks = tuple[tuple[int, int], ...]


@lru_cache(maxsize=4096)
def _cut(n: int, count: int) -> Chunks:
    return tuple(pairwise(n * i // count for i in range(count + 1)))


def split(n: int, multiplications: float = MULTIPLICATIONS, most: int | None = None) -> Chunks:
    """Cut ``range(n)`` into chunks ``(start, stop)`` of nearly equal length, one for each thread.

    There are `most` of them, or else as many as threads, but not more than `n`. Too few `multiplications` in total to
    be worth sharing stay in one chunk.
    """
    if multiplications < MULTIPLICATIONS or n < 2:
        return ((0, n),)
    return _cut(n, min(n, most or get_num_threads()))


def run(kernel: Callable[..., None], chunks: Chunks, *args: object) -> None:
    """Call ``kernel(i, start, stop, *args)`` for each chunk ``i``, in parallel, and wait for all of them.

    The calling thread runs the last chunk itself, and all of them if the workers are busy for another caller.
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
        problem: BaseException | None = None
        try:
            kernel(len(chunks) - 1, *chunks[-1], *args)
        except Exception as error:
            problem = error
        for worker in used:
            failed = worker.finish()
            problem = problem or failed
        busy = False
        if problem is not None:
            raise problem
    finally:
        if busy:  # interrupted: the workers finish what they have begun, and get no more work
            _workers.clear()
        _in_use.release()


def run_elements(kernel: Callable[..., None], n: int, *args: object) -> None:
    """Run a kernel over `n` elements, shared among the threads if there are enough of them."""
    if n < ELEMENTS:
        kernel(0, 0, n, *args)
    else:
        run(kernel, split(n), *args)
