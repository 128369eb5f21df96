"""The kernels beside their plain versions: who belongs to whom, and how the two are compared."""

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import numpy as np

import numpycnn.kernels
from numpycnn.functional.windows import Windows, slide
from tests.helpers import Case

Kernel = Callable[..., None]


def modules() -> list[ModuleType]:
    return [import_module(f"numpycnn.kernels.{found.name}") for found in iter_modules(numpycnn.kernels.__path__)]


def plain(kernel: Any) -> Any:
    """The Python function behind a compiled one; itself where the compiler is switched off."""
    return getattr(kernel, "py_func", kernel)


def pairs() -> Iterator[tuple[str, Kernel, Kernel]]:
    """Every function with a plain version: its name, and the two."""
    for module in modules():
        for name, reference in vars(module).items():
            if name.endswith("_reference") and reference.__module__ == module.__name__:
                kernel = getattr(module, name.removesuffix("_reference"))
                yield f"{module.__name__.rpartition('.')[2]}.{name.removesuffix('_reference')}", kernel, reference


def called_in_chunks(module: ModuleType) -> list[str]:
    """The kernels of a module that the threads call, by their first arguments."""
    return [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(function := plain(value))
        and function.__module__ == module.__name__
        and not name.endswith("_reference")
        and list(inspect.signature(function).parameters)[:3] == ["chunk", "start", "stop"]
    ]


def windows_of(case: Case) -> Windows:
    settings = {name: value for name, value in case.settings.items() if name != "kernel_size"}
    settings["stride"], settings["padding"] = case.stride, case.pairs
    return slide(case.size, case.kernel, **{"dilation": 1} | settings, operation="test")


def compare(
    kernel: Kernel, reference: Kernel, n: int, arguments: Callable[[], tuple[Any, ...]], tolerance: float = 1e-12
) -> None:
    """Call both on equal arguments, the kernel in two chunks and the reference in one, and compare every array.

    `arguments` makes the arguments anew for each; arrays that only one of the two needs are left out as None.
    """
    ours, theirs = arguments(), arguments()
    cut = n // 2
    kernel(0, 0, cut, *ours)
    kernel(0, cut, n, *ours)
    reference(0, 0, n, *theirs)
    for got, wanted in zip(ours, theirs, strict=True):
        if isinstance(got, np.ndarray) and not isinstance(got, Scratch):
            np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


class Scratch(np.ndarray):
    """Working memory, whose content afterwards is nobody's business."""


def scratch(*shape: int, fill: float = 0.0) -> np.ndarray:
    return np.full(shape, fill).view(Scratch)
