"""Measure the peak memory of a training in numpycnn and in PyTorch, each in its own process.

Peak physical memory in MiB: of the whole process, with Python and all libraries, and of the training alone. Everything
is compiled before. Both train on the same images, held in memory.
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from report import arguments, head, row, written_to

# -------------------------------------------------------------------------------------------------- what a process does


def peak_memory() -> float:
    """Return the peak physical memory of this process, in MiB.

    Linux reports it for the running program; `getrusage` would include the parent process.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def train(library: str, name: str, size: int, steps: int, threads: int) -> list[float]:
    """Return the memory before and after a training."""
    if library == "numpycnn":
        import numpycnn
        import numpycnn.fast  # imports numba, whose memory is not that of the training

        numpycnn.set_num_threads(threads)
        from networks import OurStep, batch, make

        before = peak_memory()
        side: Any = OurStep(make(name), *batch(name, size))
    else:
        import torch

        torch.set_num_threads(threads)
        import numpy as np
        from peer import TorchStep

        before = peak_memory()
        content = json.loads(sys.stdin.read())
        x = np.random.default_rng(0).normal(size=(size, *content["shape"])).astype(np.float32)
        side = TorchStep(content["description"], None, x, np.arange(size) % 10)
    for _ in range(steps):
        side.step()
    return [before, peak_memory()]


# ------------------------------------------------------------------------------------------------ what is made of that


def _start(library: str, name: str, size: int, steps: int, threads: int, text: str = "") -> list[float]:
    command = [sys.executable, __file__, "--train", library, name, str(size), str(steps), str(threads)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def main(argv: list[str] | None = None) -> None:
    from networks import NETWORKS, describe, make, shape

    import numpycnn

    parser = arguments(__doc__)
    parser.add_argument("networks", nargs="*", help=f"from {', '.join(NETWORKS)} (default: all)")
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--steps", type=int, default=10)
    args = parser.parse_args(argv)
    if args.quick:
        args.networks, args.batch, args.steps = args.networks or ["lenet"], [4], 2
    threads = args.threads or numpycnn.get_num_threads()
    with written_to(args.out):
        print(f"{args.steps} steps with Adam, {threads} threads. MiB: of the process (of which for the training).\n")
        head("network", "batch", "numpycnn", "PyTorch", "of PyTorch's")
        for name in args.networks or NETWORKS:
            peer = json.dumps({"description": describe(make(name)), "shape": shape(name)})
            for size in args.batch:
                _start("numpycnn", name, size, 1, threads)  # so that nothing is left to compile
                ours = _start("numpycnn", name, size, args.steps, threads)
                theirs = _start("torch", name, size, args.steps, threads, peer)
                cells = [f"{after:.0f} ({after - before:.0f})" for before, after in (ours, theirs)]
                row(name, size, *cells, f"{ours[1] / theirs[1]:.0%} ({_share(ours, theirs)})")


def _share(ours: list[float], theirs: list[float]) -> str:
    return f"{(ours[1] - ours[0]) / max(theirs[1] - theirs[0], 1e-9):.0%}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        print(json.dumps(train(*sys.argv[2:4], *map(int, sys.argv[4:7]))))
    else:
        main()
