"""Prefetching: a second thread makes the next batches while the first one trains."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def prefetched(make: Callable[[Item], Made], items: Iterable[Item], ahead: int) -> Generator[Made, None, None]:
    """Yield ``make(item)`` for each item, in order, with `ahead` of them made in advance; with 0 in the same thread.

    NumPy and the compiled loops of this package release the GIL, so one thread can make the next batches while another
    one trains. Exceptions of `make` are raised here, in the turn of the item. Closing the generator ends the thread,
    after its current item.
    """
    if not ahead:
        yield from map(make, items)
        return
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="numpycnn-batches") as thread:
        try:
            for item in items:
                waiting.append(thread.submit(make, item))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()
