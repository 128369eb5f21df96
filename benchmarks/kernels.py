"""Time each operation of the fast backend against the plain one, and against PyTorch's operator.

The three must give the same numbers before they are timed. The plain version is written to be read; what a compiled
loop is for shows in the ratio.

A product's speed is given in GFLOP/s, and as a share of what the fastest matrix product on the machine reaches. It
counts the multiplications of the textbook; where a transform saves some, the speed may be above the peak.
"""

from typing import Any

import numpy as np
import torch  # noqa: F401  before the threads are set
from machine import peak, use_threads
from operations import Operation, operations
from report import arguments, head, heading, row, written_to
from timing import milliseconds, quick_or_slow, ratio

import numpycnn


def close(got: Any, wanted: Any, name: str) -> None:
    got, wanted = np.asarray(got, np.float64).reshape(-1), np.asarray(wanted, np.float64).reshape(-1)
    error = np.abs(got - wanted).max()
    assert error <= 1e-4 * np.abs(wanted).max(), f"{name}: off by {error}"


def check(operation: Operation) -> None:
    """Stop if the three ways differ."""
    ours = operation.fast()
    for other in (operation.plain, operation.torch):
        for got, wanted in zip(ours, other(), strict=True):
            if wanted is not None:
                close(got, wanted, operation.name)


def speed(multiplications: float, times: np.ndarray, limit: float) -> tuple[str, str]:
    if not multiplications:
        return "", ""
    flops = 2 * multiplications / np.median(times) / 1e9
    return f"{flops:.0f}", f"{flops / limit:.0%}"


def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--only", default="", help="operations with this in their name")
    parser.add_argument("--runs", type=int, default=30, help="timed calls of each (default: 30)")
    args = parser.parse_args(argv)
    runs, seconds = (2, 0.001) if args.quick else (args.runs, 1.0)
    with written_to(args.out):
        use_threads(args.threads)
        limit = peak(args.quick)
        print("\nMilliseconds: median (minimum). Ratios are those of the medians.")
        heading("Operations on both backends, and in PyTorch")
        head(
            "operation", "fast, ms", "plain, ms", "PyTorch, ms", "plain / fast", "PyTorch / fast", "GFLOP/s", "of peak"
        )
        images, weights = (8, 100_000) if args.quick else (32, 1_200_000)
        for operation in operations(max(images, 4 * numpycnn.get_num_threads()), weights):
            if args.only in operation.name:
                check(operation)
                fast, plain, theirs = quick_or_slow([operation.fast, operation.plain, operation.torch], runs, seconds)
                cells = [milliseconds(times) for times in (fast, plain, theirs)]
                ratios = f"{ratio(plain, fast):.1f}", f"{ratio(theirs, fast):.2f}"
                row(operation.name, *cells, *ratios, *speed(operation.products, fast, limit))


if __name__ == "__main__":
    main()
