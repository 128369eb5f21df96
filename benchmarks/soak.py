"""Watch the resident memory over 20,000 training steps, 1,000 models and 2,000 predictions of drawn batch sizes.

The first tenth fills the pools. After it, memory should stay: a line is fitted to a hundred measurements; its slope is
reported in bytes per step. The exit status is 1 if a slope exceeds 10.
"""

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from networks import OurStep, batch, make
from report import arguments, head, row, written_to

import numpycnn

LIMIT = 10.0  # bytes per step
SAMPLES = 100
LARGEST = 256  # batch of a prediction


def resident() -> int:
    """Return the physical memory of this process in bytes. Linux alone reports it without a library."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def measure(step: Callable[[], Any], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `SAMPLES` numbers of steps, from a tenth of `count` to `count`, and the resident memory after each one.

    Measuring after every step would itself allocate memory.
    """
    done, sizes = 0, []
    samples = np.unique(np.linspace(count / 10, count, SAMPLES).round().astype(int))
    for sample in samples.tolist():
        for _ in range(sample - done):
            step()
        done = sample
        sizes.append(resident())
    return samples, np.array(sizes)


def stages(quick: bool) -> dict[str, tuple[Callable[[], Any], int]]:
    """Return each stage's step and its number of repetitions."""
    rng = np.random.default_rng(0)
    training, predicting = OurStep(make("lenet"), *batch("lenet", 32)), make("lenet")
    images = batch("lenet", LARGEST)[0]

    def build_and_drop() -> None:
        OurStep(make("lenet"), images[:8], np.arange(8) % 10).step()
        gc.collect()  # a model has reference cycles, and is freed by the cyclic garbage collector

    return {
        "training step of lenet, batch 32": (training.step, 50 if quick else 20_000),
        "lenet built, one step, dropped": (build_and_drop, 20 if quick else 1_000),
        f"prediction of 1 to {LARGEST} images": (
            lambda: predicting.predict(images[: rng.integers(1, LARGEST + 1)], batch_size=LARGEST),
            50 if quick else 2_000,
        ),
    }


def main() -> int:
    options = arguments(__doc__).parse_args()
    if options.threads:
        numpycnn.set_num_threads(options.threads)
    steepest = 0.0
    with written_to(options.out):
        head("repeated", "times", "MiB after a tenth", "MiB at the end", "bytes per step")
        for name, (step, count) in stages(options.quick).items():
            samples, sizes = measure(step, count)
            slope = float(np.polyfit(samples, sizes, 1)[0])
            steepest = max(steepest, slope)
            row(name, f"{count:,}", f"{sizes[0] / 2**20:.1f}", f"{sizes[-1] / 2**20:.1f}", f"{slope:.1f}")
    return int(steepest > LIMIT and not options.quick)


if __name__ == "__main__":
    sys.exit(main())
