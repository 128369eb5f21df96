"""Measure memory and time of the networks for images of 224x224 pixels, each in its own process.

Peak physical memory of the whole process, in MiB: after building the network, after the prediction of a batch, and
after a training step with Adam, including its two arrays for each weight.
"""

import json
import os
import subprocess
import sys
import time

from memory import peak_memory
from report import arguments, head, row, written_to

NETWORKS = ("alexnet", "googlenet", "resnet18", "resnet50", "vgg16")


def measure(name: str, size: int, side: int, threads: int) -> dict[str, float]:
    """Return the peaks in MiB and the seconds of a prediction and a step."""
    import numpy as np

    import numpycnn as nn

    nn.set_num_threads(threads)
    model = nn.models.create(name, (3, side, side), 1000)
    found = {"built": peak_memory()}
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(size, 3, side, side)).astype(np.float32), rng.integers(0, 1000, size)
    begin = time.perf_counter()
    model.predict(x)
    found |= {"prediction": time.perf_counter() - begin, "predicted": peak_memory()}
    loss, optimizer = nn.CrossEntropy(), nn.Adam()
    begin = time.perf_counter()
    loss.forward(model.forward(x, training=True), labels)
    model.backward_parameters(loss.backward())
    optimizer.step(model.parameters())
    return found | {"step": time.perf_counter() - begin, "stepped": peak_memory()}


def in_a_process(name: str, size: int, side: int, threads: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--measure", name, *map(str, (size, side, threads))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def main(argv: list[str] | None = None) -> None:
    import numpycnn

    parser = arguments(__doc__)
    parser.add_argument("networks", nargs="*", help=f"by default {', '.join(NETWORKS)}")
    parser.add_argument("--batch", type=int, nargs="+", default=[8])
    parser.add_argument("--side", type=int, default=224, help="pixels")
    args = parser.parse_args(argv)
    if args.quick:
        args.networks, args.batch, args.side = args.networks or ["resnet18"], [2], 32
    threads = args.threads or numpycnn.get_num_threads()
    with written_to(args.out):
        print(f"{threads} threads, pictures of 3x{args.side}x{args.side}, 1,000 classes.\n")
        head("network", "batch", "MiB built", "predicting", "training", "s for a prediction", "for a step")
        for name in args.networks or NETWORKS:
            for size in args.batch:
                in_a_process(name, 1, 64, threads)  # so that nothing is left to compile
                found = in_a_process(name, size, args.side, threads)
                peaks = [f"{found[moment]:.0f}" for moment in ("built", "predicted", "stepped")]
                row(name, size, *peaks, f"{found['prediction']:.1f}", f"{found['step']:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], *map(int, sys.argv[3:6]))))
    else:
        main()
