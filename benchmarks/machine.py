"""The machine: its description, the number of threads, and its peak speed."""

import datetime
import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from timing import in_turns

import numpycnn
from numpycnn.fast.matrices import multiply
from numpycnn.kernels.engine.vectors import REGISTER


def use_threads(n: int | None) -> int:
    """Let numpycnn, NumPy's BLAS and PyTorch, if it is loaded, use the same number of threads, and return it."""
    if n is not None:
        numpycnn.set_num_threads(n)
    n = numpycnn.get_num_threads()
    threadpool_limits(n)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(n)
    return n


def matmul_speeds(size: int = 1024, runs: int = 20) -> dict[str, float]:
    """Return the speed of each library in a product of large matrices, in GFLOP/s (float32)."""
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(size, size)).astype(np.float32) for _ in range(2))
    calls = {"NumPy": lambda: a @ b, "numpycnn": lambda: multiply(a, b)}
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        c, d = torch.from_numpy(a), torch.from_numpy(b)
        calls["PyTorch"] = lambda: c @ d
    times = in_turns(list(calls.values()), runs)
    return {name: 2 * size**3 / seconds.min() / 1e9 for name, seconds in zip(calls, times, strict=True)}


def peak(quick: bool = False) -> float:
    """Print the speeds of large matrix products, and return the largest, the peak."""
    speeds = matmul_speeds(256, 5) if quick else matmul_speeds()
    each = ", ".join(f"{name} {speed:.0f}" for name, speed in speeds.items())
    threads = numpycnn.get_num_threads()
    print(f"{threads} threads. Product of large matrices, GFLOP/s: {each}; the largest is the peak.", flush=True)
    return max(speeds.values())


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _caches() -> list[str]:
    """Return the caches of the first core, as listed by the system."""
    caches = []
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (folder.joinpath(name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            caches.append(f"L{level} {size}iB")
    return caches


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    except (AttributeError, ValueError):
        return "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def describe() -> str:
    """Return a description of the machine, as a list in Markdown."""
    pools = [info for info in threadpool_info() if info["user_api"] == "blas"]
    blas = sorted({f"{pool['internal_api']} {pool['version']} ({pool.get('architecture')})" for pool in pools})
    packages = [f"{name} {_version(name)}" for name in ("numpy", "numba", "llvmlite", "torch")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    lines = [
        f"date: {datetime.date.today()}",
        f"processor: {_processor()}; cores: {cores}; bits of the vectors that are used: {8 * REGISTER}",
        f"cache, as the first core sees it: {', '.join(_caches()) or 'unknown'}; memory: {_memory()}",
        f"system: {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, {', '.join(packages)}; NumPy's BLAS: {', '.join(blas) or 'unknown'}",
        f"numpycnn {numpycnn.__version__}, {numpycnn.get_num_threads()} threads",
    ]
    return "\n".join(f"- {line}" for line in lines)
