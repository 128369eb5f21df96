"""The pool of memory blocks: no two live arrays share memory, unused blocks are reused, and few of them are kept."""

import gc
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from numpycnn.kernels.engine import memory

ROOT = Path(__file__).parents[3]
SHAPE = (100, 1000)
BLOCK = memory.size_class(400_000)


@pytest.fixture(autouse=True)
def pool(monkeypatch: pytest.MonkeyPatch) -> memory.Pool:
    pool = memory.Pool(memory.LIMIT)
    monkeypatch.setattr(memory, "_pool", pool)
    monkeypatch.setattr(memory, "empty", pool.empty)
    return pool


def address(array: np.ndarray) -> int:
    return int(array.ctypes.data)


def assert_disjoint(arrays: list[np.ndarray]) -> None:
    """Check that no two contiguous arrays overlap."""
    ranges = sorted((address(array), address(array) + array.nbytes) for array in arrays)
    for (_, end), (start, _) in pairwise(ranges):
        assert end <= start, "two live arrays share memory"


def drawn_shapes(n: int, seed: int) -> Iterator[tuple[int, int]]:
    """Draw shapes of arrays just below the pool's smallest block up to eight times its size."""
    rng = random.Random(seed)
    for _ in range(n):
        yield rng.randint(60, 130), rng.choice([100, 128, 512])


# -------------------------------------------------------------------------------------------- never shared while in use


def test_a_thousand_live_arrays_never_overlap() -> None:
    rng = random.Random(0)
    live: list[np.ndarray] = []
    for shape in drawn_shapes(4000, seed=1):
        if len(live) == 1000:
            del live[rng.randrange(1000)]  # its block may be handed out again, and no other
        live.append(memory.empty(shape, np.float32))
    assert_disjoint(live)


VIEWS: dict[str, Callable[[np.ndarray], object]] = {
    "slice": lambda a: a[3:, ::2],
    "reversed": lambda a: a[::-1],
    "transposed": lambda a: a.T,
    "reshaped": lambda a: a.reshape(10, -1),
    "flat slice of a transposed slice": lambda a: a[5:].T[::3],
    "other dtype": lambda a: a.view(np.int32),
    "subclass": lambda a: a.view(np.matrix),
    "windows": lambda a: np.lib.stride_tricks.sliding_window_view(a, (3, 3)),
    "broadcast": lambda a: np.broadcast_to(a, (2, *a.shape)),
    "as strided": lambda a: np.lib.stride_tricks.as_strided(a, (5,), (4,)),
    "array over the buffer": lambda a: np.frombuffer(a, np.float32, 10),
    "array over the array": lambda a: np.ndarray((10,), np.float32, a),
    "DLPack": lambda a: np.from_dlpack(a),
    "memoryview": lambda a: memoryview(a)[1:],
    "iterator": lambda a: a.flat,
}


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_view_alone_keeps_the_block(view: Callable[[np.ndarray], object], pool: memory.Pool) -> None:
    array = memory.zeros(SHAPE, np.float32)
    where = address(array)
    part = view(array)
    del array
    assert pool.unused == 0
    others = [memory.empty(SHAPE, np.float32) for _ in range(5)]
    assert where not in map(address, others)
    for other in others:
        other.fill(7)
    assert not np.asarray(part).any()
    del part
    assert pool.unused > 0


def test_threads_never_share_a_block() -> None:
    live: list[list[np.ndarray]] = [[] for _ in range(4)]
    wrong = []
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        rng = random.Random(number)
        barrier.wait(60)
        for shape in drawn_shapes(1000, seed=number):
            if len(live[number]) == 100:
                index = rng.randrange(100)
                if not (live[number][index] == number).all():
                    wrong.append(number)
                del live[number][index]
            live[number].append(memory.empty(shape, np.float32))
            live[number][-1].fill(number)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []
    assert [len(arrays) for arrays in live] == [100] * 4  # every thread got to its end
    assert_disjoint([array for arrays in live for array in arrays])


def test_an_array_revived_by_garbage_collection_keeps_its_block() -> None:
    revived = []

    class Reviver:
        def __init__(self) -> None:
            self.cycle, self.array = self, memory.zeros(SHAPE, np.float32)

        def __del__(self) -> None:
            revived.append(self.array)

    Reviver()
    gc.collect()
    memory.empty(SHAPE, np.float32).fill(7)
    assert not revived[0].any()


def test_neither_taking_nor_returning_a_block_waits_for_the_lock(pool: memory.Pool) -> None:
    array = memory.empty(SHAPE, np.float32)
    with pool._lock:  # as when garbage collection starts within the pool's code and finalizes a lease
        del array
        memory.empty(SHAPE, np.float32)
    assert pool.unused == 0  # both blocks were dropped
    memory.empty(SHAPE, np.float32)
    assert pool.unused == BLOCK


# -------------------------------------------------------------------------------------------------- reuse and its limit


def block_of(array: np.ndarray) -> object:
    return array.base.block


def test_a_block_is_reused_once_the_array_and_its_views_are_gone() -> None:
    first = memory.empty(SHAPE, np.float32)
    block, view = block_of(first), first[1:].T
    del first
    second = memory.empty(SHAPE, np.float32)
    assert block_of(second) is not block
    del view
    third = memory.empty((1000, 50), np.float64)  # as many bytes
    assert block_of(third) is block


