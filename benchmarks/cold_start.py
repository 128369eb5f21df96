"""Time a process from its start to its first training steps, with an empty and with a filled compilation cache.

numba compiles a loop at its first call and keeps the machine code in a folder (`NUMBA_CACHE_DIR`). The first process
starts with an empty folder, the second with the folder that the first has filled. PyTorch ships its machine code; its
time to the first step is shown for comparison. Seconds, and CPU seconds, which other programs affect less.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from report import arguments, head, heading, row, written_to

STAGES = ("python", "import", "network", "first step", "second step")
MOST = 8  # loops whose compilation is listed


# -------------------------------------------------------------------------------------------------- what a process does


def _since(start: float) -> list[float]:
    """Return the seconds since `start`, and the CPU seconds of this process."""
    times = os.times()
    return [time.time() - start, times.user + times.system]


def _run_stages(library: str, name: str, size: int, start: float) -> dict[str, Any]:
    """Import a library and train for two steps, and return the end of each stage."""
    stages = {"python": _since(start)}
    compiled: dict[str, list[float]] = {}
    loaded = 0
    if library == "numpycnn":
        import numpycnn  # noqa: F401

        stages["import"] = _since(start)
        from networks import OurStep, batch, make
        from numba.core import event

        model = make(name)
        side: Any = OurStep(model, *batch(name, size))
        stages["network"] = _since(start)
        with event.install_recorder("numba:compile") as recorder:
            side.step()
        stages["first step"] = _since(start)
        compiled = _compile_times(recorder.buffer)
        loaded = _count_loaded()
    else:
        import torch  # noqa: F401

        stages["import"] = _since(start)
        from peer import TorchStep

        content = json.loads(sys.stdin.read())
        import numpy as np

        x = np.random.default_rng(0).normal(size=(size, *content["shape"])).astype(np.float32)
        side = TorchStep(content["description"], None, x, np.arange(size) % 10)
        stages["network"] = _since(start)
        side.step()
        stages["first step"] = _since(start)
    side.step()
    stages["second step"] = _since(start)
    return {"stages": stages, "compiled": compiled, "loaded": loaded}


def _compile_times(records: list[tuple[float, Any]]) -> dict[str, list[float]]:
    """Return the seconds of each loop's own compilation, without the loops that it calls."""
    spent: dict[str, list[float]] = {}
    open_ones: list[list[Any]] = []
    for moment, record in records:
        if record.is_start:
            open_ones.append([moment, 0.0])
        else:
            begin, within = open_ones.pop()
            name = record.data["dispatcher"].py_func.__name__
            spent.setdefault(name, []).append(moment - begin - within)
            if open_ones:
                open_ones[-1][1] += moment - begin
    return spent


def _count_loaded() -> int:
    """Return the number of loops loaded from the cache."""
    from numba.core.dispatcher import Dispatcher

    loops = {
        id(value): value
        for module in list(sys.modules.values())
        if getattr(module, "__name__", "").startswith("numpycnn.kernels.")
        for value in vars(module).values()
        if isinstance(value, Dispatcher)
    }
    return sum(sum(loop.stats.cache_hits.values()) for loop in loops.values())


# ------------------------------------------------------------------------------------------------ what is made of that


def _start(library: str, name: str, size: int, cache: str | None, text: str = "") -> dict[str, Any]:
    environment = os.environ | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    command = [sys.executable, __file__, "--run-stages", library, name, str(size), repr(time.time())]
    done = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def _print_stages(name: str, what: str, found: dict[str, Any]) -> None:
    stages = found["stages"]
    cells = [f"{stages[stage][0]:.2f}" for stage in STAGES]
    row(
        name,
        what,
        *cells,
        f"{stages['second step'][1]:.2f}",
        sum(map(len, found["compiled"].values())),
        found["loaded"],
    )


def _print_compilation(name: str, compiled: dict[str, list[float]]) -> None:
    heading(f"What is compiled for {name}")
    head("loop", "versions", "seconds", "share")
    total = sum(map(sum, compiled.values()))
    ordered = sorted(compiled.items(), key=lambda item: -sum(item[1]))
    for loop, seconds in ordered[:MOST]:
        row(f"`{loop}`", len(seconds), f"{sum(seconds):.2f}", f"{sum(seconds) / total:.0%}")
    rest = [seconds for _, times in ordered[MOST:] for seconds in times]
    row(f"{len(ordered[MOST:])} others", len(rest), f"{sum(rest):.2f}", f"{sum(rest) / total:.0%}")


def _print_imports(cache: str) -> None:
    """Print the import time of `numpycnn` by package, as measured by Python."""
    command = [sys.executable, "-X", "importtime", "-c", "import numpycnn"]
    done = subprocess.run(
        command, env=os.environ | {"NUMBA_CACHE_DIR": cache}, capture_output=True, text=True, check=True
    )
    own: dict[str, float] = {}
    for line in done.stderr.splitlines():
        alone, _, module = (part.strip() for part in line.removeprefix("import time:").split("|"))
        if alone.isdigit():
            package = module.split(".")[0]
            package = (
                package if package in ("numpycnn", "numpy", "numba", "llvmlite", "scipy") else "the standard library"
            )
            own[package] = own.get(package, 0) + int(alone) / 1e6
    heading("What importing takes the time for")
    head("package", "seconds, its own modules")
    for package, seconds in sorted(own.items(), key=lambda item: -item[1]):
        row(package, f"{seconds:.2f}")


def main(argv: list[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("networks", nargs="*", help="default: lenet mnist_cnn")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--no-peer", action="store_true", help="leave PyTorch out")
    args = parser.parse_args(argv)
    networks = args.networks or (["lenet"] if args.quick else ["lenet", "mnist_cnn"])
    if args.threads is not None:
        os.environ["NUMPYCNN_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(args.threads)
    from networks import describe, make, shape

    compiled = {}
    with written_to(args.out), tempfile.TemporaryDirectory() as imports:
        print(f"Seconds from the start of the process to the end of each stage, batch {args.batch}.\n")
        head("network", "process", *STAGES, "CPU seconds", "compiled", "loaded")
        for name in networks:
            with tempfile.TemporaryDirectory() as cache:
                cold = _start("numpycnn", name, args.batch, cache)
                _print_stages(name, "numpycnn, nothing compiled", cold)
                _print_stages(name, "numpycnn, all compiled", _start("numpycnn", name, args.batch, cache))
                compiled[name] = cold["compiled"]
            if not args.no_peer:
                peer = json.dumps({"description": describe(make(name)), "shape": shape(name)})
                _print_stages(name, "PyTorch", _start("torch", name, args.batch, None, peer))
        for name, times in compiled.items():
            _print_compilation(name, times)
        _print_imports(imports)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run-stages"]:
        print(json.dumps(_run_stages(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))))
    else:
        main()
