"""Measuring side by side: calls in turns, medians and minima.

On a machine that others use too, a single time says little. What is compared therefore takes turns, so that all of it
meets the same disturbances; the median is what one gets, the minimum what the machine can do when it is left alone.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

Call = Callable[[], object]
PAUSE = 0.03  # seconds: OpenBLAS's threads look for work for up to 20 milliseconds


def timed(call: Call) -> float:
    """Return the seconds of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def in_turns(calls: Sequence[Call], runs: int, block: int = 5) -> np.ndarray:
    """Return the seconds of `runs` calls of each, (len(calls), runs), in alternating blocks.

    Blocks, each after a call that is not counted, because a library that has just been running finds its data in the
    caches, as it does in a real training; and a pause before each, because the threads of a library look for more work
    for a while, and meanwhile take the processor from those of the next one.
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

    Only calls with all their runs take turns; who needs a second is not compared to the last percent.
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
    """Return how many times as fast ours is, by the medians."""
    return float(np.median(theirs) / np.median(ours))
