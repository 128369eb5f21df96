"""Time each compiled loop against its plain version, and each operation against NumPy and PyTorch's operator.

What an operation hands to its loops is caught on the way. So every loop is measured on the arrays that it really gets:
first it must give the same numbers as its plain version on copies of them, and then both are timed. The plain versions
are written to be read; NumPy's way in the second table is written to be fast.

A product's speed is given in GFLOP/s, and as a share of what the fastest matrix product on the machine reaches. That of
a loop counts what it multiplies; that of an operation counts what a plain convolution would, and where a transform
saves multiplications it may be above the peak; so may a loop whose numbers all fit into the cache.
"""

import inspect
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import torch  # noqa: F401  before the threads are set
from machine import peak, use_threads
from operations import Operation, operations
from report import arguments, head, heading, row, written_to
from timing import milliseconds, quick_or_slow, ratio

import numpycnn
from numpycnn.kernels import memory, threads
from numpycnn.kernels.products import (
    lanes,
    scalar_products,
    scalar_products_reference,
    weighted_sums,
    weighted_sums_reference,
)


def _at_points(a: SimpleNamespace, y: np.ndarray) -> int:
    return 36 * len(y) * a.patches.down * a.patches.across * a.x.shape[1] * y.shape[1]


#: The multiplications that a loop does which is a product, from its arguments.
PRODUCTS: dict[str, Callable[[SimpleNamespace], int]] = {
    "correlate": lambda a: a.y.size * a.weights.shape[2],
    "input_gradient": lambda a: a.dy.size * len(a.windows.taps) * a.dx.shape[1] // len(a.weights),
    "weight_gradient": lambda a: a.dy.size * len(a.windows.taps) * a.x.shape[1] // a.dweight.shape[1],
    "multiply_points": lambda a: 36 * a.filters * a.channels * a.count,
    "multiply_points_backward": lambda a: 2 * 36 * a.filters * a.channels * a.count,
    "convolve_images": lambda a: _at_points(a, a.y),
    "convolve_images_backward": lambda a: 2 * _at_points(a, a.dy),
    "multiply": lambda a: a.a.size * a.b.shape[1],
    "multiply_transposed": lambda a: a.a.size * len(a.b),
}


class Caught(NamedTuple):
    """A call of a loop, with copies of its arguments from before."""

    kernel: Callable[..., None]
    reference: Callable[..., None]
    chunks: list[tuple[int, int]]
    arguments: tuple[Any, ...]

    @property
    def name(self) -> str:
        return self.kernel.__name__

    @property
    def multiplications(self) -> int:
        if self.name not in PRODUCTS:
            return 0
        names = list(inspect.signature(self.reference).parameters)[3:]
        return PRODUCTS[self.name](SimpleNamespace(**dict(zip(names, self.arguments, strict=True))))


