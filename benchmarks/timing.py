"""Compare the times of calls: in turns, with medians and minima.

On a shared machine a single time says little. Compared calls therefore take turns, so that all of them meet the same
disturbances; the median is the typical time, the minimum that of an idle machine.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

Call = Callable[[], object]
PAUSE = 0.03  # seconds: OpenBLAS's threads spin for up to 20 milliseconds


def timed(call: Call) -> float:
    """Return the seconds of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def in_turns(calls: Sequence[Call], runs: int, block: int = 5) -> np.ndarray:
    """Return the seconds of `runs` calls of each, (len(calls), runs), in alternating blocks.

    Each block follows an uncounted call, because a library that has just run finds its data in the caches, as in a real
    training. Each block follows a pause, because the threads of a library spin for a while, and take the processor from
    those of the next one.
    """
    times: list[list[float]] = [[] for _ in calls]
    while len(times[0]) < runs:
        for which, call in enumerate(calls):
            time.sleep(PAUSE if runs > 2 else 0)  # two are a trial, not a measurement
            call()
            times[which] += [timed(call) for _ in range(min(block, runs))]
    return np.array(times)[:, :runs]


def quick_or_slow(calls: Sequence[Call], runs: int, seconds: float) -> list[np.ndarray]:
    """Return the seconds of up to `runs` calls of each, fewer (at least 3) for those that take longer than `seconds`.

    Only calls with all their runs take turns; slow calls do not need that precision.
    """
    first = [min(timed(call), timed(call)) for call in calls]
    swift = [i for i, one in enumerate(first) if one * runs <= seconds]
    found: list[np.ndarray] = [np.array([])] * len(calls)
    if swift:
        for i, times in zip(swift, in_turns([calls[i] for i in swift], runs), strict=True):
            found[i] = times
    for i, call in enumerate(calls):
        if i not in swift:
            found[i] = np.array([timed(call) for _ in range(max(3, min(runs, int(seconds / first[i]))))])
    return found


def milliseconds(seconds: np.ndarray) -> str:
    """Return the median and, in brackets, the minimum."""
    median, least = 1e3 * np.median(seconds), 1e3 * seconds.min()
    digits = 2 if least >= 0.1 else 4
    return f"{median:.{digits}f} ({least:.{digits}f})"


def ratio(theirs: np.ndarray, ours: np.ndarray) -> float:
    """Return the speed of ours relative to theirs, by the medians."""
    return float(np.median(theirs) / np.median(ours))
