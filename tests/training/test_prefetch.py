"""A second thread that prefetches: order, errors, and its end."""

import threading
from contextlib import closing

import pytest

from numpycnn.training.prefetch import prefetched

AHEAD = [0, 1, 2, 5]
PATIENCE = 30  # seconds before a test counts as hanging


def helpers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("numpycnn-batches")]


@pytest.mark.parametrize("ahead", AHEAD)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 20])
def test_everything_in_order(ahead: int, count: int) -> None:
    assert list(prefetched(lambda n: n * n, range(count), ahead)) == [n * n for n in range(count)]
    assert helpers() == []


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_the_number_of_items_made_in_advance(ahead: int) -> None:
    made, enough = [], threading.Semaphore(0)

    def make(n: int) -> int:
        made.append(n)
        enough.release()
        return n

    with closing(prefetched(make, range(100), ahead)) as items:
        for taken in range(4):
            assert next(items) == taken
            for _ in range(ahead + 1 if not taken else 1):
                assert enough.acquire(timeout=PATIENCE)
            assert made == list(range(taken + ahead + 1))  # and no further
    assert helpers() == []


def test_one_other_thread_is_used() -> None:
    names = set(prefetched(lambda n: threading.current_thread().name, range(10), 2))
    assert len(names) == 1
    assert names.pop().startswith("numpycnn-batches")
    assert set(prefetched(lambda n: threading.current_thread(), range(10), 0)) == {threading.current_thread()}


@pytest.mark.parametrize("ahead", AHEAD)
def test_an_error_is_raised_in_the_turn_of_its_item(ahead: int) -> None:
    def make(n: int) -> int:
        if n == 3:
            raise ValueError("three")
        return n

    items = prefetched(make, range(10), ahead)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match=r"^three$"):
        next(items)
    assert helpers() == []


@pytest.mark.parametrize("ahead", AHEAD)
def test_closing_ends_the_thread_after_its_current_item(ahead: int) -> None:
    made = []
    items = prefetched(lambda n: made.append(n), range(1000), ahead)
    next(items)
    items.close()
    assert helpers() == []
    assert len(made) <= ahead + 1
