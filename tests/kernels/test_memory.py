"""Memory that is used again: never while somebody refers to it, and not kept for ever."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from numpycnn.kernels import memory

SHAPE = (100, 1000)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(memory, "_blocks", {})
    return


def address(array: np.ndarray) -> int:
    return int(array.ctypes.data)


def test_what_nobody_refers_to_is_used_again() -> None:
    first = memory.empty(SHAPE, np.float32)
    where = address(first)
    assert address(memory.empty(SHAPE, np.float32)) != where  # still referred to
    del first
    assert address(memory.empty(SHAPE, np.float32)) == where
    assert address(memory.empty((1000, 50), np.float64)) == where  # as many bytes


def test_a_view_keeps_its_memory() -> None:
    whole = memory.zeros(SHAPE, np.float32)
    view = whole.reshape(-1)[5:].T[::3]
    del whole
    for _ in range(5):
        memory.empty(SHAPE, np.float32)[:] = 7
    assert not view.any()


def test_arrays_begin_on_a_cache_line_and_can_be_written() -> None:
    for dtype in (np.float32, np.float64, np.int32, np.bool_):
        array = memory.empty((3, 50_001), dtype)
        assert address(array) % memory.ALIGNMENT == 0
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert (array.shape, array.dtype) == ((3, 50_001), np.dtype(dtype))


@pytest.mark.parametrize("shape", [(), (0, 5), (3,), (10**6, 0)])
def test_small_and_empty_arrays(shape: tuple[int, ...]) -> None:
    assert memory.empty(shape, np.float32).shape == shape
    assert not memory.zeros(shape, np.float64).any()
    assert not memory._blocks


def test_zeros_are_zeros_in_used_memory() -> None:
    memory.empty(SHAPE, np.float32)[:] = 1
    assert not memory.zeros(SHAPE, np.float32).any()


def test_what_is_not_asked_for_any_more_is_let_go() -> None:
    memory.empty((77_777,), np.float64)
    for _ in range(2 * memory.PATIENCE):
        memory.empty(SHAPE, np.float32)
    kept = [memory.empty(SHAPE, np.float32) for _ in range(130)]  # new blocks, which is when it is tidied
    assert 77_777 * 8 not in memory._blocks
    assert len({address(array) for array in kept}) == 130


def test_several_threads_never_share_a_block() -> None:
    wrong = []

    def work(number: int) -> None:
        for _ in range(300):
            mine = memory.empty(SHAPE, np.float32)
            mine[:] = number
            if not (mine == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
