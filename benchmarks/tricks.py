"""Measure the gain of each optimization in docs/performance.md: with it, without it, and with alternatives.

The results of each pair are first checked to agree. Loops are timed on one thread, to show the effect of vectors and
memory without that of threads; networks are timed on all threads.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import numpy as np
from llvmlite.binding import get_host_cpu_features, get_host_cpu_name
from machine import peak, use_threads
from networks import OurStep, batch, make
from numpy.lib.stride_tricks import sliding_window_view
from report import arguments, head, heading, row, written_to
from timing import in_turns, milliseconds, ratio

import numpycnn
from numpycnn import functional as F
from numpycnn.fast import convolution
from numpycnn.fast.layout import layout
from numpycnn.fast.winograd import prefers_winograd
from numpycnn.kernels.engine import memory, threads
from numpycnn.kernels.engine.gemm import lanes, weighted_sums
from numpycnn.kernels.engine.jit import jit
from numpycnn.kernels.engine.vectors import REGISTER
from numpycnn.kernels.optimizers import adam

# ---------------------------------------------------------------------------------------------------------- comparing


def compare(name: str, ways: dict[str, Callable[[], Any]], runs: int, products: float = 0) -> dict[str, np.ndarray]:
    """Print a line for each implementation; the first is numpycnn's."""
    results = [np.array(way(), np.float64) for way in ways.values()]
    for way, result in zip(ways, results, strict=True):
        error = np.abs(result - results[0]).max()
        assert error <= 1e-4 * np.abs(results[0]).max(), f"{name}, {way}: off by {error}"
    times = dict(zip(ways, in_turns(list(ways.values()), runs), strict=True))
    first = next(iter(times.values()))
    for way, one in times.items():
        speed = f"{2 * products / np.median(one) / 1e9:.0f}" if products else ""
        row(name, way, milliseconds(one), speed, f"{ratio(one, first):.2f}")
        name = ""
    return times


