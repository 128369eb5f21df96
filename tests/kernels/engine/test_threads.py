"""Worker threads: how work is cut into chunks, callers in parallel, errors, sleep and fork."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpycnn import functional as F
from numpycnn import get_num_threads, set_num_threads
from numpycnn.kernels.engine import threads
from tests.helpers import assert_same_bits

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def same_number_afterwards() -> Iterator[None]:
    before = get_num_threads()
    yield
    set_num_threads(before)


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new process, for at most two minutes."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import numpy as np, numpycnn as nn\n{code}"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


# --------------------------------------------------------------------------------------------------- cutting, counting


@pytest.mark.parametrize("n_threads", [1, 2, 3, 7])
def test_split(n_threads: int) -> None:
    set_num_threads(n_threads)
    for n in range(1, 30):
        chunks = threads.split(n)
        assert len(chunks) == min(n, n_threads)
        assert [i for start, stop in chunks for i in range(start, stop)] == list(range(n))
        sizes = [stop - start for start, stop in chunks]
        assert max(sizes) - min(sizes) <= 1
    assert threads.split(0) == ((0, 0),)
    assert threads.split(12, most=3) == ((0, 4), (4, 8), (8, 12))


@pytest.mark.parametrize(("n", "chunks"), [(100, 1), (threads.ELEMENTS - 1, 1), (threads.ELEMENTS, 4)])
def test_few_elements_are_not_shared(n: int, chunks: int) -> None:
    set_num_threads(4)
    out = np.zeros(n)
    threads.run_elements(fill, n, out)
    assert set(out) == set(range(1, chunks + 1))


def test_set_and_get() -> None:
    for n in (1, 3, 1024, 2):
        set_num_threads(n)
        assert get_num_threads() == n


@pytest.mark.parametrize(
    ("n", "error", "text"),
    [
        (0, ValueError, "set_num_threads: expected n from 1 to 1024, got 0"),
        (-1, ValueError, "set_num_threads: expected n from 1 to 1024, got -1"),
        (1025, ValueError, "set_num_threads: expected n from 1 to 1024, got 1025"),
        (2**63 - 1, ValueError, "set_num_threads: expected n from 1 to 1024, got 9223372036854775807"),
        (2.0, TypeError, "set_num_threads: expected n to be an int, got float"),
        ("2", TypeError, "set_num_threads: expected n to be an int, got str"),
        (True, TypeError, "set_num_threads: expected n to be an int, got bool"),
        (None, TypeError, "set_num_threads: expected n to be an int, got NoneType"),
    ],
)
def test_bad_numbers(n: Any, error: type[Exception], text: str) -> None:
    before = get_num_threads()
    with pytest.raises(error, match=text):
        set_num_threads(n)
    assert get_num_threads() == before


def test_the_environment_variable() -> None:
    assert python("print(nn.get_num_threads())", NUMPYCNN_NUM_THREADS="3").stdout.strip() == "3"
    assert python("print(nn.get_num_threads())", NUMPYCNN_NUM_THREADS=" 5 ").stdout.strip() == "5"
    done = python("nn.set_num_threads(2); print(nn.get_num_threads())", NUMPYCNN_NUM_THREADS="3")
    assert done.stdout.strip() == "2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("many", "ValueError: NUMPYCNN_NUM_THREADS: expected a whole number, got 'many'"),
        ("", "ValueError: NUMPYCNN_NUM_THREADS: expected a whole number, got ''"),
        ("2.5", "ValueError: NUMPYCNN_NUM_THREADS: expected a whole number, got '2.5'"),
        ("-2", "ValueError: NUMPYCNN_NUM_THREADS: expected a whole number, got '-2'"),
        ("0", "ValueError: NUMPYCNN_NUM_THREADS: expected the number of threads from 1 to 1024, got 0"),
        ("9999", "ValueError: NUMPYCNN_NUM_THREADS: expected the number of threads from 1 to 1024, got 9999"),
    ],
)
def test_bad_environment_variables(text: str, message: str) -> None:
    done = python("nn.get_num_threads()", NUMPYCNN_NUM_THREADS=text)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == message


def test_without_the_variable_all_processors_of_this_process_are_used() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "NUMPYCNN_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", "import numpycnn; print(numpycnn.get_num_threads())"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert int(done.stdout) == available


# -------------------------------------------------------------------------------------------------------------- running


def fill(chunk: int, start: int, stop: int, out: np.ndarray) -> None:
    out[start:stop] = chunk + 1


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_each_chunk_is_run_once_with_its_number(n_threads: int) -> None:
    set_num_threads(n_threads)
    out = np.zeros(11)
    threads.run(fill, threads.split(11), out)
    for i, (start, stop) in enumerate(threads.split(11)):
        assert (out[start:stop] == i + 1).all()


def test_chunks_run_in_parallel_and_the_caller_runs_one_of_them() -> None:
    set_num_threads(3)
    meeting = threading.Barrier(3, timeout=60)  # opens when three threads wait at once
    seen: list[int] = []

    def meet(chunk: int, start: int, stop: int) -> None:
        meeting.wait()
        seen.append(threading.get_ident())

    threads.run(meet, threads.split(3))
    assert len(set(seen)) == 3
    assert threading.get_ident() in seen


@pytest.mark.parametrize("guilty", [0, 1, 2])
def test_an_exception_in_a_kernel_reaches_the_caller_when_all_are_done(guilty: int) -> None:
    set_num_threads(3)
    out = np.zeros(3)

    def fail(chunk: int, start: int, stop: int, out: np.ndarray) -> None:
        if chunk == guilty:
            raise ZeroDivisionError(f"in chunk {chunk}")
        time.sleep(0.05)
        out[chunk] = 1

    with pytest.raises(ZeroDivisionError, match=f"in chunk {guilty}"):
        threads.run(fail, threads.split(3), out)
    assert out.sum() == 2  # no kernel still writes to arrays that the caller may free
    threads.run(fill, threads.split(3), out)
    np.testing.assert_array_equal(out, [1, 2, 3])


def arrays() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(9, 3, 12, 11)), rng.normal(size=(5, 3, 3, 3)), rng.normal(size=(9, 5, 5, 5))


def everything() -> list[np.ndarray]:
    x, weight, dy = arrays()
    pooled = F.max_pool2d(x, 2)
    return [
        F.conv2d(x, weight, stride=2),
        *F.conv2d_backward(dy, x, weight, stride=2),
        F.conv2d(x, weight),
        *F.conv2d_backward(np.ones((9, 5, 10, 9)), x, weight),
        pooled,
        F.max_pool2d_backward(pooled, x, 2),
        F.avg_pool2d(x, 3, padding=1),
        F.batch_norm(x, None, None, None, None, training=True),
        F.relu(x),
    ]


def test_the_same_number_of_threads_gives_the_same_bits() -> None:
    for n in (1, 2, 4):
        set_num_threads(n)
        first = everything()
        for _ in range(3):
            for got, wanted in zip(everything(), first, strict=True):
                assert_same_bits(got, wanted)


def test_another_number_of_threads_gives_the_same_numbers() -> None:
    set_num_threads(1)
    alone = everything()
    for n in (2, 3, 20):
        set_num_threads(n)
        for got, wanted in zip(everything(), alone, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


def test_calls_from_several_threads_at_once_while_the_number_changes() -> None:
    set_num_threads(2)
    expected = everything()
    start = threading.Barrier(5, timeout=60)
    wrong: list[str] = []

    def work() -> None:
        try:
            start.wait()
            for _ in range(5):
                for got, wanted in zip(everything(), expected, strict=True):
                    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)
        except BaseException as error:
            wrong.append(repr(error))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    start.wait()
    for n in (1, 3, 2, 4) * 5:
        set_num_threads(n)
        time.sleep(0.002)
    for worker in workers:
        worker.join(120)
    assert wrong == []
    assert not any(worker.is_alive() for worker in workers)


# ---------------------------------------------------------------------------------------------------- sleep, BLAS, fork


def test_a_blocked_worker_wakes_up() -> None:
    set_num_threads(3)
    for pause in (0, 0.2, 0, 0.2):
        time.sleep(pause)
        out = np.zeros(3)
        threads.run(fill, threads.split(3), out)
        np.testing.assert_array_equal(out, [1, 2, 3])


def _moves() -> bool:
    assert threads.processor is not None
    number = threads.processor()
    threads.leave_processor(number)
    return threads.processor() != number


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="needs Linux, where a thread can choose its processors"
)
def test_a_thread_moves_away_from_a_processor() -> None:
    before = os.sched_getaffinity(0)
    assert threads.processor is not None
    assert threads.processor() in before
    assert len(before) == 1 or any(_moves() for _ in range(20))  # the OS may move it back at once
    assert os.sched_getaffinity(0) == before
    try:
        for allowed in before:  # with a single processor allowed there is no other
            os.sched_setaffinity(0, {allowed})
            threads.leave_processor(allowed)
            assert threads.processor() == allowed
            assert os.sched_getaffinity(0) == {allowed}
    finally:
        os.sched_setaffinity(0, before)
    threads.leave_processor(-1)  # on platforms that do not report processors
    threads.leave_processor(max(before) + 1)
    assert os.sched_getaffinity(0) == before


def test_calls_and_pauses_of_any_length() -> None:
    """Pauses about as long as a worker spins: it blocks just when the next call is handed over."""
    set_num_threads(2)
    rng = np.random.default_rng(0)
    out = np.zeros(2)

    def work(chunk: int, start: int, stop: int, length: float) -> None:
        time.sleep(length * chunk)
        out[chunk] += 1

    for n in range(400):
        threads.run(work, threads.split(2), rng.choice([0, 0, 1e-5]))
        assert (out == n + 1).all()
        end = time.perf_counter() + rng.choice([0, 2e-5, 6e-5, 8e-5, 1e-4, 3e-4])
        while time.perf_counter() < end:
            pass


def test_the_caller_waits_longer_than_it_spins() -> None:
    set_num_threads(2)
    out = np.zeros(2)

    def slow(chunk: int, start: int, stop: int) -> None:
        time.sleep(0.3 * (1 - chunk))
        out[chunk] = 1

    threads.run(slow, threads.split(2))
    assert out.all()


NO_BLAS = """
from threadpoolctl import ThreadpoolController
counts = lambda: {library.filepath: library.num_threads for library in ThreadpoolController().lib_controllers}
before = counts()
nn.set_num_threads(1)
model = nn.models.create("lenet", (1, 28, 28), 10)
y = model.forward(np.ones((64, 1, 28, 28), np.float32), training=True)
model.backward(y)
import os
print(before.items() <= counts().items(), len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads cannot be counted here")
def test_with_one_thread_there_is_one_and_other_libraries_keep_their_settings() -> None:
    done = python(NO_BLAS, OPENBLAS_NUM_THREADS="1", NUMPYCNN_NUM_THREADS="2")
    assert done.stdout.strip() == "True 1", done.stderr


FORK = """
import os, signal, threading
x, w = np.ones((8, 3, 12, 11)), np.ones((5, 3, 3, 3))
nn.set_num_threads(3)
expected = nn.functional.conv2d(x, w, stride=2)          # the workers exist now
stop = threading.Event()
def busy():
    while not stop.is_set():
        nn.functional.conv2d(x, w, stride=2)              # so that locks may be held at the moment of the fork
worker = threading.Thread(target=busy)
worker.start()
codes = []
for _ in range(5):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        same = np.array_equal(nn.functional.conv2d(x, w, stride=2), expected)
        nn.set_num_threads(2)
        same = same and np.array_equal(nn.functional.max_pool2d(x, 2), np.ones((8, 3, 6, 5)))
        os._exit(0 if same else 1)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
stop.set()
worker.join()
assert np.array_equal(nn.functional.conv2d(x, w, stride=2), expected)
print(codes)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_computes_and_ends() -> None:
    done = python(FORK)
    assert done.stdout.strip() == "[0, 0, 0, 0, 0]", done.stderr
