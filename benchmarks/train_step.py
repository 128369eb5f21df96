"""Time a training step and a prediction of the reference networks, ours and PyTorch's in turns in one process.

Both begin with the same weights and must give the same outputs and, where nothing is dropped at random, the same loss,
before anything is timed. Compilation is over by then. Quote the ratios: the times belong to one machine at one moment.
"""

import argparse
import time
from collections.abc import Callable
from math import exp, log

import numpy as np
import torch
from peer import OurStep, TorchStep

import numpycnn

NETWORKS = {
    "lenet": (1, 28, 28),
    "tiny_vgg": (1, 28, 28),
    "keras_cnn": (1, 28, 28),
    "mnist_cnn": (1, 28, 28),
    "bn_net": (1, 28, 28),
    "resnet18_cifar": (3, 32, 32),
}


def matmul_peak() -> float:
    """Return what NumPy's matrix product reaches on this machine now, in GFLOP/s (float32)."""
    a = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
    best = min(timed(lambda: a @ a) for _ in range(15))
    return 2 * 1024**3 / best / 1e9


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def in_turns(ours: Callable[[], object], theirs: Callable[[], object], runs: int, block: int = 5) -> np.ndarray:
    """Return the seconds of `runs` calls of each, (2, runs), in alternating blocks.

    Blocks, because a library that has just been running finds its data in the caches, as it does in a real training.
    """
    times: list[list[float]] = [[], []]
    while len(times[0]) < runs:
        for which, call in enumerate((ours, theirs)):
            call()
            times[which] += [timed(call) for _ in range(block)]
    return np.array(times)[:, :runs]


def check(ours: OurStep, theirs: TorchStep, drops: bool) -> None:
    """Stop if the two do not compute the same."""
    a, b = ours.predict(), theirs.predict()
    assert np.abs(a - b).max() <= 1e-4 * np.abs(b).max(), f"outputs differ by {np.abs(a - b).max()}"
    if not drops:
        a, b = ours.step(), theirs.step()
        assert abs(a - b) <= 1e-4 * abs(b), f"losses differ: {a} and {b}"


def main() -> None:
    """Print a line for each network, batch size and mode, and the geometric means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", help=f"from {', '.join(NETWORKS)} (default: all)")
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    numpycnn.set_num_threads(args.threads)
    torch.set_num_threads(args.threads)
    peak = matmul_peak()
    print(
        f"{args.threads} threads, matrix product {peak:.0f} GFLOP/s, {args.runs} runs; milliseconds: median (minimum)\n"
    )
    print("| network | batch | mode | numpycnn | PyTorch | ratio | of peak |\n|---|---|---|---|---|---|---|")
    ratios: dict[str, list[float]] = {"train": [], "predict": []}
    for name in args.networks or NETWORKS:
        shape = NETWORKS[name]
        for batch in args.batch:
            if name == "resnet18_cifar" and batch != 32 and not args.networks:
                continue  # one batch size of the large network, as its reference has it
            rng = np.random.default_rng(0)
            x, labels = rng.normal(size=(batch, *shape)).astype(np.float32), rng.integers(0, 10, batch)
            model = numpycnn.models.create(name, shape, 10)
            ours, theirs = OurStep(model, x, labels), TorchStep(model, x, labels)
            check(ours, theirs, drops=any(type(layer).__name__ == "Dropout" for layer in model))
            operations = 2 * batch * model.summary().multiply_adds
            for mode in ratios:
                runs = args.runs if name != "resnet18_cifar" else max(args.runs // 3, 3)
                a, b = in_turns(
                    *(getattr(side, "step" if mode == "train" else "predict") for side in (ours, theirs)), runs
                )
                ratio = float(np.median(b) / np.median(a))
                ratios[mode].append(ratio)
                share = operations * (3 if mode == "train" else 1) / np.median(a) / 1e9 / peak
                cells = (f"{1e3 * np.median(side):.2f} ({1e3 * side.min():.2f})" for side in (a, b))
                print(
                    f"| {name} | {batch} | {mode} | {' | '.join(cells)} | {ratio:.2f} | {100 * share:.0f} % |",
                    flush=True,
                )
    print()
    for mode, values in ratios.items():
        mean = exp(sum(map(log, values)) / len(values))
        print(f"{mode}: {mean:.2f} times PyTorch's speed (geometric mean), worst {min(values):.2f}")


if __name__ == "__main__":
    main()
