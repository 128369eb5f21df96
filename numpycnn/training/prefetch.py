"""Batches made ahead by a second thread, so that a training finds the next one ready."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def prefetched(make: Callable[[Item], Made], items: Iterable[Item], ahead: int) -> Generator[Made, None, None]:
    """Yield ``make(item)`` for each item, in order.

    NumPy and the loops of this package let other threads run while they calculate, so one thread may make the next
    batches while another one trains.

    Parameters
    ----------
    make : callable
        What it raises is raised here, when the turn of that item comes.
    items : iterable
    ahead : int
        How many to make before they are asked for; with 0 there is no second thread.

    Yields
    ------
    object
        Closing the generator ends the thread, after the item that it is at.
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