def child(*command: str, **settings: str) -> Any:
    """Run this script in another process, and return its output."""
    environment = os.environ | {"NUMPYCNN_NUM_THREADS": str(numpycnn.get_num_threads())} | settings
    done = subprocess.run(
        [sys.executable, __file__, *command], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


# ------------------------------------------------------------------------------------------------- registers and tiles


@jit
def plain_loop(line, offsets, weights, sums):
    """Add each line to each sum in turn: the naive loop."""
    length = sums.shape[1]
    for f in range(len(sums)):
        out = sums[f]
        for q in range(length):
            out[q] = 0
        for k in range(len(offsets)):
            seen, weight = line[offsets[k] : offsets[k] + length], weights[f, k]
            for q in range(length):
                out[q] += weight * seen[q]


@jit
def plain_loop_by_fours(line, offsets, weights, sums):
    """Four sums at a time, so that each loaded line is used four times; the compiler assigns the registers."""
    length = sums.shape[1]
    for f in range(0, len(sums), 4):
        a, b, c, d = sums[f], sums[f + 1], sums[f + 2], sums[f + 3]
        for q in range(length):
            a[q] = b[q] = c[q] = d[q] = 0
        for k in range(len(offsets)):
            seen = line[offsets[k] : offsets[k] + length]
            w0, w1, w2, w3 = weights[f, k], weights[f + 1, k], weights[f + 2, k], weights[f + 3, k]
            for q in range(length):
                x = seen[q]
                a[q] += w0 * x
                b[q] += w1 * x
                c[q] += w2 * x
                d[q] += w3 * x


def _product(filters: int, k: int, length: int) -> tuple[Any, ...]:
    """Return a line, the offsets of 3x3 windows in it, and weights, each of float32."""
    rng = np.random.default_rng(0)
    channels, width = k // 9, 28
    size = length + 2 * width + 2
    line = rng.normal(size=channels * size + lanes(np.dtype(np.float32))).astype(np.float32)
    taps = (np.arange(3)[:, None] * width + np.arange(3)).ravel()
    offsets = (np.arange(channels)[:, None] * size + taps).ravel()
    return line, offsets, rng.normal(size=(filters, k)).astype(np.float32)


def cut(matrix: np.ndarray) -> np.ndarray:
    """Return the matrix as a slice of a wider one, as the loops of the library get it."""
    return np.pad(matrix, ((0, 0), (0, 1)))[:, :-1]


def tiles(runs: int, filters: int = 32, channels: int = 32, length: int = 784) -> None:
    line, offsets, matrix = _product(filters, 9 * channels, length)
    weights, nothing = cut(matrix), np.zeros(filters, np.float32)
    sums = np.zeros((filters, length + lanes(line.dtype)), np.float32)
    plain, fours = np.zeros((filters, length), np.float32), np.zeros((filters, length), np.float32)
    compare(
        f"{filters} filters of {9 * channels} taps",
        {
            "tiles in registers": lambda: (
                weighted_sums(line, offsets, weights, nothing, length, sums),
                sums[:, :length],
            )[1],
            "a plain loop, vectors by the compiler": lambda: (plain_loop(line, offsets, matrix, plain), plain)[1],
            "four filters at a time, likewise": lambda: (plain_loop_by_fours(line, offsets, matrix, fours), fours)[1],
        },
        runs,
        filters * 9 * channels * length,
    )


def narrow(runs: int) -> None:
    """Time the tiles in a process with smaller registers."""
    line, offsets, matrix = _product(32, 288, 784)
    weights, nothing, sums = (
        cut(matrix),
        np.zeros(32, np.float32),
        np.zeros((32, 784 + 64), np.float32),
    )
    call = lambda: weighted_sums(line, offsets, weights, nothing, 784, sums)  # noqa: E731
    print(json.dumps((2 * 32 * 288 * 784 / in_turns([call], runs) / 1e9).tolist()[0]))


#: Instruction sets to disable for each register width in bits (on x86).
WITHOUT = {512: (), 256: ("avx512",), 128: ("avx", "fma", "f16c", "xop", "vaes", "vpclmul")}


def vectors(runs: int) -> None:
    features = get_host_cpu_features()
    for bits, without in WITHOUT.items():
        if bits <= 8 * REGISTER:
            kept = {name: on and not name.startswith(without) for name, on in features.items()}
            allowed = ",".join(f"{'+' if on else '-'}{name}" for name, on in kept.items())
            speeds = child("--narrow", str(runs), NUMBA_CPU_NAME=get_host_cpu_name(), NUMBA_CPU_FEATURES=allowed)
            row(f"{bits} bits", f"{np.median(speeds):.0f} ({max(speeds):.0f})")


# --------------------------------------------------------------------------------------------- im2col of a whole image


def im2col_and_blas(x: np.ndarray, w: np.ndarray, stride: int) -> np.ndarray:
    """For each image: copy its windows, and multiply with NumPy's matrix product."""
    f, c, k, _ = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    seen = sliding_window_view(padded, (k, k), axis=(2, 3))[:, :, ::stride, ::stride]
    y = np.empty((len(x), f, *seen.shape[2:4]), x.dtype)
    matrix, columns = w.reshape(f, -1), np.empty((c, k, k, *seen.shape[2:4]), x.dtype)
    for n in range(len(x)):
        columns[...] = seen[n].transpose(0, 3, 4, 1, 2)
        np.matmul(matrix, columns.reshape(c * k * k, -1), out=y[n].reshape(f, -1))
    return y


def lines(runs: int, n: int) -> None:
    rng = np.random.default_rng(0)
    for c, f, stride in ((10, 10, 1), (16, 32, 1), (32, 64, 2)):
        x, w = (rng.normal(size=shape).astype(np.float32) for shape in ((n, c, 28, 28), (f, c, 3, 3)))
        with mock.patch.object(convolution, "prefers_winograd", return_value=False):
            compare(
                f"{c} to {f} channels" + (", stride 2" if stride == 2 else ""),
                {
                    "numpycnn, without Winograd": lambda x=x, w=w, s=stride: F.conv2d(x, w, stride=s, padding=1),
                    "im2col and BLAS, image by image": lambda x=x, w=w, s=stride: im2col_and_blas(x, w, s),
                    **(
                        {
                            "stride 1, and three of four thrown away": lambda x=x, w=w: F.conv2d(x, w, padding=1)[
                                :, :, ::2, ::2
                            ]
                        }
                        if stride == 2
                        else {}
                    ),
                },
                runs,
                n * f * c * 9 * (28 // stride) ** 2,
            )


# ------------------------------------------------------------------------------------------------ Winograd's algorithm


def winograd(runs: int, n: int) -> None:
    rng = np.random.default_rng(0)
    for channels in (4, 8, 16, 32, 64, 128):
        x, w = (rng.normal(size=s).astype(np.float32) for s in ((n, channels, 14, 14), (channels, channels, 3, 3)))
        dy = rng.normal(size=x.shape).astype(np.float32)

        def way(chosen: bool, forward: bool, x: Any = x, w: Any = w, dy: Any = dy) -> Callable[[], Any]:
            def call() -> Any:
                with mock.patch.object(convolution, "prefers_winograd", return_value=chosen):
                    if forward:
                        return F.conv2d(x, w, padding=1)
                    return np.concatenate([a.ravel() for a in F.conv2d_backward(dy, x, w, padding=1)])

            return call

        cells: list[str] = []
        for forward in (True, False):
            ways = [way(True, forward), way(False, forward)]
            a, b = (np.array(one(), np.float64) for one in ways)
            assert np.abs(a - b).max() <= 1e-4 * np.abs(b).max()
            transformed, direct = in_turns(ways, runs)
            cells += [milliseconds(transformed), milliseconds(direct), f"{ratio(direct, transformed):.2f}"]
        windows = layout((14, 14), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))
        row(channels, *cells, "yes" if prefers_winograd(n, channels, channels, 1, windows) else "no")


# ----------------------------------------------------------------------------------------------------- memory, threads


#: Optimizations of a training step: the name to replace, and the replacement that disables it.
DISPENSABLE: dict[str, tuple[Any, str, Any]] = {
    "memory used again": (memory, "empty", memory.Pool(limit=0).empty),
    "threads that stay awake": (threads, "SPINS", 1),
}


def steps(network: str, size: int, runs: int) -> None:
    """Print the seconds of training steps, with and without each optimization, in JSON."""
    side, found = OurStep(make(network), *batch(network, size)), {}
    for optimization, (module, name, replacement) in DISPENSABLE.items():

        def without(module: Any = module, name: str = name, replacement: Any = replacement) -> float:
            with mock.patch.object(module, name, replacement):
                return side.step()

        found[optimization] = in_turns([side.step, without], runs, block=10).tolist()
    print(json.dumps(found))


def training_steps(networks: list[str], size: int, runs: int) -> None:
    """Time networks in their own processes, because the C library's memory depends on earlier allocations."""
    for network in networks:
        for what, times in child("--steps", network, str(size), str(runs)).items():
            usual, other = map(np.array, times)
            row(
                f"{network}, batch {size}", what, milliseconds(usual), milliseconds(other), f"{ratio(other, usual):.2f}"
            )


@jit
def nothing(chunk, start, stop):
    pass


def handing_over(runs: int) -> None:
    """Time the dispatch of an empty loop to two threads."""
    chunks = [(0, 1), (1, 2)]

    def pool_run(pool: ThreadPoolExecutor) -> None:
        other = pool.submit(nothing, 0, 0, 1)
        nothing(1, 1, 2)
        other.result()

    with ThreadPoolExecutor(1) as pool:

        def asleep() -> None:
            with mock.patch.object(threads, "SPINS", 1):
                threads.run(nothing, chunks)

        ways = [lambda: threads.run(nothing, chunks), asleep, lambda: pool_run(pool)]
        awake, sleeping, pooled = in_turns(ways, 20 * runs, block=50)
    for name, one in (("awake", awake), ("asleep", sleeping), ("ThreadPoolExecutor", pooled)):
        row(name, f"{1e6 * np.median(one):.1f} ({1e6 * one.min():.1f})")


# ---------------------------------------------------------------------------------------------------------- one pass


def one_pass(runs: int, size: int) -> None:
    rng = np.random.default_rng(0)
    w, g, m, s = (np.abs(rng.normal(size=size)).astype(np.float32) for _ in range(4))
    f = np.float32
    one = [w.copy(), g, m.copy(), s.copy()]

    def loop() -> np.ndarray:
        for mine, start in zip(one, (w, g, m, s), strict=True):
            np.copyto(mine, start)
        adam(0, 0, size, *one, f(1e-3), f(0), f(0.9), f(0.1), f(0.999), f(0.001), f(1e-8), f(1))
        return one[0]

    several = [w.copy(), g, m.copy(), s.copy()]

    def expressions() -> np.ndarray:
        for mine, start in zip(several, (w, g, m, s), strict=True):
            np.copyto(mine, start)
        value, _, mean, square = several
        mean += f(0.1) * (g - mean)
        square += f(0.001) * (g * g - square)
        value -= f(1e-3) * mean / (np.sqrt(square) + f(1e-8))
        return value

    compare(f"Adam, {size:,} weights", {"one pass": loop, "NumPy's passes": expressions}, runs)
    x = rng.normal(size=(size // 784, 784)).astype(np.float32)
    y, out = np.empty_like(x), np.empty_like(x)
    compare(
        "max(a x + b, 0)",
        {
            "one pass": lambda: (_scale_and_cut(x.reshape(-1), f(1.5), f(0.1), y.reshape(-1)), y)[1],
            "NumPy's passes, in one array": lambda: (
                np.multiply(x, f(1.5), out=out),
                np.add(out, f(0.1), out=out),
                np.maximum(out, 0, out=out),
            )[2],
            "NumPy's passes, new arrays": lambda: np.maximum(x * f(1.5) + f(0.1), 0),
        },
        runs,
    )


@jit
def _scale_and_cut(x, scale, shift, y):
    zero = x.dtype.type(0)
    for i in range(len(x)):
        value = x[i] * scale + shift
        y[i] = zero if value < zero else value


# -------------------------------------------------------------------------------------------- slices and their indices


@jit
def rows_by_index(x, begins, count, y):
    """Copy rows of a line, with each index counted from the start of the line."""
    for r in range(len(begins)):
        for j in range(count):
            y[r * count + j] = x[begins[r] + j]


@jit
def rows_by_slices(x, begins, count, y):
    """Slice first, then count from 0."""
    for r in range(len(begins)):
        source, target = x[begins[r] : begins[r] + count], y[r * count : (r + 1) * count]
        for j in range(count):
            target[j] = source[j]


@jit
def rows_by_assignment(x, begins, count, y):
    """Assign a slice, as one would in NumPy."""
    for r in range(len(begins)):
        y[r * count : (r + 1) * count] = x[begins[r] : begins[r] + count]


def slices(runs: int, rows: int) -> None:
    x = np.random.default_rng(0).normal(size=30 * rows).astype(np.float32)
    begins = 30 * np.arange(rows)

    def way(kernel: Any) -> Callable[[], np.ndarray]:
        y = np.empty(28 * rows, np.float32)
        return lambda: (kernel(x, begins, 28, y), y)[1]

    kernels = {"cut first, count from 0": rows_by_slices, "one index": rows_by_index, "assign": rows_by_assignment}
    compare(f"copy {rows:,} rows of 28", {name: way(kernel) for name, kernel in kernels.items()}, runs)


# ----------------------------------------------------------------------------------------------------------------- all


def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=30, help="timed calls of each (default: 30)")
    args = parser.parse_args(argv)
    runs, n, size = (2, 2, 4) if args.quick else (args.runs, 32, 32)
    networks = ["lenet"] if args.quick else ["lenet", "tiny_vgg", "mnist_cnn"]
    with written_to(args.out):
        chosen = use_threads(args.threads)
        peak(args.quick)
        print("\nMilliseconds: median (minimum). Longer by: the median, beside that of the first line.")
        use_threads(1)
        heading("Tiles in registers, one thread")
        head("loop", "way", "ms", "GFLOP/s", "longer by")
        tiles(runs)
        heading("The same tiles in registers of another width, one thread")
        head("registers", "GFLOP/s: median (maximum)")
        vectors(runs)
        heading("Cut first, count from 0, one thread")
        head("loop", "way", "ms", "GFLOP/s", "longer by")
        slices(runs, 100 * n)
        heading("One pass, one thread")
        head("loop", "way", "ms", "GFLOP/s", "longer by")
        one_pass(runs, 98 * 784 if args.quick else 1_568_000)
        heading("Convolution, and im2col of a whole image, one thread")
        head("convolution 3x3, 28x28", "way", "ms", "GFLOP/s", "longer by")
        lines(runs, n)
        heading("Winograd's algorithm for 3x3 kernels on 14x14, one thread, and whether it is chosen")
        head("channels", "Winograd", "without", "ratio", "gradients: Winograd", "without", "ratio", "chosen")
        winograd(runs, n)
        use_threads(chosen)
        heading(f"To hand work to a second thread, {chosen} threads")
        head("second thread", "microseconds: median (minimum)")
        if chosen > 1:
            handing_over(runs)
        heading(f"Training steps without, {chosen} threads")
        head("network", "without", "as it is, ms", "without, ms", "longer by")
        training_steps(networks, size, runs)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--narrow"]:
        narrow(int(sys.argv[2]))
    elif sys.argv[1:2] == ["--steps"]:
        steps(sys.argv[2], *map(int, sys.argv[3:5]))
    else:
        main()
