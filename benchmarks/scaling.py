"""Measure how the time of a convolution grows with the batch, the channels and the image.

A 3x3 convolution with padding 1, forward and backward. One size is doubled repeatedly, the others are fixed. On two
logarithmic axes a time that grows like ``size**a`` is a straight line of slope ``a``: the multiplications grow with the
batch (1), with the square of the channels (2) and with the square of the image's side (2). A slope below that means
that something else still costs more than the multiplications, and a slope above that something has become too large,
mostly for a cache.
"""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import use_threads
from report import arguments, head, heading, row, written_to
from timing import milliseconds, quick_or_slow, ratio

from numpycnn import functional as F

SWEEPS: dict[str, tuple[list[int], Callable[[int], tuple[int, int, int]], int]] = {
    "batch (16 channels, 28x28)": ([1, 2, 4, 8, 16, 32, 64, 128, 256], lambda n: (n, 16, 28), 1),
    "channels (batch 16, 14x14)": ([4, 8, 16, 32, 64, 128, 256], lambda n: (16, n, 14), 2),
    "side of the picture (batch 4, 16 channels)": ([8, 16, 32, 64, 128, 256], lambda n: (4, 16, n), 2),
}


def both(n: int, channels: int, side: int) -> list[Callable[[], Any]]:
    """Return numpycnn's and PyTorch's convolution with its gradients, checked to agree."""
    rng = np.random.default_rng(0)
    x, w, b, dy = (
        rng.normal(size=shape).astype(np.float32)
        for shape in (
            (n, channels, side, side),
            (channels, channels, 3, 3),
            (channels,),
            (n, channels, side, side),
        )
    )
    tx, tw, tb = (torch.from_numpy(array).requires_grad_() for array in (x, w, b))
    tdy = torch.from_numpy(dy)

    def ours() -> tuple[Any, ...]:
        y = F.conv2d(x, w, b, padding=1)
        return y, *F.conv2d_backward(dy, x, w, padding=1)

    def theirs() -> tuple[Any, ...]:
        y = torch.conv2d(tx, tw, tb, padding=1)
        return y.detach(), *torch.autograd.grad(y, (tx, tw, tb), tdy)

    for got, wanted in zip(ours(), theirs(), strict=True):
        error = np.abs(got - wanted.numpy()).max()
        assert error <= 1e-4 * wanted.abs().max().item(), f"off by {error}"
    return [ours, theirs]


def slope(sizes: list[int], times: list[float]) -> float:
    """Return the slope of a straight line fitted to the points on logarithmic axes."""
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def draw(found: dict[str, tuple[list[int], list[float], list[float], int]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.6), layout="constrained")
    axes = figure.subplots(1, len(found))
    for axis, (name, (sizes, ours, theirs, power)) in zip(axes, found.items(), strict=True):
        by_work = [ours[-1] * (size / sizes[-1]) ** power for size in sizes]
        axis.loglog(sizes, by_work, color="0.75", linestyle=":", label="the multiplications alone")
        axis.annotate(
            f"slope {power}", (sizes[1], by_work[1]), (6, -6), textcoords="offset points", color="0.5", fontsize=8
        )
        axis.loglog(sizes, theirs, "s--", color="#c44e52", markersize=4, label="PyTorch")
        axis.loglog(sizes, ours, "o-", color="#4c72b0", markersize=4, label="numpycnn")
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, map(str, sizes), minor=False)
        axis.set_xlabel(name)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("milliseconds, forward and backward")
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=80, pil_kwargs={"optimize": True})


def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=30, help="timed calls of each (default: 30)")
    parser.add_argument("--figure", type=Path, help="draw the times to this file")
    args = parser.parse_args(argv)
    runs, seconds = (2, 0.001) if args.quick else (args.runs, 3.0)
    found = {}
    with written_to(args.out):
        threads = use_threads(args.threads)
        print(f"3x3 convolution, padding 1, forward and backward, {threads} threads. Milliseconds: median (minimum).")
        print("Slope: from the row above to this one, by the medians.")
        for name, (sizes, shape, power) in SWEEPS.items():
            sizes = sizes[:3] if args.quick else sizes
            heading(name[0].upper() + name[1:])
            head("size", "numpycnn", "slope", "PyTorch", "slope", "ratio")
            medians: list[list[float]] = [[], []]
            for size in sizes:
                times = quick_or_slow(both(*shape(size)), runs, seconds)
                slopes = []
                for library, one in zip(medians, times, strict=True):
                    library.append(1e3 * float(np.median(one)))
                    slopes.append(f"{slope([1, 2], library[-2:]):.2f}" if len(library) > 1 else "")
                cells = [cell for pair in zip(map(milliseconds, times), slopes, strict=True) for cell in pair]
                row(size, *cells, f"{ratio(times[1], times[0]):.2f}")
            assert all(b == 2 * a for a, b in pairwise(sizes))
            ours, theirs = (f"{slope(sizes, one):.2f}" for one in medians)
            row("all", "", ours, "", theirs, "")
            print(f"\nThe multiplications alone: slope {power}.")
            found[name] = (sizes, *medians, power)
    if args.figure:
        draw(found, args.figure)


if __name__ == "__main__":
    main()
