"""Time a training step and a prediction of the reference networks, numpycnn and PyTorch in turns in one process.

Both begin with the same weights and must give the same outputs and, with dropout switched off, the same losses of two
steps, before anything is timed. By then everything is compiled. Quote the ratios: the times hold for one machine at one
time. "Of peak" counts the multiplications of a plain convolution, also where a transform saves some of them.
"""

from math import exp, log

import numpy as np
import torch  # noqa: F401  before the threads are set
from machine import peak, use_threads
from networks import NETWORKS, OurStep, batch, describe, make
from peer import TorchStep
from report import arguments, head, row, written_to
from timing import in_turns, milliseconds, ratio

import numpycnn


def both(model: numpycnn.Sequential, x: np.ndarray, labels: np.ndarray) -> tuple[OurStep, TorchStep]:
    """Return the same network twice, with the same weights."""
    return OurStep(model, x, labels), TorchStep(describe(model), model.state(), x, labels)


def check(name: str, x: np.ndarray, labels: np.ndarray) -> None:
    """Fail if the results of the two differ."""
    ours, theirs = both(make(name, drops=False), x, labels)
    a, b = ours.predict(), theirs.predict()
    assert np.abs(a - b).max() <= 1e-4 * np.abs(b).max(), f"{name}: outputs differ by {np.abs(a - b).max()}"
    for step, tolerance in ((1, 1e-4), (2, 1e-2)):  # Adam's first step depends on the signs of gradients near 0
        a, b = ours.step(), theirs.step()
        assert abs(a - b) <= tolerance * abs(b), f"{name}: losses of step {step} differ: {a} and {b}"


def main(argv: list[str] | None = None) -> None:
    """Print a line for each network, batch size and mode, and the geometric means."""
    parser = arguments(__doc__)
    parser.add_argument("networks", nargs="*", help=f"from {', '.join(NETWORKS)} (default: all)")
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--runs", type=int, default=30, help="timed steps of each (default: 30)")
    args = parser.parse_args(argv)
    if args.quick:
        args.networks, args.batch, args.runs = args.networks or ["lenet", "bn_net"], [4], 2
    with written_to(args.out):
        use_threads(args.threads)
        limit = peak(args.quick)
        print(f"\n{args.runs} steps each. Milliseconds: median (minimum). Ratio: how many times as fast as PyTorch.\n")
        head("network", "batch", "mode", "numpycnn", "PyTorch", "ratio", "of minima", "of peak")
        ratios: dict[str, list[float]] = {"train": [], "predict": []}
        for name in args.networks or NETWORKS:
            for size in args.batch:
                x, labels = batch(name, size)
                check(name, x, labels)
                ours, theirs = both(model := make(name), x, labels)
                operations = 2 * size * model.summary().multiply_adds
                for mode, times_forward in (("train", 3), ("predict", 1)):
                    calls = [getattr(side, "step" if mode == "train" else "predict") for side in (ours, theirs)]
                    a, b = in_turns(calls, args.runs)
                    ratios[mode].append(ratio(b, a))
                    share = operations * times_forward / np.median(a) / 1e9 / limit
                    times = milliseconds(a), milliseconds(b)
                    row(name, size, mode, *times, f"{ratio(b, a):.2f}", f"{b.min() / a.min():.2f}", f"{share:.0%}")
        print()
        for mode, values in ratios.items():
            mean = exp(sum(map(log, values)) / len(values))
            print(f"- {mode}: {mean:.2f} times PyTorch's speed (geometric mean), worst {min(values):.2f}")


if __name__ == "__main__":
    main()
