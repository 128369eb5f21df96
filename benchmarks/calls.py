"""Count the calls of numpycnn's own functions in a forward pass and in a training step, in both backends.

A reader with a debugger steps through each of them. Loops compiled by numba do not count: they are what is reached.

    python benchmarks/calls.py          # the counts
    python benchmarks/calls.py --list   # and the calls themselves: of a forward pass in order, of a step counted
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import numpycnn
from numpycnn import Adam, Conv2D, CrossEntropy, Trainer, backend
from numpycnn.models import small_cnn

PACKAGE = str(Path(numpycnn.__file__).parent)


def compiled_loops() -> set[tuple[str, int]]:
    """Return file and line of the loops that are compiled: a call of one is seen as a call of its Python function.

    Not the code itself, whose hash CPython 3.11 changes as it specializes instructions.
    """
    modules = [module for name, module in sys.modules.items() if name.startswith("numpycnn.kernels")]
    functions = [getattr(value, "py_func", None) for module in modules for value in vars(module).values()]
    codes = [function.__code__ for function in functions if function is not None]
    return {(code.co_filename, code.co_firstlineno) for code in codes}


def calls_of(function: Callable[[], Any]) -> list[str]:
    """Return ``file:function`` for each call of a Python function of the package."""
    found: list[str] = []
    compiled = compiled_loops()

    def profile(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        path, line = code.co_filename, code.co_firstlineno
        if event == "call" and path.startswith(PACKAGE) and (path, line) not in compiled:
            found.append(f"{path[len(PACKAGE) + 1 :]}:{code.co_name}")

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return found


def forward_of(channels: int, filters: int) -> list[str]:
    """Return the calls of one forward pass of a 3x3 convolution, after a first one."""
    layer = Conv2D(filters, 3)
    layer.build((channels, 16, 16))
    x = np.random.default_rng(0).random((32, channels, 16, 16), np.float32)
    layer.forward(x)
    return calls_of(lambda: layer.forward(x))


def training_step() -> list[str]:
    """Return the calls of one training step of ``small_cnn``: an epoch of two steps less an epoch of one."""
    rng = np.random.default_rng(0)
    x, labels = rng.random((64, 1, 28, 28), np.float32), rng.integers(0, 10, 64)

    def epoch(examples: int) -> list[str]:
        trainer = Trainer(small_cnn((1, 28, 28), 10), loss=CrossEntropy(), optimizer=Adam())
        data = x[:examples], labels[:examples]
        trainer.fit(data, epochs=1, prefetch=0, progress=False)
        return calls_of(lambda: trainer.fit(data, epochs=2, prefetch=0, progress=False))

    return list((Counter(epoch(64)) - Counter(epoch(32))).elements())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the calls of a convolution's forward pass")
    arguments = parser.parse_args()
    rows = []
    for name in ("plain", "fast"):
        with backend(name):
            rows.append((f"{name}: Conv2D.forward, 4 to 3 channels", forward_of(4, 3), 20 if name == "plain" else 30))
            if name == "fast":
                rows.append((f"{name}: Conv2D.forward, 64 to 64 channels (Winograd)", forward_of(64, 64), 40))
            rows.append((f"{name}: training step of small_cnn", training_step(), 700))
    for title, calls, limit in rows:
        print(f"{title:55} {len(calls):5} calls (limit {limit})")
        if arguments.list and "forward" in title:
            print("".join(f"    {call}\n" for call in calls))
        elif arguments.list:
            print("".join(f"    {count:4} {call}\n" for call, count in Counter(calls).most_common()))


if __name__ == "__main__":
    main()