def test_close_sizes_share_a_block() -> None:
    block = block_of(memory.empty((31, 10_000), np.float32))
    assert block_of(memory.empty((32, 10_000), np.float32)) is block


def test_size_classes_are_four_per_power_of_two() -> None:
    sizes = range(2**15 + 1, 2**16 + 1)
    assert sorted({memory.size_class(size) for size in sizes}) == [2**15 * n // 4 for n in (5, 6, 7, 8)]
    assert all(size <= memory.size_class(size) <= 1.25 * size for size in sizes)


def test_unused_bytes_stay_bounded_when_every_batch_size_is_asked_for_once(pool: memory.Pool) -> None:
    most = 0
    for n in range(1, 257):
        arrays = [memory.empty((n, 32, 28, 28), np.float32) for _ in range(3)]
        arrays.clear()
        most = max(most, pool.unused)
        assert pool.unused == sum(block.size for blocks in pool._free.values() for block in blocks)
    assert memory.LIMIT / 2 < most <= memory.LIMIT


def test_a_block_above_the_limit_is_not_kept(pool: memory.Pool) -> None:
    memory.empty((memory.LIMIT + 1,), np.uint8)
    assert pool.unused == 0


def test_the_longest_unused_blocks_are_dropped_first() -> None:
    pool = memory.Pool(2**18)
    arrays = [pool.empty((size,), np.uint8) for size in (2**16, 2**17, 2**16, 2**17)]
    blocks = [block_of(array) for array in arrays]
    del arrays[0], arrays[0], arrays[0]  # in this order
    assert pool.unused == 2**18
    del arrays[0]  # the first alone would not make room for it
    assert {size: list(free) for size, free in pool._free.items()} == {2**16: [blocks[2]], 2**17: [blocks[3]]}
    assert pool.unused == 2**16 + 2**17


def test_arrays_on_one_block_are_disjoint_and_aligned_and_share_its_lifetime(pool: memory.Pool) -> None:
    shapes = ((3, 5), (0,), (100, 1000), (7,), (1, 9))
    for dtype in (np.float32, np.float64, np.bool_):
        arrays = memory.empty_arrays(shapes, dtype)
        assert [(array.shape, array.dtype) for array in arrays] == [(shape, np.dtype(dtype)) for shape in shapes]
        assert all(array.flags.carray for array in arrays)
        assert all(address(array) % memory.ALIGNMENT == 0 for array in arrays)
        assert_disjoint([array for array in arrays if array.size])
        before, last = pool.unused, arrays[-1]
        del arrays
        assert pool.unused == before
        del last
        assert pool.unused > before


# ------------------------------------------------------------------------------------------------ what an array is like


def test_arrays_are_aligned_contiguous_and_writeable() -> None:
    for dtype in (np.float32, np.float64, np.int32, np.bool_):
        for _ in range(2):  # from a new block, and from a reused one
            array = memory.empty((3, 50_001), dtype)
            assert address(array) % memory.ALIGNMENT == 0
            assert array.flags.c_contiguous
            assert (type(array), array.shape, array.dtype) == (np.ndarray, (3, 50_001), np.dtype(dtype))
            array.flags.writeable = False
            array.flags.writeable = True  # NumPy asks the owner of the memory
            array.fill(1)


@pytest.mark.parametrize("shape", [(), (0, 5), (3,), (10**6, 0)])
def test_small_and_empty_arrays_are_numpys(shape: tuple[int, ...], pool: memory.Pool) -> None:
    assert memory.empty(shape, np.float32).shape == shape
    assert not memory.zeros(shape, np.float64).any()
    assert pool.unused == 0


def test_zeros_are_zeros_in_reused_memory() -> None:
    memory.empty(SHAPE, np.float32).fill(1)
    assert not memory.zeros(SHAPE, np.float32).any()


# ----------------------------------------------------------------------------------------------- fork, end of a process


def run_python(code: str) -> str:
    """Run code in a new process, and return all that it prints."""
    code = f"import numpy as np\nfrom numpycnn.kernels.engine import memory\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    return done.stdout + done.stderr


FORK = """
import os, signal
inherited = memory.zeros((100, 1000), np.float32)
memory.empty((100, 1000), np.float32)
assert memory._pool.unused == memory.size_class(400_000)
with memory._pool._lock:  # as another thread may hold it at the moment of the fork
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        unused = [memory._pool.unused]
        arrays = [memory.empty((100, 1000), np.float32) for _ in range(3)]
        for array in arrays:
            array.fill(1)
        ok = not inherited.any()
        del array, arrays, inherited
        unused.append(memory._pool.unused)
        os._exit(0 if ok and unused == [0, 4 * memory.size_class(400_000)] else 1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(code, inherited.any())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_forked_child_has_a_pool_of_its_own() -> None:
    assert run_python(FORK).strip() == "0 False"


def test_arrays_may_outlive_the_module_at_the_end_of_a_process() -> None:
    code = """
import sys, threading
class Holder: pass
kept = memory.zeros((100, 1000), np.float32)
holder = Holder(); holder.itself, holder.array = holder, kept[5:]
sys.kept_until_the_end = memory.zeros((100, 1000), np.float32)
threading.Thread(target=lambda array: threading.Event().wait(), args=(kept.T,), daemon=True).start()
memory.empty((100, 1000), np.float32)
"""
    assert run_python(code) == ""