def copied(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return copies of all arrays, in memory that lies as the originals do."""

    def copy(array: np.ndarray) -> np.ndarray:
        fresh = memory.empty(array.shape, array.dtype)
        fresh[...] = array
        return fresh

    return tuple(copy(value) if type(value) is np.ndarray else value for value in values)


def catch(operation: Callable[[], object]) -> list[Caught]:
    """Return the calls that an operation makes. Arrays that it has not filled yet hold NaN, or the like."""
    calls: list[Caught] = []
    run, empty = threads.run, memory.empty

    def unfilled(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        array = empty(shape, dtype)
        array.fill(np.nan if array.dtype.kind == "f" else 0 if array.dtype.kind == "b" else -9)
        return array

    def listen(kernel: Any, chunks: list[tuple[int, int]], *values: Any) -> None:
        reference = getattr(sys.modules[kernel.__module__], f"{kernel.__name__}_reference")
        with mock.patch.object(memory, "empty", empty):
            calls.append(Caught(kernel, reference, list(chunks), copied(values)))
        run(kernel, chunks, *values)

    with mock.patch.object(threads, "run", listen), mock.patch.object(memory, "empty", unfilled):
        operation()
    return calls


def check(call: Caught) -> None:
    """Stop if the loop and its plain version differ in anything that the plain version has written."""
    ours, theirs = copied(call.arguments), copied(call.arguments)
    threads.run(call.kernel, call.chunks, *ours)
    for chunk, (start, stop) in enumerate(call.chunks):
        call.reference(chunk, start, stop, *theirs)
    compared = 0
    for before, got, wanted in zip(call.arguments, ours, theirs, strict=True):
        if isinstance(before, np.ndarray):
            # All flags, because one that is to be found out may be right from the beginning, by accident.
            written = (before != wanted) & ~((before != before) & (wanted != wanted)) | (before.dtype == bool)
            compared += np.count_nonzero(written)
            if written.any():
                close(got[written], wanted[written], call.name)
    assert compared, f"{call.name}: the plain version has written nothing"


def close(got: Any, wanted: Any, name: str) -> None:
    got, wanted = np.asarray(got, np.float64).reshape(-1), np.asarray(wanted, np.float64).reshape(-1)
    error = np.abs(got - wanted).max()
    assert error <= 1e-4 * np.abs(wanted).max(), f"{name}: off by {error}"


def check_operation(operation: Operation) -> None:
    """Stop if the three ways differ."""
    ours = operation.ours()
    for other in (operation.numpy, operation.torch):
        for got, wanted in zip(ours, other(), strict=True):
            if got is not None:
                close(got, wanted, operation.name)


def tables(make: Callable[[], list[Operation]], limit: float, runs: int, seconds: float) -> set[str]:
    """Print both tables, and return the names of the loops that were met."""
    heading("Loops, and their plain versions")
    head("loop", "in", "plain, ms", "one thread, ms", "all threads, ms", "times as fast", "GFLOP/s", "of peak")
    met: set[str] = set()
    for operation in make():
        here: set[str] = set()
        for call in catch(operation.ours):
            if call.name in here or (call.name in met and call.name not in PRODUCTS):
                continue
            here.add(call.name)
            check(call)
            time_loop(call, operation.name, limit, runs, seconds)
        met |= here
    products(limit, runs, seconds)
    heading("Operations, and how NumPy and PyTorch do them")
    head(
        "operation", "numpycnn, ms", "NumPy, ms", "PyTorch, ms", "NumPy / ours", "PyTorch / ours", "GFLOP/s", "of peak"
    )
    for operation in make():  # anew, because an optimizer goes on from step to step
        check_operation(operation)
        ways = [operation.ours, operation.numpy, operation.torch]
        ours, plain, theirs = quick_or_slow(ways, runs, seconds)
        cells = [milliseconds(times) for times in (ours, plain, theirs)]
        ratios = f"{ratio(plain, ours):.1f}", f"{ratio(theirs, ours):.2f}"
        row(operation.name, *cells, *ratios, *speed(operation.products, ours, limit))
    return met


def speed(multiplications: float, times: np.ndarray, limit: float) -> tuple[str, str]:
    if not multiplications:
        return "", ""
    flops = 2 * multiplications / np.median(times) / 1e9
    return f"{flops:.0f}", f"{flops / limit:.0%}"


def time_loop(call: Caught, operation: str, limit: float, runs: int, seconds: float) -> None:
    values, (n, *_) = copied(call.arguments), call.chunks[-1][1:]
    ways = [
        lambda: threads.run(call.kernel, call.chunks, *values),
        lambda: call.kernel(0, 0, n, *values),
        lambda: call.reference(0, 0, n, *values),
    ]
    shared, alone, plain = quick_or_slow(ways, runs, seconds)
    cells = [milliseconds(times) for times in (plain, alone)] + [milliseconds(shared) if len(call.chunks) > 1 else ""]
    speeds = speed(call.multiplications, shared, limit)
    row(f"`{call.name}`", operation, *cells, f"{ratio(plain, shared):.1f}", *speeds)


def products(limit: float, runs: int, seconds: float, filters: int = 64, k: int = 288, q: int = 512) -> None:
    """Print the two inner products alone, on one thread and on what fits into the cache."""
    rng = np.random.default_rng(0)
    line = rng.normal(size=k * q + lanes(np.dtype(np.float32))).astype(np.float32)
    matrix, rows = rng.normal(size=(1, filters, k)).astype(np.float32), rng.normal(size=(filters, q)).astype(np.float32)
    offsets, start = np.arange(k) * q, np.zeros(filters, np.float32)
    sums = np.zeros((filters, q + lanes(line.dtype)), np.float32)
    weights, found = np.pad(matrix[0], ((0, 0), (0, 1)))[:, :k], np.zeros((filters, k), np.float32)
    loops = [
        (weighted_sums, weighted_sums_reference, (line, offsets, weights, start, q, sums)),
        (scalar_products, scalar_products_reference, (line, offsets, rows, 0, q, found)),
    ]
    for kernel, reference, values in loops:
        ours, theirs = copied(values), copied(values)
        kernel(*ours)
        reference(*theirs)
        close(ours[-1][:, :q], theirs[-1][:, :q], kernel.__name__)
        alone, plain = quick_or_slow(
            [lambda kernel=kernel, ours=ours: kernel(*ours), lambda reference=reference, ours=ours: reference(*ours)],
            runs,
            seconds,
        )
        cells = [milliseconds(plain), milliseconds(alone), "", f"{ratio(plain, alone):.1f}"]
        row(
            f"`{kernel.__name__}`",
            f"{filters} filters, {k} lines, {q} long",
            *cells,
            *speed(filters * k * q, alone, limit),
        )


def loops_with_a_plain_version() -> set[str]:
    """Return the names of all there are that threads share."""
    return {
        name.removesuffix("_reference")
        for module in list(sys.modules.values())
        if getattr(module, "__name__", "").startswith("numpycnn.kernels.")
        for name, value in vars(module).items()
        if name.endswith("_reference") and "chunk" in inspect.signature(value).parameters
    }


def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--only", default="", help="operations with this in their name")
    parser.add_argument("--runs", type=int, default=30, help="timed calls of each (default: 30)")
    args = parser.parse_args(argv)
    runs, seconds = (2, 0.001) if args.quick else (args.runs, 1.0)
    with written_to(args.out):
        use_threads(args.threads)
        limit = peak(args.quick)
        print("\nMilliseconds: median (minimum). Times as fast: by the medians.")

        def make() -> list[Operation]:
            images, weights = (8, 100_000) if args.quick else (32, 1_200_000)
            chosen = operations(max(images, 4 * numpycnn.get_num_threads()), weights)
            return [operation for operation in chosen if args.only in operation.name]

        met = tables(make, limit, runs, seconds)
        missing = loops_with_a_plain_version() - met
        assert args.only or not missing, f"not measured: {sorted(missing)}"


if __name__ == "__main__":
    main()
